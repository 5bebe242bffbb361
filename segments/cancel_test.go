package segments

import (
	"context"
	"errors"
	"testing"
	"time"

	"aldine/internal/pgtest"
)

// A count whose caller is gone ends in the database, too: in one piece, and in slices on several connections.
func TestCountEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	const total = 20_000
	exec(t, pool, `INSERT INTO customers (customer_id, city, created_at, updated_at) SELECT i, repeat('a', 500), $1, $1 FROM generate_series(1, $2::int) i`, testNow, total)
	exec(t, pool, `ANALYZE`)
	exec(t, pool, `UPDATE pg_class SET reltuples = 2e6 WHERE oid = 'customers'::regclass`) // worth slices
	s := New(pool, clock)
	for name, expression := range map[string]string{
		"one":    `city matches "(a*)*(a*)*(a|aa)*b"`,
		"slices": `city matches "(a*)*(a*)*(a|aa)*b" or count(orders) > 100`,
	} {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			_, err := s.Count(ctx, expression, Exact)
			done <- err
		}()
		running := func() (n int) {
			if err := pool.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'
				AND query LIKE '%FROM customers c WHERE%' AND pid <> pg_backend_pid()`).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		await(t, name+" runs", func() bool { return running() > 0 })
		cancel()
		asked := time.Now()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
		await(t, name+" ends", func() bool { return running() == 0 })
		t.Logf("%s: gone after %v", name, time.Since(asked))
	}
}

func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within 20 seconds", what)
		}
	}
}
