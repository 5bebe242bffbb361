package rollup

import (
	"context"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"
)

// Check counts all of a campaign and names the lines that Read would give otherwise, had it the time to count all that is marked; none is
// as it should be.
func Check(ctx context.Context, tx pgx.Tx, c Config, campaign int64) ([]string, error) {
	k := newReader(tx, c)
	if err := k.all(ctx, []int64{campaign}); err != nil {
		return nil, err
	}
	r := newReader(tx, c)
	states, err := loadStates(ctx, tx, []int64{campaign})
	if err != nil || len(states) == 0 || states[0].sealed { // of a sealed one not all that was counted is there
		return nil, err
	}
	if err := r.count(ctx, states[0], []int64{whole}, wholeSQL); err != nil {
		return nil, err
	}
	return differences(k.lines, r.lines, "counted"), nil
}

// newReader gives a reader of all breakdowns, which counts whatever is marked.
func newReader(tx pgx.Tx, c Config) *reader {
	r := &reader{tx: tx, config: c, budget: math.MaxInt64, lines: map[key]*Line{}}
	for _, d := range []Dim{All, Step, Cell, List, Keycode, Medium, Day} {
		r.dims = append(r.dims, int16(d))
	}
	for d := State; d <= Bought; d++ {
		r.dims = append(r.dims, int16(d))
	}
	return r
}

func same(a, b Line) bool {
	for i, n := range a.counts() {
		if *n != *b.counts()[i] {
			return false
		}
	}
	for i, m := range a.money() {
		if !m.Equal(*b.money()[i]) {
			return false
		}
	}
	difference := a.Squares - b.Squares
	return difference*difference <= 1e-12*(1+a.Squares*a.Squares)
}

// String shows the measures that are not 0.
func (l *Line) String() string {
	var out []string
	for i, n := range l.counts() {
		if *n != 0 {
			out = append(out, fmt.Sprintf("%s %d", counted[i], *n))
		}
	}
	for i, m := range l.money() {
		if !m.IsZero() {
			out = append(out, fmt.Sprintf("%s %s", amounts[i], m))
		}
	}
	return join(out)
}
