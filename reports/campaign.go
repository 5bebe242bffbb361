package reports

import (
	"cmp"
	"context"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/campaigns/rollup"
	"aldine/customers"
)

// Report is all about one campaign. Amounts are in Currency.
type Report struct {
	CampaignID int64      `json:"campaign_id"`
	Code       string     `json:"code"`
	Name       string     `json:"name"`
	State      string     `json:"state"`
	Currency   string     `json:"currency"`
	MarginRate Money      `json:"margin_rate"`
	Budget     *Money     `json:"budget"`
	Reserved   Money      `json:"reserved"`  // for touches planned and not sent
	Remaining  *Money     `json:"remaining"` // budget - cost - reserved
	Audience   int64      `json:"audience"`  // customers entered
	LaunchedAt *time.Time `json:"launched_at,omitempty"`
	FinishedAt *time.Time `json:"finished_at,omitempty"`
	AsOf       time.Time  `json:"as_of"`

	Figures
	ByState    map[string]int64        `json:"by_state"`
	Exclusions map[string]int64        `json:"exclusions"` // by reason
	Failures   map[string]int64        `json:"failures"`   // by reason
	Costs      map[string]Money        `json:"costs"`      // by kind of ledger entry
	Kinds      map[string]ResponseKind `json:"responses_by_kind"`
	Machine    map[string]int64        `json:"machine_responses"` // what programs did, by kind; counted nowhere else
	Links      []LinkClicks            `json:"links"`
	Funnel     []Stage                 `json:"funnel"`

	Steps    []Line   `json:"by_step"`
	Cells    []Line   `json:"by_cell"`
	Lists    []Line   `json:"by_list"`
	Keycodes []Line   `json:"by_keycode"`
	Media    []Line   `json:"by_medium"`
	Days     []Line   `json:"by_day"`
	Control  *Control `json:"control"`
}

// Line is one line of a breakdown. Costs that belong to no line (fixed costs, and list rental outside by_list) stand
// only in the report's total.
type Line struct {
	Key  string `json:"key"` // id, code, medium or day; "" where unknown
	Name string `json:"name"`
	Figures
}

// ResponseKind counts one kind of response; what machines did is left out.
type ResponseKind struct {
	Touches   int64 `json:"touches"` // distinct touches answered, and answers of persons not known
	Customers int64 `json:"customers"`
}

// LinkClicks are the clicks of people on one link.
type LinkClicks struct {
	URL       string `json:"url"`
	Clicks    int64  `json:"clicks"`
	Touches   int64  `json:"touches"` // distinct touches
	Customers int64  `json:"customers"`
}

// links gives the links that were clicked, the most clicked first; one that fills in a private attribute is not told to those who may
// not see it.
func links(ctx context.Context, tx pgx.Tx, id int64, kept rollup.Figures) ([]LinkClicks, error) {
	urls := map[string]string{}
	var link, url string
	rows, _ := tx.Query(ctx, `SELECT link_id::text, url FROM links WHERE campaign_id = @id ORDER BY link_id`, pgx.NamedArgs{"id": id})
	if _, err := pgx.ForEachRow(rows, []any{&link, &url}, func() error { urls[link] = url; return nil }); err != nil {
		return nil, err
	}
	hidden, err := customers.Hidden(ctx, tx)
	if err != nil {
		return nil, err
	}
	out := []LinkClicks{}
	for _, l := range kept.Of(rollup.Link) {
		url := urls[l.Item]
		if hidden.In(url) {
			url = "(private)"
		}
		out = append(out, LinkClicks{URL: url, Clicks: l.Number, Touches: l.Responses, Customers: l.Customers})
	}
	slices.SortStableFunc(out, func(a, b LinkClicks) int { return cmp.Compare(b.Touches, a.Touches) })
	return out, nil
}

// Stage is one step of the funnel, in customers.
type Stage struct {
	Name      string `json:"name"`
	Customers int64  `json:"customers"`
}

// Campaign gives the report of one campaign; NotFound where there is none.
func (s *Service) Campaign(ctx context.Context, id int64) (Report, error) {
	v, err := s.settings.Get(ctx)
	if err != nil {
		return Report{}, err
	}
	var r Report
	err = s.snapshot(ctx, func(tx pgx.Tx) error {
		c, err := loadCampaign(ctx, tx, id, v.BaseCurrency)
		if err != nil {
			return err
		}
		r = Report{CampaignID: c.ID, Code: c.Code, Name: c.Name, State: c.State, Currency: c.Currency, Budget: tidied(c.Budget),
			MarginRate: c.MarginRate.Trim(0), LaunchedAt: c.LaunchedAt, FinishedAt: c.FinishedAt, AsOf: s.now()}
		kept, err := rollup.Read(ctx, tx, rollup.ConfigOf(v), []int64{id}, append(breakdownDims, rollup.State, rollup.Kind, rollup.Machine,
			rollup.Link, rollup.Funnel, rollup.CostKind, rollup.Reserved, rollup.Assigned, rollup.Answered, rollup.Bought)...)
		if err != nil {
			return err
		}
		if kept.AsOf != nil {
			r.AsOf = *kept.AsOf
		}
		lines, err := collect([]campaign{c}, kept)
		if err != nil {
			return err
		}
		if r.Figures, err = total(c, lines); err != nil {
			return err
		}
		if err := r.breakdowns(ctx, tx, c, lines); err != nil {
			return err
		}
		if err := r.counts(kept); err != nil {
			return err
		}
		if r.Links, err = links(ctx, tx, id, kept); err != nil {
			return err
		}
		r.Control, err = control(ctx, tx, c, kept, r.Cost, r.AsOf)
		return err
	})
	return r, err
}

