package mergepurge

import (
	"context"
	"errors"
	"time"

	"github.com/riverqueue/river"

	"aldine/internal/fault"
	"aldine/internal/queue"
)

// RunArgs asks for a run to be worked, or carried on after a stop.
type RunArgs struct {
	RunID int64 `json:"run_id"`
}

// Kind names the job.
func (RunArgs) Kind() string { return "merge_purge" }

// InsertOpts names the queue.
func (RunArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: queue.Imports} }

type worker struct {
	river.WorkerDefaults[RunArgs]
	service *Service
}

// Register adds the workers that work runs and forget old ones.
func (s *Service) Register(workers *river.Workers) {
	river.AddWorker(workers, &worker{service: s})
	river.AddWorker(workers, &forgetWorker{service: s})
}

// Timeout leaves time for very large lists.
func (w *worker) Timeout(*river.Job[RunArgs]) time.Duration { return 12 * time.Hour }

// Work carries the run on from where it stands.
func (w *worker) Work(ctx context.Context, job *river.Job[RunArgs]) error {
	_, err := w.service.Work(ctx, job.Args.RunID)
	switch {
	case errors.Is(err, errBusy): // perhaps a process that is about to die: look again
		return river.JobSnooze(30 * time.Second)
	case fault.Is(err, fault.Invalid), fault.Is(err, fault.NotFound), fault.Is(err, fault.Conflict):
		return river.JobCancel(err) // the run says so itself
	}
	return err
}

// Resume makes jobs for runs that were under way when a process died; for the start of a program. A job too many does
// no harm.
func (s *Service) Resume(ctx context.Context) error {
	return queue.Resume(ctx, s.pool, s.jobs, `SELECT run_id FROM merge_runs WHERE state IN ('running', 'applying') ORDER BY run_id`,
		func(run int64) river.JobArgs { return RunArgs{RunID: run} })
}
