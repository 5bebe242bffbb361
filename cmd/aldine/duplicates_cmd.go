package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"aldine/customers/duplicates"
)

type duplicatesCmd struct {
	Search    duplicatesSearch    `cmd:"" help:"Look through the house file for customers who may be one person."`
	List      duplicatesList      `cmd:"" help:"List the pairs that wait for a decision, the best first."`
	Merge     duplicatesMerge     `cmd:"" help:"Merge two customers: the second becomes part of the first."`
	MergeSure duplicatesMergeSure `cmd:"" help:"Merge all pairs from a score up that have no two external ids."`
	Different duplicatesDifferent `cmd:"" help:"Note that two customers are two people."`
	Undo      duplicatesUndo      `cmd:"" help:"Take a merge back."`
}

type asJSON struct {
	JSON bool `name:"json" help:"Print the result as JSON."`
}

// print writes v as JSON, or with the function.
func (o asJSON) print(std streams, v any, text func() error) error {
	if !o.JSON {
		return text()
	}
	e := json.NewEncoder(std.out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

type duplicatesSearch struct {
	Threshold float64 `placeholder:"P" help:"Probability from which two customers are one person (default 0.5)."`
	Review    float64 `placeholder:"P" help:"Probability from which a pair is kept for review (default 0.05)."`
	asJSON
}

func (c duplicatesSearch) Run(ctx context.Context, cfg *config, std streams) error {
	return withApp(ctx, cfg, std, func(a *app) error {
		search, err := a.duplicates.StartSearch(ctx, duplicates.NewSearch{Threshold: c.Threshold, Review: c.Review, Hold: true})
		if err != nil {
			return err
		}
		search, err = a.runSearch(ctx, search, std)
		if err != nil {
			return err
		}
		counts, err := a.duplicates.Counts(ctx)
		if err != nil {
			return err
		}
		return c.print(std, map[string]any{"search": search, "counts": counts}, func() error {
			fmt.Fprintf(std.out, "%d pairs, %d of them below the threshold; %d wait for a decision, %d have two external ids.\n",
				search.Pairs, search.ForReview, counts.Open, counts.Conflicts)
			return nil
		})
	})
}

// runSearch runs a search here and shows how far it is. Stopped, it is cancelled; killed, the next start of workers takes it up.
func (a *app) runSearch(ctx context.Context, search duplicates.Search, std streams) (duplicates.Search, error) {
	shown, stop := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(shown)
		tick := time.NewTicker(3 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
			}
			if now, err := a.duplicates.Search(ctx, search.ID); err == nil && now.Phase != "" {
				fmt.Fprintf(std.err, "%s: %d of %d\n", now.Phase, now.Done, now.Total)
			}
		}
	}()
	done, err := a.duplicates.Run(ctx, search.ID)
	close(stop)
	<-shown
	if err != nil && ctx.Err() != nil {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		if err := a.duplicates.CancelSearch(last, search.ID); err != nil {
			return done, err
		}
		return done, ctx.Err()
	}
	return done, err
}

type duplicatesList struct {
	Limit int `default:"20" help:"Pairs at most (default 20)."`
	asJSON
}

func (c duplicatesList) Run(ctx context.Context, cfg *config, std streams) error {
	return withApp(ctx, cfg, std, func(a *app) error {
		var pairs []duplicates.Pair
		for after := (duplicates.Cursor{}); len(pairs) < c.Limit; {
			page, err := a.duplicates.Open(ctx, after, min(200, c.Limit-len(pairs)))
			if err != nil {
				return err
			}
			if len(page) == 0 {
				break
			}
			pairs, after = append(pairs, page...), page[len(page)-1].Cursor()
		}
		return c.print(std, append([]duplicates.Pair{}, pairs...), func() error {
			t := newTable(std.out, "A", "B", "SCORE", "NAMES", "CONFLICT")
			for _, p := range pairs {
				t.row(p.CustomerID, p.OtherID, fmt.Sprintf("%.4f", p.Score), p.A.Name()+" / "+p.B.Name(), p.Conflict)
			}
			return t.flush()
		})
	})
}

