package demo

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"aldine/tracking"
)

// firstOrders come on the third day.
func (d *Demo) firstOrders(ctx context.Context, id int64) error {
	d.at(2, 6)
	return d.mailOrders(ctx, id)
}

// mailOrders are the orders of those who clicked: some give the code, others just buy in the shop.
func (d *Demo) mailOrders(ctx context.Context, id int64) error {
	rows, err := d.Pool.Query(ctx, `
		SELECT DISTINCT t.customer_id, '' AS phone, coalesce(t.keycode, '') AS keycode
		FROM touches t JOIN responses r ON r.customer_id = t.customer_id AND r.campaign_id = t.campaign_id AND r.kind = 'click' AND NOT r.machine
		WHERE t.campaign_id = @campaign AND t.channel = 'email' AND t.state = 'sent' ORDER BY t.customer_id`,
		pgx.NamedArgs{"campaign": id})
	if err != nil {
		return err
	}
	clicked, err := pgx.CollectRows(rows, pgx.RowToStructByPos[touched])
	if err != nil {
		return err
	}
	var batch []tracking.Response
	for _, t := range clicked {
		switch k := d.rng.IntN(100); {
		case k < 12:
			batch = append(batch, d.order(t.CustomerID, t.Keycode, "web"))
		case k < 20:
			batch = append(batch, d.order(t.CustomerID, "", "web"))
		}
	}
	return d.record(ctx, batch)
}

// lateOrders come without a code over the weeks, from the control group as well: some would have bought anyway.
func (d *Demo) lateOrders(ctx context.Context, id int64) error {
	for _, day := range []float64{38, 41, 44} {
		d.at(day, 3)
		rows, err := d.Pool.Query(ctx, `
			SELECT e.customer_id, '' AS phone, CASE WHEN c.is_control THEN 'control' ELSE '' END AS keycode
			FROM enrollments e JOIN cells c ON c.cell_id = e.cell_id
			WHERE e.campaign_id = @campaign ORDER BY e.customer_id`, pgx.NamedArgs{"campaign": id})
		if err != nil {
			return err
		}
		all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[touched])
		if err != nil {
			return err
		}
		var batch []tracking.Response
		for _, t := range all {
			p := 0.0045
			if t.Keycode != "control" {
				p = 0.0075
			}
			if d.rng.Float64() < p {
				batch = append(batch, d.order(t.CustomerID, "", "web"))
			}
		}
		if err := d.record(ctx, batch); err != nil {
			return err
		}
	}
	return nil
}

// order draws an order of one or two products.
func (d *Demo) order(customerID int64, keycode, place string) tracking.Response {
	d.serial++
	r := tracking.Response{Kind: tracking.KindOrder, CustomerID: customerID, Keycode: keycode, OrderRef: fmt.Sprintf("AFG-%06d", d.serial),
		Currency: "USD", Place: place, At: d.Clock.Now()}
	total := 0
	for range 1 + d.rng.IntN(2) {
		item := products[d.rng.IntN(len(products))]
		total += item.cents
		r.Lines = append(r.Lines, tracking.Line{SKU: item.sku, Quantity: 1, Amount: cents(item.cents)})
	}
	r.Amount = cents(total)
	return r
}

func (d *Demo) record(ctx context.Context, batch []tracking.Response) error {
	for len(batch) > 0 {
		n := min(len(batch), 500)
		if _, err := d.Tracking.Record(ctx, "demo shop", batch[:n]); err != nil {
			return err
		}
		batch = batch[n:]
	}
	return d.settle(ctx)
}
