package campaigns

import (
	"context"
	"time"

	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"

	"aldine/customers"
	"aldine/internal/id"
	"aldine/internal/tally"
)

// dealsTx gives the deals of rented lists by id, prices in the campaign's currency, with what other campaigns have booked.
func dealsTx(ctx context.Context, tx pgx.Tx, c Campaign, lists []int64) (map[int64]deal, error) {
	base, err := c.baseTx(ctx, tx)
	if err != nil {
		return nil, err
	}
	price := func(column string) string {
		return `round(l.` + column + ` * COALESCE(` + rate("l.currency") + `, 1) / COALESCE(` + rate("@currency::char(3)") + `, 1), 4)`
	}
	// Rows from before there were components are names.
	rows, err := tx.Query(ctx, `
		SELECT l.list_id, l.name, `+price("price_per_thousand")+`, `+price("running_charge")+`, `+price("extra_per_thousand")+`, l.net_share, l.gross,
			b.component, COALESCE(b.quantity, 0)
		FROM lists l
		LEFT JOIN (SELECT list_id, COALESCE(component, 'names') AS component, sum(quantity)::bigint AS quantity
			FROM cost_entries WHERE kind = 'list' AND list_id = ANY (@lists) AND campaign_id <> @id GROUP BY 1, 2) b ON b.list_id = l.list_id
		WHERE l.list_id = ANY (@lists) AND l.kind = 'rented' ORDER BY l.list_id, b.component`,
		pgx.NamedArgs{"id": c.ID, "lists": lists, "base": base, "currency": c.Currency})
	if err != nil {
		return nil, err
	}
	out := map[int64]deal{}
	var d deal
	var component *string
	var quantity int64
	_, err = pgx.ForEachRow(rows, []any{&d.list, &d.name, &d.price, &d.running, &d.extra, &d.share, &d.gross, &component, &quantity}, func() error {
		if _, ok := out[d.list]; !ok {
			d.booked = map[string]int64{}
			out[d.list] = d
		}
		if component != nil {
			out[d.list].booked[*component] = quantity
		}
		return nil
	})
	return out, err
}

// paidBefore is SQL that tells whether the name of customers as alias and a list's id in SQL is used, and so paid for, by
// another campaign that has booked the list.
func paidBefore(alias, list string) string {
	return `EXISTS (SELECT 1 FROM enrollments p JOIN cells k ON k.cell_id = p.cell_id AND NOT k.is_control
		WHERE p.customer_id = ` + alias + `.customer_id AND p.list_id = ` + list + ` AND p.campaign_id <> @id
			AND EXISTS (SELECT 1 FROM cost_entries b WHERE b.kind = 'list' AND b.list_id = ` + list + ` AND b.campaign_id = p.campaign_id))`
}

// licenceArgs are the parameters of customers.LicenceOver and paidBefore.
func (s *Service) licenceArgs(ctx context.Context, c Campaign) (pgx.NamedArgs, error) {
	v, err := s.settings.Get(ctx)
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(v.DefaultTimeZone)
	if err != nil {
		return nil, err
	}
	return pgx.NamedArgs{"id": c.ID, "campaign": c.ID, "today": s.now().In(zone).Format(time.DateOnly)}, nil
}

// bookListsTx books the hire of the names that entered, control cell and names whose licence is over excepted, and frees what was reserved for it.
func (s *Service) bookListsTx(ctx context.Context, tx pgx.Tx, campaignID int64) error {
	c, err := load(ctx, tx, campaignID)
	if err != nil {
		return err
	}
	args, err := s.licenceArgs(ctx, c)
	if err != nil {
		return err
	}
	// Campaigns that use the same lists book one after the other, so that the second knows what the first has paid.
	if _, err := tx.Exec(ctx, `
		SELECT FROM lists WHERE kind = 'rented' AND list_id IN (SELECT list_id FROM enrollments WHERE campaign_id = @id)
		ORDER BY list_id FOR NO KEY UPDATE`, args); err != nil {
		return err
	}
	rows, err := tx.Query(ctx, `
		SELECT e.list_id, e.cell_id, count(*) FILTER (WHERE `+customers.LicenceOver("c", "l")+` IS NOT TRUE AND NOT `+paidBefore("e", "e.list_id")+`)
		FROM enrollments e
		JOIN lists l ON l.list_id = e.list_id AND l.kind = 'rented'
		JOIN cells k ON k.cell_id = e.cell_id AND NOT k.is_control
		LEFT JOIN customers c ON c.customer_id = e.customer_id
		WHERE e.campaign_id = @id GROUP BY e.list_id, e.cell_id, k.position ORDER BY e.list_id, k.position`, args)
	if err != nil {
		return err
	}
	var lists []int64
	cells := map[int64][]used{}
	var list, cell, names int64
	if _, err := pgx.ForEachRow(rows, []any{&list, &cell, &names}, func() error {
		if cells[list] == nil {
			lists = append(lists, list)
		}
		at := cell
		cells[list] = append(cells[list], used{&at, names})
		return nil
	}); err != nil {
		return err
	}
	deals, err := dealsTx(ctx, tx, c, lists)
	if err != nil {
		return err
	}
	for _, list := range lists {
		entries, err := deals[list].entries(cells[list])
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := bookTx(ctx, tx, c, s.now(), e); err != nil {
				return err
			}
		}
	}
	now := s.now()
	if err := tally.MarkLedgerTx(ctx, tx, campaignID, now); err != nil {
		return err
	}
	// Step 0 of the reservations is the hire of lists.
	_, err = tx.Exec(ctx, `
		INSERT INTO reservations (campaign_id, reservation_id, step_id, amount, at)
		SELECT @id, @reservation, 0, -sum(amount), @now FROM reservations WHERE campaign_id = @id AND step_id = 0 HAVING sum(amount) <> 0`,
		pgx.NamedArgs{"id": campaignID, "reservation": id.New(), "now": now})
	return err
}

// hireCost adds up what lists will cost when the given numbers of their names, none paid for yet, are used.
func hireCost(ctx context.Context, tx pgx.Tx, c Campaign, names map[int64]int64) (decimal.Decimal, error) {
	sum := decimal.Zero
	lists := make([]int64, 0, len(names))
	for list := range names {
		lists = append(lists, list)
	}
	deals, err := dealsTx(ctx, tx, c, lists)
	if err != nil {
		return sum, err
	}
	for list, d := range deals {
		entries, err := d.entries([]used{{nil, names[list]}})
		if err != nil {
			return sum, err
		}
		for _, e := range entries {
			if sum, err = sum.Add(e.amount); err != nil {
				return sum, err
			}
		}
	}
	return sum, nil
}
