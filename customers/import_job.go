package customers

import (
	"context"
	"errors"
	"time"

	"github.com/riverqueue/river"

	"aldine/internal/fault"
	"aldine/internal/queue"
)

// ImportArgs asks for an import to be run, or carried on after a stop.
type ImportArgs struct {
	ImportID int64 `json:"import_id"`
}

// Kind names the job.
func (ImportArgs) Kind() string { return "import" }

// InsertOpts names the queue.
func (ImportArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: queue.Imports} }

type importWorker struct {
	river.WorkerDefaults[ImportArgs]
	service *Service
}

// Timeout leaves time for very large files.
func (w *importWorker) Timeout(*river.Job[ImportArgs]) time.Duration { return 12 * time.Hour }

// Work runs the import from where it stands.
func (w *importWorker) Work(ctx context.Context, job *river.Job[ImportArgs]) error {
	_, err := w.service.RunImport(ctx, job.Args.ImportID)
	switch {
	case errors.Is(err, errRunning): // perhaps a process that is about to die: look again
		return river.JobSnooze(30 * time.Second)
	case fault.Is(err, fault.Invalid), fault.Is(err, fault.NotFound), fault.Is(err, fault.Conflict):
		return river.JobCancel(err) // the import says so itself
	}
	return err
}

// ResumeImports makes jobs for imports that were under way when a process died; for the start of a program. A job too
// many does no harm.
func (s *Service) ResumeImports(ctx context.Context) error {
	return queue.Resume(ctx, s.pool, s.jobs, `SELECT import_id FROM imports WHERE state = 'running' ORDER BY import_id`,
		func(run int64) river.JobArgs { return ImportArgs{ImportID: run} })
}
