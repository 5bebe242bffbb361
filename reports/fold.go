package reports

import (
	"context"
	"time"

	"github.com/riverqueue/river"

	"aldine/campaigns/rollup"
	"aldine/internal/queue"
)

// FoldArgs counts what has changed since the last time into the figures that reports read.
type FoldArgs struct{}

// Kind names the job.
func (FoldArgs) Kind() string { return "reports_fold" }

// InsertOpts puts the job on its queue; one at a time is enough.
func (FoldArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: queue.Journeys, MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByPeriod: foldEvery}}
}

const (
	foldEvery = 5 * time.Second
	foldFor   = 2 * time.Second // at a stretch, so that counting leaves the better part of the machine to the work itself
)

// Periodic gives the jobs that come round by themselves; the working client inserts them.
func (s *Service) Periodic() []*river.PeriodicJob {
	return []*river.PeriodicJob{river.NewPeriodicJob(river.PeriodicInterval(foldEvery),
		func() (river.JobArgs, *river.InsertOpts) { return FoldArgs{}, nil }, nil)}
}

// Register adds the worker that folds.
func (s *Service) Register(workers *river.Workers) { river.AddWorker(workers, &foldWorker{service: s}) }

type foldWorker struct {
	river.WorkerDefaults[FoldArgs]
	service *Service
}

// Work folds for a while; what is left then is for the next time.
func (w *foldWorker) Work(ctx context.Context, _ *river.Job[FoldArgs]) error {
	return w.service.Fold(ctx, foldFor)
}

// Fold counts what has changed into the figures, until all is counted or the time is up.
func (s *Service) Fold(ctx context.Context, most time.Duration) error {
	v, err := s.settings.Get(ctx)
	if err != nil {
		return err
	}
	return rollup.Fold(ctx, s.pool, rollup.ConfigOf(v), s.now, most)
}
