package delivery_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"bytes"

	"github.com/emersion/go-smtp"
	"github.com/jackc/pgx/v5"

	"aldine/customers"
	"aldine/delivery"
	"aldine/delivery/sandbox"
	"aldine/tracking"
)

func mails(n int) []person {
	people := make([]person, n)
	for i := range people {
		people[i] = person{email: fmt.Sprintf("p%d@x.example", i), phone: fmt.Sprintf("+4479111%05d", i), address: fmt.Sprint(i + 1), cell: i % 2, list: 1}
	}
	return people
}

func TestMail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.step("email", "customer", "0.01")
	ids := w.add(s, mails(25)...)
	w.plan(s, 0, everybody)
	w.work(w.delivery)
	w.want("touches", w.counts(s), "sent:25")
	w.want("money", w.money(), "0/0.25")
	box, err := w.delivery.Outbox(t.Context(), sandbox.Query{Recipient: "p3@x.example"})
	w.must(err)
	if len(box) != 1 || box[0].Subject != "Roses for P3" || box[0].Sender != "news@aldine.example" {
		t.Fatalf("outbox %+v", box)
	}
	m, err := w.delivery.OutboxMessage(t.Context(), box[0].ID)
	w.must(err)
	parsed, err := mail.ReadMessage(bytes.NewReader(m.Raw))
	w.must(err)
	token := tracking.Token{CampaignID: w.campaign, StepID: s.ID, CustomerID: ids[3]}
	urls := tracking.URLs{Base: "https://aldine.example", Signer: w.signer}
	unsubscribe := urls.UnsubscribeURL(token)
	_, id := tracking.Addresses{Signer: w.signer}.Marks(token, "aldine.example")
	for name, want := range map[string]string{
		"From": `"Aldine" <news@aldine.example>`, "To": "<p3@x.example>", "List-Unsubscribe": "<" + unsubscribe + ">",
		"List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
		"Message-ID":            "<" + id + ">",
	} {
		w.want(name, parsed.Header.Get(name), want)
	}
	link := token
	link.LinkID = w.id(`SELECT link_id FROM links WHERE url = 'https://shop.example/roses?id={{ customer.id }}'`, nil)
	for _, want := range []string{urls.ClickURL(link), urls.PixelURL(token), unsubscribe, "Dear P3"} {
		if !strings.Contains(m.HTML, want) {
			t.Errorf("%q is not in the HTML part:\n%s", want, m.HTML)
		}
	}
	if i, j := strings.Index(m.HTML, "/t/o/"), strings.Index(m.HTML, "</BODY>"); i < 0 || j < i {
		t.Errorf("the pixel is not before the end of the body:\n%s", m.HTML)
	}
	for _, want := range []string{urls.ClickURL(link), unsubscribe, "Dear P3"} {
		if !strings.Contains(m.Text, want) {
			t.Errorf("%q is not in the text part:\n%s", want, m.Text)
		}
	}
	w.want("ledger", w.text(`SELECT string_agg(DISTINCT kind || ':' || channel || ':' || currency, ' ') || ' ' || sum(quantity) || ' ' || count(DISTINCT (cell_id, keycode)) FROM cost_entries`, nil), "piece:email:EUR 25 2")
}

// TestCheckedAgainWhenSent: what happened between plan and sending counts.
func TestCheckedAgainWhenSent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.step("email", "customer", "0.01")
	ids := w.add(s, mails(5)...)
	w.plan(s, 0, everybody)
	_, err := w.people.Suppress(t.Context(), []customers.Suppression{{Scope: "email", Value: "p0@x.example", Reason: "asked"}})
	w.must(err)
	w.must(w.people.SetConsents(t.Context(), []customers.Consent{{CustomerID: ids[1], Channel: "email", Source: "test"}}))
	w.exec(`UPDATE customers SET email = NULL WHERE customer_id = @id`, pgx.NamedArgs{"id": ids[2]})
	w.exec(`DELETE FROM customers WHERE customer_id = @id`, pgx.NamedArgs{"id": ids[3]})
	w.work(w.delivery)
	w.want("touches", w.counts(s), "deleted:1 no_address:1 no_consent:1 sent:1 suppressed:1")
	w.want("money", w.money(), "0/0.01")
}

