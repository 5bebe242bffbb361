package main

import (
	"context"
	"fmt"
	"time"
)

type trackingCmd struct {
	Reclassify reclassifyCmd `cmd:"" help:"Judge stored clicks and opens again: which were a program's, by today's rules."`
}

type reclassifyCmd struct {
	Campaign string `help:"Only those of this campaign, by code or number."`
}

// Run judges hits in slices, each in a transaction of its own: stopped and run again it does no harm.
func (c reclassifyCmd) Run(ctx context.Context, cfg *config, std streams) error {
	return withApp(ctx, cfg, std, func(a *app) error {
		var id int64
		var err error
		if c.Campaign != "" {
			if id, err = a.campaigns.Find(ctx, c.Campaign); err != nil {
				return err
			}
		}
		shown := time.Now()
		changed, err := a.tracking.Reclassify(ctx, id, func(campaign, people int64) {
			if time.Since(shown) > 3*time.Second {
				shown = time.Now()
				fmt.Fprintf(std.err, "campaign %d: %d customers\n", campaign, people)
			}
		})
		if err == nil {
			fmt.Fprintf(std.out, "%d hits are judged otherwise now.\n", changed)
		}
		return err
	})
}
