package delivery_test

import (
	"testing"

	"aldine/campaigns"
)

func TestErasedCustomersAreLeftOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mail, letter, call := w.step("email", "customer", "0.01"), w.step("post", "customer", "0.80"), w.step("calls", "customer", "2")
	mailed, written, called := w.add(mail, mails(3)...), w.add(letter, mails(2)...), w.add(call, mails(3)...)
	w.plan(call, 0, everybody)
	w.work(w.delivery)
	w.exec(`UPDATE calls SET attempts = 1 WHERE call_id = (SELECT max(call_id) FROM calls)`, nil)
	w.plan(mail, 0, everybody)
	w.plan(letter, 0, everybody)
	w.exec(`UPDATE campaigns SET state = 'paused'`, nil)
	w.want("calls", w.counts(call), "sending:3")
	w.want("money", w.money(), "7.63/0")
	for _, id := range []int64{mailed[0], written[0], called[0], called[2]} {
		w.must(w.people.Erase(t.Context(), id))
	}
	w.work(w.delivery)
	w.want("mails", w.counts(mail), "deleted:1 planned:2")
	w.want("letters", w.counts(letter), "deleted:1 planned:1")
	w.want("calls", w.counts(call), "deleted:1 failed:1 sending:1") // the one that was tried has to be paid
	w.want("calls off the list", w.text(`SELECT string_agg(state, ' ' ORDER BY call_id) FROM calls`, nil), "withdrawn ready withdrawn")
	w.want("money", w.money(), "2.82/2")

	// A job that comes before the one of the erasure finds out by itself.
	w.must(w.people.Erase(t.Context(), mailed[1]))
	w.exec(`DELETE FROM river_job WHERE kind = 'customer_erased'`, nil)
	w.exec(`UPDATE campaigns SET state = 'running'`, nil)
	w.enqueue(campaigns.ResumedArgs{CampaignID: w.campaign})
	w.work(w.delivery)
	w.work(w.delivery)
	w.want("mails", w.counts(mail), "deleted:2 sent:1")
	w.want("letters", w.counts(letter), "deleted:1 sent:1")
	w.want("money", w.money(), "2/2.81")
}
