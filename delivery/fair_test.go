package delivery_test

import (
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
	"github.com/jackc/pgx/v5"

	"aldine/campaigns/journey"
)

// second makes another running campaign, which later steps and customers belong to.
func (w *world) second() {
	w.campaign = w.id(`INSERT INTO campaigns (code, name, currency, budget, state, created_by, created_at, updated_at, entry_done_at, audience)
		VALUES ('second', 'Second', 'EUR', 1000, 'running', 'test', @now, @now, @now, 30000) RETURNING campaign_id`, pgx.NamedArgs{"now": start})
	for i := range w.cells {
		w.cells[i] = w.id(`INSERT INTO cells (campaign_id, name, share, is_control, position) VALUES (@campaign, @name, 3333, @control, @position) RETURNING cell_id`,
			pgx.NamedArgs{"campaign": w.campaign, "name": string(rune('A' + i)), "control": i == 2, "position": i})
	}
}

// crowd makes many customers who stand at a step, their addresses at a domain.
func (w *world) crowd(s journey.Step, n int, domain string) {
	w.exec(`WITH c AS (INSERT INTO customers (first_name, last_name, email, created_at, updated_at)
			SELECT 'P' || i, 'Smith', 'p' || i || '@' || @domain::text, @now, @now FROM generate_series(1, @n::int) i RETURNING customer_id)
		INSERT INTO enrollments (customer_id, campaign_id, version, cell_id, step_id, due_at, state, entered_at, updated_at)
		SELECT customer_id, @campaign, 1, @cell, @step, @now, 'active', @now, @now FROM c`,
		pgx.NamedArgs{"n": n, "domain": domain, "campaign": w.campaign, "cell": w.cells[0], "step": s.ID, "now": start})
}

// order notes to which domains mails come, one after the other.
type order struct {
	mu      sync.Mutex
	domains []string
}

type orderSession struct {
	o  *order
	to string
}

func (o *order) NewSession(*smtp.Conn) (smtp.Session, error)      { return &orderSession{o: o}, nil }
func (s *orderSession) Mail(string, *smtp.MailOptions) error      { return nil }
func (s *orderSession) Rcpt(to string, _ *smtp.RcptOptions) error { s.to = to; return nil }
func (s *orderSession) Reset()                                    {}
func (s *orderSession) Logout() error                             { return nil }
func (s *orderSession) Data(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	s.o.mu.Lock()
	s.o.domains = append(s.o.domains, s.to[strings.IndexByte(s.to, '@')+1:])
	s.o.mu.Unlock()
	return err
}

// TestFairTake: of two campaigns of one priority, the one that was planned later is not held up until the other is through.
func TestFairTake(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec(`UPDATE campaigns SET audience = 30000`, nil) // both are of the middle priority
	o := &order{}
	c := w.config
	c.SMTPURL = w.relayOf(o)
	const n = 8000 // 16 jobs each
	first := w.step("email", "customer", "0.01")
	w.crowd(first, n, "first.example")
	w.plan(first, 0, everybody)
	w.second()
	second := w.step("email", "customer", "0.01")
	w.crowd(second, n/2, "second.example")
	w.plan(second, 0, n+n/4) // in two slices, as the engine does
	w.plan(second, n+n/4+1, everybody)
	w.run(w.open(c))
	w.want("second", w.counts(second), "sent:4000")
	// In the time of the second campaign's 4,000, as many of the first one go; some jobs are worked at once, so the order is not exact.
	theirs := 0
	for i, d := range o.domains {
		if d == "second.example" {
			theirs++
		}
		if i+1 == n/2 && (theirs < 1000 || theirs > 3000) {
			t.Errorf("%d of the first %d mails are the second campaign's", theirs, n/2)
		}
	}
	last := n + n/2
	for last > 0 && o.domains[last-1] == "first.example" {
		last--
	}
	if last > n*5/4 {
		t.Errorf("the second campaign ended with mail %d of %d", last, n+n/2)
	}
}

// TestTurns: the queue's own order, job by job, also for who comes late, and after jobs were taken.
func TestTurns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec(`UPDATE campaigns SET audience = 30000`, nil)
	one := w.step("email", "customer", "0.01")
	w.crowd(one, 3000, "one.example")
	w.plan(one, 0, 1500)
	w.plan(one, 1501, everybody)
	turns := func() string {
		return w.text(`SELECT coalesce(string_agg(c.code, ' ' ORDER BY j.priority, j.scheduled_at, j.id), '') FROM river_job j
			JOIN campaigns c ON c.campaign_id::text = j.args ->> 'campaign_id' WHERE j.kind = 'delivery_send' AND j.state = 'available'`, nil)
	}
	// Two were taken by the time the second campaign comes.
	w.exec(`UPDATE river_job SET state = 'completed', finalized_at = now() WHERE id IN (
		SELECT id FROM river_job WHERE kind = 'delivery_send' ORDER BY priority, scheduled_at, id LIMIT 2)`, nil)
	w.second()
	two := w.step("email", "customer", "0.01")
	w.crowd(two, 1000, "two.example")
	w.plan(two, 3001, everybody)
	w.want("turns", turns(), "spring-2026 second spring-2026 second spring-2026 spring-2026")
}
