package customers

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aldine/internal/access"
	"aldine/internal/audit"
	"aldine/internal/queue"
)

// ForgetEventsArgs asks for events to be deleted that have been kept for as long as the setting event_months says.
type ForgetEventsArgs struct{}

// Kind names the job.
func (ForgetEventsArgs) Kind() string { return "events_forget" }

// InsertOpts puts the job on a queue on which no import waits for it; one at a time is enough.
func (ForgetEventsArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: queue.Upkeep, MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByPeriod: forgetEventsEvery}}
}

const (
	forgetEventsEvery = time.Hour
	forgetEventsFor   = 5 * time.Minute // others wait on the queue too; what is left then goes the next time
)

// Periodic gives the jobs that come round by themselves; the working client inserts them.
func (s *Service) Periodic() []*river.PeriodicJob {
	return []*river.PeriodicJob{river.NewPeriodicJob(river.PeriodicInterval(forgetEventsEvery),
		func() (river.JobArgs, *river.InsertOpts) { return ForgetEventsArgs{}, nil }, nil)}
}

type forgetEventsWorker struct {
	river.WorkerDefaults[ForgetEventsArgs]
	service *Service
}

// Work forgets what the setting says.
func (w *forgetEventsWorker) Work(ctx context.Context, _ *river.Job[ForgetEventsArgs]) error {
	return w.service.ForgetOldEvents(ctx)
}

// ForgetOldEvents deletes the events that are older than the setting event_months (0: none), in slices, for some minutes: the next time
// it goes on.
func (s *Service) ForgetOldEvents(ctx context.Context) error {
	v, err := s.settings.Get(ctx)
	if err != nil || v.EventMonths == 0 {
		return err
	}
	ctx = access.With(ctx, access.System)
	before := s.now().AddDate(0, -v.EventMonths, 0)
	for started := time.Now(); time.Since(started) < forgetEventsFor; {
		if n, err := s.ForgetEvents(ctx, before); err != nil || n == 0 {
			return err
		}
	}
	return nil
}

// eventSlice is how many events are deleted in one transaction.
const eventSlice = 20_000

// ForgetEvents deletes one slice of the events that happened before a moment, and gives how many; 0 when none is left.
func (s *Service) ForgetEvents(ctx context.Context, before time.Time) (gone int64, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		// Name by name: the index begins with it.
		if err := tx.QueryRow(ctx, `
			WITH old AS (
				SELECT e.customer_id, e.at, e.event_id FROM event_names n
				CROSS JOIN LATERAL (SELECT customer_id, at, event_id FROM events WHERE name = n.name AND at < @before ORDER BY at LIMIT @slice) e
				LIMIT @slice),
			gone AS (DELETE FROM events e USING old o WHERE e.customer_id = o.customer_id AND e.at = o.at AND e.event_id = o.event_id
				RETURNING e.customer_id, e.event_id),
			refs AS (DELETE FROM event_refs r USING gone g WHERE r.customer_id = g.customer_id AND r.event_id = g.event_id)
			SELECT count(*) FROM gone`, pgx.NamedArgs{"before": before, "slice": eventSlice}).Scan(&gone); err != nil || gone == 0 {
			return err
		}
		return audit.RecordTx(ctx, tx, s.now(), "event.forget", "event", "many", map[string]any{"events": gone})
	})
	return gone, err
}
