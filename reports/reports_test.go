package reports_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/xuri/excelize/v2"

	"aldine/internal/fault"
	"aldine/internal/pgtest"
	"aldine/internal/settings"
	"aldine/reports"
)

var at = time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC)

// fixture is one campaign counted by hand. Euro base, campaign in US dollars at 0.50 euro; margin 40 %.
//
// 12 customers entered: cell A 1-8, control 9-12. Step mail (e-mail, 0.10): 1-6 sent (6 bounced), 7 failed,
// 8 excluded (no_consent), 9-12 excluded (control). Step letter (post, 1.00): 1-3 sent, 4 planned, 9-12 excluded (control).
// Ledger: fixed 20.00, list 5.00, mail 6 x 0.10, letter 3 x 1.00 = 28.60. Reserved 1.00.
// Responses: 1 clicked the mail twice and opened; 2 clicked; 3 only by a machine; 1 replied to the letter; an unknown
// person redeemed a coupon: touches answered 1/mail, 2/mail, 1/letter + 1 unknown = 4, responders 2.
// Orders: #1 by 1, 30 EUR, keycode; #2 by 2, 10 EUR, matchback, half credited here; #3 by 1, -5 EUR (returned), keycode;
// #4 by 9 (control) 8 EUR, credited to nobody; #5 by 3 before the launch.
// Revenue: (30 - 5)/0.5 = 50 direct, 10 x 0.5 / 0.5 = 10 matchback, 60.00 together; margin 24.00; ROI (24 - 28.6)/28.6.
const fixture = `
	INSERT INTO settings (name, value, updated_at) VALUES ('base_currency', '"EUR"', '2026-01-01');
	INSERT INTO exchange_rates VALUES ('USD', 0.5, '2026-01-01');
	INSERT INTO lists (list_id, name, kind, created_at) VALUES (1, 'House', 'house', '2026-01-01'), (2, 'Rented', 'rented', '2026-01-01');
	INSERT INTO campaigns (campaign_id, code, name, currency, budget, fixed_cost, margin_rate, state, created_by, created_at, updated_at, launched_at)
		VALUES (1, 'spring', '=Spring', 'USD', 100, 20, 0.4, 'running', 'cli', '2026-02-01', '2026-02-01', '2026-03-01 09:00Z'),
			(2, 'empty', 'Empty', 'GBP', NULL, 0, 0.4, 'draft', 'cli', '2026-02-01', '2026-02-01', NULL);
	INSERT INTO cells (cell_id, campaign_id, name, share, is_control, position) VALUES (1, 1, 'A', 6667, false, 1), (2, 1, 'Control', 3333, true, 2);
	INSERT INTO steps (step_id, campaign_id, version, key, position, kind, channel, unit_cost)
		VALUES (1, 1, 1, 'mail', 1, 'send', 'email', 0.1), (2, 1, 1, 'letter', 2, 'send', 'post', 1);
	INSERT INTO keycodes (keycode, campaign_id, step_id, cell_id, list_id, medium, created_at)
		VALUES ('MAIL1', 1, 1, 1, 1, 'email', '2026-02-02'), ('LETT1', 1, 2, 1, 1, 'post', '2026-02-02'), ('LETT2', 1, 2, 1, 2, 'post', '2026-02-02');
	INSERT INTO enrollments (customer_id, campaign_id, version, cell_id, list_id, state, entered_at, updated_at)
		SELECT n, 1, 1, CASE WHEN n > 8 THEN 2 ELSE 1 END, CASE WHEN n % 2 = 0 THEN 2 ELSE 1 END, 'completed', '2026-03-01', '2026-03-01' FROM generate_series(1, 12) n;
	INSERT INTO touches (customer_id, campaign_id, step_id, channel, cell_id, list_id, state, reason, keycode, unit_cost, planned_at, sent_at, updated_at)
		SELECT n, 1, 1, 'email', CASE WHEN n > 8 THEN 2 ELSE 1 END, CASE WHEN n % 2 = 0 THEN 2 ELSE 1 END,
			CASE WHEN n > 7 THEN 'excluded' WHEN n = 7 THEN 'failed' WHEN n = 6 THEN 'bounced' ELSE 'sent' END,
			CASE WHEN n > 8 THEN 'control' WHEN n = 8 THEN 'no_consent' WHEN n = 7 THEN 'refused' END, 'MAIL1', 0.1,
			'2026-03-01', CASE WHEN n < 7 THEN timestamptz '2026-03-02 10:00Z' END, '2026-03-02' FROM generate_series(1, 12) n;
	INSERT INTO touches (customer_id, campaign_id, step_id, channel, cell_id, list_id, state, reason, keycode, unit_cost, planned_at, sent_at, updated_at)
		SELECT n, 1, 2, 'post', CASE WHEN n > 8 THEN 2 ELSE 1 END, CASE WHEN n % 2 = 0 THEN 2 ELSE 1 END,
			CASE WHEN n > 8 THEN 'excluded' WHEN n = 4 THEN 'planned' ELSE 'sent' END, CASE WHEN n > 8 THEN 'control' END,
			CASE WHEN n % 2 = 0 THEN 'LETT2' ELSE 'LETT1' END, 1, '2026-03-01', CASE WHEN n < 4 THEN timestamptz '2026-03-05 10:00Z' END, '2026-03-05'
		FROM generate_series(1, 12) n WHERE n < 5 OR n > 8;
	INSERT INTO cost_entries (campaign_id, entry_id, at, kind, step_id, cell_id, list_id, channel, quantity, unit_cost, amount, currency)
		VALUES (1, gen_random_uuid(), '2026-03-01 09:00Z', 'fixed', NULL, NULL, NULL, NULL, 1, 20, 20, 'USD'),
			(1, gen_random_uuid(), '2026-03-01 09:01Z', 'list', NULL, NULL, 2, NULL, 5, 1, 5, 'USD'),
			(1, gen_random_uuid(), '2026-03-02 10:00Z', 'piece', 1, 1, 1, 'email', 3, 0.1, 0.3, 'USD'),
			(1, gen_random_uuid(), '2026-03-02 10:00Z', 'piece', 1, 1, 2, 'email', 3, 0.1, 0.3, 'USD'),
			(1, gen_random_uuid(), '2026-03-05 10:00Z', 'piece', 2, 1, 1, 'post', 2, 1, 2, 'USD'),
			(1, gen_random_uuid(), '2026-03-05 10:00Z', 'piece', 2, 1, 2, 'post', 1, 1, 1, 'USD');
	INSERT INTO reservations VALUES (1, gen_random_uuid(), 1, 0.6, '2026-03-01'), (1, gen_random_uuid(), 2, 4, '2026-03-01'),
		(1, gen_random_uuid(), 1, -0.6, '2026-03-02'), (1, gen_random_uuid(), 2, -3, '2026-03-05');
	INSERT INTO responses (customer_id, response_id, kind, at, recorded_at, campaign_id, step_id, cell_id, channel, keycode, method, machine)
		VALUES (1, gen_random_uuid(), 'open', '2026-03-02 11:00Z', '2026-03-02', 1, 1, 1, 'email', NULL, 'token', false),
			(1, gen_random_uuid(), 'click', '2026-03-02 11:00Z', '2026-03-02', 1, 1, 1, 'email', NULL, 'token', false),
			(1, gen_random_uuid(), 'click', '2026-03-02 11:05Z', '2026-03-02', 1, 1, 1, 'email', NULL, 'token', false),
			(2, gen_random_uuid(), 'click', '2026-03-03 11:00Z', '2026-03-03', 1, 1, 1, 'email', NULL, 'token', false),
			(3, gen_random_uuid(), 'click', '2026-03-02 10:00Z', '2026-03-02', 1, 1, 1, 'email', NULL, 'token', true),
			(1, gen_random_uuid(), 'reply', '2026-03-09 11:00Z', '2026-03-09', 1, 2, 1, 'post', 'LETT1', 'keycode', false),
			(0, gen_random_uuid(), 'coupon', '2026-03-10 11:00Z', '2026-03-10', 1, NULL, NULL, NULL, 'LETT2', 'coupon', false);
	INSERT INTO orders (customer_id, order_ref, ordered_at, quantity, amount, currency, rate, base_amount, recorded_at)
		VALUES (1, '#1', '2026-03-10', 1, 30, 'EUR', 1, 30, '2026-03-10'), (2, '#2', '2026-03-11', 1, 10, 'EUR', 1, 10, '2026-03-11'),
			(1, '#3', '2026-03-12', 1, -5, 'EUR', 1, -5, '2026-03-12'), (9, '#4', '2026-03-13', 1, 8, 'EUR', 1, 8, '2026-03-13'),
			(3, '#5', '2026-02-13', 1, 99, 'EUR', 1, 99, '2026-02-13');
	INSERT INTO attributions (customer_id, order_ref, campaign_id, step_id, cell_id, channel, keycode, method, weight, at)
		VALUES (1, '#1', 1, 2, 1, 'post', 'LETT1', 'keycode', 1, '2026-03-10'), (2, '#2', 1, 1, 1, 'email', NULL, 'matchback', 0.5, '2026-03-11'),
			(1, '#3', 1, 2, 1, 'post', 'LETT1', 'keycode', 1, '2026-03-12');`

