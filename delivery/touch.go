package delivery

import (
	"context"
	"fmt"
	"time"

	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"

	"aldine/customers"
	"aldine/internal/settings"
)

// batch is what the touches of one job have in common.
type batch struct {
	CampaignID, StepID int64
	Channel            string
	Code, Name         string // of the campaign
	Currency           string
	StepKey            string
	TemplateID         int64
	TemplateVersion    int
	Window             string     // of the step; "": as the settings say
	EndsAt             *time.Time // of the campaign
}

// selectBatch reads steps s of campaigns c.
const selectBatch = `
	SELECT c.campaign_id, s.step_id, coalesce(s.channel, ''), c.code, c.name, c.currency, s.key,
		coalesce(s.template_id, 0), coalesce(s.template_version, 0), coalesce(s.config ->> 'window', ''), c.ends_at
	FROM campaigns c JOIN steps s ON s.campaign_id = c.campaign_id `

func (s *Service) loadBatch(ctx context.Context, campaignID, stepID int64) (batch, error) {
	rows, err := s.pool.Query(ctx, selectBatch+`
		WHERE c.campaign_id = @campaign AND s.step_id = @step`, pgx.NamedArgs{"campaign": campaignID, "step": stepID})
	if err != nil {
		return batch{}, err
	}
	b, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[batch])
	if err != nil {
		return b, fmt.Errorf("step %d of campaign %d: %w", stepID, campaignID, err)
	}
	return b, nil
}

// touch is one claimed touch.
type touch struct {
	CustomerID  int64
	State       string
	Destination string
	Keycode     string
	CellID      int64
	ListID      *int64
	UnitCost    decimal.Decimal
}

// claimName is what a claimed touch carries in provider_ref until it is settled: job and attempt, so that the attempt
// which claimed it can be told from any other.
func claimName(jobID int64, attempt int) string { return fmt.Sprintf("job:%d:%d", jobID, attempt) }

// claim takes the touches of some customers from planned to sending, those who were suppressed, withdrew their consent or lost
// their address since the plan to excluded; it gives the claimed ones, and whether some have to wait because the day's volume of
// a new sender is used up. None are claimed unless the campaign is running, or finished: what is planned then was resent by a person.
func (s *Service) claim(ctx context.Context, b batch, ids []int64, attempt int, claim string) (claimed []touch, held bool, err error) {
	v, err := s.settings.Get(ctx)
	if err != nil {
		return nil, false, err
	}
	now, ramp := s.now(), rampOf(b, v)
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		var all []touch
		for rest := ids; len(rest) > 0; { // those who are excluded leave their part of the volume to the others
			n, before := len(rest), len(claimed)
			if ramp.On() {
				if n, err = ramp.TakeTx(ctx, tx, n, now); err != nil {
					return err
				}
				if held = n == 0; held {
					break
				}
			}
			judged, err := judgeTx(ctx, tx, b, v, claimArgs(b, v, rest[:n], attempt, claim, now), n)
			if err != nil {
				return err
			}
			for _, t := range judged {
				if t.State == "sending" {
					claimed = append(claimed, t)
				}
			}
			if err := ramp.GiveBack(ctx, tx, n-(len(claimed)-before), now); err != nil {
				return err
			}
			all, rest = append(all, judged...), rest[n:]
		}
		return bookTx(ctx, tx, b, all, now)
	})
	return claimed, held, err
}

// judgeTx claims or excludes up to n touches, and gives them.
func judgeTx(ctx context.Context, tx pgx.Tx, b batch, v settings.Values, args pgx.NamedArgs, n int) ([]touch, error) {
	all, sql := make([]touch, 0, n), claimSQL(b.Channel, v)
	err := change(n, func() (int, error) {
		rows, err := tx.Query(ctx, sql, args)
		if err != nil {
			return 0, err
		}
		all, err = pgx.AppendRows(all, rows, pgx.RowToStructByPos[touch])
		return len(all), err
	})
	return all, err
}

// claimArgs are those of claimSQL.
func claimArgs(b batch, v settings.Values, ids []int64, attempt int, claim string, now time.Time) pgx.NamedArgs {
	return pgx.NamedArgs{"campaign": b.CampaignID, "step": b.StepID, "channel": b.Channel, "ids": ids, "attempt": attempt, "claim": claim, "now": now,
		"goes": now, "cap": v.Cap(b.Channel), "capped_since": now.AddDate(0, 0, -v.CapDays)}
}

