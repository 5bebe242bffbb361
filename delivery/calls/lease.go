package calls

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/campaigns"
	"aldine/customers"
	"aldine/delivery/costs"
	"aldine/internal/fault"
	"aldine/internal/settings"
	"aldine/internal/tally"
)

// Lease hands at most n (1 to 50) calls to an agent, those the agent holds already first. None is no error: nothing is
// due, or nobody on the list may be called at this hour. Fails with NotFound, or Conflict where the campaign is not running.
func (s *Service) Lease(ctx context.Context, listID int64, agent string, n int) ([]Call, error) {
	v, err := s.d.Settings.Get(ctx)
	if err != nil {
		return nil, err
	}
	if n < 1 || n > 50 {
		return nil, fault.BadField("n", "ask for 1 to 50 calls")
	}
	return s.lease(ctx, listID, agent, n, time.Duration(v.LeaseMinutes)*time.Minute)
}

func (s *Service) lease(ctx context.Context, listID int64, agent string, n int, keep time.Duration) ([]Call, error) {
	if agent == "" {
		return nil, fault.BadField("agent", "say who calls")
	}
	v, err := s.d.Settings.Get(ctx)
	if err != nil {
		return nil, err
	}
	var h held
	var ids []int64
	err = pgx.BeginFunc(ctx, s.d.Pool, func(tx pgx.Tx) error {
		if h, err = s.loadTx(ctx, tx, listID); err != nil {
			return err
		}
		if h.State != "running" {
			return fault.New(fault.Conflict, "The campaign is %s: no calls are handed out", h.State)
		}
		l := &leasing{h: h, v: v, agent: agent, now: s.d.Now(), keep: keep, open: []string{}, seen: []int64{}}
		if err := l.zonesTx(ctx, tx); err != nil {
			return err
		}
		if err := l.takeTx(ctx, tx, n, true); err != nil {
			return err
		}
		if err := l.takeTx(ctx, tx, n, false); err != nil {
			return err
		}
		ids = l.got
		if l.withdrawn {
			return campaigns.EnqueueFinishCheckTx(ctx, tx, s.d.Jobs, h.CampaignID)
		}
		return nil
	})
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	return s.show(ctx, h, v, ids)
}

// leasing is one agent's request under way.
type leasing struct {
	h         held
	v         settings.Values
	agent     string
	now       time.Time
	keep      time.Duration
	open      []string // values of calls.time_zone in which it is a legal hour now
	got, seen []int64
	withdrawn bool
}

func (l *leasing) zonesTx(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, `
		SELECT DISTINCT coalesce(time_zone, '') FROM calls WHERE call_list_id = @list AND state IN ('ready', 'waiting', 'leased') ORDER BY 1`,
		pgx.NamedArgs{"list": l.h.List})
	if err != nil {
		return err
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	for _, zones := range all {
		if Legal(zones, l.now, l.v.CallFromHour, l.v.CallToHour) {
			l.open = append(l.open, zones)
		}
	}
	return err
}

// Legal tells whether it is between from and to o'clock (half-open) in each of the zones, parted by commas. A zone that
// nobody knows is never legal.
func Legal(zones string, at time.Time, from, to int) bool {
	for zone := range strings.SplitSeq(zones, ",") {
		loc, err := Location(zone)
		if err != nil || zone == "" {
			return false
		}
		if h := at.In(loc).Hour(); h < from || h >= to {
			return false
		}
	}
	return true
}

// takeTx leases calls until the agent has n: those held already, or new ones. Calls that may not be made any more are
// withdrawn on the way.
func (l *leasing) takeTx(ctx context.Context, tx pgx.Tx, n int, own bool) error {
	due := `(k.state IN ('ready', 'waiting') AND k.due_at <= @now OR k.state = 'leased' AND k.leased_until <= @now)`
	if own {
		due = `k.state = 'leased' AND k.leased_by = @agent AND k.leased_until > @now`
	}
	for len(l.got) < n {
		// A queue table: agents skip over what another agent is just taking.
		rows, err := tx.Query(ctx, `
			SELECT k.call_id FROM calls k
			WHERE k.call_list_id = @list AND k.state IN ('ready', 'waiting', 'leased') AND `+due+` AND k.time_zone = ANY(@open) AND k.call_id <> ALL(@seen)
				AND NOT EXISTS (SELECT 1 FROM customers c JOIN `+customers.RegisterJoin("c", "calls")+` reg ON true
					WHERE c.customer_id = k.customer_id AND reg.reason = 'register_stale') -- waits for a new file
			ORDER BY k.callback DESC, k.due_at, k.call_id LIMIT @n FOR UPDATE SKIP LOCKED`, pgx.NamedArgs{
			"list": l.h.List, "now": l.now, "agent": l.agent, "open": l.open, "seen": l.seen, "n": n - len(l.got)})
		if err != nil {
			return err
		}
		picked, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil || len(picked) == 0 {
			return err
		}
		l.seen = append(l.seen, picked...)
		blocked, err := l.withdrawTx(ctx, tx, picked)
		if err != nil {
			return err
		}
		var free []int64
		for _, id := range picked {
			if !blocked[id] {
				free = append(free, id)
			}
		}
		if !own {
			if _, err := tx.Exec(ctx, `
				UPDATE calls SET state = 'leased', leased_by = @agent, leased_until = @until, updated_at = @now WHERE call_id = ANY(@ids)`,
				pgx.NamedArgs{"agent": l.agent, "until": l.now.Add(l.keep), "now": l.now, "ids": free}); err != nil {
				return err
			}
		}
		l.got = append(l.got, free...)
	}
	return nil
}

