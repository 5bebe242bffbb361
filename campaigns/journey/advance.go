package journey

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aldine/internal/tally"
	"aldine/segments"
	"aldine/tracking"
)

// Advance walks one slice: all its customers that are due move on as far as they can, in one transaction. A campaign
// that is not running stays as it is: Poke looks again when it goes on.
func (e *Engine) Advance(ctx context.Context, a AdvanceArgs) error {
	return pgx.BeginFunc(ctx, e.Pool, func(tx pgx.Tx) error {
		c, err := lockTx(ctx, tx, a.CampaignID)
		if err != nil || c.state != "running" {
			return err
		}
		var lookAt *time.Time // when a job for this slice is due already
		err = tx.QueryRow(ctx, `SELECT next_at FROM journey_slices WHERE campaign_id = @campaign AND first_id = @first FOR UPDATE`,
			pgx.NamedArgs{"campaign": c.id, "first": a.FirstID}).Scan(&lookAt)
		if errors.Is(err, pgx.ErrNoRows) {
			return river.JobCancel(fmt.Errorf("campaign %d has no slice that begins with customer %d", c.id, a.FirstID))
		} else if err != nil {
			return err
		}
		w := walk{engine: e, tx: tx, campaign: c, first: a.FirstID, last: a.LastID, now: e.Now(), held: []int64{}}
		if err := w.run(ctx); err != nil {
			return fmt.Errorf("campaign %d, customers %d to %d: %w", c.id, a.FirstID, a.LastID, err)
		}
		return w.schedule(ctx, a, lookAt)
	})
}

// AdvanceDue is Advance when a time is out: it waits for clicks that were answered before, so that who clicked in the last moment does not go
// the way of those who did not.
func (e *Engine) AdvanceDue(ctx context.Context, a AdvanceArgs) error {
	if e.Settle != nil {
		if err := e.Settle(ctx); err != nil {
			return err
		}
	}
	return e.Advance(ctx, a)
}

