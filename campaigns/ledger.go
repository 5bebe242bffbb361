package campaigns

import (
	"context"
	"fmt"
	"time"

	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"

	"aldine/internal/id"
	"aldine/internal/tally"
)

// BudgetTx locks the campaign's row and gives what is left of its budget: budget less what is spent and reserved. It
// may be negative where costs came that nobody could plan.
func BudgetTx(ctx context.Context, tx pgx.Tx, campaignID int64) (decimal.Decimal, error) {
	if _, err := tx.Exec(ctx, `SELECT FROM campaigns WHERE campaign_id = @id FOR NO KEY UPDATE`, pgx.NamedArgs{"id": campaignID}); err != nil {
		return decimal.Zero, err
	}
	var left decimal.Decimal
	err := tx.QueryRow(ctx, `
		SELECT COALESCE(c.budget, 0)
			- (SELECT COALESCE(sum(amount), 0) FROM cost_entries WHERE campaign_id = @id)
			- (SELECT COALESCE(sum(amount), 0) FROM reservations WHERE campaign_id = @id)
		FROM campaigns c WHERE c.campaign_id = @id`, pgx.NamedArgs{"id": campaignID}).Scan(&left)
	return left, err
}

// left fills in what is available.
func (m *Money) left() error {
	if m.Budget == nil {
		return nil
	}
	left, err := m.Budget.Sub(m.Spent)
	if err != nil {
		return err
	}
	left, err = left.Sub(m.Reserved)
	left = tidy(left)
	m.Available = &left
	return err
}

// entry is a row of the ledger.
type entry struct {
	kind           string
	listID, cellID *int64
	quantity       int64
	unitCost       decimal.Decimal
	amount         decimal.Decimal
	component      string // of a list's deal
	note           string
}

func bookTx(ctx context.Context, tx pgx.Tx, c Campaign, at time.Time, e entry) error {
	if err := tally.MarkLedgerTx(ctx, tx, c.ID, at); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO cost_entries (campaign_id, entry_id, at, kind, cell_id, list_id, quantity, unit_cost, amount, currency, component, note)
		VALUES (@campaign, @entry, @at, @kind, @cell, @list, @quantity, @unit_cost, @amount, @currency, nullif(@component, ''), @note)`, pgx.NamedArgs{
		"campaign": c.ID, "entry": id.New(), "at": at, "kind": e.kind, "cell": e.cellID, "list": e.listID, "quantity": e.quantity,
		"unit_cost": e.unitCost, "amount": e.amount, "currency": c.Currency, "component": e.component, "note": e.note,
	})
	return err
}

func (s *Service) bookFixedTx(ctx context.Context, tx pgx.Tx, c Campaign) error {
	if c.FixedCost.IsZero() {
		return nil
	}
	return bookTx(ctx, tx, c, s.now(), entry{kind: "fixed", quantity: 1, unitCost: c.FixedCost, amount: c.FixedCost, note: "Creative and set-up"})
}

// rate is SQL for what one unit of a currency is worth in the base currency; null where that is not known.
func rate(currency string) string {
	return fmt.Sprintf(`CASE WHEN %[1]s = @base OR %[1]s IS NULL THEN 1 ELSE (SELECT x.rate FROM exchange_rates x WHERE x.currency = %[1]s) END`, currency)
}

// reserveListsTx sets aside what the rented names of the audience will cost.
func (s *Service) reserveListsTx(ctx context.Context, tx pgx.Tx, c Campaign) error {
	f, err := s.forecast(ctx, tx, c)
	if err != nil || f.Lists.IsZero() {
		return err
	}
	now := s.now()
	if err := tally.MarkLedgerTx(ctx, tx, c.ID, now); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO reservations (campaign_id, reservation_id, step_id, amount, at) VALUES (@id, @reservation, 0, @amount, @now)`,
		pgx.NamedArgs{"id": c.ID, "reservation": id.New(), "amount": f.Lists, "now": now})
	return err
}

// baseTx gives the installation's base currency, "" where none is set yet. It reads through the transaction: a second
// connection, asked for while this one is held, could be waited for in a circle.
func baseTx(ctx context.Context, tx pgx.Tx) (string, error) {
	var base string
	err := tx.QueryRow(ctx, `SELECT COALESCE((SELECT value #>> '{}' FROM settings WHERE name = 'base_currency'), '')`).Scan(&base)
	return base, err
}

// base is baseTx with a campaign's own currency where none is set yet.
func (c Campaign) baseTx(ctx context.Context, tx pgx.Tx) (string, error) {
	base, err := baseTx(ctx, tx)
	if base == "" {
		base = c.Currency
	}
	return base, err
}
