package tracking

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"aldine/internal/access"
	"aldine/internal/audit"
	"aldine/internal/fault"
)

// The states of a reclassification.
const (
	Waiting   = "waiting"
	Running   = "running"
	Finished  = "finished"
	Cancelled = "cancelled"
)

// NewReclassification says which stored hits to judge again.
type NewReclassification struct {
	CampaignID int64 `json:"campaign_id,omitempty" minimum:"0" doc:"Only hits of this campaign; of all where left out."`
	Every      bool  `json:"every,omitempty" doc:"Hits that were judged by today's rules already, too."`
}

// Reclassification is one run through stored hits.
type Reclassification struct {
	ID         int64      `json:"id"`
	CampaignID int64      `json:"campaign_id,omitempty" doc:"0 or absent: all campaigns."`
	Every      bool       `json:"every"`
	Rules      int        `json:"rules" doc:"Version of the rules."`
	State      string     `json:"state" doc:"waiting, running, finished or cancelled"`
	Reached    int64      `json:"reached" doc:"Customers up to this number are through."`
	Last       int64      `json:"last" doc:"The highest number to look at."`
	Looked     int64      `json:"looked" doc:"Hits judged."`
	Changed    int64      `json:"changed" doc:"Hits that were a person's and are a program's now, or the other way round."`
	CreatedBy  string     `json:"created_by"`
	CreatedAt  time.Time  `json:"created_at"`
	StartedAt  *time.Time `json:"started_at,omitempty"`
	FinishedAt *time.Time `json:"finished_at,omitempty"`
}

// Open tells whether the run has not ended.
func (r Reclassification) Open() bool { return r.State == Waiting || r.State == Running }

const reclassifyColumns = `run_id, coalesce(campaign_id, 0), every_hit, rules, state, reached, last, looked, changed, created_by, created_at, started_at, finished_at`

func scanReclassification(row pgx.CollectableRow) (r Reclassification, err error) {
	return r, row.Scan(&r.ID, &r.CampaignID, &r.Every, &r.Rules, &r.State, &r.Reached, &r.Last, &r.Looked, &r.Changed, &r.CreatedBy, &r.CreatedAt,
		&r.StartedAt, &r.FinishedAt)
}

// StartReclassification makes the job that judges stored hits by today's rules; those that they judged before are left out
// unless in.Every. Conflict where a run is under way, NotFound where there is no such campaign.
func (s *Service) StartReclassification(ctx context.Context, in NewReclassification) (Reclassification, error) {
	var out Reclassification
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		var known bool
		if err := tx.QueryRow(ctx, `SELECT @campaign::bigint = 0 OR EXISTS (SELECT 1 FROM campaigns WHERE campaign_id = @campaign)`,
			pgx.NamedArgs{"campaign": in.CampaignID}).Scan(&known); err != nil {
			return err
		}
		if !known {
			return fault.New(fault.NotFound, "There is no campaign %d", in.CampaignID)
		}
		rows, err := tx.Query(ctx, `
			INSERT INTO reclassifications (campaign_id, every_hit, rules, state, last, created_by, created_at)
			VALUES (nullif(@campaign::bigint, 0), @every, @rules, 'waiting', (SELECT coalesce(max(customer_id), 0) FROM responses), @actor, @now)
			RETURNING `+reclassifyColumns, pgx.NamedArgs{"campaign": in.CampaignID, "every": in.Every, "rules": rulesVersion,
			"actor": access.From(ctx).String(), "now": s.now()})
		if err != nil {
			return err
		}
		if out, err = pgx.CollectExactlyOneRow(rows, scanReclassification); err != nil {
			return err
		}
		if err := audit.RecordTx(ctx, tx, s.now(), "tracking.reclassify", "reclassification", out.ID,
			map[string]any{"campaign": in.CampaignID, "every": in.Every, "rules": rulesVersion}); err != nil {
			return err
		}
		_, err = s.jobs.InsertTx(ctx, tx, ReclassifyArgs{RunID: out.ID}, nil)
		return err
	})
	if pe := (*pgconn.PgError)(nil); errors.As(err, &pe) && pe.ConstraintName == "reclassifications_one_idx" {
		return out, fault.New(fault.Conflict, "Hits are being judged again already; wait for the end of that or cancel it")
	}
	return out, err
}

// Reclassification gives one run; NotFound where there is none.
func (s *Service) Reclassification(ctx context.Context, runID int64) (Reclassification, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+reclassifyColumns+` FROM reclassifications WHERE run_id = @id`, pgx.NamedArgs{"id": runID})
	if err != nil {
		return Reclassification{}, err
	}
	r, err := pgx.CollectExactlyOneRow(rows, scanReclassification)
	if errors.Is(err, pgx.ErrNoRows) {
		return r, noReclassification(runID)
	}
	return r, err
}

func noReclassification(runID int64) error {
	return fault.New(fault.NotFound, "There is no reclassification %d", runID)
}

// Reclassifications lists runs, the newest first, those before the number given (0: from the newest).
func (s *Service) Reclassifications(ctx context.Context, before int64, limit int) ([]Reclassification, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+reclassifyColumns+` FROM reclassifications WHERE @before = 0 OR run_id < @before ORDER BY run_id DESC LIMIT @limit`,
		pgx.NamedArgs{"before": before, "limit": max(1, min(limit, 200))})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanReclassification)
}

// CancelReclassification ends a run; hits that it has judged stay so. Conflict where it has ended, NotFound where there is none.
func (s *Service) CancelReclassification(ctx context.Context, runID int64) error {
	if _, err := s.Reclassification(ctx, runID); err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE reclassifications SET state = 'cancelled', finished_at = @now WHERE run_id = @id AND state IN ('waiting', 'running')`,
			pgx.NamedArgs{"id": runID, "now": s.now()})
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return fault.New(fault.Conflict, "Reclassification %d has ended already", runID)
		}
		return audit.RecordTx(ctx, tx, s.now(), "tracking.reclassify_cancel", "reclassification", runID, nil)
	})
}
