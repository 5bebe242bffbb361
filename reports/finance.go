package reports

import (
	"context"
	"sort"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/campaigns/rollup"
)

// Filter chooses campaigns for the finance report. Empty fields do not filter.
type Filter struct {
	State        string
	Currency     string
	Search       string     // part of the name or code
	LaunchedFrom *time.Time // inclusive
	LaunchedTo   *time.Time // exclusive
	After        int64      // the last campaign of the page before; newest come first
	Limit        int        // 0: 100; at most 1000
}

// Row is one campaign in the finance report.
type Row struct {
	CampaignID int64      `json:"campaign_id"`
	Code       string     `json:"code"`
	Name       string     `json:"name"`
	State      string     `json:"state"`
	Currency   string     `json:"currency"`
	Budget     *Money     `json:"budget"`
	LaunchedAt *time.Time `json:"launched_at,omitempty"`
	FinishedAt *time.Time `json:"finished_at,omitempty"`
	Figures
}

// Total sums the rows of one currency; amounts of different currencies are never added.
type Total struct {
	Currency  string `json:"currency"`
	Campaigns int    `json:"campaigns"`
	Figures
}

const listSQL = ` WHERE (@state::text = '' OR c.state = @state) AND (@currency::text = '' OR c.currency::text = @currency)
	AND (@search::text = '' OR c.name ILIKE @pattern OR c.code ILIKE @pattern)
	AND (@from::timestamptz IS NULL OR c.launched_at >= @from) AND (@to::timestamptz IS NULL OR c.launched_at < @to)
	AND (@after::bigint = 0 OR c.campaign_id < @after)
	ORDER BY c.campaign_id DESC LIMIT @limit`

// Campaigns gives a page of campaigns, the newest first, and the value for Filter.After of the next page (0: none).
func (s *Service) Campaigns(ctx context.Context, f Filter) ([]Row, int64, error) {
	if f.Limit <= 0 {
		f.Limit = 100
	}
	f.Limit = min(f.Limit, 1000)
	v, err := s.settings.Get(ctx)
	if err != nil {
		return nil, 0, err
	}
	out, next := []Row{}, int64(0)
	err = s.snapshot(ctx, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, campaignSQL+listSQL, pgx.NamedArgs{"base": v.BaseCurrency, "state": f.State,
			"currency": strings.ToUpper(f.Currency), "search": f.Search, "pattern": "%" + escapeLike(f.Search) + "%",
			"from": f.LaunchedFrom, "to": f.LaunchedTo, "after": f.After, "limit": f.Limit + 1})
		list, err := pgx.CollectRows(rows, scanCampaign)
		if err != nil {
			return err
		}
		if len(list) > f.Limit {
			list = list[:f.Limit]
			next = list[f.Limit-1].ID
		}
		ids := make([]int64, len(list))
		for i, c := range list {
			ids[i] = c.ID
		}
		kept, err := rollup.Read(ctx, tx, rollup.ConfigOf(v), ids, rollup.All)
		if err != nil {
			return err
		}
		lines, err := collect(list, kept)
		if err != nil {
			return err
		}
		for _, c := range list {
			r := Row{CampaignID: c.ID, Code: c.Code, Name: c.Name, State: c.State, Currency: c.Currency, Budget: tidied(c.Budget),
				LaunchedAt: c.LaunchedAt, FinishedAt: c.FinishedAt}
			if r.Figures, err = total(c, lines); err != nil {
				return err
			}
			out = append(out, r)
		}
		return nil
	})
	return out, next, err
}

// AllCampaigns gives all campaigns of the filter, page by page, to each; a file download has no pages.
func (s *Service) AllCampaigns(ctx context.Context, f Filter) ([]Row, error) {
	var all []Row
	for f.Limit = 200; ; {
		rows, next, err := s.Campaigns(ctx, f)
		if err != nil {
			return nil, err
		}
		if all = append(all, rows...); next == 0 {
			return all, nil
		}
		f.After = next
	}
}

func escapeLike(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}

// Totals sums rows per currency, in the order of the currencies.
func Totals(rows []Row) ([]Total, error) {
	sums := map[string]*Total{}
	var a arithmetic
	for _, r := range rows {
		t := sums[r.Currency]
		if t == nil {
			t = &Total{Currency: r.Currency}
			t.Revenue, t.DirectRevenue, t.MatchbackRevenue, t.Margin = &Money{}, &Money{}, &Money{}, &Money{}
			sums[r.Currency] = t
		}
		t.Campaigns++
		t.Planned += r.Planned
		t.Quantity += r.Quantity
		t.Open += r.Open
		t.Failed += r.Failed
		t.Bounced += r.Bounced
		t.Unconfirmed += r.Unconfirmed
		t.Excluded += r.Excluded
		t.Responses += r.Responses
		t.Responders += r.Responders
		t.Orders += r.Orders
		t.DirectOrders += r.DirectOrders
		t.MatchbackOrders += r.MatchbackOrders
		t.Cost = a.add(t.Cost, r.Cost)
		for _, p := range []struct{ sum, one **Money }{{&t.Revenue, &r.Revenue}, {&t.DirectRevenue, &r.DirectRevenue},
			{&t.MatchbackRevenue, &r.MatchbackRevenue}, {&t.Margin, &r.Margin}} {
			if *p.sum == nil || *p.one == nil {
				*p.sum = nil // one unknown makes the sum unknown
				continue
			}
			m := a.add(**p.sum, **p.one)
			*p.sum = &m
		}
	}
	out := []Total{}
	for _, t := range sums {
		t.ratios(&a)
		out = append(out, *t)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Currency < out[j].Currency })
	return out, a.err
}

// ratios derives what a total can have: its margin is a sum, since campaigns differ in their margin rate.
func (t *Total) ratios(a *arithmetic) {
	margin := t.Margin
	if err := t.derive(Money{}); err != nil && a.err == nil {
		a.err = err
	}
	t.Margin, t.ContributionPerOrder, t.BreakEvenRate, t.ROI = margin, nil, nil, nil
	if margin == nil {
		return
	}
	pieces, orders := count(t.Quantity), count(t.Orders)
	t.ContributionPerOrder, t.ROI = a.per(*margin, orders), ratio(a.sub(*margin, t.Cost), t.Cost)
	if t.Orders > 0 {
		t.BreakEvenRate = breakEven(t.Cost, pieces, *margin, orders)
	}
}
