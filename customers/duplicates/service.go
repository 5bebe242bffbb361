package duplicates

import (
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"aldine/customers"
	"aldine/internal/queue"
)

// Deps is what the service needs.
type Deps struct {
	Pool      *pgxpool.Pool
	Jobs      *queue.Client
	Customers *customers.Service
	DataDir   string // a search keeps its rows in a folder of its own in there while it runs
	Now       func() time.Time
	Log       *slog.Logger
}

// Service searches for duplicates and merges customers.
type Service struct{ Deps }

// New gives a service; Now and Log default to the clock and the default logger.
func New(d Deps) *Service {
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.Log == nil {
		d.Log = slog.Default()
	}
	return &Service{d}
}
