package insights

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aldine/internal/queue"
)

// LimitsArgs is the job that makes the limits anew by which segments read rfm and its scores.
type LimitsArgs struct{}

// Kind names the job.
func (LimitsArgs) Kind() string { return "rfm_limits" }

// InsertOpts names the queue: not that of imports, behind which the first limits would wait. One at a time is enough.
func (LimitsArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: queue.Upkeep, MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByPeriod: limitsEvery}}
}

const (
	limitsEvery = time.Minute // how often the job looks; it makes them once a day, and at once where there are none
	limitsPause = time.Hour   // after a failure, since everybody is read for them
)

type limitsWorker struct {
	river.WorkerDefaults[LimitsArgs]
	s *Service
}

// Timeout leaves time to wait for others who score.
func (w *limitsWorker) Timeout(*river.Job[LimitsArgs]) time.Duration { return 10 * time.Minute }

func (w *limitsWorker) Work(ctx context.Context, _ *river.Job[LimitsArgs]) error {
	return w.s.limitsDue(ctx)
}

// Register adds the worker of the limits.
func (s *Service) Register(workers *river.Workers) { river.AddWorker(workers, &limitsWorker{s: s}) }

// Periodic gives the jobs that come round by themselves; the working client inserts them, also when it starts.
func (s *Service) Periodic() []*river.PeriodicJob {
	return []*river.PeriodicJob{river.NewPeriodicJob(river.PeriodicInterval(limitsEvery),
		func() (river.JobArgs, *river.InsertOpts) { return LimitsArgs{}, nil }, &river.PeriodicJobOpts{RunOnStart: true})}
}

// limitsDue makes the limits where there are orders and the limits are not of today (UTC).
func (s *Service) limitsDue(ctx context.Context) error {
	if !s.renewing.TryLock() {
		return nil
	}
	defer s.renewing.Unlock()
	if s.now().Before(s.limitsAfter) {
		return nil
	}
	var due bool
	err := s.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM orders)
		AND NOT EXISTS (SELECT FROM rfm_limits WHERE (made_at AT TIME ZONE 'UTC')::date >= (@now::timestamptz AT TIME ZONE 'UTC')::date)`,
		pgx.NamedArgs{"now": s.now()}).Scan(&due)
	if err != nil || !due {
		return err
	}
	if err := s.RenewLimits(ctx); err != nil {
		s.limitsAfter = s.now().Add(limitsPause)
		return err
	}
	return nil
}

// RenewLimits makes the limits of rfm and its scores anew: the independent quintiles of everybody in the house file who ordered,
// returns counted, over all time. Where nobody has ordered, what there is stays. It fails like RFM.
func (s *Service) RenewLimits(ctx context.Context) error {
	done, err := s.alone(ctx)
	if err != nil {
		return err
	}
	defer done()
	at := s.now()
	list, err := s.shoppers(ctx, Scheme{Returns: true})
	if err != nil || len(list) == 0 {
		return err
	}
	cuts := quintiles(list).words()
	spent := make([]string, len(cuts.Spent))
	for i, sum := range cuts.Spent {
		spent[i] = sum.String()
	}
	_, err = s.pool.Exec(ctx, `
		INSERT INTO rfm_limits (days, orders, spent, customers, made_at)
		VALUES (@days::date[], @orders::bigint[], @spent::text[]::numeric[], @customers, @at)
		ON CONFLICT (one) DO UPDATE SET days = EXCLUDED.days, orders = EXCLUDED.orders, spent = EXCLUDED.spent,
			customers = EXCLUDED.customers, made_at = EXCLUDED.made_at
		WHERE rfm_limits.made_at <= EXCLUDED.made_at -- another node may have been quicker`,
		pgx.NamedArgs{"days": cuts.Days, "orders": cuts.Orders, "spent": spent, "customers": len(list), "at": at})
	return err
}
