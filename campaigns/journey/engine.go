package journey

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"aldine/internal/queue"
	"aldine/segments"
	"aldine/tracking"
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
	Dedup           string          `json:"dedup"` // one of Levels
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

// Deps is what the engine needs.
type Deps struct {
	Pool     *pgxpool.Pool
	Jobs     *queue.Client
	Segments *segments.Service
	Now      func() time.Time
	Log      *slog.Logger

	// Keycodes makes the keycodes of lists that were not in the audience when the campaign was approved.
	Keycodes func(ctx context.Context, tx pgx.Tx, campaignID, firstID, lastID int64) error
	// EntryDone books what is due once the audience is complete: the cost of rented lists.
	EntryDone func(ctx context.Context, tx pgx.Tx, campaignID int64) error
	// Settle waits a moment for opens and clicks that were answered and are not among the responses yet. May be nil.
	Settle func(ctx context.Context) error
}

// Engine enters customers into journeys and walks them.
type Engine struct {
	Deps
	planner Planner
}

// NewEngine gives an engine; it works once Register has told it who plans.
func NewEngine(d Deps) *Engine { return &Engine{Deps: d} }

// Register adds the engine's workers; planner plans its send steps.
func (e *Engine) Register(workers *river.Workers, planner Planner) {
	e.planner = planner
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[EntryArgs]) error {
		return e.Enter(ctx, job.Args)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[AdvanceArgs]) error {
		return e.AdvanceDue(ctx, job.Args)
	}))
	river.AddWorker(workers, river.WorkFunc(func(ctx context.Context, job *river.Job[tracking.RecordedArgs]) error {
		return e.Wake(ctx, job.Args)
	}))
}

// campaign is what the engine needs to know of a campaign; its row stays locked until the transaction ends.
type campaign struct {
	id         int64
	state      string
	version    int
	expression string
	entryDone  bool
}

// lockTx locks a campaign's row: slices of one campaign are walked one after the other, so that its budget is reserved by
// one transaction at a time and a pause is complete when it returns.
func lockTx(ctx context.Context, tx pgx.Tx, id int64) (campaign, error) {
	c := campaign{id: id}
	err := tx.QueryRow(ctx, `
		SELECT state, version, expression, entry_done_at IS NOT NULL FROM campaigns WHERE campaign_id = @id FOR NO KEY UPDATE`,
		pgx.NamedArgs{"id": id}).Scan(&c.state, &c.version, &c.expression, &c.entryDone)
	if err != nil {
		return c, fmt.Errorf("campaign %d: %w", id, err)
	}
	return c, nil
}

// Poke makes all slices of a campaign look now for what is due, and entry go on where it stopped: after a pause, or when
// a simulated clock has moved.
func (e *Engine) Poke(ctx context.Context, campaignID int64) error {
	return pgx.BeginFunc(ctx, e.Pool, func(tx pgx.Tx) error { return e.PokeTx(ctx, tx, campaignID) })
}

// PokeTx is Poke within the caller's transaction.
func (e *Engine) PokeTx(ctx context.Context, tx pgx.Tx, campaignID int64) error {
	c, err := lockTx(ctx, tx, campaignID)
	if err != nil || c.state != "running" {
		return err
	}
	rows, err := tx.Query(ctx, `SELECT first_id, last_id FROM journey_slices WHERE campaign_id = @id ORDER BY first_id`, pgx.NamedArgs{"id": campaignID})
	if err != nil {
		return err
	}
	slices, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (a AdvanceArgs, err error) {
		a.CampaignID = campaignID
		return a, row.Scan(&a.FirstID, &a.LastID)
	})
	if err != nil {
		return err
	}
	jobs := make([]river.InsertManyParams, 0, len(slices)+1)
	entry := EntryArgs{CampaignID: campaignID}
	for _, s := range slices {
		jobs = append(jobs, river.InsertManyParams{Args: s})
		entry.After = s.LastID
	}
	if !c.entryDone {
		jobs = append(jobs, river.InsertManyParams{Args: entry})
	}
	if len(jobs) > 0 {
		if _, err := e.Jobs.InsertManyTx(ctx, tx, jobs); err != nil {
			return err
		}
	}
	return EnqueueFinishCheckTx(ctx, tx, e.Jobs, campaignID)
}
