package delivery_test

import (
	"testing"

	"aldine/tracking"
)

// A message that bounces went out: where nobody knew that yet, it is booked and its money no longer set aside.
func TestBounceOfAnUnconfirmedMail(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.step("email", "customer", "0.01")
	ids := w.add(s, mails(3)...)
	w.plan(s, 0, everybody)
	w.exec(`UPDATE touches SET state = 'unconfirmed', provider_ref = 'job:1:1'`, nil)
	report := func(ref string, customer int64) {
		t.Helper()
		_, err := w.tracking.Record(t.Context(), "relay", []tracking.Response{
			{Ref: ref, Kind: tracking.KindBounce, Hard: true, CustomerID: customer, CampaignID: w.campaign, StepID: s.ID}})
		w.must(err)
	}
	report("1", ids[0])
	w.work(w.delivery)
	w.want("touches", w.counts(s), "bounced:1 unconfirmed:2")
	w.want("money", w.money(), "0.02/0.01")
	if _, err := w.delivery.ResolveUnconfirmed(t.Context(), w.campaign, s.ID, 0, false); err != nil {
		t.Fatal(err)
	}
	report("2", ids[1])
	report("3", ids[0])
	w.work(w.delivery)
	w.want("touches", w.counts(s), "bounced:2 sent:1")
	w.want("money", w.money(), "0/0.03")
}
