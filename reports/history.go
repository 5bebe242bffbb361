package reports

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/customers"
	"aldine/internal/fault"
)

// Event is one line of a customer's history.
type Event struct {
	At         time.Time `json:"at"`
	Kind       string    `json:"kind"`                  // touch, call, response, order, event or consent
	What       string    `json:"what"`                  // a touch's state, a call's outcome, a response's kind, an order's number, an event's name, given or withdrawn
	Reason     string    `json:"reason,omitempty"`      // why excluded or failed; an agent's note; an order's reason; where consent was said
	ReasonOf   string    `json:"reason_of,omitempty"`   // the customer, suppression or list that is the reason
	ReasonName string    `json:"reason_name,omitempty"` // that customer's name
	Channel    string    `json:"channel,omitempty"`
	CampaignID int64     `json:"campaign_id,omitempty"`
	Campaign   string    `json:"campaign,omitempty"` // name
	Step       string    `json:"step,omitempty"`
	Cell       string    `json:"cell,omitempty"`
	Keycode    string    `json:"keycode,omitempty"`
	Amount     *Money    `json:"amount,omitempty"` // of an order; the cost of a touch that was sent
	Currency   string    `json:"currency,omitempty"`
	Machine    bool      `json:"machine,omitempty"` // a program, not a person
	Mail       string    `json:"mail,omitempty"`    // the response's number, where the mail that brought it is still kept

	Value      string               `json:"value,omitempty"` // of an event, exact
	Properties customers.Properties `json:"properties,omitempty"`

	key string
}

const historySQL = `
	SELECT h.at, h.kind, h.what, h.reason, h.reason_of,
		coalesce(nullif(concat_ws(' ', o.first_name, o.last_name), ''), o.company, o.email, ''), h.channel, coalesce(h.campaign_id, 0), coalesce(c.name, ''),
		coalesce(s.key, ''), coalesce(l.name, ''), h.keycode, h.amount, coalesce(h.currency, c.currency::text, ''), h.machine, h.key, coalesce(h.value::text, ''), h.properties
	FROM (
		SELECT coalesce(sent_at, updated_at) AS at, 'touch' AS kind, state AS what, coalesce(reason, '') AS reason,
			coalesce(reason_ref, '') AS reason_of, channel, campaign_id, step_id, cell_id, coalesce(keycode, '') AS keycode,
			CASE WHEN state IN ('sent', 'bounced') THEN unit_cost END AS amount, NULL AS currency, false AS machine,
			't' || campaign_id || '.' || step_id AS key, NULL::numeric AS value, NULL::jsonb AS properties
		FROM touches WHERE customer_id = @id
		UNION ALL
		SELECT a.at, 'call', a.outcome, a.note, '', 'calls', k.campaign_id, k.step_id, NULL, '', NULL, NULL, false, 'a' || a.attempt_id, NULL, NULL
		FROM call_attempts a LEFT JOIN calls k ON k.call_id = a.call_id WHERE a.customer_id = @id
		UNION ALL
		SELECT at, 'response', kind, CASE WHEN kind = 'bounce' THEN coalesce(detail ->> 'reason', '') ELSE '' END, '', coalesce(channel, ''), campaign_id, step_id, cell_id, coalesce(keycode, ''), NULL, NULL,
			machine, 'r' || response_id, NULL, NULL
		FROM responses WHERE customer_id = @id
		UNION ALL
		SELECT ordered_at, 'order', order_ref, coalesce(reason, ''), '', '', NULL, NULL, NULL, coalesce(keycode, ''), amount,
			currency::text, false, 'o' || order_ref, NULL, NULL
		FROM orders WHERE customer_id = @id
		UNION ALL
		SELECT at, 'consent', CASE WHEN granted THEN 'given' ELSE 'withdrawn' END, source, '', channel, NULL, NULL, NULL, '', NULL,
			NULL, false, 'c' || event_id, NULL, NULL
		FROM consent_events WHERE customer_id = @id
		UNION ALL
		(SELECT at, 'event', name, '', '', '', NULL, NULL, NULL, '', NULL, NULL, false, 'e' || event_id, trim_scale(value), nullif(properties, '{}')
		FROM events -- a page of them, for there may be very many
		WHERE customer_id = @id AND (@after_at::timestamptz IS NULL OR at <= @after_at AND (at, ('e' || event_id) COLLATE "C") < (@after_at, @after_key))
		ORDER BY at DESC, event_id DESC LIMIT @limit)
	) h
	LEFT JOIN campaigns c ON c.campaign_id = h.campaign_id LEFT JOIN steps s ON s.step_id = h.step_id
	LEFT JOIN cells l ON l.cell_id = h.cell_id
	LEFT JOIN customers o ON h.kind = 'touch' AND o.customer_id = CASE WHEN h.reason_of ~ '^[0-9]{1,18}$' THEN h.reason_of::bigint END
	WHERE @after_at::timestamptz IS NULL OR (h.at, h.key COLLATE "C") < (@after_at, @after_key)
	ORDER BY h.at DESC, h.key COLLATE "C" DESC LIMIT @limit`

