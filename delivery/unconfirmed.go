package delivery

import (
	"context"
	"time"

	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"

	"aldine/internal/audit"
	"aldine/internal/fault"
	"aldine/internal/tally"
)

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
	var step, customer int64
	if after != nil {
		step, customer = after.StepID, after.CustomerID
	}
	rows, err := s.pool.Query(ctx, `
		SELECT t.campaign_id, t.step_id, s.key, t.customer_id, t.channel, coalesce(t.destination, ''), t.unit_cost, coalesce(t.reason, ''), t.updated_at
		FROM touches t JOIN steps s ON s.step_id = t.step_id
		WHERE t.campaign_id = @campaign AND t.state = 'unconfirmed' AND (t.step_id, t.customer_id) > (@step, @customer)
		ORDER BY t.step_id, t.customer_id LIMIT @limit`,
		pgx.NamedArgs{"campaign": campaignID, "step": step, "customer": customer, "limit": pageSize(limit)})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Unconfirmed])
}

// ResolveUnconfirmed settles one unconfirmed touch by a person's word: resend plans it again, otherwise it counts as sent
// and is booked. customerID 0 settles all of the step, stepID 0 all of the campaign. It gives how many were settled,
// and fails with NotFound where there are none, and Conflict where the campaign was cancelled and cannot resend.
func (s *Service) ResolveUnconfirmed(ctx context.Context, campaignID, stepID, customerID int64, resend bool) (int64, error) {
	steps, err := s.sendSteps(ctx, campaignID)
	if err != nil {
		return 0, err
	}
	var settled int64
	for _, b := range steps {
		if stepID != 0 && b.StepID != stepID {
			continue
		}
		n, err := s.resolve(ctx, b, customerID, resend)
		if err != nil {
			return settled, err
		}
		settled += n
	}
	if settled == 0 {
		return 0, fault.New(fault.NotFound, "There is no unconfirmed touch to settle; somebody may have done it already")
	}
	return settled, s.finishCheck(ctx, campaignID)
}

func (s *Service) resolve(ctx context.Context, b batch, customerID int64, resend bool) (n int64, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		now := s.now()
		// Locked, so that a cancellation comes before or after this, not in between.
		var state string
		if err := tx.QueryRow(ctx, `SELECT state FROM campaigns WHERE campaign_id = @campaign FOR SHARE`, pgx.NamedArgs{"campaign": b.CampaignID}).Scan(&state); err != nil {
			return err
		}
		if resend && state == "cancelled" {
			return fault.New(fault.Conflict, "The campaign was cancelled: nothing of it can be sent any more")
		}
		rows, err := tx.Query(ctx, `
			UPDATE touches t SET state = CASE WHEN @resend THEN 'planned' ELSE 'sent' END, reason = NULL, provider_ref = NULL,
				sent_at = CASE WHEN @resend THEN NULL ELSE t.updated_at END, updated_at = @now
			WHERE t.campaign_id = @campaign AND t.step_id = @step AND t.state = 'unconfirmed' AND (@customer::bigint = 0 OR t.customer_id = @customer)
			RETURNING t.customer_id, t.state, coalesce(t.destination, ''), coalesce(t.keycode, ''), t.cell_id, t.list_id, t.unit_cost`,
			pgx.NamedArgs{"resend": resend, "now": now, "campaign": b.CampaignID, "step": b.StepID, "customer": customerID})
		if err != nil {
			return err
		}
		touches, err := pgx.CollectRows(rows, pgx.RowToStructByPos[touch])
		if err != nil || len(touches) == 0 {
			return err
		}
		n = int64(len(touches))
		if resend {
			ids := make([]int64, len(touches))
			for i, t := range touches {
				ids[i] = t.CustomerID
			}
			if err = tally.MarkTx(ctx, tx, b.CampaignID, now, ids...); err == nil {
				err = s.enqueueTx(ctx, tx, b.Channel, b.CampaignID, b.StepID, ids)
			}
		} else {
			err = bookTx(ctx, tx, b, touches, now)
		}
		if err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, now, "touch.resolve", "campaign", b.CampaignID, map[string]any{
			"step": b.StepKey, "customer": customerID, "touches": n, "resend": resend,
		})
	})
	return n, err
}