// Wake ends the waits of customers who responded.
func (e *Engine) Wake(ctx context.Context, a tracking.RecordedArgs) error {
	rows, err := e.Pool.Query(ctx, `
		SELECT DISTINCT s.first_id, s.last_id
		FROM enrollments e
		JOIN steps st ON st.step_id = e.step_id AND st.kind = 'wait' AND st.config ? 'until_response'
		JOIN journey_slices s ON s.campaign_id = e.campaign_id AND e.customer_id BETWEEN s.first_id AND s.last_id
		WHERE e.campaign_id = @campaign AND e.customer_id = ANY(@ids) AND e.state = 'active' AND `+answered("st.config->>'until_response'")+`
		ORDER BY s.first_id`, pgx.NamedArgs{"campaign": a.CampaignID, "ids": []int64(a.CustomerIDs)})
	if err != nil {
		return err
	}
	slices, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (s AdvanceArgs, err error) {
		s.CampaignID = a.CampaignID
		return s, row.Scan(&s.FirstID, &s.LastID)
	})
	if err != nil {
		return err
	}
	for _, s := range slices {
		if err := e.Advance(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// walk moves the customers of one slice.
type walk struct {
	engine      *Engine
	tx          pgx.Tx
	campaign    campaign
	first, last int64
	now         time.Time

	steps   []Step
	byKey   map[string]*Step
	catalog *segments.Catalog // read when the first condition is met
	held    []int64           // steps that wait for the end of entry
}

// run visits the steps in topological order; whoever moves on is found again at a later step of the same run.
func (w *walk) run(ctx context.Context) error {
	occupied, err := w.occupied(ctx)
	if err != nil || len(occupied) == 0 {
		return err
	}
	if w.steps, err = LoadSteps(ctx, w.tx, w.campaign.id, w.campaign.version); err != nil {
		return err
	}
	w.byKey = map[string]*Step{}
	for i := range w.steps {
		w.byKey[w.steps[i].Key] = &w.steps[i]
	}
	changed := false
	for _, s := range w.steps {
		if !occupied[s.ID] {
			continue
		}
		moved, err := w.step(ctx, s)
		if err != nil {
			return fmt.Errorf("step %s: %w", s.Key, err)
		}
		if moved {
			changed = true
			for _, e := range s.Config.exits() {
				if next := w.byKey[e.to]; next != nil {
					occupied[next.ID] = true
				}
			}
		}
	}
	if !changed {
		return nil
	}
	return tally.MarkRangeTx(ctx, w.tx, w.campaign.id, w.now, w.first, w.last)
}

// occupied tells at which steps somebody stands who may be due.
func (w *walk) occupied(ctx context.Context) (map[int64]bool, error) {
	rows, err := w.tx.Query(ctx, `
		SELECT DISTINCT step_id FROM enrollments
		WHERE campaign_id = @campaign AND customer_id BETWEEN @first AND @last AND state = 'active' ORDER BY step_id`, w.args())
	if err != nil {
		return nil, err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	out := map[int64]bool{}
	for _, id := range ids {
		out[id] = true
	}
	return out, err
}

func (w *walk) args() pgx.NamedArgs {
	return pgx.NamedArgs{"campaign": w.campaign.id, "first": w.first, "last": w.last, "now": w.now}
}

// step acts on those who are due at a step and moves them on.
func (w *walk) step(ctx context.Context, s Step) (moved bool, err error) {
	c := s.Config
	switch s.Kind {
	case Send:
		if ready, err := w.ready(ctx, s); err != nil || !ready {
			return false, err
		}
		if err := w.engine.planner.PlanTx(ctx, w.tx, PlanRequest{CampaignID: w.campaign.id, Step: s, FirstID: w.first, LastID: w.last, Now: w.now}); err != nil {
			return false, fmt.Errorf("plan: %w", err)
		}
		return w.move(ctx, s, "1", nil, w.target(c.Next))
	case Wait:
		if c.UntilResponse != "" {
			return w.waited(ctx, s)
		}
		return w.move(ctx, s, "1", nil, w.target(c.Next))
	case Branch:
		arm, args, err := w.condition(ctx, c.If)
		if err != nil {
			return false, err
		}
		return w.move(ctx, s, arm, args, w.target(c.Then), w.target(c.Else))
	case Goal:
		arm, args, err := w.condition(ctx, c.If)
		if err != nil {
			return false, err
		}
		return w.move(ctx, s, arm, args, target{state: "converted"}, w.target(c.Next))
	case Split:
		targets := make([]target, len(c.Arms))
		for i, a := range c.Arms {
			targets[i] = w.target(a.Next)
		}
		arm, args := split(w.campaign.id, s)
		return w.move(ctx, s, arm, args, targets...)
	case End:
		return w.move(ctx, s, "1", nil, target{state: "completed"})
	}
	return false, fmt.Errorf("unknown kind %q", s.Kind)
}

// target is where a customer comes to: a step, or out of the journey.
type target struct {
	step  *int64
	due   *time.Time
	state string
}

func (w *walk) target(key string) target {
	next := w.byKey[key]
	if next == nil {
		return target{state: "completed"}
	}
	due := arrival(*next, w.now)
	return target{step: &next.ID, due: &due, state: "active"}
}

// answered is SQL that tells whether customer e gave the response that a wait is for, kind in SQL: since the campaign
// wrote last, so that an answer to one message does not end the wait after the next.
func answered(kind string) string {
	return `EXISTS (
		SELECT 1 FROM responses r
		WHERE r.customer_id = e.customer_id AND r.campaign_id = @campaign AND NOT r.machine
			AND (` + kind + ` = r.kind OR ` + kind + ` = 'any' AND r.kind NOT IN ('bounce', 'complaint', 'unsubscribe'))
			AND r.at > COALESCE((SELECT max(t.planned_at) FROM touches t
				WHERE t.customer_id = e.customer_id AND t.campaign_id = @campaign AND t.state <> 'excluded'), '-infinity'))`
}

// waited moves on those who responded, and those whose time is out.
func (w *walk) waited(ctx context.Context, s Step) (bool, error) {
	_, err := w.tx.Exec(ctx, `
		UPDATE enrollments e SET due_at = @now, updated_at = @now
		WHERE e.campaign_id = @campaign AND e.customer_id BETWEEN @first AND @last AND e.state = 'active' AND e.step_id = @step
			AND e.due_at > @now AND `+answered("@kind"),
		merge(w.args(), pgx.NamedArgs{"step": s.ID, "kind": s.Config.UntilResponse}))
	if err != nil {
		return false, err
	}
	return w.move(ctx, s, "1", nil, w.target(s.Config.Next))
}

// condition gives SQL that is 1 where an expression holds for customer c and else 2.
func (w *walk) condition(ctx context.Context, expression string) (string, pgx.NamedArgs, error) {
	if w.catalog == nil {
		catalog, err := segments.LoadCatalog(ctx, w.tx)
		if err != nil {
			return "", nil, err
		}
		w.catalog = catalog
	}
	compiled, err := w.catalog.CompileCondition(expression, w.now)
	if err != nil {
		return "", nil, err
	}
	where, args := compiled.WhereSlice("c", "w", w.first, w.last)
	return "CASE WHEN (" + where + ") THEN 1 ELSE 2 END", args, nil
}

// split gives SQL that is the number of the arm for customer e. The same customer takes the same arm each time, and
// different splits are independent of each other and of the cells.
func split(campaignID int64, s Step) (string, pgx.NamedArgs) {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d/%s", campaignID, s.Key)
	var bounds []int64
	var total int64
	for _, a := range s.Config.Arms {
		bounds = append(bounds, total)
		total += int64(a.Weight)
	}
	return "width_bucket((hashint8extended(e.customer_id, @seed) % @total + @total) % @total, @bounds::bigint[])",
		pgx.NamedArgs{"seed": int64(h.Sum64()), "total": total, "bounds": bounds}
}

// move moves those who are due at a step to targets; arm is SQL that gives the number of the target, from 1. The arm of
// a branch or a goal may read customers as c.
func (w *walk) move(ctx context.Context, s Step, arm string, args pgx.NamedArgs, targets ...target) (bool, error) {
	var steps []*int64
	var dues []*time.Time
	var states []string
	for _, t := range targets {
		steps, dues, states = append(steps, t.step), append(dues, t.due), append(states, t.state)
	}
	all := merge(w.args(), args, pgx.NamedArgs{"step": s.ID, "steps": steps, "dues": dues, "states": states})
	set := func(arm string) string {
		return strings.ReplaceAll(`
			UPDATE enrollments e SET step_id = (@steps::bigint[])[arm], due_at = (@dues::timestamptz[])[arm],
				state = (@states::text[])[arm], updated_at = @now `, "[arm]", "["+arm+"]")
	}
	const due = `e.campaign_id = @campaign AND e.customer_id BETWEEN @first AND @last AND e.state = 'active' AND e.step_id = @step AND e.due_at <= @now`
	if s.Kind != Branch && s.Kind != Goal {
		tag, err := w.tx.Exec(ctx, set(arm)+"WHERE "+due, all)
		return tag.RowsAffected() > 0, err
	}
	// The offset keeps the condition from being copied into each of the assignments.
	tag, err := w.tx.Exec(ctx, set("d.arm")+"FROM customers c CROSS JOIN LATERAL (SELECT "+arm+" AS arm OFFSET 0) d WHERE c.customer_id = e.customer_id AND c.customer_id BETWEEN @first AND @last AND "+due, all)
	if err != nil {
		return false, err
	}
	// A customer who was erased meets no condition, but walks on.
	rest, err := w.tx.Exec(ctx, set("2")+"WHERE "+due, all)
	return tag.RowsAffected()+rest.RowsAffected() > 0, err
}

func merge(all ...pgx.NamedArgs) pgx.NamedArgs {
	out := pgx.NamedArgs{}
	for _, a := range all {
		maps.Copy(out, a)
	}
	return out
}

// schedule asks for a job when the next customer of the slice is due, unless one is waiting already. lookAt remembers
// for when, so that pokes and wakes don't multiply the jobs. The waiting job itself, come too early by the clock of
// another machine, puts itself off.
func (w *walk) schedule(ctx context.Context, a AdvanceArgs, lookAt *time.Time) error {
	var due *time.Time
	if err := w.tx.QueryRow(ctx, `
		SELECT min(due_at) FROM enrollments
		WHERE campaign_id = @campaign AND customer_id BETWEEN @first AND @last AND state = 'active' AND step_id <> ALL (@held::bigint[])`,
		merge(w.args(), pgx.NamedArgs{"held": w.held})).Scan(&due); err != nil {
		return err
	}
	if due != nil && !due.After(w.now) { // who is due and stayed waits for others
		soon := w.now.Add(time.Second)
		due = &soon
	}
	if due == nil {
		return EnqueueFinishCheckTx(ctx, w.tx, w.engine.Jobs, w.campaign.id)
	}
	if lookAt != nil && lookAt.After(w.now) && !lookAt.After(*due) && !lookAt.Equal(a.LookAt) {
		return nil
	}
	if _, err := w.tx.Exec(ctx, `UPDATE journey_slices SET next_at = @next WHERE campaign_id = @campaign AND first_id = @first`,
		merge(w.args(), pgx.NamedArgs{"next": *due})); err != nil {
		return err
	}
	// The queue lives by the real clock, the journey by the engine's.
	a.LookAt = *due
	at := time.Now().Add(max(due.Sub(w.now), time.Second))
	_, err := w.engine.Jobs.InsertTx(ctx, w.tx, a, &river.InsertOpts{ScheduledAt: at})
	return err
}
