package delivery

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aldine/internal/tally"
	"aldine/tracking"
)

type bouncedWorker struct {
	river.WorkerDefaults[tracking.BouncedArgs]
	service *Service
}

// Work settles a touch by its bounce: whatever bounces did go out. One that is just being sent is waited for.
func (w *bouncedWorker) Work(ctx context.Context, job *river.Job[tracking.BouncedArgs]) error {
	open, err := w.service.bounced(ctx, job.Args)
	if err == nil && open {
		return river.JobSnooze(5 * time.Second)
	}
	return err
}

func (s *Service) bounced(ctx context.Context, a tracking.BouncedArgs) (open bool, err error) {
	b, err := s.loadBatch(ctx, a.CampaignID, a.StepID)
	if err != nil {
		return false, err
	}
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		now := s.now()
		args := pgx.NamedArgs{"now": now, "customer": a.CustomerID, "campaign": a.CampaignID, "step": a.StepID}
		const touchOf = `WHERE t.customer_id = @customer AND t.campaign_id + 0 = @campaign AND t.step_id + 0 = @step`
		// Only the unconfirmed one is still to be paid.
		rows, err := tx.Query(ctx, `
			UPDATE touches t SET state = 'bounced', reason = 'hard bounce', provider_ref = NULL, sent_at = t.updated_at, updated_at = @now
			`+touchOf+` AND t.state || '' = 'unconfirmed'
			RETURNING t.customer_id, 'sent', coalesce(t.destination, ''), coalesce(t.keycode, ''), t.cell_id, t.list_id, t.unit_cost`, args)
		if err != nil {
			return err
		}
		settled, err := pgx.CollectRows(rows, pgx.RowToStructByPos[touch])
		if err != nil {
			return err
		}
		if err := bookTx(ctx, tx, b, settled, now); err != nil {
			return err
		}
		if err := tally.MarkTx(ctx, tx, a.CampaignID, now, a.CustomerID); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE touches t SET state = 'bounced', reason = 'hard bounce', updated_at = @now `+touchOf+` AND t.state || '' = 'sent'`, args); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM touches t `+touchOf+` AND t.state || '' = 'sending')`, args).Scan(&open)
	})
	return open, err
}
