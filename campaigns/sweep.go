package campaigns

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aldine/internal/queue"
)

// SweepArgs looks at all running campaigns for one that is over and was not noticed. The check that follows an event can
// miss what another transaction is just about to commit; this one comes round anyway.
type SweepArgs struct{}

// Kind names the job.
func (SweepArgs) Kind() string { return "campaign_sweep" }

// InsertOpts puts the job on its queue; one at a time is enough.
func (SweepArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: queue.Journeys, MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByPeriod: sweepEvery}}
}

const sweepEvery = 30 * time.Second

// Periodic gives the jobs that come round by themselves; the working client inserts them.
func (s *Service) Periodic() []*river.PeriodicJob {
	return []*river.PeriodicJob{river.NewPeriodicJob(river.PeriodicInterval(sweepEvery),
		func() (river.JobArgs, *river.InsertOpts) { return SweepArgs{}, nil }, nil)}
}

func (s *Service) sweep(ctx context.Context) error {
	rows, err := s.pool.Query(ctx, `
		SELECT campaign_id FROM campaigns WHERE state = 'running' AND entry_done_at IS NOT NULL ORDER BY campaign_id`)
	if err != nil {
		return err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := s.finish(ctx, id); err != nil {
			return err
		}
	}
	return nil
}
