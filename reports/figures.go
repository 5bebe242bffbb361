package reports

import (
	"context"

	"github.com/jackc/pgx/v5"
)

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

// answers are the kinds of response by which a person takes up an offer.
const answers = `('click', 'reply', 'call', 'visit', 'coupon', 'order', 'survey')`

// The figures by dimension. Each statement groups once by every dimension asked for and tells them apart by
// GROUPING(); dims is one of the constants below, so a list of campaigns and the breakdowns of one campaign come
// from the same text and cannot disagree.
const (
	byCampaign = `(campaign_id)`
	byAll      = `(campaign_id), (campaign_id, step_id), (campaign_id, cell_id), (campaign_id, list_id),
		(campaign_id, keycode), (campaign_id, channel), (campaign_id, day)`
)

func dimColumns(dims string) string {
	if dims == byCampaign {
		return `campaign_id, 63 AS dim, '' AS item`
	}
	return `campaign_id, GROUPING(step_id, cell_id, list_id, keycode, channel, day)::int AS dim,
	coalesce(step_id::text, cell_id::text, list_id::text, keycode, channel, day::text, '') AS item`
}

func touchesSQL(dims string) string {
	return `SELECT ` + dimColumns(dims) + `, count(*) FILTER (WHERE state <> 'excluded') AS planned,
		count(*) FILTER (WHERE state IN ('sent', 'bounced')) AS quantity,
		count(*) FILTER (WHERE state IN ('planned', 'sending')) AS open, count(*) FILTER (WHERE state = 'failed') AS failed,
		count(*) FILTER (WHERE state = 'bounced') AS bounced, count(*) FILTER (WHERE state = 'unconfirmed') AS unconfirmed,
		count(*) FILTER (WHERE state = 'excluded') AS excluded
	FROM (SELECT campaign_id, step_id, cell_id, list_id, keycode, channel, state,
			CASE WHEN state IN ('sent', 'bounced') THEN (sent_at AT TIME ZONE @zone)::date END AS day
		FROM touches WHERE campaign_id = ANY (@ids)) t
	GROUP BY GROUPING SETS (` + dims + `)`
}

func costsSQL(dims string) string {
	return `SELECT ` + dimColumns(dims) + `, sum(amount) AS cost
	FROM (SELECT campaign_id, step_id, cell_id, list_id, keycode, channel, amount, (at AT TIME ZONE @zone)::date AS day
		FROM cost_entries WHERE campaign_id = ANY (@ids)) c
	GROUP BY GROUPING SETS (` + dims + `)`
}

// A response knows its step, medium and keycode; the cell and the list follow from the enrollment, or from the
// keycode where the person is not known. Touches are numbered, because distinct pairs are slow to count.
func responsesSQL(dims string) string {
	return `SELECT ` + dimColumns(dims) + `,
		count(DISTINCT touch) FILTER (WHERE customer_id <> 0)
			+ count(*) FILTER (WHERE customer_id = 0) AS responses,
		count(DISTINCT customer_id) FILTER (WHERE customer_id <> 0) AS responders
	FROM (SELECT r.campaign_id, r.customer_id, dense_rank() OVER (ORDER BY r.customer_id, coalesce(r.step_id, k.step_id, 0)) AS touch, coalesce(r.step_id, k.step_id) AS step_id,
			coalesce(r.cell_id, e.cell_id, k.cell_id) AS cell_id, coalesce(e.list_id, k.list_id) AS list_id,
			coalesce(r.keycode, t.keycode) AS keycode, coalesce(r.channel, t.channel, k.medium) AS channel,
			(r.at AT TIME ZONE @zone)::date AS day
		FROM responses r
		LEFT JOIN enrollments e ON e.customer_id = r.customer_id AND e.campaign_id = r.campaign_id
		LEFT JOIN touches t ON t.customer_id = r.customer_id AND t.campaign_id = r.campaign_id AND t.step_id = r.step_id
		LEFT JOIN keycodes k ON k.keycode = r.keycode
		WHERE r.campaign_id = ANY (@ids) AND NOT r.machine AND r.kind IN ` + answers + `) r
	GROUP BY GROUPING SETS (` + dims + `)`
}

