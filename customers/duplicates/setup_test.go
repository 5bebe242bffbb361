package duplicates_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aldine/campaigns/rollup/rolluptest"
	"aldine/customers"
	"aldine/customers/duplicates"
	"aldine/internal/fault"
	"aldine/internal/id"
	"aldine/internal/pgtest"
	"aldine/internal/queue"
	"aldine/internal/settings"
)

// house is a service on a database of its own, with a clock that a test moves.
type house struct {
	*duplicates.Service
	t      testing.TB
	ctx    context.Context
	pool   *pgxpool.Pool
	people *customers.Service
	at     time.Time
}

func setup(t testing.TB) *house {
	t.Helper()
	pool := pgtest.New(t)
	rolluptest.Follow(t, pool)
	h := &house{t: t, ctx: t.Context(), pool: pool, at: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)}
	now := func() time.Time { return h.at }
	jobs, err := queue.NewInserter(pool)
	h.ok(err)
	dir := t.TempDir()
	h.people = customers.New(customers.Deps{Pool: pool, Jobs: jobs, Settings: settings.New(pool, now), DataDir: dir, Now: now})
	h.Service = duplicates.New(duplicates.Deps{Pool: pool, Jobs: jobs, Customers: h.people, DataDir: dir, Now: now})
	return h
}

func (h *house) ok(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) wants(err error, kind fault.Kind, message string) {
	h.t.Helper()
	if !fault.Is(err, kind) || !strings.Contains(err.Error(), message) {
		h.t.Errorf("error %v, want kind %d with %q", err, kind, message)
	}
}

func (h *house) add(f customers.Fields, attributes map[string]any) int64 {
	h.t.Helper()
	c, err := h.people.Create(h.ctx, customers.Input{Fields: f, Attributes: attributes})
	h.ok(err)
	return c.ID
}

func (h *house) exec(sql string, args ...any) {
	h.t.Helper()
	_, err := h.pool.Exec(h.ctx, sql, args...)
	h.ok(err)
	rolluptest.Wrote(h.t, h.pool, sql)
}

func (h *house) text(sql string, args ...any) string {
	h.t.Helper()
	var s *string
	h.ok(h.pool.QueryRow(h.ctx, sql, args...).Scan(&s))
	if s == nil {
		return ""
	}
	return *s
}

