package tracking_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"aldine/campaigns/rollup/rolluptest"
	"aldine/customers"
	"aldine/internal/pgtest"
	"aldine/internal/queue"
	"aldine/internal/settings"
	"aldine/tracking"
)

// start is when the story of a test begins; the campaign was sent the day before.
var start = time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)

const (
	browser   = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
	mailStep  = 11
	smsStep   = 12
	postStep  = 13
	campaign  = 1
	linkPlain = 21
	linkTags  = 22
	linkEvil  = 23
)

// world is a database in which campaign 1 ("spring") has e-mail, SMS and post steps. Customers: 1 anna (all three
// touches sent), 2 and 3 share an e-mail and a phone (2 got the e-mail, 3 the SMS), 4 has had nothing.
type world struct {
	t     testing.TB
	pool  *pgxpool.Pool
	s     *tracking.Service
	urls  tracking.URLs
	web   *httptest.Server
	now   time.Time
	code  string // of the post step
	stats *prometheus.Registry
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{t: t, pool: pgtest.New(t), now: start, stats: prometheus.NewRegistry(), code: tracking.NewKeycode(randomBytes(9))}
	rolluptest.Follow(t, w.pool)
	now := func() time.Time { return w.now }
	jobs, err := queue.NewInserter(w.pool)
	if err != nil {
		t.Fatal(err)
	}
	signer := tracking.NewSigner(secret)
	store := settings.New(w.pool, now)
	w.s = tracking.New(tracking.Deps{
		Pool: w.pool, Jobs: jobs, Settings: store, Signer: signer, Now: now, Registry: w.stats,
		Customers: customers.New(customers.Deps{Pool: w.pool, Jobs: jobs, Settings: store, DataDir: t.TempDir(), Now: now}),
		Expand: func(_ context.Context, url string, customer, campaign int64) (string, error) {
			return strings.ReplaceAll(url, "{{ customer.first_name }}", "Anna"), nil
		},
	})
	w.web = httptest.NewServer(w.s.Handler())
	w.urls = tracking.URLs{Base: w.web.URL, Signer: signer}
	t.Cleanup(func() {
		w.web.Close()
		if err := w.s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	w.exec(`INSERT INTO campaigns (campaign_id, code, name, currency, state, created_by, created_at, updated_at)
		VALUES (1, 'spring', 'Spring <roses>', 'USD', 'running', 'test', @now, @now), (2, 'winter', 'Winter', 'USD', 'finished', 'test', @now, @now)`)
	w.exec(`INSERT INTO cells (cell_id, campaign_id, name, share, position) VALUES (31, 1, 'A', 10000, 0), (32, 2, 'A', 10000, 0)`)
	w.exec(`INSERT INTO steps (step_id, campaign_id, version, key, position, kind, channel)
		VALUES (11, 1, 1, 'mail', 0, 'send', 'email'), (12, 1, 1, 'text', 1, 'send', 'sms'), (13, 1, 1, 'letter', 2, 'send', 'post'),
			(19, 2, 1, 'letter', 0, 'send', 'post')`)
	w.exec(`INSERT INTO keycodes (keycode, campaign_id, step_id, cell_id, medium, created_at) VALUES (@code, 1, 13, 31, 'post', @now)`, "code", w.code)
	w.exec(`INSERT INTO links (link_id, campaign_id, url) VALUES (21, 1, 'https://shop.example.org/roses?a=1&b=2'),
		(22, 1, 'https://shop.example.org/hello/{{ customer.first_name }}'), (23, 1, 'javascript:alert(1)')`)
	w.exec(`INSERT INTO customers (customer_id, external_id, first_name, email, phone, created_at, updated_at)
		VALUES (1, 'X1', 'Anna', 'anna@example.org', '+12025550101', @now, @now), (2, 'X2', 'Bob', 'pair@example.org', '+12025550102', @now, @now),
			(3, 'X3', 'Cleo', 'pair@example.org', '+12025550102', @now, @now), (4, 'X4', 'Dan', 'dan@example.org', '+12025550104', @now, @now)`)
	w.exec(`INSERT INTO customer_external_ids (external_id, customer_id) VALUES ('X1', 1), ('X2', 2), ('X3', 3), ('X4', 4)`)
	w.exec(`INSERT INTO customer_emails (email, customer_id) VALUES ('anna@example.org', 1), ('pair@example.org', 2), ('pair@example.org', 3), ('dan@example.org', 4)`)
	w.exec(`INSERT INTO customer_phones (phone, customer_id) VALUES ('+12025550101', 1), ('+12025550102', 2), ('+12025550102', 3), ('+12025550104', 4)`)
	w.exec(`INSERT INTO consents (customer_id, channel, granted, source, at) SELECT c, ch, true, 'test', @now
		FROM generate_series(1, 4) c, unnest('{email,sms,post,calls}'::text[]) ch`)
	sent := start.Add(-24 * time.Hour)
	w.touch(1, campaign, mailStep, "email", "anna@example.org", sent)
	w.touch(1, campaign, smsStep, "sms", "+12025550101", sent.Add(time.Minute))
	w.touch(1, campaign, postStep, "post", "", sent.Add(-time.Hour))
	w.touch(2, campaign, mailStep, "email", "pair@example.org", sent)
	w.touch(3, campaign, smsStep, "sms", "+12025550102", sent)
	return w
}

func (w *world) exec(sql string, args ...any) {
	w.t.Helper()
	named := pgx.NamedArgs{"now": start.Add(-48 * time.Hour)}
	for i := 0; i < len(args); i += 2 {
		named[args[i].(string)] = args[i+1]
	}
	if _, err := w.pool.Exec(w.t.Context(), sql, named); err != nil {
		w.t.Fatal(err)
	}
	rolluptest.Wrote(w.t, w.pool, sql)
}

func (w *world) touch(customer, campaign, step int64, channel, destination string, sent time.Time) {
	w.t.Helper()
	w.exec(`INSERT INTO touches (customer_id, campaign_id, step_id, channel, cell_id, state, destination, planned_at, sent_at, updated_at)
		VALUES (@customer, @campaign::bigint, @step, @channel, 30 + @campaign::bigint, 'sent', nullif(@destination::text, ''), @sent::timestamptz, @sent::timestamptz, @sent::timestamptz)`,
		"customer", customer, "campaign", campaign, "step", step, "channel", channel, "destination", destination, "sent", sent)
}

// text is the single value of a query, as text; "" for null, and for several rows all of them with commas.
func (w *world) text(sql string, args ...any) string {
	w.t.Helper()
	w.settle()
	rows, err := w.pool.Query(w.t.Context(), "SELECT coalesce(string_agg(v::text, ', '), '') FROM ("+sql+") AS x (v)", args...)
	if err != nil {
		w.t.Fatal(err)
	}
	v, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[string])
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

// settle waits until hits that were answered are among the responses, unless a test has seen to it that they cannot.
func (w *world) settle() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := w.s.Settle(ctx); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) want(sql, want string) {
	w.t.Helper()
	if got := w.text(sql); got != want {
		w.t.Errorf("%s\n got %q\nwant %q", sql, got, want)
	}
}

// await waits for what follows from hits after they were answered.
func (w *world) await(sql, want string) {
	w.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); w.text(sql) != want && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	w.want(sql, want)
}

func (w *world) record(source string, r ...tracking.Response) []tracking.Outcome {
	w.t.Helper()
	out, err := w.s.Record(w.t.Context(), source, r)
	if err != nil {
		w.t.Fatal(err)
	}
	return out
}

// request sends one request without following redirects.
func (w *world) request(method, url, agent, body string) (*http.Response, string) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("User-Agent", agent)
	r.Header.Set("X-Forwarded-For", "203.0.113.7") // as if passed on by a proxy: from elsewhere
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	var b strings.Builder
	buf := make([]byte, 32<<10)
	for {
		n, err := res.Body.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			break
		}
	}
	return res, b.String()
}

func money(s string) decimal.Decimal { return decimal.MustParse(s) }
