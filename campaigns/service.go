package campaigns

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"aldine/campaigns/content"
	"aldine/campaigns/journey"
	"aldine/internal/queue"
	"aldine/internal/settings"
)

// Service does everything about campaigns.
type Service struct {
	pool     *pgxpool.Pool
	jobs     *queue.Client
	settings *settings.Store
	content  *content.Store
	engine   *journey.Engine
	now      func() time.Time
	log      *slog.Logger
}

// Register adds the workers: entry, walking, waking, finishing. planner (package delivery) plans the send steps.
func (s *Service) Register(workers *river.Workers, planner journey.Planner) { panic("TODO") }

// Engine gives the engine that walks the journeys.
func (s *Service) Engine() *journey.Engine { return s.engine }

// Templates gives the store of templates.
func (s *Service) Templates() *content.Store { return s.content }

// Create makes a draft. Fails with Invalid, naming all faulty fields, or Conflict where the code is taken.
func (s *Service) Create(ctx context.Context, in Input) (Details, error) { panic("TODO") }

// Update changes a draft. Fails with Invalid, NotFound, or Conflict (no longer a draft, or changed by someone else).
func (s *Service) Update(ctx context.Context, id int64, p Patch) (Details, error) { panic("TODO") }

// Get gives a campaign with its progress. Fails with NotFound.
func (s *Service) Get(ctx context.Context, id int64) (Details, error) { panic("TODO") }

// Find gives the id of the campaign with a code, or with the id written as a number. Fails with NotFound.
func (s *Service) Find(ctx context.Context, codeOrID string) (int64, error) { panic("TODO") }

// List gives campaigns, newest first.
func (s *Service) List(ctx context.Context, q Query) ([]Summary, error) { panic("TODO") }

// Approve freezes a draft: audience, journey, template versions, links and keycodes. Fails with Invalid (no budget, a
// broken journey, template or expression) or Conflict. rowVersion guards against lost updates unless 0.
func (s *Service) Approve(ctx context.Context, id int64, rowVersion int) (Details, error) {
	panic("TODO")
}

// Withdraw takes an approval back, so that the campaign can be changed. Fails with Conflict.
func (s *Service) Withdraw(ctx context.Context, id int64, rowVersion int) (Details, error) {
	panic("TODO")
}

// Launch starts an approved campaign. Fails with Conflict.
func (s *Service) Launch(ctx context.Context, id int64) (Details, error) { panic("TODO") }

// Pause holds a running campaign; nothing is skipped. Fails with Conflict.
func (s *Service) Pause(ctx context.Context, id int64) (Details, error) { panic("TODO") }

// Resume goes on with a paused campaign. Fails with Conflict.
func (s *Service) Resume(ctx context.Context, id int64) (Details, error) { panic("TODO") }

// Cancel ends a campaign for good; what is not sent yet never will be. Fails with Conflict.
func (s *Service) Cancel(ctx context.Context, id int64) (Details, error) { panic("TODO") }

// Forecast tells what a campaign would do and cost at most. Fails with Invalid or NotFound.
func (s *Service) Forecast(ctx context.Context, id int64) (Forecast, error) { panic("TODO") }

// Preview renders a template as a customer would get it; campaignID 0 previews without a campaign, version 0 the newest
// version. Nothing is tracked. Fails with NotFound or Invalid.
func (s *Service) Preview(ctx context.Context, campaignID, templateID int64, version int, customerID int64) (content.Rendered, error) {
	panic("TODO")
}

// PreviewDraft renders a template that is not saved. Fails with NotFound or Invalid.
func (s *Service) PreviewDraft(ctx context.Context, t content.Template, customerID int64) (content.Rendered, error) {
	panic("TODO")
}

// CheckJourney checks a journey, its templates and expressions without storing it. Fails with Invalid.
func (s *Service) CheckJourney(ctx context.Context, raw json.RawMessage) error { panic("TODO") }

// BudgetTx locks the campaign's row and gives what is left of its budget: budget less what is spent and reserved.
func BudgetTx(ctx context.Context, tx pgx.Tx, campaignID int64) (decimal.Decimal, error) {
	panic("TODO")
}
