package customers

import (
	"context"

	"github.com/riverqueue/river"

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

// Work runs the import from where it stands.
func (w *importWorker) Work(ctx context.Context, job *river.Job[ImportArgs]) error {
	return nil
}
