package rollup

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"aldine/customers"
	"aldine/internal/tally"
)

const (
	foldSlices = 256  // slices of one transaction, at most
	foldMarks  = 5000 // marks looked at for them
)

// Fold counts what is marked of all campaigns, until nothing is left or the time is up. It begins anew with a campaign whose figures were counted with
// another configuration.
func Fold(ctx context.Context, pool *pgxpool.Pool, c Config, now func() time.Time, most time.Duration) error {
	begun := time.Now()
	rows, err := pool.Query(ctx, `
		SELECT campaign_id FROM rollup_marks UNION
		SELECT c.campaign_id FROM campaigns c LEFT JOIN rollups r ON r.campaign_id = c.campaign_id
		WHERE c.launched_at IS NOT NULL AND r.sealed_at IS NULL AND (r.config IS DISTINCT FROM @config OR NOT r.complete)
		ORDER BY 1`, pgx.NamedArgs{"config": c.String()})
	if err != nil {
		return err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return err
	}
	for left := ids; len(left) > 0; { // a part of each in turn, so that a big one does not hold up the others
		var more []int64
		for _, id := range left {
			if time.Since(begun) > most {
				return nil
			}
			again, err := foldSome(ctx, pool, c, id, now())
			if err != nil {
				return err
			}
			if again {
				more = append(more, id)
			}
		}
		left = more
	}
	return nil
}

// foldSome folds some marks of one campaign and tells whether there are more.
func foldSome(ctx context.Context, pool *pgxpool.Pool, c Config, campaign int64, now time.Time) (more bool, err error) {
	if _, err := pool.Exec(ctx, `INSERT INTO rollups (campaign_id) VALUES (@campaign) ON CONFLICT DO NOTHING`, pgx.NamedArgs{"campaign": campaign}); err != nil {
		return false, err
	}
	err = pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, func(tx pgx.Tx) error {
		more, err = fold(ctx, tx, c, campaign, now)
		return err
	})
	var pe *pgconn.PgError
	if errors.As(err, &pe) && pe.Code == "40001" { // another process folded it meanwhile
		return false, nil
	}
	return more, err
}

func fold(ctx context.Context, tx pgx.Tx, c Config, campaign int64, now time.Time) (more bool, err error) {
	// Whoever folds the same campaign waits here, and finds that it is done.
	if _, err := tx.Exec(ctx, `SELECT 1 FROM rollups WHERE campaign_id = @campaign FOR UPDATE`, pgx.NamedArgs{"campaign": campaign}); err != nil {
		return false, err
	}
	states, err := loadStates(ctx, tx, []int64{campaign})
	if err != nil || len(states) == 0 {
		return false, err
	}
	s := states[0]
	if s.sealed {
		_, err := tx.Exec(ctx, `DELETE FROM rollup_marks WHERE campaign_id = @campaign`, pgx.NamedArgs{"campaign": campaign})
		return false, err
	}
	if s.config != c.String() {
		return true, begin(ctx, tx, c, campaign, now)
	}
	marks, chosen, more, err := choose(ctx, tx, campaign)
	if err != nil {
		return false, err
	}
	w, err := c.window(ctx, tx, s, chosen)
	if err != nil {
		return false, err
	}
	late, err := overtaken(ctx, tx, campaign, chosen, w.End)
	if err != nil {
		return false, err
	}
	if len(late) > foldSlices {
		late, more = late[:foldSlices], true
	}
	chosen = append(chosen, late...)
	args := c.countArgs(campaign, chosen, w)
	args["all"], args["marks"], args["now"] = chosen, marks, now
	statements := []string{takeOff, dropLines, countLines, putOn, dropSlices, keepSlices, dropMarks, done}
	if len(chosen) == 0 {
		statements = []string{done}
	}
	for _, sql := range statements {
		if _, err := tx.Exec(ctx, sql, args); err != nil {
			return false, err
		}
	}
	return more, nil
}