func start(t *testing.T) (*reports.Service, *pgxpool.Pool) {
	t.Helper()
	pool := pgtest.New(t)
	if _, err := pool.Exec(t.Context(), fixture); err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return at }
	return reports.New(pool, settings.New(pool, now), now), pool
}

// path digs a value out of decoded JSON: "by_step.1.cost".
func path(v any, p string) string {
	for _, key := range strings.Split(p, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[key]
		case []any:
			var i int
			if _, err := fmt.Sscan(key, &i); err != nil || i >= len(x) {
				return "missing"
			}
			v = x[i]
		default:
			return "missing"
		}
	}
	if f, ok := v.(float64); ok {
		return fmt.Sprintf("%.6g", f)
	}
	return fmt.Sprint(v)
}

func TestCampaignByHand(t *testing.T) {
	t.Parallel()
	s, _ := start(t)
	r, err := s.Campaign(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatal(err)
	}
	for p, want := range map[string]string{
		"planned": "11", "quantity": "9", "open": "1", "failed": "1", "bounced": "1", "excluded": "9", "audience": "12",
		"by_state.sent": "8", "exclusions.control": "8", "exclusions.no_consent": "1", "failures.refused": "1",
		"cost": "28.60", "costs.fixed": "20.00", "costs.list": "5.00", "costs.piece": "3.60", "reserved": "1.00", "remaining": "70.40",
		"responses": "4", "responders": "2", "responses_by_kind.click.touches": "2", "responses_by_kind.click.customers": "2",
		"responses_by_kind.coupon.touches": "1", "responses_by_kind.coupon.customers": "0", "responses_by_kind.open.touches": "1",
		"orders": "2", "direct_orders": "1", "matchback_orders": "1", "revenue": "60.00", "direct_revenue": "50.00",
		"matchback_revenue": "10.00", "margin": "24.00",
		"response_rate": "0.444444", "order_rate": "0.222222", "cost_per_thousand": "3177.7778", "cost_per_response": "7.15",
		"cost_per_order": "14.30", "contribution_per_order": "12.00", "break_even_rate": "0.264815", "roi": "-0.160839",
		"by_step.0.name": "mail", "by_step.0.quantity": "6", "by_step.0.cost": "0.60", "by_step.0.responses": "2", "by_step.0.revenue": "10.00",
		"by_step.1.name": "letter", "by_step.1.quantity": "3", "by_step.1.cost": "3.00", "by_step.1.responses": "2", "by_step.1.orders": "1",
		"by_cell.0.name": "A", "by_cell.0.quantity": "9", "by_cell.1.excluded": "8", "by_cell.2.name": "no cell", "by_cell.2.cost": "25.00",
		"by_list.0.name": "House", "by_list.0.cost": "2.30", "by_list.1.name": "Rented", "by_list.1.cost": "6.30", "by_list.1.responses": "2", "by_list.2.cost": "20.00",
		"by_medium.0.key": "email", "by_medium.0.revenue": "10.00", "by_medium.1.key": "post", "by_medium.1.revenue": "50.00",
		"by_keycode.0.key": "LETT1", "by_keycode.0.revenue": "50.00", "by_keycode.2.key": "MAIL1", "by_keycode.2.orders": "1",
		"by_day.0.key": "2026-03-01", "by_day.0.cost": "25.00", "by_day.1.key": "2026-03-02", "by_day.1.quantity": "6", "by_day.1.responses": "1",
		"funnel.0.customers": "12", "funnel.1.customers": "7", "funnel.2.customers": "6", "funnel.3.customers": "2", "funnel.4.customers": "2", "funnel.5.customers": "2",
		// A: 1 and 2 ordered, 35/0.5 = 70 in all; control: 9 ordered, 8/0.5 = 16. Without the campaign A had spent 16 x 8/4 = 32.
		"control.cells.0.assigned": "8", "control.cells.0.orderers": "2", "control.cells.0.revenue": "70.00", "control.cells.0.responders": "2",
		"control.cells.1.assigned": "4", "control.cells.1.orderers": "1", "control.cells.1.revenue": "16.00", "control.cells.1.revenue_per_customer": "4.00",
		"control.lift.value": "0", "control.proven": "false", "control.incremental_orders": "0.00", "control.incremental_revenue": "38.00",
		"control.incremental_profit": "-13.40",
	} {
		if got := path(v, p); got != want {
			t.Errorf("%s is %s, want %s", p, got, want)
		}
	}
	if problems, err := s.Reconcile(t.Context(), 1); err != nil || len(problems) > 0 {
		t.Errorf("reconcile: %v %v", problems, err)
	}
	if _, err := s.Campaign(t.Context(), 99); !fault.Is(err, fault.NotFound) {
		t.Errorf("no such campaign: %v", err)
	}
}

func TestReconcileFindsFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ fault, want string }{
		{`DELETE FROM cost_entries WHERE kind = 'piece' AND channel = 'post'`, "pieces in the ledger = cost of what was sent"},
		{`DELETE FROM enrollments WHERE customer_id = 5`, "audience is 19"},
		{`UPDATE touches SET step_id = 77 WHERE customer_id = 5`, "audience"},
		{`DELETE FROM cost_entries WHERE kind = 'fixed'`, "fixed cost"},
		{`UPDATE campaigns SET state = 'finished'`, "reserved"},
	} {
		s, pool := start(t)
		if _, err := pool.Exec(t.Context(), c.fault); err != nil {
			t.Fatal(err)
		}
		problems, err := s.Reconcile(t.Context(), 1)
		if err != nil || !strings.Contains(fmt.Sprint(problems), c.want) {
			t.Errorf("%s: %v %v", c.fault, problems, err)
		}
	}
}

func TestFinance(t *testing.T) {
	t.Parallel()
	s, _ := start(t)
	rows, next, err := s.Campaigns(t.Context(), reports.Filter{Limit: 1})
	if err != nil || len(rows) != 1 || rows[0].Code != "empty" || next != 2 {
		t.Fatalf("first page: %+v %d %v", rows, next, err)
	}
	rows, next, err = s.Campaigns(t.Context(), reports.Filter{Limit: 1, After: next})
	if err != nil || len(rows) != 1 || rows[0].Code != "spring" || next != 0 {
		t.Fatalf("second page: %+v %d %v", rows, next, err)
	}
	for search, want := range map[string]int{"SPRI": 1, "%": 0, "": 2} {
		got, _, err := s.Campaigns(t.Context(), reports.Filter{Search: search})
		if err != nil || len(got) != want {
			t.Errorf("search %q finds %d, want %d (%v)", search, len(got), want, err)
		}
	}
	all, err := s.AllCampaigns(t.Context(), reports.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	report, err := s.Campaign(t.Context(), 1)
	if err != nil || fmt.Sprint(report.Figures.Cost, *report.Revenue, report.Responses) != fmt.Sprint(all[1].Cost, *all[1].Revenue, all[1].Responses) {
		t.Errorf("list and report differ: %+v %+v %v", all[1], report.Figures, err)
	}
	var buf bytes.Buffer
	if err := reports.WriteCampaignsCSV(&buf, all); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(&buf).ReadAll()
	if err != nil || len(lines) != 3 {
		t.Fatal(lines, err)
	}
	cell := map[string]string{}
	for i, name := range lines[0] {
		cell[name] = lines[2][i]
		cell["empty "+name] = lines[1][i]
	}
	for name, want := range map[string]string{"name": "'=Spring", "cost": "28.60", "currency": "USD", "roi": "-0.160839161",
		"launched_at": "2026-03-01T09:00:00Z", "empty revenue": "", "empty roi": "", "empty cost": "0.00"} {
		if cell[name] != want {
			t.Errorf("CSV %s is %q, want %q", name, cell[name], want)
		}
	}
	buf.Reset()
	if err := reports.WriteCampaignsXLSX(&buf, all); err != nil {
		t.Fatal(err)
	}
	book, err := excelize.OpenReader(&buf)
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	if got, err := book.GetCellValue("Campaigns", "O3"); err != nil || got != "28.60" {
		t.Errorf("XLSX cost is %q %v", got, err)
	}
	totals, err := reports.Totals(append(all, all[1]))
	if err != nil || len(totals) != 2 || totals[1].Currency != "USD" || totals[1].Campaigns != 2 {
		t.Fatalf("totals: %+v %v", totals, err)
	}
	if got := fmt.Sprintf("%s %s %.6f", totals[1].Cost, totals[1].Margin, *totals[1].ROI); got != "57.20 48.00 -0.160839" {
		t.Errorf("total of dollars: %s", got)
	}
	if totals[0].Revenue != nil {
		t.Errorf("revenue in pounds without a rate must not be available: %v", totals[0].Revenue)
	}
}

func TestLedgerPages(t *testing.T) {
	t.Parallel()
	s, _ := start(t)
	var kinds []string
	for after := ""; ; {
		rows, next, err := s.Ledger(t.Context(), 1, reports.LedgerPage{Limit: 2, After: after})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range rows {
			kinds = append(kinds, e.Kind+e.Step+e.List+e.Amount.String())
		}
		if after = next; after == "" {
			break
		}
	}
	if len(kinds) != 6 || kinds[0] != "fixed20.00" || kinds[1] != "listRented5.00" {
		t.Errorf("ledger: %v", kinds)
	}
	rows, _, err := s.Ledger(t.Context(), 1, reports.LedgerPage{StepID: 2, ListID: 2})
	if err != nil || len(rows) != 1 || rows[0].Amount.String() != "1.00" {
		t.Errorf("rows behind a figure: %+v %v", rows, err)
	}
	for _, bad := range []string{"x", "!!", "MTIz"} {
		if _, _, err := s.Ledger(t.Context(), 1, reports.LedgerPage{After: bad}); !fault.Is(err, fault.Invalid) {
			t.Errorf("cursor %q: %v", bad, err)
		}
	}
}

func TestDashboard(t *testing.T) {
	t.Parallel()
	s, pool := start(t)
	if _, err := pool.Exec(t.Context(), `
		INSERT INTO unmatched_responses (unmatched_id, kind, at, source, reason, payload) VALUES (gen_random_uuid(), 'coupon', '2026-03-02', 'shop', 'unknown keycode', '{}');
		INSERT INTO river_job (kind, queue, args, max_attempts, state, scheduled_at) VALUES ('x', 'email', '{}', 5, 'available', '2026-03-20 11:59Z'), ('x', 'email', '{}', 5, 'retryable', '2026-03-20 11:59Z')`); err != nil {
		t.Fatal(err)
	}
	d, err := s.Dashboard(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Running) != 1 || d.Running[0].Planned != 11 || d.Running[0].Sent != 9 || d.Running[0].Done != 10 {
		t.Errorf("running: %+v", d.Running)
	}
	if len(d.Days) != 14 || d.Days[13].Day != "2026-03-20" || d.Days[0].Day != "2026-03-07" || d.Days[2].Responses != 1 {
		t.Errorf("days: %+v", d.Days)
	}
	if len(d.Queues) != 1 || d.Queues[0].Waiting != 1 || d.Queues[0].Retrying != 1 || d.Queues[0].OldestSeconds != 60 {
		t.Errorf("queues: %+v", d.Queues)
	}
	if got := fmt.Sprint(d.Waiting, d.Counts.Campaigns); got != "[{unmatched 1}] map[draft:1 running:1]" {
		t.Errorf("waiting and counts: %s", got)
	}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	s, pool := start(t)
	if _, err := pool.Exec(t.Context(), `INSERT INTO call_attempts (customer_id, attempt_id, call_id, agent, outcome, note, at)
		VALUES (1, gen_random_uuid(), 9, 'eve', 'busy', 'noisy', '2020-01-01')`); err != nil {
		t.Fatal(err)
	}
	var got []string
	for after := ""; ; {
		events, next, err := s.History(t.Context(), 1, after, 3)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			line := e.Kind + " " + e.What
			if e.Amount != nil {
				line += " " + e.Amount.String() + " " + e.Currency
			}
			got = append(got, line)
		}
		if after = next; after == "" {
			break
		}
	}
	want := "order #3 -5.00 EUR, order #1 30.00 EUR, response reply, touch sent 1.00 USD, response click, response click|response open, touch sent 0.10 USD, call busy"
	if len(got) != 9 || got[0] != "order #3 -5.00 EUR" || got[3] != "touch sent 1.00 USD" || got[7] != "touch sent 0.10 USD" || got[8] != "call busy" {
		t.Errorf("history is %v, want about %s", got, want)
	}
	// Very many events: every one stands there once, those of one moment too, and a page does not read them all.
	if _, err := pool.Exec(t.Context(), `INSERT INTO events (customer_id, at, event_id, name, recorded_at)
		SELECT 2, timestamptz '2026-01-01' + n / 7 * interval '1 minute', gen_random_uuid(), 'e' || n, '2026-01-01' FROM generate_series(1, 20000) n; ANALYZE events`); err != nil {
		t.Fatal(err)
	}
	seen, pages := map[string]bool{}, 0
	for after := ""; ; pages++ {
		events, next, err := s.History(t.Context(), 2, after, 1000)
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range events {
			if e.Kind == "event" && seen[e.What] || i > 0 && e.At.After(events[i-1].At) {
				t.Fatalf("%s stands there twice or in the wrong place", e.What)
			}
			seen[e.What] = seen[e.What] || e.Kind == "event"
		}
		if after = next; after == "" {
			break
		}
	}
	delete(seen, "sent")
	if n := strings.Count(fmt.Sprint(seen), ":true"); n != 20000 || pages < 20 {
		t.Errorf("%d events on %d pages", n, pages+1)
	}
	rows, _ := pool.Query(t.Context(), "EXPLAIN (ANALYZE, TIMING OFF) "+reports.HistorySQL, pgx.NamedArgs{"id": 2, "after_at": at, "after_key": "e", "limit": 51})
	plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || strings.Contains(strings.Join(plan, "\n"), "rows=20000") {
		t.Errorf("a page reads all events: %v\n%s", err, strings.Join(plan, "\n"))
	}
	if _, _, err := s.History(t.Context(), 1, "nonsense!", 3); !fault.Is(err, fault.Invalid) {
		t.Errorf("bad mark: %v", err)
	}
	codes, err := s.Keycodes(t.Context(), 1)
	if err != nil || len(codes) != 3 || codes[0].Code != "MAIL1" || codes[0].Step != "mail" || codes[2].List != "Rented" {
		t.Errorf("keycodes: %+v %v", codes, err)
	}
}

func TestAudit(t *testing.T) {
	t.Parallel()
	s, pool := start(t)
	if _, err := pool.Exec(t.Context(), `INSERT INTO audit_log (audit_id, at, actor, action, object_kind, object_id)
		SELECT gen_random_uuid(), '2026-03-01', 'cli', 'thing.change', 'thing', n::text FROM generate_series(1, 5) n`); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for after := ""; ; {
		list, next, err := s.Audit(t.Context(), reports.AuditFilter{Kind: "thing", After: after, Limit: 2})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list {
			seen[e.ObjectID] = true
		}
		if after = next; after == "" {
			break
		}
	}
	if len(seen) != 5 {
		t.Errorf("pages of equal time lose entries: %v", seen)
	}
}
