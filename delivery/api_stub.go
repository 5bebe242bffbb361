package delivery

import (
	"context"
	"os"
	"time"

	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aldine/campaigns/journey"
	"aldine/delivery/sandbox"
	"aldine/internal/fault"
)

var errTodo = fault.New(fault.Unavailable, "Not ready yet")

// PlanTx plans the touches of one send step and slice; see journey.Planner.
func (s *Service) PlanTx(ctx context.Context, tx pgx.Tx, r journey.PlanRequest) error { return errTodo }

// Register adds the workers.
func (s *Service) Register(workers *river.Workers) {}

// TestMessage asks for one message outside any campaign's count: no touch, no cost, no tracking.
type TestMessage struct {
	TemplateID int64  `json:"template_id"`
	Version    int    `json:"version,omitempty"`     // 0: the newest
	CampaignID int64  `json:"campaign_id,omitempty"` // whose name and code to print; 0: none
	CustomerID int64  `json:"customer_id,omitempty"` // whose data to fill in; 0: nobody's
	To         string `json:"to"`                    // e-mail address or phone number
}

// TestSend sends one e-mail or SMS now, its subject marked "[Test]". It fails with Invalid (address, medium, template),
// NotFound, or Unavailable with the relay's or gateway's reason.
func (s *Service) TestSend(ctx context.Context, m TestMessage) error { return errTodo }

// Outbox lists what the sandbox received instead of the world, newest first.
func (s *Service) Outbox(ctx context.Context, q sandbox.Query) ([]sandbox.Message, error) {
	return sandbox.Messages(ctx, s.pool, q)
}

// OutboxMessage gives one message of the sandbox with its parts, or NotFound.
func (s *Service) OutboxMessage(ctx context.Context, id int64) (sandbox.Message, error) {
	return sandbox.Get(ctx, s.pool, id)
}

// Unconfirmed is a touch of which nobody knows whether it went out.
type Unconfirmed struct {
	CampaignID  int64           `json:"campaign_id"`
	StepID      int64           `json:"step_id"`
	StepKey     string          `json:"step_key"`
	CustomerID  int64           `json:"customer_id"`
	Channel     string          `json:"channel"`
	Destination string          `json:"destination"`
	UnitCost    decimal.Decimal `json:"unit_cost"`
	Reason      string          `json:"reason"`
	Since       time.Time       `json:"since"`
}

// UnconfirmedTouches lists a campaign's unconfirmed touches by step and customer; after is the last one seen, or nil.
func (s *Service) UnconfirmedTouches(ctx context.Context, campaignID int64, after *Unconfirmed, limit int) ([]Unconfirmed, error) {
	return nil, errTodo
}

// ResolveUnconfirmed settles one unconfirmed touch by a person's word: resend plans it again, otherwise it counts as sent
// and is booked. customerID 0 settles all of the step, stepID 0 all of the campaign. It gives how many were settled,
// and fails with NotFound where there are none, and Conflict where the campaign is over and cannot resend.
func (s *Service) ResolveUnconfirmed(ctx context.Context, campaignID, stepID, customerID int64, resend bool) (int64, error) {
	return 0, errTodo
}

// PrintRun is one run of letters.
type PrintRun struct {
	ID         int64      `json:"id"`
	CampaignID int64      `json:"campaign_id"`
	Campaign   string     `json:"campaign"` // code
	StepID     int64      `json:"step_id"`
	StepKey    string     `json:"step_key"`
	State      string     `json:"state"` // open, finished or failed
	Pieces     int        `json:"pieces"`
	Folder     string     `json:"folder"`
	Error      string     `json:"error,omitempty"`
	CreatedAt  time.Time  `json:"created_at"`
	FinishedAt *time.Time `json:"finished_at,omitempty"`
}

// PrintFile is one file of a finished run.
type PrintFile struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	Kind   string `json:"kind"` // pdf, csv or manifest
	Pieces int    `json:"pieces"`
}

// PrintRuns lists print runs, newest first: of one campaign, or of all where campaignID is 0. before is the id of the
// last one seen, 0 for the first page.
func (s *Service) PrintRuns(ctx context.Context, campaignID, before int64, limit int) ([]PrintRun, error) {
	return nil, errTodo
}

// PrintFiles gives a run and its files; none before it is finished. Fails with NotFound.
func (s *Service) PrintFiles(ctx context.Context, runID int64) (PrintRun, []PrintFile, error) {
	return PrintRun{}, nil, errTodo
}

// OpenPrintFile opens one file of a run; the caller closes it. Fails with NotFound.
func (s *Service) OpenPrintFile(ctx context.Context, runID int64, name string) (*os.File, PrintFile, error) {
	return nil, PrintFile{}, errTodo
}
