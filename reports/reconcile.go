package reports

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"aldine/campaigns/rollup"
)

// Problem is one figure that does not agree with another.
type Problem struct {
	Check string `json:"check"`
	Want  string `json:"want"`
	Got   string `json:"got"`
}

// String says what does not agree.
func (p Problem) String() string { return fmt.Sprintf("%s: %s, but %s", p.Check, p.Want, p.Got) }

// The same facts once more, each counted on its own: touches, the send steps that enrolled customers reached, and
// the cost of what went out.
const reconcileSQL = `
	SELECT (SELECT count(*) FROM touches WHERE campaign_id = @id) AS touches,
		(SELECT count(DISTINCT (t.customer_id, t.step_id)) FROM touches t
			JOIN enrollments e ON e.customer_id = t.customer_id AND e.campaign_id = t.campaign_id
			JOIN steps s ON s.step_id = t.step_id AND s.campaign_id = t.campaign_id AND s.kind = 'send'
			WHERE t.campaign_id = @id) AS reached,
		(SELECT coalesce(sum(amount), 0) FROM cost_entries WHERE campaign_id = @id) AS ledger,
		(SELECT coalesce(sum(amount), 0) FROM cost_entries WHERE campaign_id = @id AND kind = 'piece') AS pieces,
		(SELECT coalesce(sum(quantity), 0)::bigint FROM cost_entries WHERE campaign_id = @id AND kind = 'piece') AS booked,
		(SELECT coalesce(sum(unit_cost), 0) FROM touches WHERE campaign_id = @id AND state IN ('sent', 'bounced')) AS sent_cost,
		(SELECT coalesce(sum(unit_cost), 0) FROM touches WHERE campaign_id = @id AND state IN ('failed', 'unconfirmed')) AS other_cost,
		(SELECT coalesce(sum(amount), 0) FROM cost_entries WHERE campaign_id = @id AND kind = 'fixed') AS fixed,
		(SELECT CASE WHEN launched_at IS NULL THEN 0 ELSE fixed_cost END FROM campaigns WHERE campaign_id = @id) AS fixed_due,
		(SELECT coalesce(sum(amount), 0) FROM cost_entries WHERE campaign_id = @id AND kind = 'list') AS lists,
		(SELECT coalesce(sum(quantity), 0)::bigint FROM cost_entries WHERE campaign_id = @id AND kind = 'list' AND component = 'names') AS hired,
		(SELECT count(*) FROM enrollments e JOIN cells c ON c.cell_id = e.cell_id AND NOT c.is_control
			WHERE e.campaign_id = @id AND e.list_id IN (SELECT list_id FROM cost_entries WHERE campaign_id = @id AND kind = 'list')) AS rented,
		(SELECT coalesce(sum(amount), 0) FROM reservations WHERE campaign_id = @id) AS reserved,
		(SELECT coalesce(sum(unit_cost), 0) FROM touches WHERE campaign_id = @id AND state IN ('planned', 'sending', 'unconfirmed')) AS open_cost`

type facts struct {
	Touches, Reached, Booked, Hired, Rented                                         int64
	Ledger, Pieces, SentCost, OtherCost, Fixed, FixedDue, Lists, Reserved, OpenCost Money
}

// Reconcile checks that a campaign's figures agree: planned is the sum over the states, planned and excluded together
// are the audience that reached the send steps, the ledger's total is the report's total and the cost of what
// was sent, and the figures kept are those that counting all rows gives. No problems: all is well. NotFound where there is no such campaign.
func (s *Service) Reconcile(ctx context.Context, campaignID int64) ([]Problem, error) {
	r, err := s.Campaign(ctx, campaignID)
	if err != nil {
		return nil, err
	}
	var f facts
	if err := s.pool.QueryRow(ctx, reconcileSQL, pgx.NamedArgs{"id": campaignID}).Scan(&f.Touches, &f.Reached, &f.Ledger, &f.Pieces,
		&f.Booked, &f.SentCost, &f.OtherCost, &f.Fixed, &f.FixedDue, &f.Lists, &f.Hired, &f.Rented, &f.Reserved, &f.OpenCost); err != nil {
		return nil, err
	}
	problems, err := r.check(f)
	if err != nil {
		return nil, err
	}
	v, err := s.settings.Get(ctx)
	if err != nil {
		return nil, err
	}
	var kept []string
	if err := s.snapshot(ctx, func(tx pgx.Tx) (err error) {
		kept, err = rollup.Check(ctx, tx, rollup.ConfigOf(v), campaignID)
		return err
	}); err != nil {
		return nil, err
	}
	return append(problems, ofKept(kept)...), nil
}

// figuresKept is the check that Recount mends.
const figuresKept = "figures kept = rows counted"

// Recounted tells whether Recount mends the problem; any other is one of the rows themselves.
func (p Problem) Recounted() bool { return p.Check == figuresKept }

func ofKept(differences []string) (out []Problem) {
	for _, d := range differences {
		out = append(out, Problem{figuresKept, "nothing differs", d})
	}
	return out
}