// Touches are looked up customer by customer, each by its whole key. Without statistics on a new campaign the planner takes
// its touches to be very few and would read all of them for each job; a subquery for each customer (OFFSET 0 keeps it one)
// and the row's place leave it no choice. For a few customers at a time elsewhere the columns are written as expressions,
// t.campaign_id + 0 and t.state || '', which fit no index but the primary key's first column. The same goes for one customer's history: the
// index of open touches, in which a customer comes last, would be read to its end for each.
//
// Rows are not locked before they are changed. Where somebody changes one between the look-up and the change, PostgreSQL follows it to its
// new place without asking for the place again, so the change names the state once more.

// claimSQL judges once more. For the frequency cap, what was planned earlier counts like what was sent, as it did in the plan: of two
// campaigns at the same customer the same one always gives way, whichever job comes first.
func claimSQL(channel string, v settings.Values) string {
	dest, reachable := destination(channel)
	often := "false"
	if v.Cap(channel) > 0 {
		often = `(SELECT count(*) FROM touches h WHERE h.customer_id = c.customer_id AND h.channel = @channel
			AND (h.campaign_id, h.step_id) <> (@campaign::bigint, @step::bigint)
			AND (h.state = 'sent' AND h.sent_at > @capped_since::timestamptz OR h.state || '' IN ('sending', 'unconfirmed')
				OR h.state || '' = 'planned' AND (h.planned_at, h.campaign_id, h.step_id) < (c.planned_at, @campaign::bigint, @step::bigint))) >= @cap::bigint`
	}
	return `
	WITH mine AS MATERIALIZED (
		SELECT t.customer_id, t.place, t.planned_at, m.ends_at <= @goes::timestamptz AS over, c.customer_id AS found, c.person_id, c.email, c.phone, c.household_id, c.address_hash, c.residence_id, c.last_order_at
		FROM unnest(@ids::bigint[]) AS i (customer_id)
		CROSS JOIN LATERAL (SELECT u.customer_id, u.planned_at, u.ctid AS place FROM touches u
			WHERE u.customer_id = i.customer_id AND u.campaign_id = @campaign AND u.step_id = @step AND u.state = 'planned' OFFSET 0) t
		JOIN campaigns m ON m.campaign_id = @campaign AND m.state IN ('running', 'finished')
		LEFT JOIN customers c ON c.customer_id = t.customer_id
	), hits AS MATERIALIZED (
		` + customers.SuppressionHits("mine", channel) + `
	), judged AS MATERIALIZED (
		SELECT ` + dest + ` AS destination, coalesce(x.suppression_id::text, reg.reason_ref) AS suppression,
			a.customer_id::text AS survivor, c.place,
			CASE WHEN a.customer_id IS NOT NULL THEN 'merged'
				WHEN c.found IS NULL THEN 'deleted'
				WHEN NOT (` + reachable + `) THEN 'no_address'
				WHEN x.suppression_id IS NOT NULL THEN 'suppressed'
				WHEN reg.reason IS NOT NULL THEN reg.reason
				WHEN NOT (` + customers.ConsentSQL("c", channel, v.ConsentRequired(channel)) + `) THEN 'no_consent'
				WHEN c.over THEN 'too_late'
				WHEN ` + often + ` THEN 'frequency_cap'
			END AS reason
		FROM mine c
		LEFT JOIN customer_aliases a ON a.old_id = c.customer_id
		LEFT JOIN hits x ON x.customer_id = c.customer_id
		LEFT JOIN ` + customers.RegisterJoin("c", channel) + ` reg ON true
		ORDER BY c.customer_id
	)
	UPDATE touches t SET state = CASE WHEN j.reason IS NULL THEN 'sending' ELSE 'excluded' END,
		reason = j.reason, reason_ref = CASE WHEN j.reason IN ('suppressed', 'register_stale') THEN j.suppression WHEN j.reason = 'merged' THEN j.survivor END,
		destination = CASE WHEN j.reason IS NULL THEN j.destination END,
		attempt = @attempt, provider_ref = CASE WHEN j.reason IS NULL THEN @claim END, updated_at = @now
	FROM judged j
	WHERE t.ctid = j.place AND t.state || '' = 'planned'
	RETURNING t.customer_id, t.state, coalesce(t.destination, ''), coalesce(t.keycode, ''), t.cell_id, t.list_id, t.unit_cost`
}