func (h *house) want(what, got, want string) {
	h.t.Helper()
	if got != want {
		h.t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// dump gives every row of every table but the journals of what was done.
func (h *house) dump() []string {
	h.t.Helper()
	rows, err := h.pool.Query(h.ctx, `SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name NOT LIKE 'rollup%'
		AND table_name NOT LIKE 'river%' AND table_name NOT IN ('audit_log', 'customer_merges', 'goose_db_version', 'settings', 'household_work') ORDER BY 1`)
	h.ok(err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	h.ok(err)
	var out []string
	for _, table := range tables {
		rows, err := h.pool.Query(h.ctx, `SELECT to_jsonb(t)::text FROM `+table+` t ORDER BY 1`)
		h.ok(err)
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		h.ok(err)
		for _, l := range lines {
			out = append(out, table+" "+l)
		}
	}
	return out
}

// same fails with the lines that differ.
func (h *house) same(what string, got, want []string) {
	h.t.Helper()
	in := func(lines []string) map[string]bool {
		m := map[string]bool{}
		for _, l := range lines {
			m[l] = true
		}
		return m
	}
	have, wanted := in(got), in(want)
	var diff []string
	for _, l := range want {
		if !have[l] {
			diff = append(diff, "- "+l)
		}
	}
	for _, l := range got {
		if !wanted[l] {
			diff = append(diff, "+ "+l)
		}
	}
	if len(diff) > 0 || len(got) != len(want) {
		h.t.Fatalf("%s: %d rows, want %d\n%s", what, len(got), len(want), strings.Join(diff, "\n"))
	}
}

// campaigns makes campaigns with a mail step and a call step each.
func (h *house) campaigns(n int) {
	h.t.Helper()
	for i := range n {
		h.exec(`INSERT INTO campaigns (campaign_id, code, name, currency, state, created_by, created_at, updated_at, launched_at, entry_done_at)
			VALUES ($1::bigint, 'c' || $1::bigint, 'Campaign ' || $1::bigint, 'EUR', 'running', 'test', $2, $2, $2, $2)`, 100+i, h.at)
		h.exec(`INSERT INTO cells (cell_id, campaign_id, name, share, position) VALUES ($1::bigint * 10, $1, 'a', 5000, 1), ($1::bigint * 10 + 1, $1, 'b', 5000, 2)`, 100+i)
		h.exec(`INSERT INTO steps (step_id, campaign_id, version, key, position, kind, channel) VALUES
			($1::bigint * 10, $1, 1, 'mail', 1, 'send', 'email'), ($1 * 10 + 1, $1, 1, 'call', 2, 'send', 'calls')`, 100+i)
		h.exec(`INSERT INTO call_lists (call_list_id, campaign_id, step_id, name, created_at) VALUES ($1::bigint, $1, $1::bigint * 10 + 1, 'calls', $2)`, 100+i, h.at)
	}
}

// live gives a customer a history in all tables, in the campaigns 100 to 99 + campaigns.
func (h *house) live(r *rand.Rand, customer int64, campaigns int) {
	h.t.Helper()
	when := func() time.Time { return h.at.Add(-time.Duration(r.IntN(100*24)) * time.Hour) }
	for range r.IntN(4) {
		ref := fmt.Sprintf("o%d-%d", customer, r.Int64())
		h.exec(`INSERT INTO orders (customer_id, order_ref, ordered_at, quantity, amount, currency, rate, base_amount, recorded_at)
			VALUES ($1, $2, $3, 1, $4, 'EUR', 1, $4, $3)`, customer, ref, when(), fmt.Sprintf("%d.50", r.IntN(300)-20))
		h.exec(`INSERT INTO order_lines (customer_id, order_ref, line_no, sku, quantity, amount) VALUES ($1, $2, 1, 'A1', 1, 10), ($1, $2, 2, 'B2', 1, 3)`, customer, ref)
		h.exec(`INSERT INTO order_refs (order_ref, customer_id) VALUES ($1, $2)`, ref, customer)
		h.exec(`INSERT INTO attributions (customer_id, order_ref, campaign_id, step_id, method, at) VALUES ($1, $2, $3, $4, 'direct', $5)`,
			customer, ref, 100+r.IntN(campaigns), 1000, when())
	}
	for _, channel := range customers.Channels {
		if r.IntN(2) == 0 {
			continue
		}
		at, granted := h.at.Add(-time.Duration(r.IntN(5))*time.Hour), r.IntN(2) == 0
		h.exec(`INSERT INTO consents (customer_id, channel, granted, source, at) VALUES ($1, $2, $3, 'test', $4)`, customer, channel, granted, at)
		h.exec(`INSERT INTO consent_events (customer_id, event_id, channel, granted, source, at) VALUES ($1, $2, $3, $4, 'test', $5)`,
			customer, id.New(), channel, granted, at)
	}
	for list := range 4 {
		if r.IntN(2) == 0 {
			h.exec(`INSERT INTO list_members (customer_id, list_id, added_at) VALUES ($1, $2, $3)`, customer, list+1, when())
		}
	}
	if r.IntN(2) == 0 {
		h.exec(`INSERT INTO suppressions (scope, match_key, channel, suppression_id, value, reason, source, created_at, expires_at)
			VALUES ('customer', $1, 'email', $2, $1, 'test', 'test', $3, $4)`, fmt.Sprint(customer), id.New(), when(), h.at.Add(time.Duration(r.IntN(50))*time.Hour))
	}
	for i := range campaigns {
		campaign := 100 + i
		if r.IntN(3) == 0 {
			continue
		}
		state := []string{"active", "completed", "left"}[r.IntN(3)]
		var step *int
		if state == "active" {
			n := campaign * 10
			step = &n
		}
		h.exec(`INSERT INTO enrollments (customer_id, campaign_id, version, cell_id, step_id, state, entered_at, updated_at) VALUES ($1, $2, 1, $3, $4, $5, $6, $6)`,
			customer, campaign, campaign*10+r.IntN(2), step, state, when())
		touch := []string{"planned", "sent", "excluded", "bounced"}[r.IntN(4)]
		h.exec(`INSERT INTO touches (customer_id, campaign_id, step_id, channel, cell_id, state, destination, unit_cost, planned_at, sent_at, updated_at)
			VALUES ($1, $2, $3, 'email', $4, $5, 'x@example.org', 0.01, $6, $6, $6)`, customer, campaign, campaign*10, campaign*10, touch, when())
		h.exec(`INSERT INTO touch_keys (campaign_id, step_id, dedup_key, customer_id) VALUES ($1, $2, $3, $4)`, campaign, campaign*10, fmt.Sprint("k", customer), customer)
		if r.IntN(2) == 0 {
			h.exec(`INSERT INTO touches (customer_id, campaign_id, step_id, channel, cell_id, state, planned_at, updated_at)
				VALUES ($1, $2, $3, 'calls', $4, 'sending', $5, $5)`, customer, campaign, campaign*10+1, campaign*10, when())
			call := h.text(`INSERT INTO calls (call_list_id, campaign_id, step_id, customer_id, phone, state, due_at, updated_at)
				VALUES ($1::bigint, $1, $1::bigint * 10 + 1, $2, '+4930123456', 'ready', $3, $3) RETURNING call_id::text`, campaign, customer, when())
			h.exec(`INSERT INTO call_attempts (customer_id, attempt_id, call_id, agent, outcome, at) VALUES ($1, $2, $3::bigint, 'ann', 'busy', $4)`, customer, id.New(), call, when())
		}
	}
	for range r.IntN(5) {
		response := id.New()
		var campaign *int
		if r.IntN(4) > 0 {
			n := 100 + r.IntN(campaigns)
			campaign = &n
		}
		h.exec(`INSERT INTO responses (customer_id, response_id, kind, at, recorded_at, campaign_id, method, detail)
			VALUES ($1, $2, $3, $4, $4, $5, 'token', '{"network": "10.0.0.0/24"}')`, customer, response, []string{"open", "click", "reply", "order"}[r.IntN(4)], when(), campaign)
		if r.IntN(2) == 0 {
			h.exec(`INSERT INTO response_refs (source, ref, customer_id, response_id) VALUES ('crm', $1, $2, $3)`, response.String(), customer, response)
		}
	}
	for range r.IntN(4) {
		event := id.New()
		h.exec(`INSERT INTO events (customer_id, at, event_id, name, value, properties, recorded_at) VALUES ($1, $2, $3, $4, $5, '{"page": "/roses", "n": 1.5}', $2)`,
			customer, when(), event, []string{"viewed", "signed_up"}[r.IntN(2)], []*string{nil, new("2.5")}[r.IntN(2)])
		if r.IntN(2) == 0 {
			h.exec(`INSERT INTO event_refs (source, ref, customer_id, event_id) VALUES ('shop', $1, $2, $3)`, event.String(), customer, event)
		}
	}
	h.exec(`UPDATE customers c SET orders_count = o.n, total_spent = o.sum, first_order_at = o.first, last_order_at = o.last
		FROM (SELECT count(*) AS n, coalesce(sum(base_amount), 0) AS sum, min(ordered_at) AS first, max(ordered_at) AS last FROM orders WHERE customer_id = $1) o
		WHERE c.customer_id = $1`, customer)
}
