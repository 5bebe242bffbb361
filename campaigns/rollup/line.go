package rollup

import (
	"cmp"
	"strings"

	"github.com/govalues/decimal"
)

// Dim is a breakdown.
type Dim int16

// The breakdowns. The first seven are what GROUPING() of step, cell, list, keycode, medium and day gives.
const (
	All     Dim = 0b111111
	Step    Dim = 0b011111
	Cell    Dim = 0b101111
	List    Dim = 0b110111
	Keycode Dim = 0b111011
	Medium  Dim = 0b111101
	Day     Dim = 0b111110

	State    Dim = 101 + iota - 7 // touches; item is "step state reason"
	Enrolled                      // customers in a journey; item is "step state", step 0 for who stands nowhere
	Kind                          // people's responses by kind: Responses are touches answered
	Machine                       // programs' responses by kind
	Traffic                       // people's responses; item is "day kind"
	Link                          // people's clicks; item is the link
	Funnel                        // Customers of each stage
	CostKind                      // Cost by kind of entry
	Reserved                      // Cost: what planned touches will cost
	Assigned                      // Customers drawn into each cell
	Answered                      // of them, those who responded
	Bought                        // of them, those who ordered; Revenue and Squares are in the base currency
)

// Line is one group of a breakdown.
type Line struct {
	CampaignID int64
	Dim        Dim
	Item       string

	Number, Planned, Quantity, Open, Failed, Bounced, Unconfirmed, Excluded int64
	Responses, Customers, Orders, DirectOrders, MatchbackOrders             int64
	Cost, Revenue, DirectRevenue, MatchbackRevenue                          decimal.Decimal
	Squares                                                                 float64 // sum of squares of each customer's revenue
}

var (
	counted  = []string{"number", "planned", "quantity", "open", "failed", "bounced", "unconfirmed", "excluded", "responses", "customers", "orders", "direct_orders", "matchback_orders"}
	amounts  = []string{"cost", "revenue", "direct_revenue", "matchback_revenue", "squares"}
	measures = append(append([]string{}, counted...), amounts...)
	columns  = strings.Join(measures, ", ")
)

func (l *Line) counts() []*int64 {
	return []*int64{&l.Number, &l.Planned, &l.Quantity, &l.Open, &l.Failed, &l.Bounced, &l.Unconfirmed, &l.Excluded, &l.Responses, &l.Customers,
		&l.Orders, &l.DirectOrders, &l.MatchbackOrders}
}

func (l *Line) money() []*decimal.Decimal {
	return []*decimal.Decimal{&l.Cost, &l.Revenue, &l.DirectRevenue, &l.MatchbackRevenue}
}

// dest gives where a row of campaign, dim, item and measures goes.
func (l *Line) dest() []any {
	out := []any{&l.CampaignID, &l.Dim, &l.Item}
	for _, n := range l.counts() {
		out = append(out, n)
	}
	for _, m := range l.money() {
		out = append(out, m)
	}
	return append(out, &l.Squares)
}

// selected gives the measures as Line reads them, with a sign before each.
func selected(sign string) string {
	out := make([]string, 0, len(measures))
	for _, m := range measures {
		if m == "squares" {
			m = "squares::float8"
		}
		out = append(out, sign+m)
	}
	return strings.Join(out, ", ")
}

func (l *Line) add(o Line) error {
	from := o.counts()
	for i, n := range l.counts() {
		*n += *from[i]
	}
	amounts := o.money()
	for i, m := range l.money() {
		sum, err := m.Add(*amounts[i])
		if err != nil {
			return err
		}
		*m = sum
	}
	l.Squares += o.Squares
	return nil
}

func (l *Line) empty() bool {
	for _, n := range l.counts() {
		if *n != 0 {
			return false
		}
	}
	for _, m := range l.money() {
		if !m.IsZero() {
			return false
		}
	}
	return true
}

func (l Line) compare(o Line) int {
	return cmp.Or(cmp.Compare(l.CampaignID, o.CampaignID), cmp.Compare(l.Dim, o.Dim), cmp.Compare(l.Item, o.Item))
}

func join(list []string) string { return strings.Join(list, ", ") }