// withdrawTx looks once more whether the people may be called, and takes those off the list who may not.
func (l *leasing) withdrawTx(ctx context.Context, tx pgx.Tx, picked []int64) (map[int64]bool, error) {
	rows, err := tx.Query(ctx, `
		WITH blocked AS (
			SELECT k.call_id, k.customer_id, k.attempts, coalesce(x.suppression_id::text, reg.reason_ref) AS suppression,
				CASE WHEN c.customer_id IS NULL THEN 'deleted' WHEN coalesce(c.phone, '') <> k.phone THEN 'no_address'
					WHEN x.suppression_id IS NOT NULL OR reg.reason = 'suppressed' THEN 'suppressed' ELSE 'no_consent' END AS reason
			FROM calls k
			LEFT JOIN customers c ON c.customer_id = k.customer_id
			LEFT JOIN `+customers.SuppressionJoin("c", "calls")+` x ON true
			LEFT JOIN `+customers.RegisterJoin("c", "calls")+` reg ON true
			WHERE k.call_id = ANY(@ids) AND (c.customer_id IS NULL OR coalesce(c.phone, '') <> k.phone OR x.suppression_id IS NOT NULL OR reg.reason = 'suppressed'
				OR NOT (`+customers.ConsentSQL("c", "calls", l.v.ConsentCalls)+`))
		), off AS (
			UPDATE calls k SET state = 'withdrawn', leased_by = NULL, leased_until = NULL, updated_at = @now
			FROM blocked b WHERE k.call_id = b.call_id
		), ended AS (
			UPDATE touches t SET state = CASE WHEN b.attempts > 0 THEN 'failed' ELSE 'excluded' END, reason = b.reason,
				reason_ref = CASE WHEN b.reason = 'suppressed' THEN b.suppression END, provider_ref = NULL, updated_at = @now
			FROM blocked b
			WHERE t.customer_id = b.customer_id AND t.campaign_id + 0 = @campaign AND t.step_id + 0 = @step AND t.state || '' = 'sending'
			RETURNING t.customer_id, t.cell_id, t.list_id, t.keycode, t.unit_cost
		)
		SELECT b.call_id, b.customer_id, e.customer_id IS NOT NULL, coalesce(e.cell_id, 0), e.list_id, coalesce(e.keycode, ''), coalesce(e.unit_cost, 0), b.attempts > 0
		FROM blocked b LEFT JOIN ended e ON e.customer_id = b.customer_id ORDER BY b.call_id`,
		pgx.NamedArgs{"ids": picked, "now": l.now, "campaign": l.h.CampaignID, "step": l.h.StepID})
	if err != nil {
		return nil, err
	}
	blocked := map[int64]bool{}
	var pieces []costs.Piece
	var call, customer int64
	var people []int64
	var ended bool
	p := costs.Piece{Number: 1}
	if _, err := pgx.ForEachRow(rows, []any{&call, &customer, &ended, &p.CellID, &p.ListID, &p.Keycode, &p.UnitCost, &p.Sent}, func() error {
		blocked[call] = true
		if ended {
			pieces, people = append(pieces, p), append(people, customer)
		}
		return nil
	}); err != nil {
		return nil, err
	}
	l.withdrawn = l.withdrawn || len(blocked) > 0
	if err := tally.MarkTx(ctx, tx, l.h.CampaignID, l.now, people...); err != nil {
		return nil, err
	}
	step := costs.Step{CampaignID: l.h.CampaignID, StepID: l.h.StepID, Channel: "calls", Currency: l.h.Currency}
	return blocked, costs.SettleTx(ctx, tx, step, pieces, l.now)
}
