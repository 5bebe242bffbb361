// Package queue sets up the durable job queue. Services insert jobs through an inserter, in the transaction that
// changes the state; processes that work (serve, work, demo) run one working client with all workers registered.
package queue

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

// Client inserts jobs, and works them when it was made by NewWorking.
type Client = river.Client[pgx.Tx]

// The queues. Each medium has its own, so that a slow gateway holds up only itself.
const (
	Journeys = "journeys" // entry, walking, planning, finishing
	Email    = "email"
	SMS      = "sms"
	Post     = "post"
	Calls    = "calls"
	Imports  = "imports"
	Tracking = "tracking" // attribution, waking journeys
	Upkeep   = "upkeep"   // what waits for a quiet moment of the database
)

// Names lists the queues.
func Names() []string { return []string{Journeys, Email, SMS, Post, Calls, Imports, Tracking, Upkeep} }

// NewInserter gives a client that only inserts jobs.
func NewInserter(pool *pgxpool.Pool) (*Client, error) {
	return river.NewClient(riverpgxv5.New(pool), &river.Config{})
}

// Times of the queue. A job that runs longer than jobTimeout has its context cancelled; one that its process left
// behind is rescued at the latest after rescueAfter (at once where the process is known to be dead, see Nodes).
const (
	jobTimeout  = 10 * time.Minute
	rescueAfter = 15 * time.Minute
)

// NewWorking gives a client that works all queues with the workers given; start it with Start and stop it with Stop.
// nodeID names this process among all that work; periodic jobs come round by themselves.
func NewWorking(pool *pgxpool.Pool, workers *river.Workers, nodeID string, log *slog.Logger, periodic ...*river.PeriodicJob) (*Client, error) {
	return river.NewClient(riverpgxv5.New(pool), &river.Config{
		ID:                   nodeID,
		Logger:               slog.New(quiet{log.Handler()}),
		Workers:              workers,
		PeriodicJobs:         periodic,
		JobTimeout:           jobTimeout,
		RescueStuckJobsAfter: rescueAfter,
		FetchCooldown:        50 * time.Millisecond,
		FetchPollInterval:    time.Second,
		Queues: map[string]river.QueueConfig{
			Journeys: {MaxWorkers: 2},
			Email:    {MaxWorkers: 4},
			SMS:      {MaxWorkers: 4},
			Post:     {MaxWorkers: 1},
			Calls:    {MaxWorkers: 1},
			Imports:  {MaxWorkers: 1},
			Tracking: {MaxWorkers: 2},
			Upkeep:   {MaxWorkers: 1},
		},
	})
}

// Idle tells whether no job is waiting or running. Jobs scheduled for later than at do not count, nor do scheduled ones
// of the kinds named.
func Idle(ctx context.Context, pool *pgxpool.Pool, at time.Time, later ...string) (bool, error) {
	var busy bool
	err := pool.QueryRow(ctx, `
		SELECT EXISTS (SELECT 1 FROM river_job
			WHERE state IN ('available', 'running', 'pending')
			   OR state IN ('scheduled', 'retryable') AND scheduled_at <= @at AND kind <> ALL (@later::text[]))`,
		pgx.NamedArgs{"at": at, "later": append([]string{}, later...)}).Scan(&busy)
	return !busy, err
}
