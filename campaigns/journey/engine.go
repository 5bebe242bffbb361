package journey

import (
	"context"
	"log/slog"
	"time"

	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"aldine/internal/queue"
)

// Step is a step of a frozen journey.
type Step struct {
	ID              int64           `json:"id"`
	CampaignID      int64           `json:"campaign_id"`
	Version         int             `json:"version"`
	Key             string          `json:"key"`
	Position        int             `json:"position"`          // topological order
	Kind            string          `json:"kind"`              // wait, branch, split, send, goal or end
	Channel         string          `json:"channel,omitempty"` // of a send step: email, sms, post or calls
	TemplateID      int64           `json:"template_id,omitempty"`
	TemplateVersion int             `json:"template_version,omitempty"`
	UnitCost        decimal.Decimal `json:"unit_cost"`
	Dedup           string          `json:"dedup"` // customer, household, email, phone or address
	Config          StepDef         `json:"config"`
}

// PlanRequest asks for the touches of one send step and slice.
type PlanRequest struct {
	CampaignID int64
	Step       Step
	FirstID    int64 // customer ids, inclusive
	LastID     int64
	Now        time.Time
}

// Planner plans touches. PlanTx plans for all active enrollments of the campaign that stand at the step with due_at not
// after Now in the range of customers. The engine has locked the campaign's row and the slice before, and moves the
// enrollments on afterwards, in the same transaction.
type Planner interface {
	PlanTx(ctx context.Context, tx pgx.Tx, r PlanRequest) error
}

// Engine enters customers into journeys and walks them.
type Engine struct {
	pool *pgxpool.Pool
	jobs *queue.Client
	now  func() time.Time
	log  *slog.Logger
}

// Poke makes all slices of a campaign look now for what is due: after a pause, or when a simulated clock has moved.
func (e *Engine) Poke(ctx context.Context, campaignID int64) error { panic("TODO") }

// LoadSteps gives the frozen steps of a campaign's version in topological order.
func LoadSteps(ctx context.Context, q Querier, campaignID int64, version int) ([]Step, error) {
	panic("TODO")
}

// Querier is a pool or a transaction.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Register adds the engine's workers; planner plans its send steps.
func (e *Engine) Register(workers *river.Workers, planner Planner) { panic("TODO") }
