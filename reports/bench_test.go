package reports_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"aldine/internal/pgtest"
	"aldine/internal/settings"
	"aldine/reports"
)

// BenchmarkReport reads the report of a campaign of two sizes, once its figures are folded, and after a click: the time does not
// depend on the size. fold-s is what the first count of all took. ALDINE_BENCH_EVENTS gives another number of events, in millions: each person
// has three.
func BenchmarkReport(b *testing.B) {
	sizes := []int{100_000, 1_000_000}
	if s := os.Getenv("ALDINE_BENCH_EVENTS"); s != "" {
		millions, err := strconv.Atoi(s)
		if err != nil {
			b.Fatal(err)
		}
		sizes = []int{millions * 1_000_000 / 3}
	}
	for _, customers := range sizes {
		b.Run(fmt.Sprintf("%dk", customers*5/1000), func(b *testing.B) {
			pool := pgtest.New(b)
			now := func() time.Time { return at }
			s := reports.New(pool, settings.New(pool, now), now)
			for _, sql := range []string{
				`INSERT INTO campaigns (campaign_id, code, name, currency, state, created_by, created_at, updated_at, launched_at)
					VALUES (1, 'spring', 'Spring', 'USD', 'running', 'cli', '2026-02-01', '2026-02-01', '2026-03-01 09:00Z')`,
				`INSERT INTO cells (cell_id, campaign_id, name, share, is_control, position) VALUES (1, 1, 'A', 9000, false, 1), (2, 1, 'Control', 1000, true, 2)`,
				`INSERT INTO steps (step_id, campaign_id, version, key, position, kind, channel, unit_cost) VALUES (1, 1, 1, 'mail', 1, 'send', 'email', 0.1)`,
				fmt.Sprintf(`INSERT INTO enrollments (customer_id, campaign_id, version, cell_id, state, entered_at, updated_at)
					SELECT n, 1, 1, CASE WHEN n %% 10 = 0 THEN 2 ELSE 1 END, 'completed', '2026-03-01', '2026-03-01' FROM generate_series(1, %d) n`, customers),
				fmt.Sprintf(`INSERT INTO touches (customer_id, campaign_id, step_id, channel, cell_id, state, planned_at, sent_at, updated_at)
					SELECT n, 1, 1, 'email', CASE WHEN n %% 10 = 0 THEN 2 ELSE 1 END, CASE WHEN n %% 10 = 0 THEN 'excluded' ELSE 'sent' END, '2026-03-01', '2026-03-02', '2026-03-02'
					FROM generate_series(1, %d) n`, customers),
				fmt.Sprintf(`INSERT INTO responses (customer_id, response_id, kind, at, recorded_at, campaign_id, step_id, cell_id, channel, method)
					SELECT n, gen_random_uuid(), CASE WHEN m = 1 THEN 'click' ELSE 'open' END, timestamptz '2026-03-02' + m * interval '1 day', '2026-03-02', 1, 1, 1, 'email', 'token'
					FROM generate_series(1, %d) n, generate_series(1, 3) m`, customers),
				`ANALYZE`,
			} {
				if _, err := pool.Exec(b.Context(), sql); err != nil {
					b.Fatal(err)
				}
			}
			begun := time.Now()
			if err := s.Fold(b.Context(), time.Hour); err != nil {
				b.Fatal(err)
			}
			folded := time.Since(begun).Seconds()
			read := func() {
				r, err := s.Campaign(b.Context(), 1)
				if err != nil {
					b.Fatal(err)
				}
				if r.Audience != int64(customers) || r.Kinds["click"].Touches != int64(customers) {
					b.Fatalf("%d customers, %d clicked", r.Audience, r.Kinds["click"].Touches)
				}
			}
			read()
			for b.Loop() {
				read()
			}
			b.ReportMetric(folded, "fold-s")
			if _, err := pool.Exec(b.Context(), `INSERT INTO rollup_marks VALUES (1, gen_random_uuid(), '{17}', now())`); err != nil {
				b.Fatal(err)
			}
			begun = time.Now()
			read()
			b.ReportMetric(float64(time.Since(begun).Microseconds())/1000, "marked-ms")
		})
	}
}
