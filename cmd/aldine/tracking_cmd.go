package main

import (
	"context"
	"fmt"
	"time"

	"aldine/internal/fault"
	"aldine/tracking"
)

type trackingCmd struct {
	Reclassify reclassifyCmd `cmd:"" help:"Judge stored clicks and opens again: which were a program's, by today's rules."`
}

type reclassifyCmd struct {
	Campaign string `help:"Only those of this campaign, by code or number."`
	Every    bool   `help:"Those that today's rules judged before, too."`
	Follow   bool   `help:"Take part in the run that is under way instead of beginning one."`
	Cancel   bool   `help:"Cancel the run that is under way."`
}

// Run does the steps of a run itself, beside the workers if there are any, until it is through. Interrupted, it cancels; killed, a running
// server or the next one goes on.
func (c reclassifyCmd) Run(ctx context.Context, cfg *config, std streams) error {
	return withApp(ctx, cfg, std, func(a *app) error {
		if c.Follow || c.Cancel {
			if c.Campaign != "" || c.Every || c.Follow && c.Cancel {
				return fault.New(fault.Invalid, "--follow and --cancel go with no other option")
			}
			list, err := a.tracking.Reclassifications(ctx, 0, 1)
			if err != nil {
				return err
			}
			if len(list) == 0 || !list[0].Open() {
				return fault.New(fault.Conflict, "No run is under way")
			}
			if c.Cancel {
				return a.tracking.CancelReclassification(ctx, list[0].ID)
			}
			return a.reclassify(ctx, list[0], std)
		}
		in := tracking.NewReclassification{Every: c.Every}
		if c.Campaign != "" {
			var err error
			if in.CampaignID, err = a.campaigns.Find(ctx, c.Campaign); err != nil {
				return err
			}
		}
		r, err := a.tracking.StartReclassification(ctx, in)
		if fault.Is(err, fault.Conflict) {
			return fault.Wrap(fault.Conflict, err, "Hits are being judged again already: take part with --follow, or end that with --cancel")
		}
		if err != nil {
			return err
		}
		return a.reclassify(ctx, r, std)
	})
}

// reclassify does and shows a run.
func (a *app) reclassify(ctx context.Context, r tracking.Reclassification, std streams) error {
	for shown := time.Now(); r.Open(); {
		next, err := a.tracking.ReclassifySome(ctx, r.ID)
		if err != nil && ctx.Err() != nil {
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
			defer cancel()
			if err := a.tracking.CancelReclassification(last, r.ID); err != nil {
				return err
			}
			return ctx.Err()
		}
		if err != nil {
			return err
		}
		if r = next; r.Open() && time.Since(shown) > 3*time.Second {
			shown = time.Now()
			fmt.Fprintf(std.err, "customer %d of %d, %d hits judged\n", r.Reached, r.Last, r.Looked)
		}
	}
	if r.State == tracking.Cancelled {
		return fault.New(fault.Conflict, "The run was cancelled; %d hits had been judged", r.Looked)
	}
	fmt.Fprintf(std.out, "%d hits judged by rules of version %d, %d of them otherwise than before.\n", r.Looked, r.Rules, r.Changed)
	return nil
}