type duplicatesMerge struct {
	Survivor int64             `arg:"" help:"Customer who stays."`
	Old      int64             `arg:"" help:"Customer who becomes part of the first."`
	Choose   map[string]string `mapsep:"," placeholder:"FIELD=survivor|old" help:"Whose value a field gets, where the rule shall not decide; the address is one field."`
	DryRun   bool              `help:"Only say what would be done."`
	asJSON
}

func (c duplicatesMerge) Run(ctx context.Context, cfg *config, std streams) error {
	return withApp(ctx, cfg, std, func(a *app) error {
		if c.DryRun {
			p, err := a.duplicates.PreviewMerge(ctx, c.Survivor, c.Old, c.Choose)
			if err != nil {
				return err
			}
			return c.print(std, p, func() error {
				if p.Conflict != "" {
					fmt.Fprintf(std.out, "They have %s.\n", p.Conflict)
				}
				if p.Refused != "" {
					fmt.Fprintln(std.out, p.Refused+".")
				}
				return choices(std, p.Fields)
			})
		}
		m, err := a.duplicates.Merge(ctx, c.Survivor, c.Old, c.Choose)
		if err != nil {
			return err
		}
		return c.print(std, m, func() error {
			if err := choices(std, m.Fields); err != nil {
				return err
			}
			fmt.Fprintf(std.out, "Customer %d is part of customer %d. To take it back: aldine duplicates undo %s\n", m.OldID, m.SurvivorID, m.ID)
			return nil
		})
	})
}

func choices(std streams, fields []duplicates.Choice) error {
	t := newTable(std.out, "FIELD", "SURVIVOR", "OLD", "CHOSEN", "WHY")
	for _, f := range fields {
		t.row(f.Field, f.Survivor, f.Old, f.Chosen, f.Why)
	}
	return t.flush()
}

type duplicatesMergeSure struct {
	MinScore float64 `name:"min-score" default:"0.99" placeholder:"P" help:"Least probability, from 0.9 (default 0.99)."`
	Count    bool    `help:"Only say how many pairs there are."`
	asJSON
}

func (c duplicatesMergeSure) Run(ctx context.Context, cfg *config, std streams) error {
	return withApp(ctx, cfg, std, func(a *app) error {
		if c.Count {
			n, err := a.duplicates.CountSure(ctx, c.MinScore)
			if err != nil {
				return err
			}
			return c.print(std, map[string]int64{"pairs": n}, func() error {
				fmt.Fprintln(std.out, n)
				return nil
			})
		}
		search, err := a.duplicates.MergeSureHeld(ctx, c.MinScore)
		if err != nil {
			return err
		}
		if search, err = a.runSearch(ctx, search, std); err != nil {
			return err
		}
		return c.print(std, search, func() error {
			fmt.Fprintf(std.out, "%d merged, %d left as they are.\n", search.Pairs, search.ForReview)
			return nil
		})
	})
}

type duplicatesDifferent struct {
	A    int64 `arg:"" help:"Customer."`
	B    int64 `arg:"" help:"Another customer."`
	Open bool  `help:"Take the word back: the pair waits for a decision again."`
}

func (c duplicatesDifferent) Run(ctx context.Context, cfg *config, std streams) error {
	return withApp(ctx, cfg, std, func(a *app) error { return a.duplicates.Decide(ctx, c.A, c.B, !c.Open) })
}

type duplicatesUndo struct {
	Merge string `arg:"" help:"The merge's id, as printed by the merge and listed on the customer's page."`
	asJSON
}

func (c duplicatesUndo) Run(ctx context.Context, cfg *config, std streams) error {
	return withApp(ctx, cfg, std, func(a *app) error {
		m, err := a.duplicates.Undo(ctx, c.Merge)
		if err != nil {
			return err
		}
		return c.print(std, m, func() error {
			fmt.Fprintf(std.out, "Customers %d and %d are two again.\n", m.SurvivorID, m.OldID)
			slices.Sort(m.Kept)
			for _, f := range m.Kept {
				fmt.Fprintf(std.out, "%s was edited since and stays as it is.\n", f)
			}
			return nil
		})
	})
}
