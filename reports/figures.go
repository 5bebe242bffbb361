package reports

import "aldine/campaigns/rollup"

// Figures are the numbers of a campaign, or of one line of a breakdown. Nil means not available.
type Figures struct {
	Planned     int64 `json:"planned"`  // touches not excluded, whatever became of them
	Quantity    int64 `json:"quantity"` // went out
	Open        int64 `json:"open"`     // planned or being sent
	Failed      int64 `json:"failed"`
	Bounced     int64 `json:"bounced"`
	Unconfirmed int64 `json:"unconfirmed"`
	Excluded    int64 `json:"excluded"`

	Cost       Money `json:"cost"`
	Responses  int64 `json:"responses"`  // touches answered, and answers of persons not known
	Responders int64 `json:"responders"` // customers who answered

	Orders           int64  `json:"orders"`
	DirectOrders     int64  `json:"direct_orders"`    // by keycode, link or telephone
	MatchbackOrders  int64  `json:"matchback_orders"` // tied to a touch afterwards
	Revenue          *Money `json:"revenue"`          // nil: no exchange rate for the campaign's currency
	DirectRevenue    *Money `json:"direct_revenue"`
	MatchbackRevenue *Money `json:"matchback_revenue"`
	Margin           *Money `json:"margin"`

	ResponseRate         *float64 `json:"response_rate"`
	OrderRate            *float64 `json:"order_rate"`
	CostPerThousand      *Money   `json:"cost_per_thousand"`
	CostPerResponse      *Money   `json:"cost_per_response"`
	CostPerOrder         *Money   `json:"cost_per_order"`
	ContributionPerOrder *Money   `json:"contribution_per_order"` // margin of an order: what it may cost at most
	BreakEvenRate        *float64 `json:"break_even_rate"`        // orders per piece at which margin covers cost
	ROI                  *float64 `json:"roi"`                    // (margin - cost) / cost
}

// derive fills in the figures that follow from the others.
func (f *Figures) derive(marginRate Money) error {
	var a arithmetic
	pieces, orders := count(f.Quantity), count(f.Orders)
	f.Cost = tidy(f.Cost)
	f.Revenue, f.DirectRevenue, f.MatchbackRevenue = tidied(f.Revenue), tidied(f.DirectRevenue), tidied(f.MatchbackRevenue)
	f.ResponseRate, f.OrderRate = rate(f.Responses, f.Quantity), rate(f.Orders, f.Quantity)
	f.CostPerThousand = a.per(a.mul(f.Cost, count(1000)), pieces)
	f.CostPerResponse = a.per(f.Cost, count(f.Responses))
	f.CostPerOrder = a.per(f.Cost, orders)
	if f.Revenue != nil {
		margin := a.mul(*f.Revenue, marginRate)
		f.Margin = &margin
		f.ContributionPerOrder = a.per(margin, orders)
		f.ROI = ratio(a.sub(margin, f.Cost), f.Cost)
		if f.Orders > 0 {
			f.BreakEvenRate = breakEven(f.Cost, pieces, margin, orders)
		}
	}
	return a.err
}

// breakEven is cost per piece divided by margin per order, in one division so that nothing is rounded in between.
func breakEven(cost, pieces, margin, orders Money) *float64 {
	c, err := cost.Mul(orders)
	if err != nil {
		return nil
	}
	m, err := margin.Mul(pieces)
	if err != nil || !m.IsPos() {
		return nil
	}
	return ratio(c, m)
}

// line names one group of a breakdown.
type line struct {
	campaign int64
	dim      rollup.Dim
	item     string
}

// collect takes the raw figures of campaigns out of what is kept; derive has still to be called.
func collect(campaigns []campaign, kept rollup.Figures) (map[line]*Figures, error) {
	lines := map[line]*Figures{}
	for _, l := range kept.Lines {
		if l.Dim > rollup.All {
			continue
		}
		f := &Figures{Planned: l.Planned, Quantity: l.Quantity, Open: l.Open, Failed: l.Failed, Bounced: l.Bounced,
			Unconfirmed: l.Unconfirmed, Excluded: l.Excluded, Cost: l.Cost, Responses: l.Responses, Responders: l.Customers,
			Orders: l.Orders, DirectOrders: l.DirectOrders, MatchbackOrders: l.MatchbackOrders}
		revenue, direct, matchback := l.Revenue.Round(moneyScale), l.DirectRevenue.Round(moneyScale), l.MatchbackRevenue.Round(moneyScale)
		f.Revenue, f.DirectRevenue, f.MatchbackRevenue = &revenue, &direct, &matchback
		lines[line{l.CampaignID, l.Dim, l.Item}] = f
	}
	return lines, convert(campaigns, lines)
}

// breakdownDims are what the figures of a report are broken down by.
var breakdownDims = []rollup.Dim{rollup.All, rollup.Step, rollup.Cell, rollup.List, rollup.Keycode, rollup.Medium, rollup.Day}

// convert turns revenue from the base currency into each campaign's own; where there is no rate it becomes nil.
func convert(campaigns []campaign, lines map[line]*Figures) error {
	rates := map[int64]*Money{}
	for _, c := range campaigns {
		rates[c.ID] = c.Rate
	}
	var a arithmetic
	in := func(amount *Money, rate *Money) *Money {
		switch {
		case amount == nil && rate == nil, amount != nil && rate == nil:
			return nil
		case amount == nil:
			zero := Money{}
			return &zero
		}
		return a.per(*amount, *rate)
	}
	for l, f := range lines {
		r := rates[l.campaign]
		f.Revenue, f.DirectRevenue, f.MatchbackRevenue = in(f.Revenue, r), in(f.DirectRevenue, r), in(f.MatchbackRevenue, r)
	}
	return a.err
}
