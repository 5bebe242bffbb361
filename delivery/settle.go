package delivery

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"aldine/delivery/costs"
	"aldine/internal/tally"
)

// result is what became of one claimed touch: sent, failed, unconfirmed, or planned again.
type result struct {
	CustomerID int64
	State      string
	Reason     string
	Ref        string // the provider's name for the message
}

// settle writes down what became of touches claimed under a name, and the cost of the sent ones. A touch that a later
// attempt of the job has called unconfirmed meanwhile still takes the truth; one that a person has settled does not.
func (s *Service) settle(ctx context.Context, b batch, claim string, results []result) error {
	if len(results) == 0 {
		return nil
	}
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error { return s.settleTx(ctx, tx, b, claim, results) })
}

func (s *Service) settleTx(ctx context.Context, tx pgx.Tx, b batch, claim string, results []result) error {
	n := len(results)
	ids, states, reasons, refs := make([]int64, n), make([]string, n), make([]string, n), make([]string, n)
	for i, r := range results {
		ids[i], states[i], reasons[i], refs[i] = r.CustomerID, r.State, r.Reason, r.Ref
	}
	now := s.now()
	args := pgx.NamedArgs{
		"ids": ids, "states": states, "reasons": reasons, "refs": refs, "now": now, "campaign": b.CampaignID, "step": b.StepID, "claim": claim,
	}
	var pieces []costs.Piece
	err := change(n, func() (changed int, err error) {
		rows, err := tx.Query(ctx, settleSQL, args)
		if err != nil {
			return 0, err
		}
		var p costs.Piece
		var state string
		_, err = pgx.ForEachRow(rows, []any{&state, &p.CellID, &p.ListID, &p.Keycode, &p.UnitCost, &p.Number}, func() error {
			changed += int(p.Number)
			if p.Sent = state == "sent"; settled(state) {
				pieces = append(pieces, p)
			}
			return nil
		})
		return changed, err
	})
	if err != nil {
		return err
	}
	return bookPiecesTx(ctx, tx, b, ids, pieces, now)
}

const settleSQL = `
	WITH found AS MATERIALIZED (
		SELECT r.*, t.place FROM unnest(@ids::bigint[], @states::text[], @reasons::text[], @refs::text[]) AS r (customer_id, state, reason, ref)
		CROSS JOIN LATERAL (SELECT u.ctid AS place FROM touches u
			WHERE u.customer_id = r.customer_id AND u.campaign_id = @campaign AND u.step_id = @step
				AND u.provider_ref = @claim AND u.state IN ('sending', 'unconfirmed') OFFSET 0) t
	), changed AS (
		UPDATE touches t SET state = r.state, reason = nullif(r.reason, ''),
			provider_ref = CASE WHEN r.state = 'unconfirmed' THEN t.provider_ref ELSE nullif(r.ref, '') END,
			sent_at = CASE WHEN r.state = 'sent' THEN @now::timestamptz END, updated_at = @now
		FROM found r
		WHERE t.ctid = r.place AND t.provider_ref = @claim AND t.state || '' IN ('sending', 'unconfirmed')
		RETURNING t.state, t.cell_id, t.list_id, coalesce(t.keycode, '') AS keycode, t.unit_cost
	)
	SELECT state, cell_id, list_id, keycode, unit_cost, count(*) FROM changed GROUP BY state, cell_id, list_id, keycode, unit_cost`

// change lets n touches be changed. Where some were left out it asks once more: a touch that somebody else was just changing is not
// seen by the statement that waited for it.
func change(n int, some func() (changed int, err error)) error {
	changed, err := some()
	if err == nil && changed < n {
		_, err = some()
	}
	return err
}

// settled tells whether money that was set aside for a touch is free now.
func settled(state string) bool { return state == "sent" || state == "failed" || state == "excluded" }

// bookTx books what touches cost that were sent, and frees what was set aside for those that were sent, have failed or
// were left out.
func bookTx(ctx context.Context, tx pgx.Tx, b batch, touches []touch, now time.Time) error {
	var pieces []costs.Piece
	people := make([]int64, len(touches))
	for i, t := range touches {
		people[i] = t.CustomerID
		if settled(t.State) {
			pieces = append(pieces, costs.Piece{Number: 1, CellID: t.CellID, ListID: t.ListID, Keycode: t.Keycode, UnitCost: t.UnitCost, Sent: t.State == "sent"})
		}
	}
	return bookPiecesTx(ctx, tx, b, people, pieces, now)
}

// bookPiecesTx is bookTx where the people are known, and how many pieces are alike.
func bookPiecesTx(ctx context.Context, tx pgx.Tx, b batch, people []int64, pieces []costs.Piece, now time.Time) error {
	if err := tally.MarkTx(ctx, tx, b.CampaignID, now, people...); err != nil {
		return err
	}
	return costs.SettleTx(ctx, tx, costs.Step{CampaignID: b.CampaignID, StepID: b.StepID, Channel: b.Channel, Currency: b.Currency}, pieces, now)
}

// away tells whether the database could not be asked at all, or was just stopping.
func away(err error) bool {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return strings.HasPrefix(pe.Code, "57") || strings.HasPrefix(pe.Code, "08") || strings.HasPrefix(pe.Code, "53") || pe.Code == "25006" || pe.Code == "40P01" || pe.Code == "40001"
	}
	return true
}
