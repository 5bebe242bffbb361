package campaigns

import (
	"context"
	"fmt"
	"time"

	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"

	"aldine/internal/id"
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

func money(ctx context.Context, q Querier, c Campaign) (m Money, err error) {
	m.Budget = c.Budget
	err = q.QueryRow(ctx, `
		SELECT (SELECT COALESCE(sum(amount), 0) FROM cost_entries WHERE campaign_id = @id),
			(SELECT COALESCE(sum(amount), 0) FROM reservations WHERE campaign_id = @id)`, pgx.NamedArgs{"id": c.ID}).Scan(&m.Spent, &m.Reserved)
	if err != nil || m.Budget == nil {
		return m, err
	}
	left, err := m.Budget.Sub(m.Spent)
	if err != nil {
		return m, err
	}
	left, err = left.Sub(m.Reserved)
	left = tidy(left)
	m.Available = &left
	return m, err
}

// entry is a row of the ledger.
type entry struct {
	kind           string
	listID, cellID *int64
	quantity       int64
	unitCost       decimal.Decimal
	amount         decimal.Decimal
	note           string
}

func bookTx(ctx context.Context, tx pgx.Tx, c Campaign, at time.Time, e entry) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO cost_entries (campaign_id, entry_id, at, kind, cell_id, list_id, quantity, unit_cost, amount, currency, note)
		VALUES (@campaign, @entry, @at, @kind, @cell, @list, @quantity, @unit_cost, @amount, @currency, @note)`, pgx.NamedArgs{
		"campaign": c.ID, "entry": id.New(), "at": at, "kind": e.kind, "cell": e.cellID, "list": e.listID, "quantity": e.quantity,
		"unit_cost": e.unitCost, "amount": e.amount, "currency": c.Currency, "note": e.note,
	})
	return err
}

func (s *Service) bookFixedTx(ctx context.Context, tx pgx.Tx, c Campaign) error {
	if c.FixedCost.IsZero() {
		return nil
	}
	return bookTx(ctx, tx, c, s.now(), entry{kind: "fixed", quantity: 1, unitCost: c.FixedCost, amount: c.FixedCost, note: "Creative and set-up"})
}

// rented is how many names of a rented list a cell holds, and what a thousand cost in the campaign's currency.
type rented struct {
	list, cell int64
	name       string
	names      int64
	price      decimal.Decimal
}

// rate is SQL for what one unit of a currency is worth in the base currency; null where that is not known.
func rate(currency string) string {
	return fmt.Sprintf(`CASE WHEN %[1]s = @base OR %[1]s IS NULL THEN 1 ELSE (SELECT x.rate FROM exchange_rates x WHERE x.currency = %[1]s) END`, currency)
}

// bookListsTx books the hire of the names that entered, control cell excepted, and frees what was reserved for it.
func (s *Service) bookListsTx(ctx context.Context, tx pgx.Tx, campaignID int64) error {
	c, err := load(ctx, tx, campaignID)
	if err != nil {
		return err
	}
	base, err := c.baseTx(ctx, tx)
	if err != nil {
		return err
	}
	rows, err := tx.Query(ctx, `
		SELECT l.list_id, e.cell_id, l.name, e.names,
			round(l.price_per_thousand * COALESCE(`+rate("l.currency")+`, 1) / COALESCE(`+rate("@currency::char(3)")+`, 1), 4)
		FROM (SELECT list_id, cell_id, count(*) AS names FROM enrollments WHERE campaign_id = @id AND list_id IS NOT NULL GROUP BY 1, 2) e
		JOIN lists l ON l.list_id = e.list_id AND l.kind = 'rented' AND l.price_per_thousand > 0
		JOIN cells k ON k.cell_id = e.cell_id AND NOT k.is_control
		ORDER BY l.list_id, e.cell_id`, pgx.NamedArgs{"id": campaignID, "base": base, "currency": c.Currency})
	if err != nil {
		return err
	}
	used, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r rented, err error) {
		return r, row.Scan(&r.list, &r.cell, &r.name, &r.names, &r.price)
	})
	if err != nil {
		return err
	}
	for _, r := range used {
		amount, err := perThousand(r.price, r.names)
		if err != nil {
			return err
		}
		each, err := perThousand(r.price, 1)
		if err != nil {
			return err
		}
		if err := bookTx(ctx, tx, c, s.now(), entry{kind: "list", listID: &r.list, cellID: &r.cell, quantity: r.names, unitCost: each,
			amount: amount, note: fmt.Sprintf("%s: %s per thousand", r.name, r.price.Trim(2))}); err != nil {
			return err
		}
	}
	// Step 0 of the reservations is the hire of lists.
	_, err = tx.Exec(ctx, `
		INSERT INTO reservations (campaign_id, reservation_id, step_id, amount, at)
		SELECT @id, @reservation, 0, -sum(amount), @now FROM reservations WHERE campaign_id = @id AND step_id = 0 HAVING sum(amount) <> 0`,
		pgx.NamedArgs{"id": campaignID, "reservation": id.New(), "now": s.now()})
	return err
}

// reserveListsTx sets aside what the rented names of the audience will cost.
func (s *Service) reserveListsTx(ctx context.Context, tx pgx.Tx, c Campaign) error {
	f, err := s.forecast(ctx, tx, c)
	if err != nil || f.Lists.IsZero() {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO reservations (campaign_id, reservation_id, step_id, amount, at) VALUES (@id, @reservation, 0, @amount, @now)`,
		pgx.NamedArgs{"id": c.ID, "reservation": id.New(), "amount": f.Lists, "now": s.now()})
	return err
}

var thousand = decimal.MustNew(1000, 0)

// perThousand gives what names cost, to a hundredth of a cent.
func perThousand(price decimal.Decimal, names int64) (decimal.Decimal, error) {
	n, err := decimal.New(names, 0)
	if err != nil {
		return n, err
	}
	if n, err = n.Mul(price); err != nil {
		return n, err
	}
	n, err = n.Quo(thousand)
	return n.Round(4), err
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
