package customers

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/internal/audit"
)

// exportFormat names the layout of an export, for those who read it by program.
const exportFormat = "aldine-customer-1"

// exportParts are the parts of an export after the customer's own facts: a query each, of one JSON value a row. @ids are
// the customer's numbers, the present one and those merged into it; @id is the present one.
var exportParts = []struct{ name, sql string }{
	{"groups", `SELECT jsonb_build_object('level', l.level, 'id', l.id::text, 'members', (SELECT count(*) FROM customers o WHERE
			l.level = 'person' AND o.person_id = l.id OR l.level = 'household' AND o.household_id = l.id OR l.level = 'residence' AND o.residence_id = l.id))
		FROM customers c CROSS JOIN LATERAL (VALUES ('person', c.person_id), ('household', c.household_id), ('residence', c.residence_id)) AS l (level, id)
		WHERE c.customer_id = @id AND l.id IS NOT NULL ORDER BY l.level`},
	{"lists", `SELECT jsonb_build_object('list', l.name, 'kind', l.kind, 'since', m.added_at) FROM list_members m JOIN lists l ON l.list_id = m.list_id
		WHERE m.customer_id = @id ORDER BY l.name`},
	{"consents", `SELECT jsonb_build_object('channel', channel, 'granted', granted, 'source', source, 'at', at) FROM consents
		WHERE customer_id = @id ORDER BY channel`},
	{"consent_proof", `SELECT jsonb_build_object('channel', channel, 'granted', granted, 'source', source, 'at', at) FROM consent_events
		WHERE customer_id = ANY (@ids) ORDER BY at, event_id`},
	{"suppressions", `SELECT jsonb_build_object('scope', s.scope, 'value', s.value, 'channel', s.channel, 'reason', s.reason, 'source', s.source,
			'created_at', s.created_at, 'received_at', s.received_at, 'effective_at', s.effective_at, 'expires_at', s.expires_at)
		FROM customers c JOIN suppressions s ON s.scope = 'customer' AND s.match_key = ANY (@ids::bigint[]::text[])
			OR s.scope = 'email' AND s.match_key = lower(c.email) OR s.scope = 'domain' AND s.match_key = ANY (` + domainKeys("c.email") + `)
			OR s.scope = 'phone' AND s.match_key = c.phone OR s.scope = 'household' AND s.match_key = c.household_id::text
			OR s.scope = 'address' AND (s.match_key IN (c.address_hash::text, c.residence_id::text)
				OR s.match_key IN (SELECT o.address_hash::text FROM residences o WHERE o.residence_id = c.residence_id AND o.residence_id <> o.address_hash))
		WHERE c.customer_id = @id ORDER BY s.created_at, s.suppression_id`},
	{"orders", `SELECT jsonb_build_object('order_id', o.order_ref, 'ordered_at', o.ordered_at, 'quantity', o.quantity, 'amount', o.amount::text,
			'currency', o.currency, 'place', o.place, 'reason', o.reason, 'keycode', o.keycode, 'lines', coalesce(l.lines, '[]'))
		FROM orders o LEFT JOIN (SELECT customer_id, order_ref, jsonb_agg(jsonb_build_object('sku', sku, 'quantity', quantity, 'amount', amount::text) ORDER BY line_no) AS lines
			FROM order_lines WHERE customer_id = ANY (@ids) GROUP BY customer_id, order_ref) l ON l.customer_id = o.customer_id AND l.order_ref = o.order_ref
		WHERE o.customer_id = ANY (@ids) ORDER BY o.ordered_at, o.order_ref`},
	{"contacts", `SELECT jsonb_build_object('campaign', c.name, 'campaign_code', c.code, 'step', s.key, 'cell', x.name, 'channel', t.channel, 'state', t.state,
			'reason', t.reason, 'to', t.destination, 'keycode', t.keycode, 'planned_at', t.planned_at, 'sent_at', t.sent_at)
		FROM touches t LEFT JOIN campaigns c ON c.campaign_id = t.campaign_id LEFT JOIN steps s ON s.step_id = t.step_id LEFT JOIN cells x ON x.cell_id = t.cell_id
		WHERE t.customer_id = ANY (@ids) ORDER BY t.planned_at, t.campaign_id, t.step_id`},
	{"journeys", `SELECT jsonb_build_object('campaign', c.name, 'campaign_code', c.code, 'state', e.state, 'reason', e.reason, 'entered_at', e.entered_at)
		FROM enrollments e LEFT JOIN campaigns c ON c.campaign_id = e.campaign_id WHERE e.customer_id = ANY (@ids) ORDER BY e.entered_at, e.campaign_id`},
	{"responses", `SELECT jsonb_build_object('kind', r.kind, 'at', r.at, 'campaign', c.name, 'channel', r.channel, 'keycode', r.keycode, 'order_id', r.order_ref,
			'machine', r.machine, 'detail', r.detail)
		FROM responses r LEFT JOIN campaigns c ON c.campaign_id = r.campaign_id WHERE r.customer_id = ANY (@ids) ORDER BY r.at, r.response_id`},
	{"events", `SELECT jsonb_build_object('name', e.name, 'at', e.at, 'value', e.value::text, 'properties', e.properties, 'recorded_at', e.recorded_at, 'source', r.source, 'ref', r.ref)
		FROM events e LEFT JOIN event_refs r ON r.customer_id = e.customer_id AND r.event_id = e.event_id WHERE e.customer_id = ANY (@ids) ORDER BY e.at, e.event_id`},
	{"mails", `SELECT jsonb_build_object('received_at', received_at, 'sent_to', sent_to, 'bytes', bytes, 'mail', encode(body, 'escape')) FROM inbound_raw
		WHERE response_ids && ARRAY (SELECT response_id FROM responses WHERE customer_id = ANY (@ids) AND kind IN ('bounce', 'complaint', 'reply')) ORDER BY received_at, mail_hash`},
	{"calls", `SELECT jsonb_build_object('campaign', c.name, 'phone', k.phone, 'state', k.state, 'outcome', k.outcome, 'note', k.note, 'due_at', k.due_at,
			'attempts', coalesce((SELECT jsonb_agg(jsonb_build_object('at', a.at, 'agent', a.agent, 'outcome', a.outcome, 'note', a.note) ORDER BY a.at, a.attempt_id)
				FROM call_attempts a WHERE a.customer_id = k.customer_id AND a.call_id = k.call_id), '[]'))
		FROM calls k LEFT JOIN campaigns c ON c.campaign_id = k.campaign_id WHERE k.customer_id = ANY (@ids) ORDER BY k.call_id`},
	{"merges", `SELECT jsonb_build_object('old_id', old_id, 'merged_at', merged_at, 'fields', fields, 'undone_at', undone_at) FROM customer_merges
		WHERE customer_id = ANY (@ids) ORDER BY merged_at, merge_id`},
}

