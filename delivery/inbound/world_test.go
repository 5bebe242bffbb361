package inbound_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aldine/customers"
	"aldine/delivery/inbound"
	"aldine/internal/pgtest"
	"aldine/internal/queue"
	"aldine/internal/settings"
	"aldine/tracking"
)

const domain = "bounces.shop.example"

// start is when the story of a test begins; mails went out from ten days before on, one a day.
var start = time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC)

// world has campaign 1 with the e-mail steps 11 to 19, each sent to customers 1 (anna), 2 (bob) and 3 (who shares bob's
// address, and was sent nothing).
type world struct {
	t      testing.TB
	pool   *pgxpool.Pool
	s      *inbound.Service
	signed tracking.Addresses
	urls   tracking.URLs
	clock  atomic.Int64
	server *inbound.Server
	track  *tracking.Service
	people *customers.Service
	store  *settings.Store
}

func newWorld(t testing.TB, l inbound.Limits) *world {
	t.Helper()
	w := &world{t: t, pool: pgtest.New(t)}
	w.clock.Store(start.UnixNano())
	now := func() time.Time { return time.Unix(0, w.clock.Load()).UTC() }
	jobs, err := queue.NewInserter(w.pool)
	if err != nil {
		t.Fatal(err)
	}
	signer := tracking.NewSigner([]byte("0123456789abcdef0123456789abcdef"))
	store := settings.New(w.pool, now)
	people := customers.New(customers.Deps{Pool: w.pool, Jobs: jobs, Settings: store, DataDir: t.TempDir(), Now: now})
	track := tracking.New(tracking.Deps{Pool: w.pool, Jobs: jobs, Settings: store, Customers: people, Signer: signer, Now: now})
	w.track, w.people, w.store = track, people, store
	w.signed, w.urls = tracking.Addresses{Domain: domain, Signer: signer}, tracking.URLs{Base: "https://m.shop.example", Signer: signer}
	w.s = inbound.New(inbound.Deps{Pool: w.pool, Settings: store, Tracking: track, Signer: signer, Domain: "Bounces.Shop.example", Now: now})
	if w.server, err = w.s.Listen("127.0.0.1:0", nil, l); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		if err := w.server.Close(ctx); err != nil {
			t.Error(err)
		}
		if err := track.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	w.exec(`INSERT INTO campaigns (campaign_id, code, name, currency, state, created_by, created_at, updated_at) VALUES (1, 'spring', 'Spring', 'USD', 'running', 'test', @now, @now)`)
	w.exec(`INSERT INTO cells (cell_id, campaign_id, name, share, position) VALUES (31, 1, 'A', 10000, 0)`)
	w.exec(`INSERT INTO steps (step_id, campaign_id, version, key, position, kind, channel) SELECT 10 + n, 1, 1, 'mail' || n, n, 'send', 'email' FROM generate_series(1, 9) n`)
	w.exec(`INSERT INTO customers (customer_id, first_name, email, created_at, updated_at)
		VALUES (1, 'Anna', 'anna@example.org', @now, @now), (2, 'Bob', 'pair@example.org', @now, @now), (3, 'Cleo', 'pair@example.org', @now, @now)`)
	w.exec(`INSERT INTO customer_emails (email, customer_id) VALUES ('anna@example.org', 1), ('pair@example.org', 2), ('pair@example.org', 3)`)
	w.exec(`INSERT INTO consents (customer_id, channel, granted, source, at) SELECT c, 'email', true, 'test', @now FROM generate_series(1, 3) c`)
	w.exec(`INSERT INTO touches (customer_id, campaign_id, step_id, channel, cell_id, state, destination, planned_at, sent_at, updated_at)
		SELECT c, 1, 10 + n, 'email', 31, 'sent', CASE c WHEN 1 THEN 'anna@example.org' ELSE 'pair@example.org' END, @now, at, at
		FROM generate_series(1, 2) c, generate_series(1, 9) n, LATERAL (SELECT @now::timestamptz + n * interval '1 day') x (at)`)
	return w
}

func (w *world) exec(sql string) {
	w.t.Helper()
	if _, err := w.pool.Exec(context.Background(), sql, pgx.NamedArgs{"now": start.AddDate(0, 0, -10)}); err != nil {
		w.t.Fatal(err)
	}
}

// text is the values of a query, as text with commas.
func (w *world) text(sql string) (s string) {
	w.t.Helper()
	if err := w.pool.QueryRow(context.Background(), "SELECT coalesce(string_agg(v::text, ', '), '') FROM ("+sql+") AS x (v)").Scan(&s); err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w *world) want(sql, want string) {
	w.t.Helper()
	if got := w.text(sql); got != want {
		w.t.Errorf("%s\n got %q\nwant %q", sql, got, want)
	}
}

// Common questions.
const (
	responses    = `SELECT concat_ws(' ', r.kind, r.customer_id, r.step_id, r.method) FROM responses r ORDER BY r.response_id`
	suppressions = `SELECT concat_ws(' ', scope, match_key, channel, reason) FROM suppressions ORDER BY match_key`
	refused      = `SELECT customer_id FROM consents WHERE NOT granted ORDER BY 1`
	unmatched    = `SELECT concat_ws(' ', kind, source, reason) FROM unmatched_responses ORDER BY unmatched_id`
	bounced      = `SELECT concat_ws('/', customer_id, step_id) FROM touches WHERE state = 'bounced' ORDER BY 1`
	mails        = `SELECT concat_ws(' ', source, kind, outcome, nullif(reason, ''), step_id) FROM inbound_mails ORDER BY received_at, kind`
)

const unproven = "nothing in it proves that it is about a mail of ours"

// resolve lets a person say that the n-th unmatched response is a customer's.
func (w *world) resolve(n int, customer int64) {
	w.t.Helper()
	open, err := w.track.Unmatched(context.Background(), "", 0)
	if err == nil {
		_, err = w.track.Resolve(context.Background(), open.Responses[n-1].ID, tracking.Resolution{CustomerID: customer})
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) token(customer, step int64) tracking.Token {
	return tracking.Token{CampaignID: 1, StepID: step, CustomerID: customer}
}

func (w *world) back(customer, step int64) string {
	return w.signed.ReturnPath(w.token(customer, step))
}

// post sends a mail by SMTP and gives the server's answer.
func (w *world) post(raw string, to ...string) error {
	w.t.Helper()
	c, err := smtp.Dial(w.server.Addr())
	if err != nil {
		w.t.Fatal(err)
	}
	defer c.Close()
	return c.SendMail("", to, strings.NewReader(strings.ReplaceAll(strings.ReplaceAll(raw, "\r\n", "\n"), "\n", "\r\n")))
}

func (w *world) posted(raw string, to ...string) {
	w.t.Helper()
	if err := w.post(raw, to...); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) refuses(code int, raw string, to ...string) {
	w.t.Helper()
	err := w.post(raw, to...)
	if !strings.Contains(fmt.Sprint(err), fmt.Sprint(code)) {
		w.t.Errorf("to %v: %v, want %d", to, err, code)
	}
}

// dsn is a report of a mail server.
func dsn(recipient, action, status, words, original string) string {
	return `From: MAILER-DAEMON@mx.example.net
Subject: Undelivered Mail Returned to Sender
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

I could not deliver it.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; ` + recipient + `
Action: ` + action + `
Status: ` + status + `
Diagnostic-Code: smtp; ` + words + `

--b
Content-Type: text/rfc822-headers

` + original + `

--b--
`
}

const gone = "550 5.1.1 User unknown"
