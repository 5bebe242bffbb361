package insights

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"aldine/internal/fault"
	"aldine/internal/settings"
	"aldine/segments"
)

// Service reads one database.
type Service struct {
	pool     *pgxpool.Pool
	segments *segments.Service
	settings *settings.Store
	now      func() time.Time

	mu   sync.Mutex
	kept map[string]Grid // see RecentRFM

	renewing    sync.Mutex // held by the job that makes limits; another one leaves it to that
	limitsAfter time.Time  // no attempt before

	scoring chan struct{} // holds one: who scores; a house file of millions is in memory once
}

// New gives a service.
func New(pool *pgxpool.Pool, segments *segments.Service, settings *settings.Store, now func() time.Time) *Service {
	return &Service{pool: pool, segments: segments, settings: settings, now: now, scoring: make(chan struct{}, 1)}
}

// alone waits until nobody else scores customers, and gives what ends that; it fails where ctx ends before.
func (s *Service) alone(ctx context.Context) (done func(), err error) {
	select {
	case s.scoring <- struct{}{}:
		return func() { <-s.scoring }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

const timeout = 30 * time.Second

// reading runs statements that may take long: read-only, with memory for sorting, stopped after the time-out.
func (s *Service) reading(ctx context.Context, do func(pgx.Tx) error) error {
	leave, err := s.segments.Room(ctx)
	if err != nil {
		return err
	}
	defer leave()
	err = pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT set_config('statement_timeout', $1::text, true), set_config('work_mem', '128MB', true)`, timeout.String()); err != nil {
			return err
		}
		return do(tx)
	})
	var stopped *pgconn.PgError
	if errors.As(err, &stopped) && stopped.Code == "57014" && ctx.Err() == nil { // query_canceled
		return fault.Wrap(fault.Unavailable, err, "This took longer than %d seconds: narrow the question", int(timeout.Seconds()))
	}
	return err
}
