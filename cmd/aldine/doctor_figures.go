package main

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/internal/settings"
	"aldine/reports"
)

// figures holds the figures that reports show against the rows they stand for, campaign by campaign: a sample, or all.
func (c *doctorCmd) figures(ctx context.Context, cfg *config, std streams) ([]finding, error) {
	a := &app{cfg: cfg, now: time.Now, log: cfg.logger(std.err)}
	defer a.close()
	if err := a.openDatabase(ctx); err != nil {
		return nil, err
	}
	s := reports.New(a.pool, settings.New(a.pool, a.now), a.now)
	rows, err := a.pool.Query(ctx, `SELECT campaign_id, code FROM campaigns WHERE launched_at IS NOT NULL ORDER BY campaign_id DESC`)
	if err != nil {
		return nil, err
	}
	type campaign struct {
		ID   int64
		Code string
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[campaign])
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return []finding{{what: "figures", state: "no campaign was launched yet"}}, nil
	}
	var found []finding
	for _, l := range list {
		check, state := s.ReconcileSome, "a sample agrees with the rows"
		if c.All {
			check, state = s.Reconcile, "agree with the rows"
		}
		problems, err := check(ctx, l.ID)
		if err != nil {
			return found, err
		}
		f := finding{what: "figures of " + l.Code, state: state}
		if len(problems) > 0 {
			f.state, f.mend = differing(problems), whatToDo(problems, l.Code)
		}
		found = append(found, f)
	}
	return found, nil
}

func differing(problems []reports.Problem) string {
	const shown = 5
	out := fmt.Sprintf("%d differ", len(problems))
	for i, p := range problems {
		if i == shown {
			return out + fmt.Sprintf("\n    and %d more", len(problems)-shown)
		}
		out += "\n    " + p.String()
	}
	return out
}

// whatToDo says how to mend the first of what is wrong: figures kept that are wrong make other checks fail, too.
func whatToDo(problems []reports.Problem, code string) string {
	for _, p := range problems {
		if p.Recounted() {
			return "run aldine campaign recount " + code + ", then look again"
		}
	}
	return "compare the report of " + code + " with its ledger and contacts; rows were lost or changed by hand, and a backup from before may tell which"
}

type campaignRecount struct {
	Campaign string `arg:"" optional:"" help:"Code or number of the campaign."`
	All      bool   `help:"All campaigns but those whose opens and clicks were deleted for their age."`
}

// Run marks and counts: killed, a running server goes on.
func (c campaignRecount) Run(ctx context.Context, cfg *config, std streams) error {
	if (c.Campaign == "") != c.All {
		return fmt.Errorf("name one campaign, or use --all")
	}
	return withApp(ctx, cfg, std, func(a *app) error {
		var ids []int64
		if c.All {
			rows, err := a.pool.Query(ctx, `SELECT campaign_id FROM campaigns WHERE launched_at IS NOT NULL
				AND campaign_id NOT IN (SELECT campaign_id FROM rollups WHERE sealed_at IS NOT NULL) ORDER BY campaign_id`)
			if err != nil {
				return err
			}
			if ids, err = pgx.CollectRows(rows, pgx.RowTo[int64]); err != nil {
				return err
			}
		} else {
			id, err := a.campaigns.Find(ctx, c.Campaign)
			if err != nil {
				return err
			}
			ids = []int64{id}
		}
		begun := a.now().Add(time.Second)
		for _, id := range ids {
			if err := a.reports.Recount(ctx, id); err != nil {
				return err
			}
		}
		for {
			var slices int64
			if err := a.pool.QueryRow(ctx, `SELECT coalesce(sum(cardinality(slices)), 0) FROM rollup_marks WHERE campaign_id = ANY(@ids) AND at <= @begun`,
				pgx.NamedArgs{"ids": ids, "begun": begun}).Scan(&slices); err != nil {
				return err
			}
			if slices == 0 {
				_, err := fmt.Fprintf(std.out, "The figures of %d campaigns are counted anew.\n", len(ids))
				return err
			}
			fmt.Fprintf(std.err, "%d slices to count\n", slices)
			if err := a.reports.Fold(ctx, 3*time.Second); err != nil {
				return err
			}
		}
	})
}
