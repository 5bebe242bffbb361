package segments

import (
	"log/slog"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"aldine/internal/pgtest"
	"aldine/internal/queue"
)

// A server that starts counts what was not counted today, without waiting for its hour.
func TestCountedAtStart(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	exec(t, pool, `INSERT INTO customers (created_at, updated_at) VALUES ($1, $1)`, testNow)
	exec(t, pool, `INSERT INTO segments (name, expression, created_by, created_at, updated_at, last_count, counted_at) VALUES
		('new', '', 'test', $1, $1, NULL, NULL), ('yesterday', '', 'test', $1, $1, 7, $2), ('today', '', 'test', $1, $1, 7, $1)`, testNow, testNow.Add(-24*time.Hour))
	s := New(pool, clock)
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
		var counted, kept int
		if err := pool.QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE last_count = 1), count(*) FILTER (WHERE last_count = 7) FROM segments`).Scan(&counted, &kept); err != nil {
			t.Fatal(err)
		}
		if counted == 2 && kept == 1 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of 2 are counted, %d of 1 left", counted, kept)
		}
	}
}
