package calls

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/campaigns"
	"aldine/customers"
	"aldine/delivery/costs"
	"aldine/internal/fault"
	"aldine/internal/id"
	"aldine/internal/settings"
	"aldine/tracking"
)

// Outcome records what became of a call that the agent holds. Fails with Invalid, NotFound, or Conflict where the agent
// does not hold the call any more.
func (s *Service) Outcome(ctx context.Context, callID int64, agent string, r Report) (Result, error) {
	v, err := s.d.Settings.Get(ctx)
	if err != nil {
		return Result{}, err
	}
	now := s.d.Now()
	o, err := r.check(now)
	if err != nil {
		return Result{}, err
	}
	var result Result
	err = pgx.BeginFunc(ctx, s.d.Pool, func(tx pgx.Tx) error {
		c, err := heldTx(ctx, tx, callID, agent)
		if err != nil {
			return err
		}
		result, err = s.recordTx(ctx, tx, c, o, r, agent, v, now)
		return err
	})
	return result, err
}

func (r *Report) check(now time.Time) (Outcome, error) {
	var faults []fault.Field
	bad := func(name, format string, args ...any) {
		faults = append(faults, fault.Field{Name: name, Message: fmt.Sprintf(format, args...)})
	}
	o, ok := Find(r.Outcome)
	if !ok {
		var codes []string
		for _, o := range Outcomes {
			codes = append(codes, o.Code)
		}
		bad("outcome", "%q is not an outcome: use %s", r.Outcome, strings.Join(codes, ", "))
	}
	r.Note = strings.TrimSpace(strings.ReplaceAll(strings.ToValidUTF8(r.Note, "?"), "\x00", ""))
	if len(r.Note) > 2000 {
		bad("note", "use at most 2,000 characters")
	}
	switch {
	case o.Code == "callback" && r.CallBackAt == nil:
		bad("call_back_at", "say when to call back")
	case o.Code != "callback" && r.CallBackAt != nil:
		bad("call_back_at", "goes with the outcome callback only")
	case r.CallBackAt != nil && (r.CallBackAt.Before(now) || r.CallBackAt.After(now.AddDate(1, 0, 0))):
		bad("call_back_at", "must be in the future, within a year")
	}
	if r.Order != nil {
		if o.Code != "sale" {
			bad("order", "goes with the outcome sale only")
		}
		if r.Order.Ref == "" {
			bad("order.order_ref", "give the order's number")
		}
		if !r.Order.Amount.IsPos() {
			bad("order.amount", "must be more than 0")
		}
	}
	if faults != nil {
		return o, fault.Bad("The outcome is not valid", faults...)
	}
	return o, nil
}

// call is a call as an outcome finds it.
type call struct {
	ID, List, CampaignID, StepID, CustomerID int64
	Phone                                    string
	Attempts                                 int
	State                                    string
	LeasedBy                                 string
	Campaign, Currency                       string
	Keycode                                  string
}

func heldTx(ctx context.Context, tx pgx.Tx, callID int64, agent string) (call, error) {
	rows, err := tx.Query(ctx, `
		SELECT k.call_id, k.call_list_id, k.campaign_id, k.step_id, k.customer_id, k.phone, k.attempts, k.state, coalesce(k.leased_by, ''),
			c.code, c.currency, coalesce(t.keycode, '')
		FROM calls k JOIN campaigns c ON c.campaign_id = k.campaign_id
		LEFT JOIN touches t ON t.customer_id = k.customer_id AND t.campaign_id = k.campaign_id AND t.step_id = k.step_id
		WHERE k.call_id = @call FOR UPDATE OF k`, pgx.NamedArgs{"call": callID})
	if err != nil {
		return call{}, err
	}
	c, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[call])
	if errors.Is(err, pgx.ErrNoRows) {
		return c, fault.New(fault.NotFound, "There is no call %d", callID)
	}
	if err != nil {
		return c, err
	}
	// A talk may last longer than the lease: as long as nobody else took the call, what was said counts.
	if c.State != "leased" || c.LeasedBy != agent {
		return c, errNotHeld
	}
	return c, nil
}

