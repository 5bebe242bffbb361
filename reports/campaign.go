package reports

import (
	"context"
	"sort"
	"time"

	"github.com/jackc/pgx/v5"
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
		lines, err := collect(ctx, tx, []campaign{c}, byAll, v.DefaultTimeZone)
		if err != nil {
			return err
		}
		if r.Figures, err = total(c, lines); err != nil {
			return err
		}
		if err := r.breakdowns(ctx, tx, c, lines); err != nil {
			return err
		}
		if err := r.counts(ctx, tx, c); err != nil {
			return err
		}
		r.Control, err = control(ctx, tx, c, v, r.Cost, r.AsOf)
		return err
	})
	return r, err
}

// total takes a campaign's own line out of the collected ones.
func total(c campaign, lines map[line]*Figures) (Figures, error) {
	f := Figures{}
	if got := lines[line{campaign: c.ID, dim: dimAll}]; got != nil {
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
	for dim, to := range map[int]struct {
		kind, none string
		lines      *[]Line
	}{
		dimStep: {"step", "no step", &r.Steps}, dimCell: {"cell", "no cell", &r.Cells}, dimList: {"list", "no list", &r.Lists},
		dimKeycode: {"keycode", "no keycode", &r.Keycodes}, dimMedium: {"medium", "no medium", &r.Media}, dimDay: {"day", "", &r.Days},
	} {
		out := []Line{}
		for l, f := range lines {
			if l.dim != dim || dim == dimDay && l.item == "" {
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

const (
	statesSQL = `SELECT state, coalesce(reason, ''), count(*) FROM touches WHERE campaign_id = @id GROUP BY 1, 2`
	kindsSQL  = `SELECT kind, count(DISTINCT (customer_id, coalesce(step_id, 0))) FILTER (WHERE customer_id <> 0)
			+ count(*) FILTER (WHERE customer_id = 0), count(DISTINCT customer_id) FILTER (WHERE customer_id <> 0)
		FROM responses WHERE campaign_id = @id AND NOT machine GROUP BY kind ORDER BY kind`
	costKindsSQL = `SELECT kind, sum(amount) FROM cost_entries WHERE campaign_id = @id GROUP BY kind ORDER BY kind`
	funnelSQL    = `
		SELECT (SELECT count(*) FROM enrollments WHERE campaign_id = @id),
			count(DISTINCT customer_id) FILTER (WHERE state <> 'excluded'),
			count(DISTINCT customer_id) FILTER (WHERE state IN ('sent', 'bounced')),
			(SELECT count(DISTINCT customer_id) FROM responses WHERE campaign_id = @id AND NOT machine AND customer_id <> 0
				AND kind IN ('open', 'click', 'reply', 'call', 'visit', 'coupon', 'order', 'survey')),
			(SELECT count(DISTINCT customer_id) FROM responses WHERE campaign_id = @id AND NOT machine AND customer_id <> 0
				AND kind IN ` + answers + `),
			(SELECT count(DISTINCT a.customer_id) FROM attributions a
				JOIN orders o ON o.customer_id = a.customer_id AND o.order_ref = a.order_ref
				WHERE a.campaign_id = @id AND a.customer_id <> 0 AND o.amount > 0),
			(SELECT coalesce(sum(amount), 0) FROM reservations WHERE campaign_id = @id)
		FROM touches WHERE campaign_id = @id`
)

func (r *Report) counts(ctx context.Context, tx pgx.Tx, c campaign) error {
	args := pgx.NamedArgs{"id": c.ID}
	r.ByState, r.Exclusions, r.Failures = map[string]int64{}, map[string]int64{}, map[string]int64{}
	var state, reason string
	var n, m int64
	rows, _ := tx.Query(ctx, statesSQL, args)
	if _, err := pgx.ForEachRow(rows, []any{&state, &reason, &n}, func() error {
		r.ByState[state] += n
		switch state {
		case "excluded":
			r.Exclusions[reason] += n
		case "failed":
			r.Failures[reason] += n
		}
		return nil
	}); err != nil {
		return err
	}
	r.Kinds = map[string]ResponseKind{}
	rows, _ = tx.Query(ctx, kindsSQL, args)
	if _, err := pgx.ForEachRow(rows, []any{&state, &n, &m}, func() error {
		r.Kinds[state] = ResponseKind{Touches: n, Customers: m}
		return nil
	}); err != nil {
		return err
	}
	r.Costs = map[string]Money{}
	var amount Money
	rows, _ = tx.Query(ctx, costKindsSQL, args)
	if _, err := pgx.ForEachRow(rows, []any{&state, &amount}, func() error {
		r.Costs[state] = tidy(amount)
		return nil
	}); err != nil {
		return err
	}
	f := [6]int64{}
	if err := tx.QueryRow(ctx, funnelSQL, args).Scan(&f[0], &f[1], &f[2], &f[3], &f[4], &f[5], &r.Reserved); err != nil {
		return err
	}
	for i, name := range []string{"entered", "planned", "reached", "opened", "responded", "ordered"} {
		r.Funnel = append(r.Funnel, Stage{Name: name, Customers: f[i]})
	}
	r.Audience, r.Reserved = f[0], tidy(r.Reserved)
	var a arithmetic
	if r.Budget != nil {
		left := a.sub(a.sub(*r.Budget, r.Cost), r.Reserved)
		r.Remaining = &left
	}
	return a.err
}
