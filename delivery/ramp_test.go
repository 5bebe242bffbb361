package delivery_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/internal/settings"
)

func (w *world) ramp(start, growth, target int) {
	_, err := w.settings.Update(w.t.Context(), func(v *settings.Values) error {
		v.RampStart, v.RampGrowthPct, v.RampTarget, v.FromEmail = start, growth, target, "news@new.example"
		return nil
	})
	w.must(err)
}

func (w *world) taken() string {
	return w.text(`SELECT coalesce(string_agg(taken || '/' || allowed, ' ' ORDER BY day), '') FROM ramp_days`, nil)
}

// TestRampUp: the day's volume is shared by processes and campaigns, and grows.
func TestRampUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ramp(300, 100, 600)
	s := w.step("email", "customer", "0.01")
	w.add(s, mails(1100)...)
	w.plan(s, 0, everybody)
	two := w.open(w.config)
	both := func() {
		w.exec(`UPDATE river_job SET state = 'available', scheduled_at = now() WHERE state = 'scheduled'`, nil)
		var wg sync.WaitGroup
		wg.Go(func() { w.run(w.delivery) })
		wg.Go(func() { w.run(two) })
		wg.Wait()
	}
	both()
	w.want("first day", w.counts(s), "planned:800 sent:300")
	w.want("volume", w.taken(), "300/300")
	w.want("why", w.waits(), "ramp: new.example is new as a sender: 300 of today's 300 mails are sent, tomorrow at most 600 until 04 00:00; ")
	both() // nobody is let through by another look
	w.want("first day", w.counts(s), "planned:800 sent:300")
	w.pass(24 * time.Hour)
	w.exec(`UPDATE customers SET email = NULL WHERE customer_id IN (SELECT customer_id FROM touches WHERE state = 'planned' ORDER BY customer_id LIMIT 100)`, nil)
	both()
	both()
	w.want("second day", w.text(`SELECT count(*)::text FROM touches WHERE state = 'sent'`, nil), "900") // who is excluded takes no volume, if it is his turn at all
	w.want("volume", w.taken(), "300/300 600/600")
	w.pass(24 * time.Hour)
	both()
	w.want("no limit any more", w.counts(s), "no_address:100 sent:1000")
	w.want("volume", w.taken(), "300/300 600/600")
	w.want("money", w.money(), "0/10")
}

// TestRampGivesBack: mails that the relay did not take are not counted.
func TestRampGivesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ramp(50, 100, 1000)
	s := w.step("email", "customer", "0.01")
	w.add(s, mails(40)...)
	w.plan(s, 0, everybody)
	c := w.config
	c.SMTPURL = "smtp://127.0.0.1:1"
	w.work(w.open(c))
	w.want("nobody answers", w.counts(s), "planned:40")
	w.want("volume", w.taken(), "0/50")
	w.work(w.delivery)
	w.want("sent", w.counts(s), "sent:40")
	w.want("volume", w.taken(), "40/50")
}

// TestRampPassesOver: those who turn out to be excluded leave their part of the day's volume to the others at once.
func TestRampPassesOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ramp(50, 100, 1000)
	s := w.step("email", "customer", "0.01")
	ids := w.add(s, mails(160)...)
	w.plan(s, 0, everybody)
	w.exec(`UPDATE customers SET email = NULL WHERE customer_id = ANY(@ids)`, pgx.NamedArgs{"ids": ids[:90]})
	w.run(w.delivery)
	w.want("first day", w.counts(s), "no_address:90 planned:20 sent:50")
	w.want("volume", w.taken(), "50/50")
}

// TestRampOfADeadProcess: what a process had taken and not handed over goes back to the day on which it was taken.
func TestRampOfADeadProcess(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ramp(50, 100, 1000)
	s := w.step("email", "customer", "0.01")
	w.add(s, mails(30)...)
	w.plan(s, 0, everybody)
	job := w.id(`SELECT id FROM river_job WHERE kind = 'delivery_send'`, nil)
	w.exec(`UPDATE touches SET state = 'sending', attempt = 1, provider_ref = 'job:' || @job::bigint || ':1', updated_at = @now`, pgx.NamedArgs{"job": job, "now": w.now()})
	w.exec(`UPDATE river_job SET attempt = 1 WHERE id = @job`, pgx.NamedArgs{"job": job})
	w.exec(`INSERT INTO ramp_days (channel, sender, day, allowed, taken) VALUES ('email', 'new.example', '2026-03-03', 50, 50), ('email', 'new.example', '2026-03-04', 100, 40)`, nil)
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	w.must(err)
	w.must(os.MkdirAll(filepath.Join(w.config.DataDir, "handover"), 0o700))
	w.must(os.WriteFile(filepath.Join(w.config.DataDir, "handover", fmt.Sprintf("job-%d-1", job)), []byte(strings.TrimSpace(string(boot))+"\n"), 0o600))
	w.pass(24 * time.Hour)
	w.work(w.delivery)
	w.want("touches", w.counts(s), "planned:20 sent:10") // with 20 of 50 used up, the second day allows 50
	w.want("volume", w.taken(), "20/50 50/50")
}

// TestRampWithoutLetterhead: what cannot be written takes no volume, however often it is tried.
func TestRampWithoutLetterhead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ramp(50, 100, 1000)
	s := w.step("email", "customer", "0.01")
	w.add(s, mails(30)...)
	w.plan(s, 0, everybody)
	w.exec(`UPDATE settings SET value = '"nobody"' WHERE name = 'from_email'`, nil)
	w.settings = settings.New(w.pool, w.now)
	d := w.open(w.config)
	w.run(d)
	w.work(d)
	w.want("touches", w.counts(s), "planned:30")
	w.want("volume", w.text(`SELECT coalesce(sum(taken), 0)::text FROM ramp_days`, nil), "0")
}
