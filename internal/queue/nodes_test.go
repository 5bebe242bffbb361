package queue_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aldine/internal/pgtest"
	"aldine/internal/queue"
)

type noteArgs struct{ Name string }

func (noteArgs) Kind() string                 { return "note" }
func (noteArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: queue.Tracking} }

func TestDeadNode(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	log := slog.New(slog.DiscardHandler)
	ctx := t.Context()
	exec := func(sql string, args ...any) {
		t.Helper()
		if _, err := pool.Exec(ctx, sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	jobs, err := queue.NewInserter(pool)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"dead", "alive", "gone", "last"} {
		if _, err := jobs.Insert(ctx, noteArgs{name}, nil); err != nil {
			t.Fatal(err)
		}
	}
	exec(`UPDATE river_job SET state = 'running', attempt = 1, attempted_at = now(), attempted_by = ARRAY['other', args->>'Name']`)
	exec(`UPDATE river_job SET attempt = max_attempts WHERE args->>'Name' = 'last'`)
	exec(`INSERT INTO nodes (node_id, started_at, beat_at) VALUES ('dead', now(), now() - interval '20 seconds'), ('alive', now(), now() - interval '5 seconds'),
		('other', now(), now()), ('ancient', now(), now() - interval '3 days')`)

	workers := river.NewWorkers()
	seen := make(chan string, 10)
	attempts := make(chan int, 10)
	river.AddWorker(workers, river.WorkFunc(func(_ context.Context, job *river.Job[noteArgs]) error {
		seen <- job.Args.Name
		attempts <- job.Attempt
		return nil
	}))
	client, err := queue.NewWorking(pool, workers, "me", log)
	if err != nil {
		t.Fatal(err)
	}
	nodes := queue.NewNodes(pool, "me", log)
	beating, stop := context.WithCancel(ctx)
	defer stop()
	if err := nodes.Start(beating); err != nil {
		t.Fatal(err)
	}
	if err := client.Start(ctx); err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for range 3 {
		select {
		case name := <-seen:
			got[name] = true
			if n := <-attempts; n < 2 {
				t.Errorf("%s came as attempt %d: its worker must know that it was tried", name, n)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("only %v were taken over", got)
		}
	}
	if !got["dead"] || !got["gone"] || !got["last"] {
		t.Errorf("taken over: %v", got)
	}
	if err := client.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	stop()
	var left string
	if err := pool.QueryRow(context.Background(), `SELECT string_agg(node_id, ' ' ORDER BY node_id) FROM nodes`).Scan(&left); err != nil {
		t.Fatal(err)
	}
	if left != "alive dead me other" {
		t.Errorf("nodes: %s", left)
	}
	if err := nodes.Leave(context.Background()); err != nil {
		t.Fatal(err)
	}
	var there bool
	if err := pool.QueryRow(context.Background(), `SELECT EXISTS (SELECT FROM nodes WHERE node_id = @id)`, pgx.NamedArgs{"id": "me"}).Scan(&there); err != nil || there {
		t.Errorf("still listed: %v, %v", there, err)
	}
}
