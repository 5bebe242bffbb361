package delivery

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aldine/customers"
	"aldine/delivery/calls"
)

type erasedWorker struct {
	river.WorkerDefaults[customers.ErasedArgs]
	service *Service
}

// Work leaves out what was still planned for a customer who was erased.
func (w *erasedWorker) Work(ctx context.Context, job *river.Job[customers.ErasedArgs]) error {
	return w.service.leaveOut(ctx, job.Args.CustomerID)
}

// leaveOut excludes a customer's planned touches, takes their calls off the lists, and frees what was set aside for them. A
// message in flight ends as it ends.
func (s *Service) leaveOut(ctx context.Context, customerID customers.ID) error {
	rows, err := s.pool.Query(ctx, `
		SELECT campaign_id, step_id FROM touches
		WHERE customer_id = @customer AND (state = 'planned' OR state = 'sending' AND channel = 'calls') ORDER BY campaign_id, step_id`,
		pgx.NamedArgs{"customer": customerID})
	if err != nil {
		return err
	}
	type place struct{ CampaignID, StepID int64 }
	places, err := pgx.CollectRows(rows, pgx.RowToStructByPos[place])
	if err != nil {
		return err
	}
	for _, p := range places {
		b, err := s.loadBatch(ctx, p.CampaignID, p.StepID)
		if err != nil {
			return err
		}
		if err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error { return s.leaveOutTx(ctx, tx, b, customerID) }); err != nil {
			return err
		}
		if err := s.finishCheck(ctx, b.CampaignID); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) leaveOutTx(ctx context.Context, tx pgx.Tx, b batch, customerID customers.ID) error {
	now := s.now()
	rows, err := tx.Query(ctx, `
		UPDATE touches t SET state = 'excluded', reason = 'deleted', destination = NULL, updated_at = @now
		WHERE t.customer_id = @customer AND t.campaign_id + 0 = @campaign AND t.step_id + 0 = @step AND t.state || '' = 'planned'
		RETURNING t.customer_id, t.state, '', coalesce(t.keycode, ''), t.cell_id, t.list_id, t.unit_cost`,
		pgx.NamedArgs{"now": now, "customer": customerID, "campaign": b.CampaignID, "step": b.StepID})
	if err != nil {
		return err
	}
	out, err := pgx.CollectRows(rows, pgx.RowToStructByPos[touch])
	if err != nil {
		return err
	}
	if err := bookTx(ctx, tx, b, out, now); err != nil || b.Channel != "calls" {
		return err
	}
	return calls.WithdrawTx(ctx, tx, calls.Withdrawal{CampaignID: b.CampaignID, StepID: b.StepID, CustomerID: customerID,
		Reason: "deleted", Currency: b.Currency}, now)
}