// begin throws away what was counted and marks all that there is to count.
func begin(ctx context.Context, tx pgx.Tx, c Config, campaign int64, now time.Time) error {
	for _, table := range []string{"rollup_lines", "rollup_totals", "rollup_slices", "rollup_marks"} {
		if _, err := tx.Exec(ctx, `DELETE FROM `+table+` WHERE campaign_id = @campaign`, pgx.NamedArgs{"campaign": campaign}); err != nil {
			return err
		}
	}
	if err := tally.MarkAllTx(ctx, tx, campaign, now); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE rollups SET config = @config, begun_at = @now, complete = false WHERE campaign_id = @campaign`,
		pgx.NamedArgs{"config": c.String(), "now": now, "campaign": campaign})
	return err
}

// choose takes the oldest marks whose slices together are not too many, and later ones that add none.
func choose(ctx context.Context, tx pgx.Tx, campaign int64) (marks [][16]byte, chosen []int64, more bool, err error) {
	rows, err := tx.Query(ctx, `SELECT mark_id, slices FROM rollup_marks WHERE campaign_id = @campaign ORDER BY at, mark_id LIMIT @limit`,
		pgx.NamedArgs{"campaign": campaign, "limit": foldMarks})
	if err != nil {
		return nil, nil, false, err
	}
	in := map[int64]bool{}
	var id [16]byte
	var of []int64
	n := 0
	_, err = pgx.ForEachRow(rows, []any{&id, &of}, func() error {
		n++
		var fresh []int64
		for _, slice := range of {
			if !in[slice] {
				fresh = append(fresh, slice)
			}
		}
		if len(in) > 0 && len(in)+len(fresh) > foldSlices && len(fresh) > 0 {
			more = true
			return nil
		}
		for _, slice := range fresh {
			in[slice] = true
		}
		marks, chosen = append(marks, id), append(chosen, fresh...)
		return nil
	})
	slices.Sort(chosen)
	return marks, chosen, more || n == foldMarks, err
}

var (
	takeOff = `
		INSERT INTO rollup_totals AS t (campaign_id, dim, item, ` + columns + `)
		SELECT campaign_id, dim, item, ` + negated() + ` FROM rollup_lines WHERE campaign_id = @campaign AND slice = ANY (@all::bigint[])
		GROUP BY campaign_id, dim, item` + onto
	dropLines  = `DELETE FROM rollup_lines WHERE campaign_id = @campaign AND slice = ANY (@all::bigint[])`
	countLines = `INSERT INTO rollup_lines (campaign_id, slice, dim, item, ` + columns + `) SELECT @campaign, slice, dim, item, ` + columns + ` FROM (` + countSQL(false) + `) AS counted`
	putOn      = `
		INSERT INTO rollup_totals AS t (campaign_id, dim, item, ` + columns + `)
		SELECT campaign_id, dim, item, ` + summed() + ` FROM rollup_lines WHERE campaign_id = @campaign AND slice = ANY (@all::bigint[])
		GROUP BY campaign_id, dim, item` + onto
	dropSlices = `DELETE FROM rollup_slices WHERE campaign_id = @campaign AND slice = ANY (@all::bigint[])`
	keepSlices = `
		WITH s AS (SELECT slice, first, last FROM unnest(@slices::bigint[], @firsts::bigint[], @lasts::bigint[]) AS s (slice, first, last))
		INSERT INTO rollup_slices (campaign_id, slice, weight, last_sent_at, channels, last_order_at, next_order_at)
		SELECT @campaign, s.slice, t.n + r.n + 50, t.at, t.channels, o.last, o.next
		FROM s
		CROSS JOIN LATERAL (SELECT count(*) AS n, max(t.sent_at) FILTER (WHERE t.state IN ('sent', 'bounced')) AS at,
			coalesce(array_agg(DISTINCT t.channel) FILTER (WHERE t.state IN ('sent', 'bounced')), '{}') AS channels
			FROM touches t WHERE ` + within("t", false) + `) t
		CROSS JOIN LATERAL (SELECT count(*) AS n FROM responses r WHERE ` + within("r", false) + `) r
		CROSS JOIN LATERAL (SELECT max(o.ordered_at) FILTER (WHERE o.ordered_at <= coalesce(@end::timestamptz, 'infinity')) AS last,
			min(o.ordered_at) FILTER (WHERE o.ordered_at > coalesce(@end::timestamptz, 'infinity')) AS next
			FROM enrollments e JOIN orders o ON o.customer_id = e.customer_id
			WHERE ` + within("e", false) + ` AND ` + customers.PlacedBySQL("o") + ` >= @from::timestamptz) o
		UNION ALL SELECT @campaign, h, 100, NULL, '{}', NULL, NULL FROM unnest(@hours::bigint[]) AS h`
	dropMarks = `DELETE FROM rollup_marks WHERE campaign_id = @campaign AND mark_id = ANY (@marks::uuid[])`
	done      = `
		UPDATE rollups SET folded_at = @now, complete = complete OR NOT EXISTS (
			SELECT 1 FROM rollup_marks m WHERE m.campaign_id = @campaign AND m.at <= begun_at) WHERE campaign_id = @campaign`
	onto = conflict()
)

func negated() string {
	var out []string
	for _, m := range counted {
		out = append(out, `-sum(`+m+`)::bigint`)
	}
	for _, m := range amounts {
		out = append(out, `-sum(`+m+`)`)
	}
	return join(out)
}

func conflict() string {
	var out []string
	for _, m := range measures {
		out = append(out, m+` = t.`+m+` + excluded.`+m)
	}
	return ` ON CONFLICT (campaign_id, dim, item) DO UPDATE SET ` + join(out)
}
