package customers

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"aldine/internal/queue"
	"aldine/internal/settings"
)

// Deps is what the service needs.
type Deps struct {
	Pool     *pgxpool.Pool
	Jobs     *queue.Client
	Settings *settings.Store
	Secret   []byte // of the installation; who was erased is recognised by hashes that need it. Without one they end with the process
	DataDir  string // uploads are kept in its folder imports until they are done
	Now      func() time.Time
	Log      *slog.Logger
}

// Service reads and changes the marketing database.
type Service struct {
	erasedKey []byte // of the hashes of who was erased
	pool      *pgxpool.Pool
	jobs      *queue.Client
	settings  *settings.Store
	dataDir   string
	now       func() time.Time
	log       *slog.Logger

	columnTries       time.Duration // how long a new attribute is tried while somebody waits
	recomputePartSize int

	searchDuplicatesTx func(context.Context, pgx.Tx) error // nil: no search follows an import
}

// SearchAfterImport says how a search for duplicates is begun, in the transaction that ends an import.
func (s *Service) SearchAfterImport(start func(context.Context, pgx.Tx) error) {
	s.searchDuplicatesTx = start
}

// New gives a service; Now and Log default to the clock and the default logger.
func New(d Deps) *Service {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.Default()
	}
	return &Service{erasedKey: erasedKey(d.Secret), pool: d.Pool, jobs: d.Jobs, settings: d.Settings, dataDir: d.DataDir, now: d.Now, log: d.Log, columnTries: columnTries, recomputePartSize: recomputePart}
}

// Register adds the workers of imports, households, recomputations, new attributes, and events that are kept no longer.
func (s *Service) Register(workers *river.Workers) {
	river.AddWorker(workers, &importWorker{service: s})
	river.AddWorker(workers, &householdWorker{service: s})
	river.AddWorker(workers, &recomputeWorker{service: s})
	river.AddWorker(workers, &attributeWorker{service: s})
	river.AddWorker(workers, &forgetEventsWorker{service: s})
}

// Querier is a pool, a connection or a transaction.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}
