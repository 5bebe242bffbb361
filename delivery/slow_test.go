package delivery_test

import (
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/jackc/pgx/v5"
)

// sluggish takes its time for each mail.
type sluggish struct {
	slow  atomic.Bool
	mails atomic.Int64
}

func (s *sluggish) NewSession(*smtp.Conn) (smtp.Session, error) { return s, nil }
func (s *sluggish) Mail(string, *smtp.MailOptions) error        { return nil }
func (s *sluggish) Rcpt(string, *smtp.RcptOptions) error        { return nil }
func (s *sluggish) Reset()                                      {}
func (s *sluggish) Logout() error                               { return nil }
func (s *sluggish) Data(r io.Reader) error {
	if s.slow.Load() {
		time.Sleep(200 * time.Millisecond)
	}
	_, err := io.Copy(io.Discard, r)
	if err == nil { // else it was broken off, as the relay is told of a mail before it gets it
		s.mails.Add(1)
	}
	return err
}

// TestSlowRelayHoldsUpNobody: a relay that takes minutes for what a large campaign's jobs hold already holds up neither short messages nor a
// small campaign's mails.
func TestSlowRelayHoldsUpNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	relay := &sluggish{}
	relay.slow.Store(true)
	c := w.config
	c.SMTPURL, c.EmailConnections = w.relayOf(relay), 4
	d := w.open(c)
	w.exec(`UPDATE campaigns SET audience = 1000000`, nil)
	large := w.step("email", "customer", "0.01")
	w.crowd(large, 3000, "large.example")
	w.plan(large, 0, everybody)
	done := make(chan struct{})
	go func() { defer close(done); w.run(d) }()
	eventually := func(what string, within time.Duration, ok func() bool) {
		t.Helper()
		for end := time.Now().Add(within); !ok(); time.Sleep(50 * time.Millisecond) {
			if time.Now().After(end) {
				t.Errorf("%s; the large campaign has %s", what, w.text(`SELECT string_agg(n::text || ' ' || state, ', ') FROM (
					SELECT state, count(*) AS n FROM touches WHERE step_id = @step GROUP BY 1) x`, pgx.NamedArgs{"step": large.ID}))
				return
			}
		}
	}
	eventually("nothing is sent", 20*time.Second, func() bool { return relay.mails.Load() > 20 })
	w.second()
	w.exec(`UPDATE campaigns SET audience = 40 WHERE campaign_id = @id`, pgx.NamedArgs{"id": w.campaign})
	small, text := w.step("email", "customer", "0.01"), w.step("sms", "customer", "0.01")
	w.add(small, mails(20)...)
	w.plan(small, 0, everybody)
	people := mails(20)
	for i := range people {
		people[i].email = ""
		people[i].phone = strings.Replace(people[i].phone, "+4479111", "+4479112", 1)
	}
	w.add(text, people...)
	w.plan(text, 0, everybody)
	eventually("the short messages wait", 10*time.Second, func() bool { return w.counts(text) == "sent:20" })
	eventually("the small campaign waits", 20*time.Second, func() bool { return w.counts(small) == "sent:20" })
	relay.slow.Store(false)
	<-done
	w.campaign = large.CampaignID
	w.want("the large campaign", w.counts(large), "sent:3000")
	if n := relay.mails.Load(); n != 3020 {
		t.Errorf("%d mails for 3020 people", n)
	}
}
