package delivery_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/campaigns"
	"aldine/campaigns/journey"
	"aldine/campaigns/rollup"
	"aldine/internal/settings"
)

// hours gives a step hours of its own.
func (w *world) hours(s journey.Step, window string) {
	w.exec(`UPDATE steps SET config = jsonb_build_object('window', @window::text) WHERE step_id = @step`, pgx.NamedArgs{"window": window, "step": s.ID})
}

// set sets the clock.
func (w *world) set(at string) {
	w.t.Helper()
	t, err := time.Parse("2006-01-02 15:04 -0700", at)
	w.must(err)
	w.clock.Store(t.UnixNano())
}

// waits gives what rules let pieces wait, and until when.
func (w *world) waits() (said string) {
	w.t.Helper()
	// How many are planned is said by the figures, which follow a little later.
	for w.id(`SELECT count(*) FROM rollup_marks`, nil) > 0 {
		w.must(rollup.Fold(w.t.Context(), w.pool, rollup.ConfigOf(settings.Defaults()), time.Now, 10*time.Second))
	}
	d, err := w.campaigns().Get(w.t.Context(), w.campaign)
	w.must(err)
	for _, x := range d.Waits {
		said += x.Rule + ": " + x.Message
		if x.Next != nil {
			said += " until " + x.Next.UTC().Format("02 15:04")
		}
		said += "; "
	}
	return said
}

// waiting gives how many jobs wait for their hour.
func (w *world) waiting() string {
	return w.text(`SELECT count(*)::text FROM river_job WHERE kind = 'delivery_send' AND state = 'scheduled' AND scheduled_at > now() + interval '10 seconds'`, nil)
}

// TestSendHours: over midnight, and where clocks are set forward while the window is open. The company's clock is Berlin's.
func TestSendHours(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.settings.Update(t.Context(), func(v *settings.Values) error { v.DefaultTimeZone = "Europe/Berlin"; return nil })
	w.must(err)
	s := w.step("email", "customer", "0.01")
	w.hours(s, "sat 22:00-02:30")
	w.set("2026-03-28 20:59 +0000") // a minute to ten
	w.add(s, mails(3)...)
	w.exec(`UPDATE enrollments SET due_at = @now`, pgx.NamedArgs{"now": w.now()})
	w.plan(s, 0, everybody)
	w.want("jobs that wait", w.waiting(), "1")
	w.want("why", w.waits(), "window: its messages go Sat from 22:00 to 02:30, by the clock of Europe/Berlin until 28 21:00; ")
	w.work(w.delivery) // too early: the clock stands
	w.want("before the window", w.counts(s), "planned:3")
	w.set("2026-03-29 00:59 +0000") // 01:59 in Berlin; a minute later it is 03:00
	w.work(w.delivery)
	w.want("in the night", w.counts(s), "sent:3")

	late := w.add(s, mails(2)...)
	w.exec(`UPDATE enrollments SET due_at = @now WHERE state = 'active'`, pgx.NamedArgs{"now": w.now()})
	w.set("2026-03-29 01:00 +0000") // 03:00: over
	w.plan(s, late[0], everybody)
	w.want("after the window", w.counts(s), "planned:2 sent:3")
	w.want("jobs that wait", w.waiting(), "1")
	w.want("why", w.waits(), "window: its messages go Sat from 22:00 to 02:30, by the clock of Europe/Berlin until 04 20:00; ")
	w.want("for how long", w.text(`SELECT round(extract(epoch FROM scheduled_at - now()) / 3600)::text FROM river_job WHERE state = 'scheduled' AND kind = 'delivery_send'`, nil), "163")
	w.want("money", w.money(), "0.02/0.03")
}

