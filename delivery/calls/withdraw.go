package calls

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/delivery/costs"
	"aldine/internal/tally"
)

// Withdrawal says whose open calls of a step are taken off the list, and why.
type Withdrawal struct {
	CampaignID, StepID int64
	CustomerID         int64 // 0: all
	Reason, Currency   string
}

// WithdrawTx takes open calls off the list. A call that was tried costs what it costs and counts as failed, one that was
// not is excluded.
func WithdrawTx(ctx context.Context, tx pgx.Tx, w Withdrawal, now time.Time) error {
	args := pgx.NamedArgs{"campaign": w.CampaignID, "step": w.StepID, "customer": w.CustomerID, "reason": w.Reason, "now": now}
	var list int64
	err := tx.QueryRow(ctx, `SELECT call_list_id FROM call_lists WHERE campaign_id = @campaign AND step_id = @step`, args).Scan(&list)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	} else if err != nil {
		return err
	}
	args["list"] = list
	if _, err := tx.Exec(ctx, `
		UPDATE calls SET state = 'withdrawn', leased_by = NULL, leased_until = NULL, updated_at = @now
		WHERE call_list_id = @list AND (@customer::bigint = 0 OR customer_id = @customer) AND state IN ('ready', 'waiting', 'leased')`, args); err != nil {
		return err
	}
	rows, err := tx.Query(ctx, `
		UPDATE touches t SET state = CASE WHEN c.attempts > 0 THEN 'failed' ELSE 'excluded' END, reason = @reason, provider_ref = NULL, updated_at = @now
		FROM calls c
		WHERE c.call_list_id = @list AND (@customer::bigint = 0 OR c.customer_id = @customer) AND c.state = 'withdrawn'
			AND t.customer_id = c.customer_id AND t.campaign_id + 0 = @campaign AND t.step_id + 0 = @step AND t.state || '' = 'sending'
		RETURNING t.customer_id, t.cell_id, t.list_id, coalesce(t.keycode, ''), t.unit_cost, c.attempts > 0`, args)
	if err != nil {
		return err
	}
	return bookTx(ctx, tx, costs.Step{CampaignID: w.CampaignID, StepID: w.StepID, Channel: "calls", Currency: w.Currency}, rows, now)
}

// bookTx settles the money of touches: rows of customer, cell, list, keycode, unit cost and whether it has to be paid.
func bookTx(ctx context.Context, tx pgx.Tx, step costs.Step, rows pgx.Rows, now time.Time) error {
	var people []int64
	pieces, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p costs.Piece, err error) {
		var customer int64
		p.Number = 1
		err = row.Scan(&customer, &p.CellID, &p.ListID, &p.Keycode, &p.UnitCost, &p.Sent)
		people = append(people, customer)
		return p, err
	})
	if err != nil {
		return err
	}
	if err := tally.MarkTx(ctx, tx, step.CampaignID, now, people...); err != nil {
		return err
	}
	return costs.SettleTx(ctx, tx, step, pieces, now)
}
