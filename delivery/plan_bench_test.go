package delivery_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/campaigns/journey"
)

// BenchmarkPlan plans 100,000 customers, two to a home that lie far apart in numbers, in slices of 10,000, in a database without
// statistics on any of it.
func BenchmarkPlan(b *testing.B) {
	for _, dedup := range []string{"customer", "person", "household", "address"} {
		b.Run(dedup, func(b *testing.B) {
			for range b.N {
				b.StopTimer()
				w := newWorld(b)
				s := w.step("post", dedup, "0.5")
				w.exec(`ALTER TABLE customers SET (autovacuum_enabled = off)`, nil)
				w.exec(`WITH c AS (INSERT INTO customers (first_name, last_name, household_id, address_hash, residence_id, total_spent, created_at, updated_at)
						SELECT 'P' || i, 'Smith', i % 50000, i % 50000, i % 50000, i % 7, now(), now() FROM generate_series(1, 100000) i RETURNING customer_id)
					INSERT INTO enrollments (customer_id, campaign_id, version, cell_id, step_id, due_at, state, entered_at, updated_at)
					SELECT customer_id, @campaign, 1, @cell, @step, @now, 'active', @now, @now FROM c`,
					pgx.NamedArgs{"campaign": w.campaign, "cell": w.cells[0], "step": s.ID, "now": start})
				w.exec(`UPDATE campaigns SET budget = 1000000`, nil)
				b.StartTimer()
				at := time.Now()
				for first := int64(1); first < 100_000; first += 10_000 {
					err := pgx.BeginFunc(b.Context(), w.pool, func(tx pgx.Tx) error {
						if err := w.delivery.PlanTx(b.Context(), tx, journey.PlanRequest{CampaignID: w.campaign, Step: s, FirstID: first, LastID: first + 9_999, Now: w.now()}); err != nil {
							return err
						}
						_, err := tx.Exec(b.Context(), `UPDATE enrollments SET state = 'completed', step_id = NULL
							WHERE campaign_id = @campaign AND step_id = @step AND customer_id BETWEEN @first AND @last`,
							pgx.NamedArgs{"campaign": w.campaign, "step": s.ID, "first": first, "last": first + 9_999})
						return err
					})
					w.must(err)
				}
				rate := 100_000 / time.Since(at).Seconds()
				b.StopTimer()
				w.want("all are decided", w.text(`SELECT count(*)::text FROM touches`, nil), "100000")
				// The floor: the same rows put in by one statement that decides nothing.
				w.exec(`CREATE TABLE decided AS TABLE touches`, nil)
				w.exec(`TRUNCATE touches`, nil)
				at = time.Now()
				w.exec(`INSERT INTO touches TABLE decided`, nil)
				floor := 100_000 / time.Since(at).Seconds()
				b.ReportMetric(rate, "touches/s")
				b.ReportMetric(floor, "floor-touches/s")
				b.ReportMetric(rate/floor, "ratio")
				b.StartTimer()
			}
		})
	}
}