// TestSendHoursOfSettings: they hold where the step says nothing, and for its channel only.
func TestSendHoursOfSettings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.settings.Update(t.Context(), func(v *settings.Values) error { v.WindowEmail = "mon 09:00-17:00"; return nil })
	w.must(err)
	mail, anytime, text := w.step("email", "customer", "0.01"), w.step("email", "customer", "0.01"), w.step("sms", "customer", "0.05")
	w.hours(anytime, "always")
	for _, s := range []journey.Step{mail, anytime} {
		ids := w.add(s, mails(2)...)
		w.plan(s, ids[0], everybody)
	}
	ids := w.add(text, person{phone: "+447911123456"})
	w.plan(text, ids[0], everybody)
	w.work(w.delivery)
	w.want("by the settings", w.counts(mail), "planned:2")
	w.want("by the step", w.counts(anytime), "sent:2")
	w.want("text", w.counts(text), "sent:1")
	w.pass(6 * 24 * time.Hour) // Monday
	w.work(w.delivery)
	w.want("on Monday", w.counts(mail), "sent:2")
}

// TestSendHoursOfCustomers: each customer's messages go when the hours begin where the customer lives.
func TestSendHoursOfCustomers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.step("email", "customer", "0.01")
	w.hours(s, "09:00-18:00 local")
	p := mails(4)
	p[0].zone, p[1].zone = "America/Los_Angeles", "Asia/Tokyo"
	p[2].country = "DE" // one zone; the fourth is in Britain
	w.add(s, p...)
	w.plan(s, 0, everybody)
	w.want("jobs that wait", w.waiting(), "2")
	w.want("why", w.waits(), "window: its messages go every day from 09:00 to 18:00, by each customer's own clock until 03 17:00; ")
	w.work(w.delivery) // 15:00 in London, 07:00 in Los Angeles, midnight in Tokyo
	w.want("at first", w.counts(s), "planned:2 sent:2")
	w.set("2026-03-03 17:00 +0000")
	w.work(w.delivery)
	w.want("nine in Los Angeles", w.counts(s), "planned:1 sent:3")
	w.want("who waits", w.text(`SELECT c.time_zone FROM touches t JOIN customers c USING (customer_id) WHERE t.state = 'planned'`, nil), "Asia/Tokyo")
	w.want("why", w.waits(), "window: its messages go every day from 09:00 to 18:00, by each customer's own clock until 04 00:00; ")
	w.set("2026-03-04 00:00 +0000")
	w.work(w.delivery)
	w.want("nine in Tokyo", w.counts(s), "sent:4")
}

// TestSendHoursAfterTheEnd: who cannot be reached before the campaign's end is told so at once, and the money is free.
func TestSendHoursAfterTheEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec(`UPDATE campaigns SET ends_at = @end`, pgx.NamedArgs{"end": start.Add(4 * time.Hour)})
	s := w.step("email", "customer", "0.01")
	w.hours(s, "09:00-18:00 local")
	p := mails(4)
	p[0].zone, p[1].zone = "America/Los_Angeles", "Asia/Tokyo"
	w.add(s, p...)
	w.plan(s, 0, everybody)
	w.work(w.delivery)
	w.want("at first", w.counts(s), "planned:1 sent:2 too_late:1")
	w.pass(4 * time.Hour)
	w.work(w.delivery)
	w.want("at the end", w.counts(s), "sent:2 too_late:2")
	w.want("money", w.money(), "0/0.02")
}

