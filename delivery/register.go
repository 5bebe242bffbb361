package delivery

import (
	"context"
	"time"

	"github.com/riverqueue/river"

	"aldine/campaigns"
	"aldine/delivery/sandbox"
)

// Register adds the workers: sending, printing, and what follows when a campaign goes on or is cancelled, a
// customer is erased or merged, or a message bounces before it was settled.
func (s *Service) Register(workers *river.Workers) {
	river.AddWorker(workers, &sendWorker{service: s})
	river.AddWorker(workers, &printWorker{service: s})
	river.AddWorker(workers, &resumedWorker{service: s})
	river.AddWorker(workers, &cancelledWorker{service: s})
	river.AddWorker(workers, &erasedWorker{service: s})
	river.AddWorker(workers, &mergedWorker{service: s})
	river.AddWorker(workers, &bouncedWorker{service: s})
}

type resumedWorker struct {
	river.WorkerDefaults[campaigns.ResumedArgs]
	service *Service
}

// Work plans jobs again for whatever is still planned; those that an earlier job still holds are served by whoever comes first.
func (w *resumedWorker) Work(ctx context.Context, job *river.Job[campaigns.ResumedArgs]) error {
	return w.service.requeue(ctx, job.Args.CampaignID)
}

type cancelledWorker struct {
	river.WorkerDefaults[campaigns.CancelledArgs]
	service *Service
}

// Work excludes what is still planned. Messages in flight are waited for: one that comes back unsent is excluded too.
func (w *cancelledWorker) Work(ctx context.Context, job *river.Job[campaigns.CancelledArgs]) error {
	open, err := w.service.withdraw(ctx, job.Args.CampaignID)
	if err == nil && open {
		return river.JobSnooze(5 * time.Second)
	}
	return err
}

// Outbox lists what the sandbox received instead of the world, newest first.
func (s *Service) Outbox(ctx context.Context, q sandbox.Query) ([]sandbox.Message, error) {
	return sandbox.Messages(ctx, s.pool, q)
}

// OutboxMessage gives one message of the sandbox with its parts, or NotFound.
func (s *Service) OutboxMessage(ctx context.Context, id int64) (sandbox.Message, error) {
	return sandbox.Get(ctx, s.pool, id)
}