// TestKilledWorker takes a process away after it claimed a group: nothing of the group is sent again by itself.
func TestKilledWorker(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.step("email", "customer", "0.01")
	ids := w.add(s, mails(30)...)
	w.plan(s, 0, everybody)
	// As the first attempt of the job left it: ten claimed, of which nobody knows what became.
	job := w.id(`SELECT id FROM river_job WHERE kind = 'delivery_send'`, nil)
	w.exec(`UPDATE touches SET state = 'sending', attempt = 1, provider_ref = 'job:' || @job::bigint || ':1' WHERE customer_id = ANY(@ids)`, pgx.NamedArgs{"job": job, "ids": ids[10:20]})
	w.exec(`UPDATE river_job SET attempt = 1 WHERE id = @job`, pgx.NamedArgs{"job": job})
	w.work(w.delivery)
	w.want("touches", w.counts(s), "sent:20 unconfirmed:10")
	w.want("mails", w.text(`SELECT count(*) || '/' || count(DISTINCT recipient) FROM sandbox_messages`, nil), "20/20")
	w.want("money", w.money(), "0.1/0.2")

	list, err := w.delivery.UnconfirmedTouches(t.Context(), w.campaign, nil, 4)
	w.must(err)
	rest, err := w.delivery.UnconfirmedTouches(t.Context(), w.campaign, &list[3], 100)
	w.must(err)
	if len(list) != 4 || len(rest) != 6 || list[0].CustomerID != ids[10] || list[0].Reason == "" {
		t.Errorf("%d and %d unconfirmed: %+v", len(list), len(rest), list)
	}
	// A person says of one that it arrived, of another that it did not.
	n, err := w.delivery.ResolveUnconfirmed(t.Context(), w.campaign, s.ID, ids[10], false)
	w.must(err)
	if n != 1 {
		t.Errorf("settled %d", n)
	}
	_, err = w.delivery.ResolveUnconfirmed(t.Context(), w.campaign, s.ID, ids[11], true)
	w.must(err)
	w.exec(`UPDATE campaigns SET state = 'finished'`, nil) // even then
	w.work(w.delivery)
	w.want("touches", w.counts(s), "sent:22 unconfirmed:8")
	w.want("mails", w.text(`SELECT count(*) || '/' || count(DISTINCT recipient) FROM sandbox_messages`, nil), "21/21")
	w.want("money", w.money(), "0.08/0.22")
	if _, err := w.delivery.ResolveUnconfirmed(t.Context(), w.campaign, s.ID, ids[11], true); err == nil {
		t.Error("a settled touch was settled again")
	}
	_, err = w.delivery.ResolveUnconfirmed(t.Context(), w.campaign, 0, 0, false)
	w.must(err)
	w.want("touches", w.counts(s), "sent:30")
	w.want("money", w.money(), "0/0.3")
}

// faulty is a relay that misbehaves for some recipients.
type faulty struct {
	mu     sync.Mutex
	taken  map[string]int
	broken atomic.Bool // 421 for all
}

type faultySession struct {
	f    *faulty
	conn *smtp.Conn
	to   string
}

func (f *faulty) NewSession(c *smtp.Conn) (smtp.Session, error) {
	if f.broken.Load() {
		return nil, &smtp.SMTPError{Code: 421, Message: "closing for lunch"}
	}
	return &faultySession{f: f, conn: c}, nil
}
func (s *faultySession) Mail(string, *smtp.MailOptions) error { return nil }
func (s *faultySession) Reset()                               {}
func (s *faultySession) Logout() error                        { return nil }
func (s *faultySession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	switch {
	case strings.HasPrefix(to, "p1@"):
		return &smtp.SMTPError{Code: 550, Message: "no such user"}
	case strings.HasPrefix(to, "p2@"):
		s.f.mu.Lock()
		defer s.f.mu.Unlock()
		if s.f.taken["grey"]++; s.f.taken["grey"] == 1 {
			return &smtp.SMTPError{Code: 451, Message: "come back later"}
		}
	case strings.HasPrefix(to, "p3@"):
		_ = s.conn.Conn().Close()
		return errors.New("gone")
	}
	return nil
}

func (s *faultySession) Data(r io.Reader) error {
	if _, err := io.Copy(io.Discard, r); err != nil {
		return err
	}
	s.f.mu.Lock()
	s.f.taken[s.to]++
	s.f.mu.Unlock()
	switch {
	case strings.HasPrefix(s.to, "p4@"): // the mail was taken, but the yes is lost
		_ = s.conn.Conn().Close()
	case strings.HasPrefix(s.to, "p5@"):
		return &smtp.SMTPError{Code: 554, Message: "looks like spam\nto us"}
	}
	return nil
}

func (w *world) relay(f *faulty) string {
	w.t.Helper()
	f.taken = map[string]int{}
	return w.relayOf(f)
}

func (w *world) relayOf(f smtp.Backend) string {
	w.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	w.must(err)
	srv := smtp.NewServer(f)
	srv.Domain = "relay.example"
	go func() { _ = srv.Serve(l) }()
	w.t.Cleanup(func() { _ = srv.Close() })
	return "smtp://" + l.Addr().String() + "?tls=off"
}

func TestRelayFaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := &faulty{}
	c := w.config
	c.SMTPURL = w.relay(f)
	d := w.open(c)
	s := w.step("email", "customer", "0.01")
	ids := w.add(s, mails(10)...)
	w.plan(s, 0, everybody)
	w.work(d)
	// p1 refused, p2 put off, p3 broke before the mail, p4 broke after it, p5 refused after it.
	w.want("touches", w.counts(s), "failed:2 planned:2 sent:5 unconfirmed:1")
	for i, want := range map[int]string{1: "550", 4: "no answer from the mail server after the mail was handed over", 5: "554"} {
		if got := w.text(`SELECT reason FROM touches WHERE customer_id = @id`, pgx.NamedArgs{"id": ids[i]}); !strings.Contains(got, want) || strings.Contains(got, "\n") {
			t.Errorf("person %d: %q", i, got)
		}
	}
	w.want("the job waits", w.text(`SELECT state::text FROM river_job WHERE kind = 'delivery_send'`, nil), "retryable")
	w.work(d)
	w.want("touches", w.counts(s), "failed:2 planned:1 sent:6 unconfirmed:1")
	f.mu.Lock()
	for to, n := range f.taken {
		if n > 1 && to != "grey" {
			t.Errorf("%s was handed over %d times", to, n)
		}
	}
	f.mu.Unlock()
	w.want("money", w.money(), "0.02/0.06")
	// What was put off for days is given up.
	w.exec(`UPDATE river_job SET errors = (SELECT array_agg(e || '{"at": "2026-01-01T00:00:00Z"}') FROM unnest(errors) e) WHERE kind = 'delivery_send'`, nil)
	w.work(d)
	w.want("touches", w.counts(s), "failed:3 sent:6 unconfirmed:1")
	if got := w.text(`SELECT reason FROM touches WHERE customer_id = @id`, pgx.NamedArgs{"id": ids[3]}); !strings.Contains(got, "given up: the connection to the mail server broke") {
		t.Errorf("the reason: %q", got)
	}
	w.want("money", w.money(), "0.01/0.06")
}

func TestRelayOutOfReach(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	f := &faulty{}
	f.broken.Store(true)
	c := w.config
	c.SMTPURL = w.relay(f)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	w.must(err)
	w.must(closed.Close())
	for _, url := range []string{c.SMTPURL, "smtp://" + closed.Addr().String()} {
		c.SMTPURL = url
		d := w.open(c)
		s := w.step("email", "customer", "0.01")
		w.add(s, mails(25)...)
		w.plan(s, 0, everybody)
		w.work(d)
		w.want("touches", w.counts(s), "planned:25")
		w.work(w.delivery) // the relay is back
		w.want("touches", w.counts(s), "sent:25")
	}
}

func TestGatewayFaults(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var ill atomic.Bool
	ill.Store(true)
	gateway := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch {
		case strings.Contains(string(body), "+447911100001"):
			rw.WriteHeader(422)
			_, _ = io.WriteString(rw, `{"error":"landline"}`)
		case strings.Contains(string(body), "+447911100002"):
			c, _, err := rw.(http.Hijacker).Hijack()
			if err == nil {
				_ = c.Close()
			}
		case ill.Load():
			rw.WriteHeader(500)
		default:
			_, _ = io.WriteString(rw, `{"message_id":"g-1"}`)
		}
	}))
	defer gateway.Close()
	c := w.config
	c.SMSURL = gateway.URL
	d := w.open(c)
	s := w.step("sms", "customer", "0.05")
	w.add(s, mails(6)...)
	w.plan(s, 0, everybody)
	w.work(d)
	w.want("touches", w.counts(s), "failed:1 planned:4 unconfirmed:1")
	w.want("troubles", w.troubles(), "sms: the gateway answered 500 Internal Server Error")
	ill.Store(false)
	w.work(d)
	w.want("troubles", w.troubles(), "")
	w.want("touches", w.counts(s), "failed:1 sent:4 unconfirmed:1")
	w.want("reference", w.text(`SELECT DISTINCT provider_ref FROM touches WHERE state = 'sent'`, nil), "g-1")
	w.want("money", w.money(), "0.05/0.2")
}

func TestSMS(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.step("sms", "customer", "0.05")
	w.add(s, mails(3)...)
	w.plan(s, 0, everybody)
	w.work(w.delivery)
	w.want("touches", w.counts(s), "sent:3")
	box, err := w.delivery.Outbox(t.Context(), sandbox.Query{Channel: "sms"})
	w.must(err)
	if len(box) != 3 || !strings.Contains(box[0].Snippet, "https://aldine.example/t/c/") || !strings.HasPrefix(box[0].Snippet, "P") || box[0].Sender != "ALDINE" {
		t.Errorf("outbox %+v", box)
	}
	// Repeated by a person's click, the gateway knows the message and does not send it again.
	w.exec(`UPDATE touches SET state = 'unconfirmed' WHERE customer_id = (SELECT min(customer_id) FROM touches)`, nil)
	_, err = w.delivery.ResolveUnconfirmed(t.Context(), w.campaign, 0, 0, true)
	w.must(err)
	w.work(w.delivery)
	w.want("touches", w.counts(s), "sent:3")
	w.want("messages", w.text(`SELECT count(*)::text FROM sandbox_messages`, nil), "3")
}

func TestBadConfiguration(t *testing.T) {
	t.Parallel()
	_, err := delivery.New(delivery.Deps{}, delivery.Config{SMTPURL: "relay", SMSURL: "ftp://x"})
	for _, want := range []string{"SMTP address", "SMS gateway", "data folder", "signing key"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
}
