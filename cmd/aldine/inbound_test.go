package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"aldine/internal/dnstest"
	"aldine/internal/pgtest"
	"aldine/tracking"
)

const returned = "From: MAILER-DAEMON@mx.example.net\r\nSubject: Returned mail\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n" +
	"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.net\r\n\r\nFinal-Recipient: rfc822; anna@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\n" +
	"Diagnostic-Code: smtp; 550 5.1.1 User unknown %s\r\n\r\n--b--\r\n"

// A mail comes back to a running server, by SMTP and by REST, and once more.
func TestReturnedMail(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	shell := shell{t, []string{"--data", t.TempDir(), "--database-url", pgtest.NewURL(t), "--bounce-domain", "bounces.shop.example"}}
	token := shell.ok("token", "create", "--role", "marketer")
	_, base, printed := startServerPrinting(t, append(shell.args, "--inbound-listen", "127.0.0.1:0", "--log-level", "error")...)
	_, at, ok := strings.Cut(printed, "Mail to bounces.shop.example is taken in at ")
	if !ok {
		t.Fatal(printed)
	}
	at, _, _ = strings.Cut(at, "\n")
	cfg := &config{Data: t.TempDir(), DatabaseURL: shell.args[3], Connections: 8, LogLevel: "error", LogFormat: "text"}
	a, err := openApp(ctx, cfg, slog.New(slog.DiscardHandler), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.close)
	for _, sql := range []string{
		`INSERT INTO campaigns (campaign_id, code, name, currency, state, created_by, created_at, updated_at) VALUES (1, 'spring', 'Spring', 'USD', 'finished', 'test', now(), now())`,
		`INSERT INTO steps (step_id, campaign_id, version, key, position, kind, channel) VALUES (11, 1, 1, 'mail', 0, 'send', 'email')`,
		`INSERT INTO customers (customer_id, email, created_at, updated_at) SELECT n, 'p' || n || '@example.org', now(), now() FROM generate_series(1, 2) n`,
		`INSERT INTO touches (customer_id, campaign_id, step_id, channel, cell_id, state, destination, planned_at, sent_at, updated_at)
			SELECT n, 1, 11, 'email', 1, 'sent', 'p' || n || '@example.org', now(), now(), now() FROM generate_series(1, 2) n`,
	} {
		if _, err := a.pool.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	signed := tracking.Addresses{Domain: "bounces.shop.example", Signer: a.signer}
	back := func(n int64) string {
		return signed.ReturnPath(tracking.Token{CampaignID: 1, StepID: 11, CustomerID: n})
	}
	for range 2 {
		c, err := smtp.Dial(at)
		if err != nil {
			t.Fatal(err)
		}
		err = c.SendMail("", []string{back(1)}, strings.NewReader(fmt.Sprintf(returned, "one")))
		if _ = c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	post := func(token, body string) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/api/v1/inbound/mail?to="+back(2), strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "message/rfc822")
		r.Header.Set("Authorization", "Bearer "+token)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		var b strings.Builder
		_ = answer.Write(&b) // what could be read says enough
		return answer.StatusCode, b.String()
	}
	for i, want := range []string{`"repeated":false`, `"repeated":true`} {
		status, body := post(token, fmt.Sprintf(returned, "two"))
		if status != http.StatusOK || !strings.Contains(body, want) || !strings.Contains(body, `"kind":"hard"`) {
			t.Errorf("time %d: %d %s", i+1, status, body)
		}
	}
	for name, c := range map[string]struct {
		token, body string
		status      int
	}{"a stranger": {"nonsense", "x", 401}, "a reader": {shell.ok("token", "create", "--role", "readonly"), "x", 403}, "nothing": {token, "", 422}, "too much": {token, strings.Repeat("x", 5<<20), 413}} {
		if status, body := post(c.token, c.body); status != c.status {
			t.Errorf("%s: %d, want %d: %s", name, status, c.status, body)
		}
	}
	var state string
	err = a.pool.QueryRow(ctx, `SELECT (SELECT string_agg(state, ' ') FROM touches) || ' ' || (SELECT string_agg(match_key, ' ' ORDER BY match_key) FROM suppressions)
		|| ' ' || (SELECT count(*) FROM responses)`).Scan(&state)
	if want := "bounced bounced p1@example.org p2@example.org 2"; err != nil || state != want {
		t.Errorf("%s %v, want %s", state, err, want)
	}
	shell.args = append(shell.args, "--inbound-listen", at)
	if _, out, _ := shell.run("doctor"); !strings.Contains(out, "ok  returned mail to bounces.shop.example: a listener answers at "+at) {
		t.Error(out)
	}
}

// From nothing to a domain that is believed: the key is made, its record published, and the doctor finds nothing more to mend.
func TestDoctorOfADomain(t *testing.T) {
	t.Parallel()
	s := shell{t, []string{"--data", t.TempDir()}} // without any database
	path := filepath.Join(t.TempDir(), "key.pem")
	_, out, errs := s.run("dkim", "key", "--selector", "s1", "--domain", "shop.example", "--type", "ed25519", "--out", path)
	_, line, ok := strings.Cut(out, "s1._domainkey.shop.example. IN TXT ( \"")
	if !ok {
		t.Fatal(out, errs)
	}
	key, _, _ := strings.Cut(line, "\"")
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o600 {
		t.Fatal(st, err)
	}
	s.fails(1, []string{"there already"}, "dkim", "key", "--selector", "s1", "--domain", "shop.example", "--out", path)
	s.fails(1, []string{"not a domain"}, "dkim", "key", "--selector", "s1", "--domain", "shop", "--out", path+"2")
	known := dnstest.Records{"shop.example": {"MX 10 mail.shop.example"}, "mail.shop.example": {"A 192.0.2.1"}}
	args := []string{"doctor", "--domain", "shop.example", "--bounce-domain", "bounces.shop.example", "--dkim", "s1=" + path}
	status, out, _ := s.run(append(args, "--resolver", dnstest.Serve(t, known))...)
	for _, words := range []string{"BAD DKIM key s1", "add s1._domainkey.shop.example. IN TXT \"" + key, "BAD SPF of bounces.shop.example", "BAD DMARC of shop.example",
		"ok  answers to shop.example", "BAD returned mail to bounces.shop.example"} {
		if status != 1 || !strings.Contains(out, words) {
			t.Errorf("status %d, no %q in\n%s", status, words, out)
		}
	}
	known = dnstest.Records{"shop.example": {"MX 10 mail.shop.example"}, "mail.shop.example": {"A 192.0.2.1"}, "s1._domainkey.shop.example": {"TXT " + key},
		"bounces.shop.example": {"TXT v=spf1 ip4:192.0.2.1 -all", "MX 10 mail.shop.example"}, "_dmarc.shop.example": {"TXT v=DMARC1; p=reject; rua=mailto:d@shop.example"}}
	if status, out, errs := s.run(append(args, "--resolver", dnstest.Serve(t, known))...); status != 0 || strings.Contains(out, "BAD") {
		t.Errorf("status %d\n%s%s", status, out, errs)
	}
	_, out, _ = s.run(append(args, "--resolver", dnstest.Serve(t, known), "--smtp-url", "smtp://198.51.100.7:25")...)
	for _, words := range []string{"BAD SPF for the mail server 198.51.100.7: your mail server 198.51.100.7 is not covered", "add ip4:198.51.100.7", "BAD reverse DNS of 198.51.100.7"} {
		if !strings.Contains(out, words) {
			t.Errorf("no %q in\n%s", words, out)
		}
	}
	if _, out, _ := s.run(append(args, "--resolver", dnstest.Serve(t, known), "--relay", "192.0.2.1")...); !strings.Contains(out, "ok  SPF for the mail server 192.0.2.1: covered by ip4:192.0.2.1") {
		t.Error(out)
	}
	s.fails(1, []string{"--relay", "192.0.2.1"}, append(args, "--relay", "nonsense")...)
	s.fails(1, []string{"host:port"}, append(args, "--resolver", "nonsense")...)
	s.fails(2, []string{"--bounce-domain", "--inbound-listen", "--dkim"}, "serve", "--bounce-domain", "x", "--inbound-listen", "y", "--dkim", "z")
	s.fails(2, []string{"needs ALDINE_BOUNCE_DOMAIN"}, "serve", "--inbound-listen", "127.0.0.1:2525")
}