func (s *Service) recordTx(ctx context.Context, tx pgx.Tx, c call, o Outcome, r Report, agent string, v settings.Values, now time.Time) (Result, error) {
	attempt := id.New()
	args := pgx.NamedArgs{"customer": c.CustomerID, "attempt": attempt, "call": c.ID, "agent": agent, "outcome": o.Code, "note": r.Note, "now": now}
	if _, err := tx.Exec(ctx, `
		INSERT INTO call_attempts (customer_id, attempt_id, call_id, agent, outcome, note, at)
		VALUES (@customer, @attempt, @call, @agent, @outcome, @note, @now)`, args); err != nil {
		return Result{}, err
	}
	var tries int // of this kind, this one included
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM call_attempts WHERE customer_id = @customer AND call_id = @call AND outcome = @outcome`, args).Scan(&tries); err != nil {
		return Result{}, err
	}
	result := Result{CallID: c.ID, State: "done", Attempts: c.Attempts + 1}
	usedUp := !o.Final && o.Code != "callback" && (tries >= o.Max || result.Attempts >= v.CallAttempts)
	if !o.Final && !usedUp {
		next := now.Add(o.Retry)
		if r.CallBackAt != nil {
			next = *r.CallBackAt
		}
		result.State, result.NextAt = "waiting", &next
	}
	due := now
	if result.NextAt != nil {
		due = *result.NextAt
	}
	if _, err := tx.Exec(ctx, `
		UPDATE calls SET state = @state, due_at = @due, callback = @callback, leased_by = NULL, leased_until = NULL, attempts = @attempts,
			outcome = @outcome, note = @note, updated_at = @now
		WHERE call_id = @call`, pgx.NamedArgs{
		"state": result.State, "due": due, "callback": r.CallBackAt != nil, "attempts": result.Attempts, "outcome": o.Code, "note": r.Note, "now": now, "call": c.ID,
	}); err != nil {
		return Result{}, err
	}
	touchState, reason := "", ""
	switch {
	case o.Reached:
		touchState = "sent"
	case o.Failed:
		touchState, reason = "failed", o.Label
	case usedUp:
		touchState, reason = "failed", fmt.Sprintf("not reached in %d tries, last: %s", result.Attempts, o.Label)
	}
	if touchState != "" {
		if err := settleTx(ctx, tx, c, touchState, reason, now); err != nil {
			return Result{}, err
		}
	}
	if err := s.respondTx(ctx, tx, c, o, r, agent, attempt.String(), now); err != nil {
		return Result{}, err
	}
	if result.State == "done" {
		if err := campaigns.EnqueueFinishCheckTx(ctx, tx, s.d.Jobs, c.CampaignID); err != nil {
			return Result{}, err
		}
	}
	return result, nil
}

// settleTx ends the touch, once; the call has been made by then and is paid for, whoever answered it.
func settleTx(ctx context.Context, tx pgx.Tx, c call, state, reason string, now time.Time) error {
	rows, err := tx.Query(ctx, `
		UPDATE touches t SET state = @state, reason = nullif(@reason, ''), sent_at = CASE WHEN @state = 'sent' THEN @now::timestamptz END,
			provider_ref = NULL, updated_at = @now
		WHERE t.customer_id = @customer AND t.campaign_id = @campaign AND t.step_id = @step AND t.state = 'sending'
		RETURNING t.customer_id, t.cell_id, t.list_id, coalesce(t.keycode, ''), t.unit_cost, true`, pgx.NamedArgs{
		"state": state, "reason": reason, "now": now, "customer": c.CustomerID, "campaign": c.CampaignID, "step": c.StepID})
	if err != nil {
		return err
	}
	return bookTx(ctx, tx, costs.Step{CampaignID: c.CampaignID, StepID: c.StepID, Channel: "calls", Currency: c.Currency}, rows, now)
}

// respondTx tells tracking what came back, and sees to it that a person who does not want to be called is not.
func (s *Service) respondTx(ctx context.Context, tx pgx.Tx, c call, o Outcome, r Report, agent, attempt string, now time.Time) error {
	if o.Code == "do_not_call" {
		if _, err := s.d.Customers.SuppressTx(ctx, tx, []customers.Suppression{{
			Scope: customers.ScopePhone, Value: c.Phone, Channel: "calls", Reason: "asked not to be called", Source: agent,
		}}); err != nil {
			return err
		}
		if _, err := s.d.Customers.SetConsentsTx(ctx, tx, []customers.Consent{
			{CustomerID: c.CustomerID, Channel: "calls", Granted: false, Source: agent, At: now}}); err != nil {
			return err
		}
	}
	base := tracking.Response{At: now, CustomerID: c.CustomerID, Keycode: c.Keycode, StepID: c.StepID, Channel: "calls", Detail: map[string]any{"outcome": o.Code}}
	if c.Keycode == "" {
		base.Campaign = c.Campaign
	}
	var responses []tracking.Response
	add := func(kind tracking.Kind) *tracking.Response {
		next := base
		next.Kind, next.Ref = kind, attempt+":"+string(kind)
		responses = append(responses, next)
		return &responses[len(responses)-1]
	}
	if o.Reached {
		add(tracking.KindCall)
	}
	if o.Code == "do_not_call" {
		add(tracking.KindUnsubscribe)
	}
	if r.Order != nil {
		order := add(tracking.KindOrder)
		order.OrderRef, order.Amount, order.Currency, order.Place = r.Order.Ref, r.Order.Amount, r.Order.Currency, "phone"
		if order.Currency == "" {
			order.Currency = c.Currency
		}
	}
	if len(responses) == 0 {
		return nil
	}
	_, err := s.d.Tracking.RecordTx(ctx, tx, "calls", responses)
	return err
}