// TestSendHoursWithPauseAndCancel: neither leaves anything behind, however often somebody pauses.
func TestSendHoursWithPauseAndCancel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.step("email", "customer", "0.01")
	w.hours(s, "wed 09:00-18:00")
	w.add(s, mails(700)...)
	w.plan(s, 0, everybody)
	for range 3 {
		w.exec(`UPDATE campaigns SET state = 'paused'`, nil)
		w.exec(`UPDATE campaigns SET state = 'running'`, nil)
		w.enqueue(campaigns.ResumedArgs{CampaignID: w.campaign})
		w.run(w.delivery)
	}
	w.want("jobs that wait", w.waiting(), "2")
	w.want("touches", w.counts(s), "planned:700")
	w.exec(`UPDATE campaigns SET state = 'paused'`, nil)
	w.work(w.delivery) // the jobs find a campaign that does not run
	w.want("jobs of a paused campaign", w.waiting(), "0")
	w.set("2026-03-04 10:00 +0000")
	w.exec(`UPDATE campaigns SET state = 'running'`, nil)
	w.enqueue(campaigns.ResumedArgs{CampaignID: w.campaign})
	w.work(w.delivery)
	w.want("on Wednesday", w.counts(s), "sent:700")

	ids := w.add(s, mails(3)...)
	w.exec(`UPDATE enrollments SET due_at = @now WHERE state = 'active'`, pgx.NamedArgs{"now": w.now()})
	w.set("2026-03-05 10:00 +0000")
	w.plan(s, ids[0], everybody)
	w.exec(`UPDATE campaigns SET state = 'cancelled'`, nil)
	w.enqueue(campaigns.CancelledArgs{CampaignID: w.campaign})
	w.work(w.delivery)
	w.want("cancelled", w.counts(s), "cancelled:3 sent:700")
	w.want("jobs left", w.text(`SELECT count(*)::text FROM river_job WHERE state <> 'completed' AND kind <> 'campaign_finish'`, nil), "0")
	w.want("money", w.money(), "0/7")
}

// TestSendHoursEndMeanwhile: what is not handed over when the hours end waits for the next day.
func TestSendHoursEndMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.step("email", "customer", "0.01")
	w.hours(s, "09:00-15:01")
	w.add(s, mails(400)...)
	w.plan(s, 0, everybody)
	c := &counting{got: map[string]int{}, at: make(chan struct{})}
	config := w.config
	config.SMTPURL = w.relayOf(c)
	go func() {
		<-c.at
		w.pass(2 * time.Minute)
	}()
	config.EmailConnections = 1
	w.run(w.open(config))
	sent := w.id(`SELECT count(*) FROM touches WHERE state = 'sent'`, nil)
	if sent < 100 || sent == 400 {
		t.Errorf("%d were sent", sent)
	}
	w.want("the others", w.text(`SELECT string_agg(DISTINCT state, ' ' ORDER BY state) FROM touches`, nil), "planned sent")
	w.want("jobs that wait", w.waiting(), "1")
	w.pass(18 * time.Hour)
	w.work(w.open(config))
	w.want("the next day", w.counts(s), "sent:400")
	for to, n := range c.got {
		if n != 1 {
			t.Errorf("%s got %d mails", to, n)
		}
	}
}

// TestSendHoursOfNumbers: an SMS waits until its hours have come wherever the number may be.
func TestSendHoursOfNumbers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.step("sms", "customer", "0.05")
	w.hours(s, "09:00-20:00 local")
	w.add(s, person{phone: "+12125550123", country: "US"}, person{phone: "+13105550123", country: "US", zone: "America/New_York"}, person{phone: "+447911123456"})
	w.plan(s, 0, everybody)
	w.work(w.delivery) // 10:00 in New York, 07:00 in Los Angeles
	w.want("at first", w.counts(s), "planned:1 sent:2")
	w.pass(2 * time.Hour)
	w.work(w.delivery)
	w.want("later", w.counts(s), "sent:3")
}

// TestSendHoursKilled: a process that dies while jobs wait for their hour takes nothing with it, for they are in the database alone.
func TestSendHoursKilled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.step("email", "customer", "0.01")
	w.add(s, mails(600)...)
	w.plan(s, 0, everybody) // jobs for now; they find the window closed
	w.hours(s, "16:00-18:00")
	child := w.child(w.box.SMTPURL())
	for deadline := time.Now().Add(60 * time.Second); w.waiting() != "2"; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s jobs wait", w.waiting())
		}
	}
	w.must(child.Process.Kill())
	_ = child.Wait()
	w.want("touches", w.counts(s), "planned:600")
	w.want("campaigns without a job", w.text(`SELECT count(*)::text FROM river_job WHERE kind = 'delivery_send' AND state = 'running'`, nil), "0")
	w.pass(time.Hour)
	w.work(w.delivery)
	w.want("at four", w.counts(s), "sent:600")
}
