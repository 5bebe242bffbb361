package delivery_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sys/unix"

	"aldine/campaigns"
)

// strict refuses some recipients with an answer.
type strict struct {
	refuse func(to string) *smtp.SMTPError
}

func (s *strict) NewSession(*smtp.Conn) (smtp.Session, error) { return s, nil }
func (s *strict) Mail(string, *smtp.MailOptions) error        { return nil }
func (s *strict) Reset()                                      {}
func (s *strict) Logout() error                               { return nil }
func (s *strict) Data(r io.Reader) error                      { _, err := io.Copy(io.Discard, r); return err }
func (s *strict) Rcpt(to string, _ *smtp.RcptOptions) error {
	if e := s.refuse(to); e != nil {
		return e
	}
	return nil
}

func (w *world) campaigns() *campaigns.Service {
	return campaigns.New(campaigns.Deps{Pool: w.pool, Jobs: w.jobs, Settings: w.settings, Customers: w.people, Now: w.now, Log: logger})
}

// TestRefusalsPauseTheCampaign: the list is not burnt when the sender or the mail is at fault, and a person lets it go on.
func TestRefusalsPauseTheCampaign(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.config
	c.SMTPURL = w.relayOf(&strict{func(string) *smtp.SMTPError {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "blocked, ask postmaster"}
	}})
	s := w.step("email", "customer", "0.01")
	w.add(s, mails(200)...)
	w.plan(s, 0, everybody)
	w.work(w.open(c))
	failed := w.id(`SELECT count(*) FROM touches WHERE state = 'failed'`, nil)
	planned := w.id(`SELECT count(*) FROM touches WHERE state = 'planned'`, nil)
	if failed < 5 || failed > 25 || failed+planned != 200 {
		t.Errorf("touches %s", w.counts(s))
	}
	w.want("state", w.text(`SELECT state FROM campaigns`, nil), "paused")
	if said := w.troubles(); !strings.Contains(said, "5 messages in a row were refused") || !strings.Contains(said, "blocked, ask postmaster") {
		t.Errorf("troubles: %q", said)
	}
	w.want("suppressions", w.text(`SELECT count(*)::text FROM suppressions`, nil), "0")
	_, err := w.campaigns().Resume(context.Background(), w.campaign)
	w.must(err)
	w.want("troubles", w.troubles(), "")
	w.work(w.delivery)
	if got := w.id(`SELECT count(*) FROM touches WHERE state = 'sent'`, nil); got != planned {
		t.Errorf("%d sent after the resume, %d were planned: %s", got, planned, w.counts(s))
	}
}

// TestUnknownAddressIsSuppressed: an address that does not exist is not tried again by the next campaign.
func TestUnknownAddressIsSuppressed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := w.config
	c.SMTPURL = w.relayOf(&strict{func(to string) *smtp.SMTPError {
		switch {
		case strings.HasPrefix(to, "p3@"):
			return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "user unknown"}
		case strings.HasPrefix(to, "p4@"):
			return &smtp.SMTPError{Code: 552, EnhancedCode: smtp.EnhancedCode{5, 2, 2}, Message: "mailbox full"}
		}
		return nil
	}})
	s := w.step("email", "customer", "0.01")
	w.add(s, mails(10)...)
	w.plan(s, 0, everybody)
	w.work(w.open(c))
	w.want("touches", w.counts(s), "failed:2 sent:8")
	w.want("suppressed", w.text(`SELECT coalesce(string_agg(scope || ' ' || value || ' ' || split_part(reason, ':', 1), '; '), '') FROM suppressions`, nil), "email p3@x.example hard bounce")
	w.want("state", w.text(`SELECT state FROM campaigns`, nil), "running")
}

// TestSlowProcessIsNotOvertaken: while the process that has claimed touches still holds its journal, another leaves them alone.
func TestSlowProcessIsNotOvertaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.step("email", "customer", "0.01")
	ids := w.add(s, mails(6)...)
	w.plan(s, 0, everybody)
	job := w.id(`SELECT id FROM river_job WHERE kind = 'delivery_send'`, nil)
	w.exec(`UPDATE touches SET state = 'sending', attempt = 1, provider_ref = 'job:' || @job::bigint || ':1' WHERE customer_id = ANY(@ids)`, pgx.NamedArgs{"job": job, "ids": ids[:4]})
	w.exec(`UPDATE river_job SET attempt = 1 WHERE id = @job`, pgx.NamedArgs{"job": job})
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	w.must(err)
	w.must(os.MkdirAll(filepath.Join(w.config.DataDir, "handover"), 0o700))
	body := []byte(strings.TrimSpace(string(boot)) + "\n")
	mark := func(fate byte, id int64) {
		body = append(body, fate, 0, 0, 0, 0, byte(id>>24), byte(id>>16), byte(id>>8), byte(id))
	}
	mark('B', ids[0])
	mark('S', ids[0])
	mark('B', ids[1])
	path := filepath.Join(w.config.DataDir, "handover", "job-"+w.text(`SELECT @job::bigint::text`, pgx.NamedArgs{"job": job})+"-1")
	w.must(os.WriteFile(path, body, 0o600))
	held, err := os.Open(path)
	w.must(err)
	w.must(unix.Flock(int(held.Fd()), unix.LOCK_EX))
	done := make(chan struct{})
	go func() { defer close(done); w.work(w.delivery) }()
	select {
	case <-done:
	case <-time.After(1500 * time.Millisecond):
	}
	w.want("while the other lives", w.counts(s), "planned:2 sending:4")
	w.must(held.Close())
	<-done
	w.exec(`UPDATE river_job SET scheduled_at = now()`, nil)
	w.work(w.delivery)
	w.want("after its end", w.counts(s), "sent:5 unconfirmed:1")
	w.want("mails", w.text(`SELECT count(*)::text FROM sandbox_messages`, nil), "4")
}

// TestDeletedJobLeavesNothingBehind: touches whose job is no more are settled when the campaign's jobs are made anew.
func TestDeletedJobLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.step("email", "customer", "0.01")
	ids := w.add(s, mails(5)...)
	w.plan(s, 0, everybody)
	w.exec(`UPDATE touches SET state = 'sending', attempt = 1, provider_ref = 'job:999:1' WHERE customer_id = ANY(@ids)`, pgx.NamedArgs{"ids": ids[:2]})
	w.exec(`DELETE FROM river_job`, nil)
	_, err := w.jobs.Insert(t.Context(), campaigns.ResumedArgs{CampaignID: w.campaign}, nil)
	w.must(err)
	w.work(w.delivery)
	w.want("touches", w.counts(s), "sent:3 unconfirmed:2")
}
