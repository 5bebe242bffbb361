package insights

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aldine/customers"
	"aldine/internal/access"
	"aldine/internal/pgtest"
	"aldine/internal/queue"
	"aldine/internal/settings"
	"aldine/segments"
)

// Segments by scores are the cells of the grid over the same orders, each of them.
func TestScoresAreCells(t *testing.T) {
	t.Parallel()
	s, _ := cdnow(t)
	ctx := access.With(t.Context(), access.System)
	exec(t, s.pool, `UPDATE customers SET rented = true, orders_count = 0, total_spent = 0, last_order_at = NULL WHERE customer_id = 5`)
	if err := s.limitsDue(ctx); err != nil {
		t.Fatal(err)
	}
	g := must(s.RFM(ctx, Scheme{Returns: true}))
	sizes := map[[3]int]int64{}
	for _, c := range g.Cells {
		sizes[[3]int{c.R, c.F, c.M}] = c.Customers
	}
	if len(sizes) < 30 {
		t.Fatalf("%d cells", len(sizes))
	}
	for r := 1; r <= 5; r++ {
		for f := 1; f <= 5; f++ {
			for m := 1; m <= 5; m++ {
				for _, expression := range []string{fmt.Sprintf("recency_score == %d and frequency_score == %d and monetary_score == %d", r, f, m), fmt.Sprintf("rfm == %d%d%d", r, f, m)} {
					if n, err := s.segments.Count(ctx, expression, segments.Exact); err != nil || n.Count != sizes[[3]int{r, f, m}] {
						t.Errorf("%s: %+v, %v; the cell has %d", expression, n, err, sizes[[3]int{r, f, m}])
					}
				}
			}
		}
	}
	if n, err := s.segments.Count(ctx, "is_known(rfm)", segments.Exact); err != nil || n.Count != g.Customers {
		t.Errorf("%+v, %v of %d", n, err, g.Customers)
	}
}

// Limits are made once there are orders and anew on the next day; an order moves its customer's score in the same transaction.
func TestLimitsAreKept(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	at := testNow
	now := func() time.Time { return at }
	s := New(pool, segments.New(pool, now), settings.New(pool, now), now)
	due := func() {
		t.Helper()
		if err := s.limitsDue(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	made := func() (made *time.Time, spent string, rows int) {
		t.Helper()
		if err := pool.QueryRow(t.Context(), `SELECT max(made_at), max(spent::text), count(*) FROM rfm_limits`).Scan(&made, &spent, &rows); err != nil {
			t.Fatal(err)
		}
		return made, spent, rows
	}
	rfm := func(id int64, want int) {
		t.Helper()
		if got, err := s.segments.RFM(t.Context(), id); err != nil || got != want {
			t.Errorf("customer %d: %d, %v; want %d", id, got, err, want)
		}
	}
	due()
	if err := s.RenewLimits(t.Context()); err != nil {
		t.Fatal(err)
	}
	var n int
	if err := pool.QueryRow(t.Context(), `SELECT count(*) FROM rfm_limits`).Scan(&n); err != nil || n != 0 {
		t.Fatalf("limits of nobody: %d, %v", n, err)
	}
	shoppersOf(t, pool, 20)
	due()
	if day, spent, rows := made(); rows != 1 || !day.Equal(testNow) || spent != "{4.0000,8.0000,12.0000,16.0000}" {
		t.Fatal(day, spent, rows)
	}
	rfm(4, 111)
	rfm(5, 112)
	rfm(20, 115)
	if err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), `INSERT INTO orders (customer_id, order_ref, ordered_at, quantity, amount, currency, rate, base_amount, recorded_at)
			VALUES (4, 'new', $1, 1, 8.0001, 'EUR', 1, 8.0001, $1)`, testNow.AddDate(0, 0, 1)); err != nil {
			return err
		}
		_, err := customers.DeriveTx(t.Context(), tx, []int64{4})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	rfm(4, 554)
	at = at.Add(11 * time.Hour)
	due() // still the same day
	if day, _, _ := made(); !day.Equal(testNow) {
		t.Errorf("made at %v", day)
	}
	at = at.Add(2 * time.Hour)
	renewed := at
	for range 2 { // the second finds nothing to do
		due()
		if day, spent, rows := made(); rows != 1 || !day.Equal(renewed) || spent != "{5.0000,9.0000,12.0001,16.0000}" {
			t.Fatal(day, spent, rows)
		}
		at = at.Add(time.Minute)
	}
	rfm(4, 553)
}

// An amount that cannot be scored stops the job for a while, and leaves the limits of before.
func TestLimitsOfWrongAmounts(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	at := testNow
	s := New(pool, segments.New(pool, clock), settings.New(pool, clock), func() time.Time { return at })
	shoppersOf(t, pool, 20)
	exec(t, pool, `UPDATE customers SET total_spent = 999999999999999 WHERE customer_id = 3`)
	if err := s.limitsDue(t.Context()); err == nil {
		t.Fatal("no fault")
	}
	exec(t, pool, `UPDATE customers SET total_spent = 3 WHERE customer_id = 3`)
	for _, want := range []int{0, 113} {
		if err := s.limitsDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got, err := s.segments.RFM(t.Context(), 10); err != nil || got != want {
			t.Errorf("%d, %v; want %d", got, err, want)
		}
		at = at.Add(limitsPause)
	}
}

// A server that starts makes limits that there are not yet.
func TestLimitsAtStart(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	shoppersOf(t, pool, 5)
	s := newService(pool)
	workers := river.NewWorkers()
	s.Register(workers)
	client, err := queue.NewWorking(pool, workers, "test", slog.New(slog.DiscardHandler), s.Periodic()...)
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.StopAndCancel(t.Context()) }()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if rfm, err := s.segments.RFM(t.Context(), 5); err != nil {
			t.Fatal(err)
		} else if rfm == 115 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("no limits")
		}
	}
}

// BenchmarkScores counts a million customers by a score that follows from three facts, and by one fact.
func BenchmarkScores(b *testing.B) {
	pool := pgtest.New(b)
	exec(b, pool, `INSERT INTO customers (customer_id, orders_count, total_spent, last_order_at, created_at, updated_at)
		SELECT i, 1 + (random() * random() * 20)::int, (random() * random() * 900)::numeric(19,2), $1::timestamptz - random() * interval '900 days', $1, $1
		FROM generate_series(1, 1000000) i`, testNow)
	exec(b, pool, `VACUUM ANALYZE customers`)
	s := newService(pool)
	if err := s.RenewLimits(b.Context()); err != nil {
		b.Fatal(err)
	}
	for _, expression := range []string{"orders_count >= 4", "recency_score == 5", "monetary_score >= 4", "rfm >= 400"} {
		b.Run(expression, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.segments.Count(b.Context(), expression, segments.Exact); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
