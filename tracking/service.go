package tracking

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"aldine/customers"
	"aldine/internal/queue"
	"aldine/internal/settings"
)

// Deps is what a Service needs. Log, Registry and Expand may be nil.
type Deps struct {
	Pool      *pgxpool.Pool
	Jobs      *queue.Client
	Settings  *settings.Store
	Customers *customers.Service
	Signer    *Signer
	Now       func() time.Time
	Log       *slog.Logger
	Registry  prometheus.Registerer

	// Expand fills the template tags of a link's target for the customer who clicked; without it such links lead nowhere.
	Expand func(ctx context.Context, url string, customerID, campaignID int64) (string, error)
}

// Service takes in hits and responses. It is safe for concurrent use.
type Service struct {
	pool      *pgxpool.Pool
	jobs      *queue.Client
	settings  *settings.Store
	customers *customers.Service
	signer    *Signer
	now       func() time.Time
	log       *slog.Logger
	expand    func(ctx context.Context, url string, customerID, campaignID int64) (string, error)

	collector  *collector
	landing    *followups
	landingNow chan struct{}
	followups  *followups
	recent     recentHits
	metrics    metrics
	links      sync.Map // link_id -> URL
}

// New gives a service and starts its collector of hits, which Close ends.
func New(d Deps) *Service {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{pool: d.Pool, jobs: d.Jobs, settings: d.Settings, customers: d.Customers, signer: d.Signer, now: d.Now, log: d.Log, expand: d.Expand,
		landingNow: make(chan struct{}, 1)}
	s.followups = newFollowups(followPause, 30*time.Second, s.FollowUp, func(err error) { s.log.Error("what follows from hits is put off", "error", err) })
	s.landing = newFollowups(landPause, 2*time.Second, s.landGently, func(err error) { s.log.Error("hits stay in the journal for now", "error", err) })
	s.collector = newCollector(s.storeHits)
	s.metrics = newMetrics(d.Registry, func() float64 { return float64(len(s.collector.queue)) })
	return s
}