// History gives a page of what happened with one customer, the newest first, and the mark of the next page ("":
// none). A customer whom nobody knows has an empty history.
func (s *Service) History(ctx context.Context, customerID int64, after string, limit int) ([]Event, string, error) {
	if limit <= 0 {
		limit = 100
	}
	limit = min(limit, 1000)
	at, key, err := readMark(after)
	if err != nil {
		return nil, "", err
	}
	rows, _ := s.pool.Query(ctx, historySQL, pgx.NamedArgs{"id": customerID, "after_at": at, "after_key": key, "limit": limit + 1})
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (e Event, err error) {
		err = row.Scan(&e.At, &e.Kind, &e.What, &e.Reason, &e.ReasonOf, &e.ReasonName, &e.Channel, &e.CampaignID, &e.Campaign, &e.Step, &e.Cell,
			&e.Keycode, &e.Amount, &e.Currency, &e.Machine, &e.key, &e.Value, &e.Properties)
		if e.Amount = tidied(e.Amount); e.Amount == nil {
			e.Currency = ""
		}
		return e, err
	})
	if err != nil {
		return nil, "", err
	}
	next := ""
	if len(list) > limit {
		list = list[:limit]
		next = writeMark(list[limit-1].At, list[limit-1].key)
	}
	return list, next, s.mailsOf(ctx, list)
}

// mailsOf marks the responses that came by a mail which is still kept.
func (s *Service) mailsOf(ctx context.Context, list []Event) error {
	at := map[string]int{}
	for i, e := range list {
		if e.Kind == "response" && (e.What == "bounce" || e.What == "complaint" || e.What == "reply") {
			at[e.key[1:]] = i
		}
	}
	if len(at) == 0 {
		return nil
	}
	rows, err := s.pool.Query(ctx, `
		SELECT DISTINCT id::text FROM inbound_raw, unnest(response_ids) id WHERE response_ids && @ids::uuid[] AND id = ANY (@ids::uuid[]) ORDER BY 1`,
		pgx.NamedArgs{"ids": slices.Collect(maps.Keys(at))})
	if err != nil {
		return err
	}
	var id string
	_, err = pgx.ForEachRow(rows, []any{&id}, func() error { list[at[id]].Mail = id; return nil })
	return err
}

// AuditEntry is one change that somebody made.
type AuditEntry struct {
	At       time.Time      `json:"at"`
	Actor    string         `json:"actor"`
	Action   string         `json:"action"`
	Kind     string         `json:"object_kind"`
	ObjectID string         `json:"object_id"`
	Detail   map[string]any `json:"detail"`
}

// AuditFilter chooses entries of the audit log. Empty fields do not filter.
type AuditFilter struct {
	Actor, Action, Kind, ObjectID string
	After                         string
	Limit                         int // 0: 100; at most 1000
}

