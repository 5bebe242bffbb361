package rollup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aldine/internal/fault"
	"aldine/internal/tally"
)

// Recount marks all that a campaign has, so that Fold counts it anew, and makes the totals the sums of the slices again. Until that is
// done reports show the figures as of now, as far as they are kept. Conflict where opens and clicks were deleted, which leaves less to count.
func Recount(ctx context.Context, pool *pgxpool.Pool, campaign int64, now time.Time) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		var sealed bool
		err := tx.QueryRow(ctx, `SELECT sealed_at IS NOT NULL FROM rollups WHERE campaign_id = @campaign FOR UPDATE`, pgx.NamedArgs{"campaign": campaign}).Scan(&sealed)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if sealed {
			return fault.New(fault.Conflict, "The opens and clicks of campaign %d were deleted for their age: its figures cannot be counted anew", campaign)
		}
		for _, sql := range []string{
			`DELETE FROM rollup_lines l WHERE campaign_id = @campaign AND NOT EXISTS (
				SELECT 1 FROM rollup_slices s WHERE s.campaign_id = l.campaign_id AND s.slice = l.slice)`,
			`DELETE FROM rollup_totals WHERE campaign_id = @campaign`,
			`INSERT INTO rollup_totals (campaign_id, dim, item, ` + columns + `)
				SELECT campaign_id, dim, item, ` + summed() + ` FROM rollup_lines WHERE campaign_id = @campaign GROUP BY campaign_id, dim, item`,
		} {
			if _, err := tx.Exec(ctx, sql, pgx.NamedArgs{"campaign": campaign}); err != nil {
				return err
			}
		}
		return tally.MarkAllTx(ctx, tx, campaign, now)
	})
}

// CheckSome is Check for very many rows: it adds up all that is kept and counts some of the slices, drawn at random, that nobody has
// marked.
func CheckSome(ctx context.Context, tx pgx.Tx, c Config, campaign int64, slices int) ([]string, error) {
	states, err := loadStates(ctx, tx, []int64{campaign})
	if err != nil || len(states) == 0 || !states[0].folded(c) || states[0].sealed {
		return nil, err // counted whenever it is read, or not all there any more
	}
	kept, summedUp := newReader(tx, c), newReader(tx, c)
	if err := kept.add(ctx, totalsSQL, pgx.NamedArgs{"campaigns": []int64{campaign}}); err != nil {
		return nil, err
	}
	sums := `SELECT campaign_id, dim, item, ` + selected("") + ` FROM (SELECT campaign_id, dim, item, ` + summed() + ` FROM rollup_lines
		WHERE campaign_id = @campaign GROUP BY campaign_id, dim, item) AS s WHERE true` + wanted
	if err := summedUp.add(ctx, sums, pgx.NamedArgs{"campaign": campaign}); err != nil {
		return nil, err
	}
	out := differences(kept.lines, summedUp.lines, "the slices add up to")
	rows, err := tx.Query(ctx, `
		SELECT slice FROM rollup_slices WHERE campaign_id = @campaign AND slice NOT IN (SELECT unnest(slices) FROM rollup_marks WHERE campaign_id = @campaign)
		ORDER BY random() LIMIT @limit`, pgx.NamedArgs{"campaign": campaign, "limit": slices})
	if err != nil {
		return nil, err
	}
	drawn, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil || len(drawn) == 0 {
		return out, err
	}
	marked, _, _, err := pending(ctx, tx, campaign)
	if err != nil {
		return nil, err
	}
	w, err := c.window(ctx, tx, states[0], marked)
	if err != nil {
		return nil, err
	}
	late, err := overtaken(ctx, tx, campaign, marked, w.End)
	if err != nil {
		return nil, err
	}
	drawn = without(drawn, late)
	stored, fresh := newReader(tx, c), newReader(tx, c)
	if err := stored.add(ctx, `SELECT campaign_id, dim, item, `+selected("")+` FROM (SELECT campaign_id, dim, item, `+summed()+` FROM rollup_lines
		WHERE campaign_id = @campaign AND slice = ANY (@all::bigint[]) GROUP BY campaign_id, dim, item) AS s WHERE true`+wanted, pgx.NamedArgs{"campaign": campaign, "all": drawn}); err != nil {
		return nil, err
	}
	// The statement gives a line for each slice; the reader adds them up.
	if err := fresh.add(ctx, freshSQL, c.countArgs(campaign, drawn, w)); err != nil {
		return nil, err
	}
	return append(out, differences(stored.lines, fresh.lines, fmt.Sprintf("in %d slices counted", len(drawn)))...), nil
}

func without(all, some []int64) []int64 {
	in := map[int64]bool{}
	for _, n := range some {
		in[n] = true
	}
	var out []int64
	for _, n := range all {
		if !in[n] {
			out = append(out, n)
		}
	}
	return out
}

// differences names the lines that differ; what is how the second ones came about. Empty lines are none.
func differences(kept, counted map[key]*Line, what string) []string {
	var out []string
	for k, want := range counted {
		l := kept[k]
		if l == nil {
			l = &Line{}
		}
		if !same(*l, *want) {
			out = append(out, fmt.Sprintf("breakdown %d, %q: %s %s, kept %s", k.dim, k.item, what, want, l))
		}
	}
	for k, l := range kept {
		if counted[k] == nil && !l.empty() {
			out = append(out, fmt.Sprintf("breakdown %d, %q: %s nothing, kept %s", k.dim, k.item, what, l))
		}
	}
	return out
}
