package delivery_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/internal/settings"
)

// TestFrequencyCap: what other campaigns have sent lately, or are about to send, counts, by channel.
func TestFrequencyCap(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.settings.Update(t.Context(), func(v *settings.Values) error { v.CapEmail, v.CapDays = 2, 7; return nil })
	w.must(err)
	s := w.step("email", "customer", "0.01")
	ids := w.add(s, mails(6)...)
	other := w.id(`INSERT INTO campaigns (code, name, currency, budget, state, created_by, created_at, updated_at)
		VALUES ('other', 'Other', 'EUR', 1000, 'running', 'test', @now, @now) RETURNING campaign_id`, pgx.NamedArgs{"now": start})
	touch := func(customer, step int64, channel, state string, sent time.Time) {
		w.exec(`INSERT INTO touches (customer_id, campaign_id, step_id, channel, cell_id, state, planned_at, sent_at, updated_at)
			VALUES (@customer, @campaign, @step, @channel, 1, @state, @at, CASE WHEN @state = 'sent' THEN @at::timestamptz END, @at)`,
			pgx.NamedArgs{"customer": customer, "campaign": other, "step": step, "channel": channel, "state": state, "at": sent})
	}
	day := 24 * time.Hour
	touch(ids[0], 901, "email", "sent", start.Add(-6*day)) // two lately: enough
	touch(ids[0], 902, "email", "sent", start.Add(-1*day))
	touch(ids[1], 901, "email", "sent", start.Add(-8*day)) // one is too long ago
	touch(ids[1], 902, "email", "sent", start.Add(-1*day))
	touch(ids[2], 901, "email", "planned", start) // about to go out
	touch(ids[2], 902, "email", "unconfirmed", start.Add(-1*day))
	touch(ids[3], 901, "email", "failed", start.Add(-1*day)) // did not arrive
	touch(ids[3], 902, "email", "excluded", start.Add(-1*day))
	touch(ids[4], 901, "sms", "sent", start.Add(-1*day)) // another channel
	touch(ids[4], 902, "sms", "sent", start.Add(-1*day))
	w.plan(s, 0, everybody)
	w.want("touches", w.counts(s), "frequency_cap:2 planned:4")
}

// TestFrequencyCapAtTheClaim: what has changed since the plan counts, by the order of the plans where two campaigns wait for the same customer.
func TestFrequencyCapAtTheClaim(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.step("email", "customer", "0.01")
	ids := w.add(s, mails(7)...)
	w.plan(s, 0, everybody)
	w.want("planned", w.counts(s), "planned:7")
	_, err := w.settings.Update(t.Context(), func(v *settings.Values) error { v.CapEmail, v.CapDays = 1, 7; return nil })
	w.must(err)
	touch := func(customer int64, channel, state string, planned time.Time) {
		w.exec(`INSERT INTO touches (customer_id, campaign_id, step_id, channel, cell_id, state, planned_at, sent_at, updated_at)
			VALUES (@customer, 990, 901, @channel, 1, @state, @at, CASE WHEN @state = 'sent' THEN @at::timestamptz END, @at)`,
			pgx.NamedArgs{"customer": customer, "channel": channel, "state": state, "at": planned})
	}
	touch(ids[0], "email", "sent", start.AddDate(0, 0, -1))
	touch(ids[1], "email", "sent", start.AddDate(0, 0, -8))
	touch(ids[2], "email", "unconfirmed", start.AddDate(0, 0, -30))
	touch(ids[3], "email", "planned", start.Add(-time.Hour)) // was first
	touch(ids[4], "email", "planned", start.Add(time.Hour))  // comes behind
	touch(ids[5], "sms", "sent", start.AddDate(0, 0, -1))
	w.work(w.delivery)
	w.want("touches", w.counts(s), "frequency_cap:3 sent:4")
	w.want("money", w.money(), "0/0.04")
}

// TestFrequencyCapOfTwoAtOnce: two campaigns planned for the same people are worked at the same time, and nobody gets two mails.
func TestFrequencyCapOfTwoAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.step("email", "customer", "0.01")
	ids := w.add(s, mails(300)...)
	w.plan(s, 0, everybody)
	w.second()
	other := w.step("email", "customer", "0.01")
	for _, id := range ids {
		w.exec(`INSERT INTO enrollments (customer_id, campaign_id, version, cell_id, step_id, due_at, state, entered_at, updated_at)
			VALUES (@customer, @campaign, 1, @cell, @step, @now, 'active', @now, @now)`,
			pgx.NamedArgs{"customer": id, "campaign": w.campaign, "cell": w.cells[0], "step": other.ID, "now": start})
	}
	w.plan(other, 0, everybody)
	_, err := w.settings.Update(t.Context(), func(v *settings.Values) error { v.CapEmail, v.CapDays = 1, 7; return nil })
	w.must(err)
	w.work(w.delivery)
	w.want("the one planned first", w.text(`SELECT count(*)::text FROM touches WHERE state = 'sent' AND step_id = @step`, pgx.NamedArgs{"step": s.ID}), "300")
	w.want("the other", w.counts(other), "frequency_cap:300")
}
