package queue

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Nodes keeps the list of processes that work jobs: each beats every two seconds, and the jobs of one that has not
// beaten for fifteen are given to the others. The queue itself would do that after rescueAfter only, since it cannot
// tell a dead process from a slow job.
//
// A process that only seemed dead (its machine slept, its connection was cut) may go on with a job that another has
// taken over; workers must bear that, as they must with the queue's own rescue.
type Nodes struct {
	pool *pgxpool.Pool
	id   string
	log  *slog.Logger
}

const (
	beatEvery = 2 * time.Second
	deadAfter = 15 * time.Second
)

// NewNodes gives the heart of the process that works jobs under the name nodeID; see NewWorking.
func NewNodes(pool *pgxpool.Pool, nodeID string, log *slog.Logger) *Nodes {
	return &Nodes{pool: pool, id: nodeID, log: log}
}

// Start beats once, takes the jobs of dead nodes over, and goes on with both until ctx ends. Call it before the working
// client's Start, since a job of a node that never beat counts as left behind. The error is that of the first beat.
func (n *Nodes) Start(ctx context.Context) error {
	if err := n.beat(ctx); err != nil {
		return err
	}
	n.revive(ctx)
	go func() {
		tick := time.NewTicker(beatEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if err := n.beat(ctx); err != nil {
				if ctx.Err() == nil {
					n.log.Error("the node's sign of life was not stored", "node", n.id, "error", err)
				}
				continue // without a beat of its own a node judges nobody
			}
			n.revive(ctx)
		}
	}()
	return nil
}

// Leave takes the node off the list, so that what it left is taken over at once. Call it after the working client has
// stopped.
func (n *Nodes) Leave(ctx context.Context) error {
	_, err := n.pool.Exec(ctx, `DELETE FROM nodes WHERE node_id = @node`, pgx.NamedArgs{"node": n.id})
	return err
}

// The database's clock is the one that all nodes share; it says nothing about the business, only who is alive.

func (n *Nodes) beat(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, beatEvery)
	defer cancel()
	_, err := n.pool.Exec(ctx, `
		INSERT INTO nodes (node_id, started_at, beat_at) VALUES (@node, clock_timestamp(), clock_timestamp())
		ON CONFLICT (node_id) DO UPDATE SET beat_at = excluded.beat_at`, pgx.NamedArgs{"node": n.id})
	return err
}

func (n *Nodes) revive(ctx context.Context) {
	jobs, err := n.Revive(ctx)
	if err != nil {
		if ctx.Err() == nil {
			n.log.Error("jobs of dead nodes were not taken over", "error", err)
		}
		return
	}
	if jobs > 0 {
		n.log.Warn("jobs of a dead node were taken over", "jobs", jobs)
	}
}

// Revive makes the running jobs of dead nodes available again, with their attempts kept, and forgets nodes long gone. It
// gives the number of jobs. A job that has no attempt left gets one more: its process died, it did not fail.
func (n *Nodes) Revive(ctx context.Context) (int64, error) {
	tag, err := n.pool.Exec(ctx, `
		UPDATE river_job j SET state = 'available', scheduled_at = clock_timestamp(), max_attempts = greatest(j.max_attempts, least(j.attempt + 1, 32767))
		WHERE j.state = 'running' AND NOT EXISTS (
			SELECT 1 FROM nodes n WHERE n.node_id = j.attempted_by[array_upper(j.attempted_by, 1)]
				AND n.beat_at > clock_timestamp() - make_interval(secs => @dead))`, pgx.NamedArgs{"dead": deadAfter.Seconds()})
	if err != nil {
		return 0, err
	}
	_, err = n.pool.Exec(ctx, `DELETE FROM nodes WHERE beat_at < clock_timestamp() - interval '1 day'`)
	return tag.RowsAffected(), err
}
