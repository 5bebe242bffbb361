package customers

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// Event is one thing that happened with a customer.
type Event struct {
	At         time.Time      `json:"at"`
	Kind       string         `json:"kind"`   // touch, response, order, consent or call
	Ref        string         `json:"ref"`    // unique within kind
	What       string         `json:"what"`   // touch: its state; response: its kind; order: its number; consent: granted or withdrawn; call: outcome
	Reason     string         `json:"reason"` // touch: why excluded or failed; consent: source; call: note
	Channel    string         `json:"channel,omitempty"`
	CampaignID int64          `json:"campaign_id,omitempty"`
	Campaign   string         `json:"campaign,omitempty"` // its name
	Detail     map[string]any `json:"detail"`             // what else there is: destination, keycode, cost, amount, ...
}

// HistoryPage is one page of a time line; Next is "" on the last.
type HistoryPage struct {
	Events []Event `json:"events"`
	Next   string  `json:"next,omitempty"`
}

const historySQL = `
	WITH events AS (
		SELECT coalesce(t.sent_at, t.planned_at) AS at, 'touch' AS kind, t.campaign_id || '-' || t.step_id AS ref, t.state AS what,
			coalesce(t.reason, '') AS reason, t.channel, t.campaign_id,
			jsonb_strip_nulls(jsonb_build_object('step_id', t.step_id, 'destination', t.destination, 'keycode', t.keycode,
				'reason_ref', t.reason_ref, 'unit_cost', t.unit_cost::text, 'print_run_id', t.print_run_id)) AS detail
		FROM touches t WHERE t.customer_id = @id
		UNION ALL
		SELECT r.at, 'response', r.response_id::text, r.kind, '', r.channel, r.campaign_id,
			jsonb_strip_nulls(jsonb_build_object('step_id', r.step_id, 'keycode', r.keycode, 'method', r.method, 'order_id', r.order_ref,
				'machine', CASE WHEN r.machine THEN true END)) || r.detail
		FROM responses r WHERE r.customer_id = @id
		UNION ALL
		SELECT o.ordered_at, 'order', o.order_ref, o.order_ref, coalesce(o.reason, ''), o.place, NULL,
			jsonb_strip_nulls(jsonb_build_object('amount', o.amount::text, 'currency', o.currency, 'quantity', o.quantity, 'keycode', o.keycode))
		FROM orders o WHERE o.customer_id = @id
		UNION ALL
		SELECT e.at, 'consent', e.event_id::text, CASE WHEN e.granted THEN 'granted' ELSE 'withdrawn' END, e.source, e.channel, NULL, '{}'
		FROM consent_events e WHERE e.customer_id = @id
		UNION ALL
		SELECT a.at, 'call', a.attempt_id::text, a.outcome, a.note, 'calls', k.campaign_id, jsonb_build_object('agent', a.agent, 'call_id', a.call_id)
		FROM call_attempts a LEFT JOIN calls k ON k.call_id = a.call_id WHERE a.customer_id = @id
	)
	SELECT e.at, e.kind, e.ref, e.what, e.reason, coalesce(e.channel, ''), coalesce(e.campaign_id, 0), coalesce(c.name, ''), e.detail
	FROM events e LEFT JOIN campaigns c ON c.campaign_id = e.campaign_id
	WHERE @after::timestamptz IS NULL OR (e.at, (e.kind || e.ref) COLLATE "C") < (@after, @key)
	ORDER BY e.at DESC, (e.kind || e.ref) COLLATE "C" DESC LIMIT @limit`

// History gives what happened with a customer, the latest first: touches (excluded ones too, with the reason), responses,
// orders, consents and calls. after is Next of the page before, "" for the first; at most 200 come at once, 50 where
// limit is 0. It also works for the number of a customer who was erased. Invalid where after is not one of ours.
func (s *Service) History(ctx context.Context, customerID ID, after string, limit int) (HistoryPage, error) {
	if limit <= 0 {
		limit = 50
	}
	limit = min(limit, 200)
	args := pgx.NamedArgs{"id": customerID, "after": nil, "key": "", "limit": limit + 1}
	if after != "" {
		at, key, err := decodeCursor(after)
		if err != nil {
			return HistoryPage{}, err
		}
		args["after"], args["key"] = at, key
	}
	rows, err := s.pool.Query(ctx, historySQL, args)
	if err != nil {
		return HistoryPage{}, err
	}
	events, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (e Event, err error) {
		return e, row.Scan(&e.At, &e.Kind, &e.Ref, &e.What, &e.Reason, &e.Channel, &e.CampaignID, &e.Campaign, &e.Detail)
	})
	if err != nil {
		return HistoryPage{}, err
	}
	if len(events) <= limit {
		return HistoryPage{Events: events}, nil
	}
	last := events[limit-1]
	return HistoryPage{Events: events[:limit], Next: encodeCursor(last.At, last.Kind+last.Ref)}, nil
}