// Export writes everything that is stored of one customer as one JSON object, part by part: a person's right of access.
// Amounts are decimal strings. The number of a merged customer stands for the one that is left. NotFound, before
// anything is written, where there is no customer.
func (s *Service) Export(ctx context.Context, customerID ID, to io.Writer) error {
	return pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, func(tx pgx.Tx) error {
		var ids []ID
		if err := tx.QueryRow(ctx, `
			WITH now AS (SELECT coalesce((SELECT customer_id FROM customer_aliases WHERE old_id = @id), @id) AS id)
			SELECT array_agg(x.id ORDER BY x.rank, x.id) FROM (
				SELECT 0 AS rank, id FROM now UNION ALL SELECT 1, a.old_id FROM customer_aliases a JOIN now ON a.customer_id = now.id) x`,
			pgx.NamedArgs{"id": customerID}).Scan(&ids); err != nil {
			return err
		}
		c, err := get(ctx, tx, ids[0])
		if err != nil {
			return err
		}
		if err := audit.RecordTx(ctx, tx, s.now(), "customer.export", "customer", c.ID, nil); err != nil {
			return err
		}
		facts, err := json.Marshal(c)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(to, "{\"format\": %q,\n\"exported_at\": %q,\n\"customer\": %s,\n\"old_numbers\": %s",
			exportFormat, s.now().UTC().Format(time.RFC3339), facts, jsonList(ids[1:])); err != nil {
			return err
		}
		for _, part := range exportParts {
			if err := exportPart(ctx, tx, to, part.name, part.sql, pgx.NamedArgs{"id": c.ID, "ids": ids}); err != nil {
				return fmt.Errorf("export %s: %w", part.name, err)
			}
		}
		_, err = io.WriteString(to, "\n}\n")
		return err
	})
}

func jsonList(ids []ID) []byte {
	if len(ids) == 0 {
		return []byte("[]")
	}
	out, _ := json.Marshal(ids) // numbers
	return out
}

// exportPart writes the rows of a query as they come.
func exportPart(ctx context.Context, tx pgx.Tx, to io.Writer, name, sql string, args pgx.NamedArgs) error {
	rows, err := tx.Query(ctx, sql, args)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(to, ",\n%q: [", name); err != nil {
		rows.Close()
		return err
	}
	separator := "\n  "
	var raw []byte
	if _, err := pgx.ForEachRow(rows, []any{&raw}, func() error {
		_, err := fmt.Fprintf(to, "%s%s", separator, raw)
		separator = ",\n  "
		return err
	}); err != nil {
		return err
	}
	_, err = io.WriteString(to, "]")
	return err
}
