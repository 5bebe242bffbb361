package segments

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aldine/internal/fault"
	"aldine/internal/queue"
)

// CountArgs is the job that counts every saved segment that nobody has counted today.
type CountArgs struct{}

// Kind names the job.
func (CountArgs) Kind() string { return "segments_count" }

// InsertOpts puts the job on its queue; one at a time is enough.
func (CountArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: queue.Imports, MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByPeriod: countEvery}}
}

// countEvery is how often the job looks; it counts each segment once a day, and goes on where it was stopped.
const countEvery = time.Hour

type countWorker struct {
	river.WorkerDefaults[CountArgs]
	s *Service
}

// Timeout leaves time for many segments; what is left when it is over, the next job counts.
func (w *countWorker) Timeout(*river.Job[CountArgs]) time.Duration { return countEvery - time.Minute }

func (w *countWorker) Work(ctx context.Context, _ *river.Job[CountArgs]) error {
	return w.s.CountDue(ctx)
}

// Register adds the worker of the daily count.
func (s *Service) Register(workers *river.Workers) { river.AddWorker(workers, &countWorker{s: s}) }

// Periodic gives the jobs that come round by themselves; the working client inserts them, also when it starts: a day on which nothing
// ran at the hour is made up for at once.
func (s *Service) Periodic() []*river.PeriodicJob {
	return []*river.PeriodicJob{river.NewPeriodicJob(river.PeriodicInterval(countEvery),
		func() (river.JobArgs, *river.InsertOpts) { return CountArgs{}, nil }, &river.PeriodicJobOpts{RunOnStart: true})}
}

// CountDue counts every saved segment that has not been counted today (UTC), by name. One that is not valid any more or takes too
// long is passed over.
func (s *Service) CountDue(ctx context.Context) error {
	rows, err := s.pool.Query(ctx, `
		SELECT segment_id FROM segments
		WHERE counted_at IS NULL OR (counted_at AT TIME ZONE 'UTC')::date < (@now::timestamptz AT TIME ZONE 'UTC')::date
		ORDER BY name`, pgx.NamedArgs{"now": s.now()})
	if err != nil {
		return err
	}
	due, err := pgx.CollectRows(rows, pgx.RowTo[ID])
	if err != nil {
		return err
	}
	for _, id := range due {
		_, err := s.CountSegment(ctx, id)
		if err != nil && !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.Unavailable) && !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	return nil
}