// total takes a campaign's own line out of the collected ones.
func total(c campaign, lines map[line]*Figures) (Figures, error) {
	f := Figures{}
	if got := lines[line{campaign: c.ID, dim: rollup.All}]; got != nil {
		f = *got
	} else if c.Rate != nil {
		f.Revenue, f.DirectRevenue, f.MatchbackRevenue = &Money{}, &Money{}, &Money{}
	}
	return f, f.derive(c.MarginRate)
}

const namesSQL = `
	SELECT 'step', step_id::text, key, position FROM steps WHERE campaign_id = @id
	UNION ALL SELECT 'cell', cell_id::text, name, position FROM cells WHERE campaign_id = @id
	UNION ALL SELECT 'list', list_id::text, name, list_id::int FROM lists
	ORDER BY 1, 4, 2`

func (r *Report) breakdowns(ctx context.Context, tx pgx.Tx, c campaign, lines map[line]*Figures) error {
	type named struct {
		name string
		rank int
	}
	names := map[[2]string]named{}
	var kind, key, name string
	var rank int
	rows, _ := tx.Query(ctx, namesSQL, pgx.NamedArgs{"id": c.ID})
	if _, err := pgx.ForEachRow(rows, []any{&kind, &key, &name, &rank}, func() error {
		names[[2]string{kind, key}] = named{name, rank}
		return nil
	}); err != nil {
		return err
	}
	for dim, to := range map[rollup.Dim]struct {
		kind, none string
		lines      *[]Line
	}{
		rollup.Step: {"step", "no step", &r.Steps}, rollup.Cell: {"cell", "no cell", &r.Cells}, rollup.List: {"list", "no list", &r.Lists},
		rollup.Keycode: {"keycode", "no keycode", &r.Keycodes}, rollup.Medium: {"medium", "no medium", &r.Media}, rollup.Day: {"day", "", &r.Days},
	} {
		out := []Line{}
		for l, f := range lines {
			if l.dim != dim || dim == rollup.Day && l.item == "" {
				continue
			}
			if err := f.derive(c.MarginRate); err != nil {
				return err
			}
			entry := Line{Key: l.item, Name: l.item, Figures: *f}
			if n, ok := names[[2]string{to.kind, l.item}]; ok {
				entry.Name = n.name
			} else if l.item == "" {
				entry.Name = to.none
			}
			out = append(out, entry)
		}
		sort.Slice(out, func(i, j int) bool {
			if (out[i].Key == "") != (out[j].Key == "") {
				return out[j].Key == "" // what belongs to no line comes last
			}
			a, b := names[[2]string{to.kind, out[i].Key}], names[[2]string{to.kind, out[j].Key}]
			if a.rank != b.rank {
				return a.rank < b.rank
			}
			return out[i].Key < out[j].Key
		})
		*to.lines = out
	}
	return nil
}

// stages are the stages of the funnel, in order.
var stages = []string{"entered", "planned", "reached", "opened", "responded", "ordered"}

func (r *Report) counts(kept rollup.Figures) error {
	r.ByState, r.Exclusions, r.Failures = map[string]int64{}, map[string]int64{}, map[string]int64{}
	for _, l := range kept.Of(rollup.State) {
		_, state, _ := strings.Cut(l.Item, " ")
		state, reason, _ := strings.Cut(state, " ")
		r.ByState[state] += l.Number
		switch state {
		case "excluded":
			r.Exclusions[reason] += l.Number
		case "failed":
			r.Failures[reason] += l.Number
		}
	}
	r.Kinds, r.Machine = map[string]ResponseKind{}, map[string]int64{}
	for _, l := range kept.Of(rollup.Kind) {
		r.Kinds[l.Item] = ResponseKind{Touches: l.Responses, Customers: l.Customers}
	}
	for _, l := range kept.Of(rollup.Machine) {
		r.Machine[l.Item] = l.Number
	}
	r.Costs = map[string]Money{}
	for _, l := range kept.Of(rollup.CostKind) {
		r.Costs[l.Item] = tidy(l.Cost)
	}
	reached := map[string]int64{}
	for _, l := range kept.Of(rollup.Funnel) {
		reached[l.Item] = l.Customers
	}
	for _, name := range stages {
		r.Funnel = append(r.Funnel, Stage{Name: name, Customers: reached[name]})
	}
	r.Audience = reached["entered"]
	r.Reserved = tidy(r.Reserved)
	for _, l := range kept.Of(rollup.Reserved) {
		r.Reserved = tidy(l.Cost)
	}
	var a arithmetic
	if r.Budget != nil {
		left := a.sub(a.sub(*r.Budget, r.Cost), r.Reserved)
		r.Remaining = &left
	}
	return a.err
}
