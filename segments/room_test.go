package segments

import (
	"context"
	"errors"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"aldine/internal/pg"
	"aldine/internal/pgtest"
)

// However many people count at once, the rest of the program finds a connection; and their counts end when they hang up.
func TestCountsLeaveRoom(t *testing.T) {
	t.Parallel()
	url := pgtest.NewURL(t)
	for _, conns := range []int32{1, 3, 8} {
		pool, err := pg.Open(t.Context(), url, pg.MaxConns(conns))
		if err != nil {
			t.Fatal(err)
		}
		defer pool.Close()
		if conns == 1 {
			exec(t, pool, `INSERT INTO customers (customer_id, city, created_at, updated_at) SELECT i, repeat('a', 20000), $1, $1 FROM generate_series(1, 20000) i`, testNow)
			exec(t, pool, `ANALYZE`)
			exec(t, pool, `UPDATE pg_class SET reltuples = 2e6 WHERE oid = 'customers'::regclass`) // worth slices
		}
		s := New(pool, clock)
		if n, err := s.Count(t.Context(), `count(orders) < 1`, Exact); err != nil || n.Count != 20_000 {
			t.Errorf("with %d connections: %+v, %v", conns, n, err)
		}
		if conns == 1 {
			continue
		}
		ctx, cancel := context.WithCancel(t.Context())
		var people errgroup.Group
		for i := range 20 {
			people.Go(func() error {
				expression := `city matches "(a*)*(a*)*(a|aa)*b"`
				if i%2 == 0 {
					expression += ` or count(orders) > 100`
				}
				_, err := s.Count(ctx, expression, Exact)
				if !errors.Is(err, context.Canceled) {
					t.Errorf("with %d connections: %v", conns, err)
				}
				return nil
			})
		}
		time.Sleep(200 * time.Millisecond)
		soon, stop := context.WithTimeout(t.Context(), 5*time.Second)
		if err := pool.Ping(soon); err != nil {
			t.Errorf("with %d connections nothing else goes: %v", conns, err)
		}
		stop()
		cancel()
		_ = people.Wait()
	}
}
