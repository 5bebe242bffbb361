package segments

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"aldine/internal/fault"
	"aldine/internal/pg"
	"aldine/internal/pgtest"
)

// stuck is a reader who takes nothing until he is let go.
type stuck struct {
	taken chan struct{}
	gate  chan struct{}
}

func (w *stuck) Write(p []byte) (int, error) {
	w.taken <- struct{}{}
	<-w.gate
	return len(p), nil
}

// However many files are read, and however slowly, the rest of the program finds a connection; finding members has its turn and its
// time, and ends in the database when the reader goes.
func TestExportsLeaveRoom(t *testing.T) {
	t.Parallel()
	url := pgtest.NewURL(t)
	pool, err := pg.Open(t.Context(), url, pg.MaxConns(4))
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close()
	other, err := pg.Open(t.Context(), url, pg.MaxConns(1)) // looks on
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	const total = exportSlice + 10_000
	exec(t, pool, `INSERT INTO customers (customer_id, city, created_at, updated_at) SELECT i, repeat('a', 500), $1, $1 FROM generate_series(1, $2::int) i`, testNow, total)
	exec(t, pool, `INSERT INTO segments (name, expression, created_by, created_at, updated_at) VALUES
		('all', '', 'test', $1, $1), ('slow', 'city matches "(a*)*(a*)*(a|aa)*b"', 'test', $1, $1)`, testNow)
	s := New(pool, clock)
	find := func(name string) Segment {
		t.Helper()
		of, err := s.ByName(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		return of
	}
	all, slow := find("all"), find("slow")
	asking := func(query string) (n int) {
		if err := other.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()
			AND backend_type = 'client backend' AND query LIKE $1`, query).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	active := func() int { return asking("%") }
	looking := func() int { return asking("%SELECT c.customer_id FROM customers c%") } // others read what a segment says, which takes a moment

	const readers = 20
	w := &stuck{taken: make(chan struct{}, 1000), gate: make(chan struct{})}
	var people errgroup.Group
	for range readers {
		people.Go(func() error { return s.WriteCSV(t.Context(), all, w) })
	}
	for range readers {
		<-w.taken // the first rows are on the way
	}
	if n := active(); n != 0 {
		t.Errorf("%d connections wait for slow readers", n)
	}
	close(w.gate)
	if err := people.Wait(); err != nil {
		t.Error(err)
	}

	ctx, cancel := context.WithCancel(t.Context())
	for range readers {
		people.Go(func() error {
			if err := s.WriteCSV(ctx, slow, &bytes.Buffer{}); !errors.Is(err, context.Canceled) {
				t.Errorf("who went: %v", err)
			}
			return nil
		})
	}
	await(t, "the members are looked for", func() bool { return looking() > 0 })
	for range 20 {
		if n := looking(); n > 1 {
			t.Errorf("%d look for members at once", n)
		}
		soon, stop := context.WithTimeout(t.Context(), 5*time.Second)
		if err := pool.Ping(soon); err != nil {
			t.Errorf("nothing else goes: %v", err)
		}
		stop()
	}
	cancel()
	_ = people.Wait()
	await(t, "the look ends", func() bool { return active() == 0 })

	s.timeout = 5 * time.Millisecond
	var b bytes.Buffer
	if err := s.WriteCSV(t.Context(), slow, &b); !fault.Is(err, fault.Unavailable) || b.Len() > 0 {
		t.Errorf("too long: %v, %d bytes", err, b.Len())
	}
}
