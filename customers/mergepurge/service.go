package mergepurge

import (
	"context"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aldine/customers"
	"aldine/internal/queue"
	"aldine/internal/settings"
)

// Audience gives an expression as a condition in SQL over customers as c, of those with first <= customer_id <= last,
// and its named arguments, which begin with prefix. The error is Invalid where the expression is not valid.
type Audience func(ctx context.Context, expression, prefix string, first, last int64) (Selection, error)

// Selection is which customers an expression selects.
type Selection struct {
	Where  string
	Args   pgx.NamedArgs
	Ranked bool // it sets customers beside each other: it has to be asked of all at once
}

// Deps is what the service needs.
type Deps struct {
	Pool      *pgxpool.Pool
	Jobs      *queue.Client
	Settings  *settings.Store
	Customers *customers.Service
	Audience  Audience // nil: the house file takes part as a whole

	// Veil gives what tells of an expression whether it asks for something that the actor may not see; nil: nothing does.
	Veil func(context.Context) (func(expression string) bool, error)

	DataDir string // uploads and the matcher's files are kept in its folder merge-purge
	Now     func() time.Time
	Log     *slog.Logger
}

// Service makes, runs and applies merge/purge runs.
type Service struct {
	pool      *pgxpool.Pool
	jobs      *queue.Client
	settings  *settings.Store
	customers *customers.Service
	audience  Audience
	veil      func(context.Context) (func(expression string) bool, error)
	dataDir   string
	now       func() time.Time
	log       *slog.Logger
	sizes     sizes
}

// sizes are how much is done in one transaction.
type sizes struct {
	rows      int64 // of a file
	customers int64 // numbers of customers that are looked at
	records   int64 // looked at or written
	rented    int64 // names made customers
}

// New gives a service; Now and Log default to the clock and the default logger.
func New(d Deps) *Service {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.Default()
	}
	return &Service{pool: d.Pool, jobs: d.Jobs, settings: d.Settings, customers: d.Customers, audience: d.Audience, veil: d.Veil, dataDir: d.DataDir,
		now: d.Now, log: d.Log, sizes: sizes{rows: 10_000, customers: 50_000, records: 50_000, rented: 5_000}}
}
