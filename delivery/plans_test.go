package delivery

import (
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/internal/pgtest"
	"aldine/internal/settings"
)

// TestClaimReadsOnlyItsOwn: without statistics on a new campaign, as with them, a claim reads little more than its own customers' touches.
func TestClaimReadsOnlyItsOwn(t *testing.T) {
	t.Parallel()
	pool, ctx, now := pgtest.New(t), t.Context(), time.Now()
	for _, sql := range []string{
		`ALTER TABLE touches SET (autovacuum_enabled = off)`, `ALTER TABLE customers SET (autovacuum_enabled = off)`,
		`INSERT INTO campaigns (campaign_id, code, name, currency, budget, state, created_by, created_at, updated_at) OVERRIDING SYSTEM VALUE
			VALUES (1, 'a', 'a', 'EUR', 1000, 'running', 't', now(), now())`,
		`INSERT INTO customers (customer_id, first_name, email, created_at, updated_at) OVERRIDING SYSTEM VALUE
			SELECT i, 'x', 'p' || i || '@x.example', now(), now() FROM generate_series(1, 40000) i`,
		`INSERT INTO touches (customer_id, campaign_id, step_id, channel, cell_id, state, planned_at, updated_at)
			SELECT i, 1, 1, 'email', 1, 'planned', now(), now() FROM generate_series(1, 40000) i`,
	} {
		if _, err := pool.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	ids := make([]int64, 200)
	for i := range ids {
		ids[i] = int64(20_000 + i)
	}
	b, v := batch{CampaignID: 1, StepID: 1, Channel: "email"}, settings.Values{CapEmail: 3, CapDays: 7}
	hits := regexp.MustCompile(`shared hit=(\d+)`)
	read := func(mode string) (pages int) {
		tx, err := pool.Begin(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = tx.Rollback(ctx) }()
		if _, err := tx.Exec(ctx, `SET LOCAL plan_cache_mode = `+mode); err != nil {
			t.Fatal(err)
		}
		rows, err := tx.Query(ctx, `EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF) `+claimSQL("email", v), claimArgs(b, v, ids, 1, "job:1:1", now))
		if err != nil {
			t.Fatal(err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range lines { // the first is of the whole
			if m := hits.FindStringSubmatch(l); m != nil {
				pages, _ = strconv.Atoi(m[1])
				break
			}
		}
		if most := 60 * len(ids); pages == 0 || pages > most {
			t.Errorf("%s: %d pages are read for %d touches", mode, pages, len(ids))
			for _, l := range lines {
				t.Log(l)
			}
		}
		return pages
	}
	for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
		t.Log("without statistics", mode, read(mode))
	}
	if _, err := pool.Exec(ctx, `ANALYZE touches, customers`); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []string{"force_custom_plan", "force_generic_plan"} {
		t.Log("with statistics", mode, read(mode))
	}
}
