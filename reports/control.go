package reports

import (
	"context"
	"fmt"
	"time"

	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"

	"aldine/campaigns/rollup"
)

// Control is a campaign's result against its control cell, by assignment: everybody who entered counts in the cell
// they were drawn into, whatever they got.
type Control struct {
	From  time.Time    `json:"from"` // the window of the orders
	To    time.Time    `json:"to"`
	Cells []CellResult `json:"cells"`

	// The treated cells together against the control cell; nil without a control cell or without treated customers.
	Lift               *Interval `json:"lift"` // of the share of customers who ordered
	Proven             bool      `json:"proven"`
	IncrementalOrders  *Money    `json:"incremental_orders"`
	IncrementalRevenue *Money    `json:"incremental_revenue"`
	RevenueLow         *Money    `json:"incremental_revenue_low"` // 95 % limits
	RevenueHigh        *Money    `json:"incremental_revenue_high"`
	IncrementalProfit  *Money    `json:"incremental_profit"` // incremental revenue x margin rate - cost
	IncrementalROI     *float64  `json:"incremental_roi"`
}

// CellResult is one cell with all orders of its customers in the window.
type CellResult struct {
	CellID     int64     `json:"cell_id"`
	Name       string    `json:"name"`
	Control    bool      `json:"control"`
	Assigned   int64     `json:"assigned"`
	Responders int64     `json:"responders"`
	Orderers   int64     `json:"orderers"` // customers with an order
	Orders     int64     `json:"orders"`
	Revenue    *Money    `json:"revenue"`
	OrderRate  *float64  `json:"order_rate"` // orderers / assigned
	PerHead    *Money    `json:"revenue_per_customer"`
	Lift       *Interval `json:"lift,omitempty"`   // against the control cell
	Proven     bool      `json:"proven,omitempty"` // at 95 %, adjusted for the number of cells (Holm)

	variance float64
}

// control gives the result by cells; the orders of each cell's customers come in the base currency.
func control(ctx context.Context, tx pgx.Tx, c campaign, kept rollup.Figures, cost Money, now time.Time) (*Control, error) {
	from, to := now, now
	if c.LaunchedAt != nil {
		from = *c.LaunchedAt
		if end := kept.Window.End; end != nil && end.Before(now) {
			to = *end
		}
	}
	assigned, answered, bought := map[string]rollup.Line{}, map[string]rollup.Line{}, map[string]rollup.Line{}
	for dim, of := range map[rollup.Dim]map[string]rollup.Line{rollup.Assigned: assigned, rollup.Answered: answered, rollup.Bought: bought} {
		for _, l := range kept.Of(dim) {
			of[l.Item] = l
		}
	}
	rows, _ := tx.Query(ctx, `SELECT cell_id, name, is_control FROM cells WHERE campaign_id = @id ORDER BY position, cell_id`, pgx.NamedArgs{"id": c.ID})
	result := &Control{From: from, To: to}
	var err error
	result.Cells, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (r CellResult, err error) {
		if err := row.Scan(&r.CellID, &r.Name, &r.Control); err != nil {
			return r, err
		}
		item := fmt.Sprint(r.CellID)
		b := bought[item]
		r.Assigned, r.Responders, r.Orderers, r.Orders = assigned[item].Customers, answered[item].Customers, b.Customers, b.Orders
		r.OrderRate = rate(r.Orderers, r.Assigned)
		var a arithmetic
		revenue, squares := b.Revenue, b.Squares
		if c.Rate != nil {
			if per := a.per(b.Revenue, *c.Rate); per != nil {
				revenue = *per
			}
			squares /= approx(*c.Rate) * approx(*c.Rate)
			sum := revenue
			r.Revenue, r.PerHead = &sum, a.per(revenue, count(r.Assigned))
		}
		if r.Assigned > 1 {
			sum, n := approx(revenue), float64(r.Assigned)
			r.variance = max(squares-sum*sum/n, 0) / (n - 1)
		}
		return r, a.err
	})
	if err != nil {
		return nil, err
	}
	return result, result.compare(c, cost)
}

func approx(m Money) float64 { f, _ := m.Float64(); return f }

func (c *Control) compare(camp campaign, cost Money) error {
	var hold *CellResult
	for i := range c.Cells {
		if c.Cells[i].Control {
			hold = &c.Cells[i]
		}
	}
	if hold == nil || hold.Assigned == 0 {
		return nil
	}
	var all CellResult
	var a arithmetic
	var p []float64
	var treated []int
	revenue, squares := Money{}, 0.0
	for i := range c.Cells {
		r := &c.Cells[i]
		if r.Control || r.Assigned == 0 {
			continue
		}
		var chance float64
		r.Lift, chance = Lift(r.Orderers, r.Assigned, hold.Orderers, hold.Assigned)
		p, treated = append(p, chance), append(treated, i)
		all.Assigned += r.Assigned
		all.Orderers += r.Orderers
		all.Orders += r.Orders
		if r.Revenue != nil {
			revenue = a.add(revenue, *r.Revenue)
			sum := approx(*r.Revenue)
			squares += r.variance*float64(r.Assigned-1) + sum*sum/float64(r.Assigned)
		}
	}
	if all.Assigned == 0 {
		return nil
	}
	for i, proven := range holm(p) {
		c.Cells[treated[i]].Proven = proven && c.Cells[treated[i]].Lift.clear()
	}
	var chance float64
	c.Lift, chance = Lift(all.Orderers, all.Assigned, hold.Orderers, hold.Assigned)
	c.Proven = chance <= significant && c.Lift.clear()

	n := count(all.Assigned)
	// What the treated would have ordered anyway: the control's orders scaled to their number.
	anyway := func(of Money) Money { return a.keep(a.keep(of.Mul(n)).Quo(count(hold.Assigned))) }
	orders := a.sub(count(all.Orders), anyway(count(hold.Orders)))
	c.IncrementalOrders = &orders
	if hold.Revenue == nil {
		return a.err
	}
	extra := a.sub(revenue, anyway(*hold.Revenue))
	c.IncrementalRevenue = &extra
	profit := a.sub(a.mul(extra, camp.MarginRate), cost)
	c.IncrementalProfit, c.IncrementalROI = &profit, ratio(profit, cost)
	sum, m := approx(revenue), float64(all.Assigned)
	group := spend{n: all.Assigned, mean: sum / m}
	if all.Assigned > 1 {
		group.variance = max(squares-sum*sum/m, 0) / (m - 1)
	}
	iv := meanLift(group, spend{n: hold.Assigned, mean: approx(*hold.Revenue) / float64(hold.Assigned), variance: hold.variance})
	if iv != nil {
		c.RevenueLow, c.RevenueHigh = money2(iv.Low*m), money2(iv.High*m)
	}
	return a.err
}

// money2 shows a statistical limit as money; limits are estimates, so cents are enough.
func money2(f float64) *Money {
	d, err := decimal.NewFromFloat64(f)
	if err != nil {
		return nil
	}
	d = d.Round(2).Pad(2)
	return &d
}
