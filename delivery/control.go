package delivery

import (
	"context"

	"github.com/jackc/pgx/v5"

	"aldine/delivery/calls"
)

// atOnce is how many touches one transaction changes.
const atOnce = 10_000

// sendSteps gives the campaign's steps that have touches.
func (s *Service) sendSteps(ctx context.Context, campaignID int64) ([]batch, error) {
	rows, err := s.pool.Query(ctx, selectBatch+`
		WHERE c.campaign_id = @campaign AND s.channel IS NOT NULL ORDER BY s.step_id`, pgx.NamedArgs{"campaign": campaignID})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[batch])
}

// requeue inserts jobs for all planned touches of a campaign, in place of those that wait for their hour, after it has settled
// what jobs left behind that are no more.
func (s *Service) requeue(ctx context.Context, campaignID int64) error {
	if err := s.dropWaiting(ctx, campaignID); err != nil {
		return err
	}
	steps, err := s.sendSteps(ctx, campaignID)
	if err != nil {
		return err
	}
	for _, b := range steps {
		if err := s.adopt(ctx, b); err != nil {
			return err
		}
		after := int64(-1 << 63)
		for {
			var ids []int64
			err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
				rows, err := tx.Query(ctx, `
					SELECT customer_id FROM touches
					WHERE campaign_id = @campaign AND step_id = @step AND state = 'planned' AND customer_id > @after ORDER BY customer_id LIMIT @limit`,
					pgx.NamedArgs{"campaign": campaignID, "step": b.StepID, "after": after, "limit": atOnce})
				if err != nil {
					return err
				}
				if ids, err = pgx.CollectRows(rows, pgx.RowTo[int64]); err != nil || len(ids) == 0 {
					return err
				}
				return s.enqueueTx(ctx, tx, b.Channel, campaignID, b.StepID, ids)
			})
			if err != nil {
				return err
			}
			if len(ids) < atOnce || b.Channel == "post" { // one job prints all
				break
			}
			after = ids[len(ids)-1]
		}
	}
	return s.finishCheck(ctx, campaignID)
}

// withdraw excludes the planned touches of a cancelled campaign and takes its calls off the lists. It tells whether
// messages are still in flight.
func (s *Service) withdraw(ctx context.Context, campaignID int64) (open bool, err error) {
	steps, err := s.sendSteps(ctx, campaignID)
	if err != nil {
		return false, err
	}
	for _, b := range steps {
		for {
			n, err := s.excludePlanned(ctx, b)
			if err != nil {
				return false, err
			}
			if n < atOnce {
				break
			}
		}
		if b.Channel == "calls" {
			if err := s.withdrawCalls(ctx, b); err != nil {
				return false, err
			}
		}
	}
	if err := s.dropWaiting(ctx, campaignID); err != nil {
		return false, err
	}
	err = s.pool.QueryRow(ctx, `
		SELECT EXISTS (SELECT 1 FROM touches WHERE campaign_id = @campaign AND state IN ('planned', 'sending'))`,
		pgx.NamedArgs{"campaign": campaignID}).Scan(&open)
	return open, err
}

func (s *Service) excludePlanned(ctx context.Context, b batch) (n int, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		now := s.now()
		rows, err := tx.Query(ctx, `
			UPDATE touches t SET state = 'excluded', reason = 'cancelled', updated_at = @now
			WHERE t.campaign_id + 0 = @campaign AND t.step_id + 0 = @step AND t.state || '' = 'planned' AND t.customer_id IN (
				SELECT customer_id FROM touches WHERE campaign_id = @campaign AND step_id = @step AND state = 'planned' ORDER BY customer_id LIMIT @limit)
			RETURNING t.customer_id, t.state, coalesce(t.destination, ''), coalesce(t.keycode, ''), t.cell_id, t.list_id, t.unit_cost`,
			pgx.NamedArgs{"now": now, "campaign": b.CampaignID, "step": b.StepID, "limit": atOnce})
		if err != nil {
			return err
		}
		out, err := pgx.CollectRows(rows, pgx.RowToStructByPos[touch])
		if err != nil {
			return err
		}
		n = len(out)
		return bookTx(ctx, tx, b, out, now)
	})
	return n, err
}

func (s *Service) withdrawCalls(ctx context.Context, b batch) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		return calls.WithdrawTx(ctx, tx, calls.Withdrawal{CampaignID: b.CampaignID, StepID: b.StepID, Reason: "cancelled", Currency: b.Currency}, s.now())
	})
}