const auditSQL = `
	SELECT at, actor, action, object_kind, object_id, detail, audit_id::text FROM audit_log
	WHERE (@actor::text = '' OR actor = @actor) AND (@action::text = '' OR action = @action)
		AND (@kind::text = '' OR object_kind = @kind) AND (@object::text = '' OR object_id = @object)
		AND (@after_at::timestamptz IS NULL OR at < @after_at OR at = @after_at AND audit_id > @after_key::uuid)
	ORDER BY at DESC, audit_id LIMIT @limit`

// Audit gives a page of the audit log, the newest first, and the mark of the next page ("": none).
func (s *Service) Audit(ctx context.Context, f AuditFilter) ([]AuditEntry, string, error) {
	if f.Limit <= 0 {
		f.Limit = 100
	}
	f.Limit = min(f.Limit, 1000)
	at, id, err := readCursor(f.After)
	if err != nil {
		return nil, "", err
	}
	var key string
	var keys []string
	rows, _ := s.pool.Query(ctx, auditSQL, pgx.NamedArgs{"actor": f.Actor, "action": f.Action, "kind": f.Kind, "object": f.ObjectID,
		"after_at": at, "after_key": id, "limit": f.Limit + 1})
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (e AuditEntry, err error) {
		err = row.Scan(&e.At, &e.Actor, &e.Action, &e.Kind, &e.ObjectID, &e.Detail, &key)
		keys = append(keys, key)
		return e, err
	})
	if err != nil || len(list) <= f.Limit {
		return list, "", err
	}
	list = list[:f.Limit]
	return list, base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %s", list[f.Limit-1].At.UnixMicro(), keys[f.Limit-1])), nil
}

// Keycode is one code of a campaign.
type Keycode struct {
	Code   string `json:"keycode"`
	Medium string `json:"medium"`
	Step   string `json:"step,omitempty"`
	Cell   string `json:"cell,omitempty"`
	List   string `json:"list,omitempty"`
}

// Keycodes gives all codes of a campaign.
func (s *Service) Keycodes(ctx context.Context, campaignID int64) ([]Keycode, error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT k.keycode, k.medium, coalesce(s.key, ''), coalesce(c.name, ''), coalesce(l.name, '')
		FROM keycodes k LEFT JOIN steps s ON s.step_id = k.step_id LEFT JOIN cells c ON c.cell_id = k.cell_id
		LEFT JOIN lists l ON l.list_id = k.list_id
		WHERE k.campaign_id = @id ORDER BY s.position, c.position, l.name, k.keycode`, pgx.NamedArgs{"id": campaignID})
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Keycode])
}

func writeMark(at time.Time, key string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(at.UnixMicro(), 10) + " " + key))
}

func readMark(s string) (*time.Time, string, error) {
	if s == "" {
		return nil, "", nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(s)
	micros, key, _ := strings.Cut(string(raw), " ")
	n, err2 := strconv.ParseInt(micros, 10, 64)
	if err != nil || err2 != nil || strings.ContainsRune(key, 0) {
		return nil, "", fault.BadField("after", "This is not a page of this list: start again without it")
	}
	at := time.UnixMicro(n)
	return &at, key, nil
}

// ExchangeRate is what one unit of a currency is worth in the base currency.
type ExchangeRate struct {
	Currency  string    `json:"currency"`
	Rate      Money     `json:"rate"`
	UpdatedAt time.Time `json:"updated_at"`
}

// ExchangeRates gives all rates by currency.
func (s *Service) ExchangeRates(ctx context.Context) ([]ExchangeRate, error) {
	rows, _ := s.pool.Query(ctx, `SELECT currency::text, rate, updated_at FROM exchange_rates ORDER BY currency`)
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (r ExchangeRate, err error) {
		err = row.Scan(&r.Currency, &r.Rate, &r.UpdatedAt)
		r.Rate = r.Rate.Trim(2)
		return r, err
	})
}
