package segments

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Querier is what reading needs: a pool, a connection or a transaction.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Service checks, counts and compiles expressions against one database and keeps the saved segments.
type Service struct {
	pool     *pgxpool.Pool
	now      func() time.Time
	timeout  time.Duration // of a statement that counts
	room     chan struct{} // holds whoever looks at all customers, see Room
	dividing sync.Mutex    // one count at a time takes several connections
}

// New gives a service.
func New(pool *pgxpool.Pool, now func() time.Time) *Service {
	return &Service{pool: pool, now: now, timeout: countTimeout, room: make(chan struct{}, roomOf(pool))}
}

// Check fails with fault.Invalid where expression is not valid; its fields have the name "expression", line, column
// and a message with a suggestion. The empty expression is valid and means everybody.
func (s *Service) Check(ctx context.Context, expression string) error {
	_, err := s.Compile(ctx, expression, s.now())
	return err
}

// Compile checks expression and gives it in a form that can be run; now is what now() in it means. It fails with
// fault.Invalid like Check.
func (s *Service) Compile(ctx context.Context, expression string, now time.Time) (*Compiled, error) {
	catalog, err := CatalogFor(ctx, s.pool)
	if err != nil {
		return nil, err
	}
	return catalog.Compile(expression, now)
}

// Names gives what an editor can offer.
func (s *Service) Names(ctx context.Context) (Names, error) {
	c, err := CatalogFor(ctx, s.pool)
	if err != nil {
		return Names{}, err
	}
	return Names{Reference: Reference(), Attributes: c.Attributes, Segments: c.Segments, Lists: c.Lists, Campaigns: c.Campaigns, Events: c.Events}, nil
}
