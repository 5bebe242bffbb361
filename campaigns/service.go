package campaigns

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"aldine/campaigns/content"
	"aldine/campaigns/journey"
	"aldine/customers"
	"aldine/internal/queue"
	"aldine/internal/settings"
	"aldine/segments"
)

// Deps is what the service needs.
type Deps struct {
	Pool      *pgxpool.Pool
	Jobs      *queue.Client
	Settings  *settings.Store
	Customers *customers.Service
	Segments  *segments.Service
	Now       func() time.Time
	Log       *slog.Logger
}

// Service does everything about campaigns.
type Service struct {
	pool      *pgxpool.Pool
	jobs      *queue.Client
	settings  *settings.Store
	customers *customers.Service
	segments  *segments.Service
	content   *content.Store
	engine    *journey.Engine
	now       func() time.Time
	log       *slog.Logger
	patience  time.Duration // of a forecast
}

// New gives a service; Now and Log default to the clock and the default logger.
func New(d Deps) *Service {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.Default()
	}
	s := &Service{pool: d.Pool, jobs: d.Jobs, settings: d.Settings, customers: d.Customers, segments: d.Segments, now: d.Now, log: d.Log, patience: forecastTimeout}
	s.content = content.NewStore(d.Pool, d.Customers.FieldNames, d.Now)
	s.content.HideWith(func(ctx context.Context) (func(tags string) bool, error) {
		hidden, err := customers.Hidden(ctx, d.Pool)
		return hidden.In, err
	})
	s.engine = journey.NewEngine(journey.Deps{Pool: d.Pool, Jobs: d.Jobs, Now: d.Now, Log: d.Log,
		Keycodes: s.sliceKeycodesTx, EntryDone: s.bookListsTx})
	return s
}

// Register adds the workers: entry, walking, waking, finishing. planner (package delivery) plans the send steps.
func (s *Service) Register(workers *river.Workers, planner journey.Planner) {
	s.engine.Register(workers, planner)
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[FinishArgs]) error {
		return s.finish(ctx, job.Args.CampaignID)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[SweepArgs]) error { return s.sweep(ctx) }))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, _ *river.Job[ForgetRentedArgs]) error {
		return s.forgetRented(ctx)
	}))
}

// Engine gives the engine that walks the journeys.
func (s *Service) Engine() *journey.Engine { return s.engine }

// SettleWith tells how to wait for opens and clicks that are answered but not stored yet (package tracking); to be called before Register.
func (s *Service) SettleWith(settle func(ctx context.Context) error) { s.engine.Settle = settle }

// Templates gives the store of templates.
func (s *Service) Templates() *content.Store { return s.content }

// in runs f in a transaction.
func (s *Service) in(ctx context.Context, f func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, s.pool, f)
}
