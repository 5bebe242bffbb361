package main

import (
	"context"
	"fmt"
	"strings"

	"aldine/customers"
	"aldine/internal/settings"
)

// checkRegisters names countries whose people can be called and for which no do-not-call register is kept. That is a hint: not
// every country has one.
func (a *app) checkRegisters(ctx context.Context) finding {
	f := finding{what: "do-not-call registers", state: "kept for all countries with telephone numbers"}
	missing, err := customers.New(customers.Deps{Pool: a.pool, Settings: settings.New(a.pool, a.now), Now: a.now}).Unregistered(ctx)
	if err != nil {
		f.state, f.mend = err.Error(), "run aldine migrate"
		return f
	}
	if len(missing) == 0 {
		return f
	}
	var said []string
	for i, m := range missing {
		if i == 10 {
			said = append(said, fmt.Sprintf("%d more", len(missing)-i))
			break
		}
		said = append(said, fmt.Sprintf("%s (%d numbers)", m.Country, m.Numbers))
	}
	f.state = "none kept for " + strings.Join(said, ", ") + ": where the law has one, load it before calling (aldine register)"
	return f
}
