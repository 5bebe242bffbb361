package segments

import (
	"context"
	"errors"
	"fmt"
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

// CountDue counts every saved segment that nobody has counted, or tried to, today (UTC); those that were not tried longest come first. One
// that is not valid any more, takes too long or fails stops none of the others: why is kept with it (Segment.CountError). What failed in
// the database is given back in the end, for the log.
func (s *Service) CountDue(ctx context.Context) error {
	rows, err := s.pool.Query(ctx, `
		SELECT segment_id FROM segments
		WHERE (coalesce(greatest(count_tried_at, counted_at), '-infinity') AT TIME ZONE 'UTC')::date < (@now::timestamptz AT TIME ZONE 'UTC')::date
		ORDER BY greatest(count_tried_at, counted_at) NULLS FIRST, name`, pgx.NamedArgs{"now": s.now()})
	if err != nil {
		return err
	}
	due, err := pgx.CollectRows(rows, pgx.RowTo[ID])
	if err != nil {
		return err
	}
	var failed []error
	for _, id := range due {
		_, err := s.CountSegment(ctx, id)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && !fault.Is(err, fault.Invalid) && !fault.Is(err, fault.Unavailable) && !fault.Is(err, fault.NotFound):
			failed = append(failed, fmt.Errorf("segment %d: %w", id, err))
		}
	}
	return errors.Join(failed...)
}