func ordersSQL(dims string) string {
	return `SELECT ` + dimColumns(dims) + `,
		count(DISTINCT order_ref) FILTER (WHERE amount > 0) AS orders,
		count(DISTINCT order_ref) FILTER (WHERE amount > 0 AND direct) AS direct_orders,
		count(DISTINCT order_ref) FILTER (WHERE amount > 0 AND NOT direct) AS matchback_orders,
		round(coalesce(sum(credit), 0), 4) AS revenue, round(coalesce(sum(credit) FILTER (WHERE direct), 0), 4) AS direct_revenue,
		round(coalesce(sum(credit) FILTER (WHERE NOT direct), 0), 4) AS matchback_revenue
	FROM (SELECT a.campaign_id, o.order_ref, o.amount, a.method <> 'matchback' AS direct, o.base_amount * a.weight AS credit,
			nullif(a.step_id, 0) AS step_id, coalesce(a.cell_id, e.cell_id, k.cell_id) AS cell_id,
			coalesce(e.list_id, k.list_id) AS list_id, coalesce(a.keycode, t.keycode) AS keycode,
			coalesce(a.channel, t.channel, k.medium) AS channel, (o.ordered_at AT TIME ZONE @zone)::date AS day
		FROM attributions a
		JOIN orders o ON o.customer_id = a.customer_id AND o.order_ref = a.order_ref
		LEFT JOIN enrollments e ON e.customer_id = a.customer_id AND e.campaign_id = a.campaign_id
		LEFT JOIN touches t ON t.customer_id = a.customer_id AND t.campaign_id = a.campaign_id AND t.step_id = a.step_id
		LEFT JOIN keycodes k ON k.keycode = a.keycode
		WHERE a.campaign_id = ANY (@ids)) a
	GROUP BY GROUPING SETS (` + dims + `)`
}

// line names one group of a breakdown. dim is GROUPING()'s bit mask: a zero bit is the dimension grouped by.
type line struct {
	campaign int64
	dim      int
	item     string
}

// The dimensions, as GROUPING() tells them apart.
const (
	dimAll     = 0b111111
	dimStep    = 0b011111
	dimCell    = 0b101111
	dimList    = 0b110111
	dimKeycode = 0b111011
	dimMedium  = 0b111101
	dimDay     = 0b111110
)

// collect reads the raw figures of campaigns by the dimensions; derive has still to be called.
func collect(ctx context.Context, tx pgx.Tx, campaigns []campaign, dims, zone string) (map[line]*Figures, error) {
	ids := make([]int64, len(campaigns))
	for i, c := range campaigns {
		ids[i] = c.ID
	}
	args := pgx.NamedArgs{"ids": ids, "zone": zone}
	lines := map[line]*Figures{}
	var l line
	at := func() *Figures {
		f := lines[l]
		if f == nil {
			f = &Figures{}
			lines[l] = f
		}
		return f
	}
	var t Figures
	var m [3]Money
	read := func(sql string, dest []any, fill func(f *Figures)) error {
		rows, _ := tx.Query(ctx, sql, args)
		_, err := pgx.ForEachRow(rows, append([]any{&l.campaign, &l.dim, &l.item}, dest...), func() error {
			fill(at())
			return nil
		})
		return err
	}
	err := read(touchesSQL(dims), []any{&t.Planned, &t.Quantity, &t.Open, &t.Failed, &t.Bounced, &t.Unconfirmed, &t.Excluded}, func(f *Figures) {
		f.Planned, f.Quantity, f.Open, f.Failed = t.Planned, t.Quantity, t.Open, t.Failed
		f.Bounced, f.Unconfirmed, f.Excluded = t.Bounced, t.Unconfirmed, t.Excluded
	})
	if err != nil {
		return nil, err
	}
	if err := read(costsSQL(dims), []any{&t.Cost}, func(f *Figures) { f.Cost = t.Cost }); err != nil {
		return nil, err
	}
	if err := read(responsesSQL(dims), []any{&t.Responses, &t.Responders}, func(f *Figures) {
		f.Responses, f.Responders = t.Responses, t.Responders
	}); err != nil {
		return nil, err
	}
	if err := read(ordersSQL(dims), []any{&t.Orders, &t.DirectOrders, &t.MatchbackOrders, &m[0], &m[1], &m[2]}, func(f *Figures) {
		f.Orders, f.DirectOrders, f.MatchbackOrders = t.Orders, t.DirectOrders, t.MatchbackOrders
		revenue, direct, matchback := m[0], m[1], m[2]
		f.Revenue, f.DirectRevenue, f.MatchbackRevenue = &revenue, &direct, &matchback
	}); err != nil {
		return nil, err
	}
	return lines, convert(campaigns, lines)
}

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
