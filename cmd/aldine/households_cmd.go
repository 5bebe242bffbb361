package main

import (
	"context"
	"fmt"
	"time"
)

type householdsCmd struct {
	Refresh householdsRefresh `cmd:"" help:"Bring residences and households up to date."`
}

type householdsRefresh struct {
	All bool `help:"Forget all spellings of addresses seen, and find everything anew."`
}

// Run does what imports have left to do. Stopped and run again it carries on; --all begins anew.
func (c householdsRefresh) Run(ctx context.Context, cfg *config, std streams) error {
	return withApp(ctx, cfg, std, func(a *app) error {
		if c.All {
			if err := a.customers.RecomputeHouseholds(ctx); err != nil {
				return err
			}
		}
		return a.refreshHouseholds(ctx, std)
	})
}

// hintHouseholds says how households are found after an import that no server looks after.
func (a *app) hintHouseholds(ctx context.Context, std streams) error {
	waiting, err := a.customers.HouseholdsWaiting(ctx)
	if err == nil && waiting > 0 {
		fmt.Fprintf(std.err, "A running server now looks at the households of %d customers; without one: aldine households refresh\n", waiting)
	}
	return err
}

// refreshHouseholds shows how far it is every few seconds.
func (a *app) refreshHouseholds(ctx context.Context, std streams) error {
	begun := time.Now()
	shown, seen := begun, int64(0)
	moved, err := a.customers.RefreshHouseholds(ctx, func(done, total int64) {
		seen = done
		if time.Since(shown) > 3*time.Second {
			shown = time.Now()
			fmt.Fprintf(std.err, "households: %d of %d customers\n", done, total)
		}
	})
	if err == nil {
		fmt.Fprintf(std.out, "Households of %d customers looked at in %.1f s; %d joined another spelling or name.\n", seen, time.Since(begun).Seconds(), moved)
	}
	return err
}