// sampled is how many slices of a campaign ReconcileSome counts.
const sampled = 20

// ReconcileSome is Reconcile in a time that does not grow with the campaign: what is kept must add up, a sample of it must be what
// counting gives, and nothing may stay reserved for a campaign that has ended.
func (s *Service) ReconcileSome(ctx context.Context, campaignID int64) (problems []Problem, err error) {
	v, err := s.settings.Get(ctx)
	if err != nil {
		return nil, err
	}
	err = s.snapshot(ctx, func(tx pgx.Tx) error {
		kept, err := rollup.CheckSome(ctx, tx, rollup.ConfigOf(v), campaignID, sampled)
		if err != nil {
			return err
		}
		problems = ofKept(kept)
		var reserved Money
		var ended bool
		if err := tx.QueryRow(ctx, `
			SELECT (SELECT coalesce(sum(amount), 0) FROM reservations r WHERE r.campaign_id = c.campaign_id),
				c.state IN ('finished', 'cancelled') AND NOT EXISTS (SELECT 1 FROM touches t WHERE t.campaign_id = c.campaign_id AND t.state = 'unconfirmed')
			FROM campaigns c WHERE c.campaign_id = @id`, pgx.NamedArgs{"id": campaignID}).Scan(&reserved, &ended); err != nil {
			return err
		}
		if ended && !reserved.IsZero() {
			problems = append(problems, Problem{"nothing stays reserved", "reserved is 0", "still is " + tidy(reserved).String()})
		}
		return nil
	})
	return problems, err
}

// Recount has the figures kept of a campaign counted anew; Fold, or a running server, does it.
func (s *Service) Recount(ctx context.Context, campaignID int64) error {
	return rollup.Recount(ctx, s.pool, campaignID, s.now())
}

func (r Report) check(f facts) ([]Problem, error) {
	var out []Problem
	var a arithmetic
	numbers := func(check, wantName string, want int64, gotName string, got int64) {
		if want != got {
			out = append(out, Problem{check, fmt.Sprintf("%s is %d", wantName, want), fmt.Sprintf("%s is %d", gotName, got)})
		}
	}
	amounts := func(check, wantName string, want Money, gotName string, got Money) {
		if want.Cmp(got) != 0 {
			out = append(out, Problem{check, wantName + " is " + tidy(want).String(), gotName + " is " + tidy(got).String()})
		}
	}
	var states, stepPlanned, stepSent, excluded int64
	for state, n := range r.ByState {
		if state != "excluded" {
			states += n
		}
	}
	for _, n := range r.Exclusions {
		excluded += n
	}
	byStep := Money{}
	for _, l := range r.Steps {
		stepPlanned += l.Planned
		stepSent += l.Quantity
		if l.Key != "" {
			byStep = a.add(byStep, l.Cost)
		}
	}
	numbers("planned = sum over states", "planned", r.Planned, "the sum over states", states)
	numbers("planned = sum over steps", "planned", r.Planned, "the sum over steps", stepPlanned)
	numbers("quantity = sum over steps", "quantity", r.Quantity, "the sum over steps", stepSent)
	numbers("excluded = sum over reasons", "excluded", r.Excluded, "the sum over reasons", excluded)
	numbers("planned + excluded = audience at the send steps", "planned + excluded", r.Planned+r.Excluded, "the audience", f.Reached)
	numbers("touches = audience at the send steps", "touches", f.Touches, "the audience", f.Reached)

	kinds := Money{}
	for _, m := range r.Costs {
		kinds = a.add(kinds, m)
	}
	amounts("ledger = report", "the ledger's total", f.Ledger, "the report's", r.Cost)
	amounts("cost = sum over kinds", "cost", r.Cost, "the sum over kinds", kinds)
	amounts("fixed cost is booked once", "the campaign's fixed cost", f.FixedDue, "the ledger's", f.Fixed)
	if f.Hired > f.Rented {
		numbers("names hired are rented names of the audience", "rented names outside the control cell", f.Rented, "names hired", f.Hired)
	}
	amounts("list hire = report", "the ledger's list hire", f.Lists, "the report's", r.Costs["list"])
	// Attempts that failed for good, and those of which nobody knows, may have cost something too.
	least, most := f.SentCost, a.add(f.SentCost, f.OtherCost)
	if f.Pieces.Cmp(least) < 0 || f.Pieces.Cmp(most) > 0 {
		amounts("pieces in the ledger = cost of what was sent", "cost of what was sent", least, "the ledger's", f.Pieces)
	}
	if r.Costs["correction"].IsZero() {
		amounts("pieces by step", "pieces in the ledger", f.Pieces, "the sum over steps", byStep)
	}
	if (r.State == "finished" || r.State == "cancelled") && r.Unconfirmed == 0 {
		amounts("nothing stays reserved", "reserved", Money{}, "still", f.Reserved)
	}
	return out, a.err
}
