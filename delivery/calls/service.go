package calls

import (
	"context"
	"io"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"aldine/campaigns/content"
	"aldine/internal/fault"
	"aldine/internal/queue"
	"aldine/internal/settings"
	"aldine/tracking"
)

// Deps are what the service works with.
type Deps struct {
	Pool      *pgxpool.Pool
	Jobs      *queue.Client
	Settings  *settings.Store
	Templates *content.Store
	Tracking  *tracking.Service
	Now       func() time.Time
	Log       *slog.Logger
}

// Service keeps the call lists. It is safe for concurrent use.
type Service struct{ Deps }

// New gives a service.
func New(d Deps) *Service { return &Service{d} }

var errTodo = fault.New(fault.Unavailable, "Not ready yet")

// Lists gives call lists with their progress, newest first: of one campaign, or of all where campaignID is 0. before is
// the id of the last one seen, 0 for the first page.
func (s *Service) Lists(ctx context.Context, campaignID, before int64, limit int) ([]List, error) {
	return nil, errTodo
}

// List gives one call list, or NotFound.
func (s *Service) List(ctx context.Context, listID int64) (List, error) { return List{}, errTodo }

// Lease hands at most n (1 to 50) calls to an agent, those the agent holds already first. None is no error: nothing is
// due, or nobody on the list may be called at this hour. Fails with NotFound, or Conflict where the campaign is not running.
func (s *Service) Lease(ctx context.Context, listID int64, agent string, n int) ([]Call, error) {
	return nil, errTodo
}

// Release gives a held call back untouched. Fails with Conflict where the agent does not hold it.
func (s *Service) Release(ctx context.Context, callID int64, agent string) error { return errTodo }

// Outcome records what became of a call that the agent holds. Fails with Invalid, NotFound, or Conflict where the agent
// does not hold the call any more.
func (s *Service) Outcome(ctx context.Context, callID int64, agent string, r Report) (Result, error) {
	return Result{}, errTodo
}

// ExportCSV leases at most n (1 to 5,000) calls to an agent and writes them as CSV, safe to open in a spreadsheet. Fails like Lease.
func (s *Service) ExportCSV(ctx context.Context, w io.Writer, listID int64, agent string, n int) error {
	return errTodo
}
