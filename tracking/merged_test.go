package tracking_test

import (
	"testing"
	"time"

	"aldine/customers"
	"aldine/customers/duplicates"
	"aldine/internal/queue"
	"aldine/internal/settings"
	"aldine/tracking"
)

// Whoever was written to under a number that is part of another customer by now: what comes back is the survivor's.
func TestWhatNamesAMergedCustomerIsTheSurvivors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	jobs, err := queue.NewInserter(w.pool)
	if err != nil {
		t.Fatal(err)
	}
	store := settings.New(w.pool, time.Now)
	people := duplicates.New(duplicates.Deps{Pool: w.pool, Jobs: jobs, DataDir: t.TempDir(),
		Customers: customers.New(customers.Deps{Pool: w.pool, Jobs: jobs, Settings: store, DataDir: t.TempDir()})})
	for _, old := range []int64{1, 2} { // 4 has had nothing: the touches of 1 move, and those of 2 stay, since 4 takes part by then
		if _, err := people.Merge(t.Context(), 4, old, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, customer := range []int64{1, 2} {
		token := tracking.Token{CampaignID: campaign, StepID: mailStep, CustomerID: customer, LinkID: linkPlain}
		w.request("GET", w.urls.ClickURL(token), browser, "")
	}
	w.want(`SELECT DISTINCT customer_id || ' ' || cell_id || ' ' || channel FROM responses WHERE kind = 'click'`, "4 31 email")
	w.record("shop", tracking.Response{Kind: tracking.KindReply, At: w.now, CustomerID: 1, CampaignID: campaign, Channel: "sms"})
	w.want(`SELECT customer_id || ' ' || step_id FROM responses WHERE kind = 'reply'`, "4 12")
	res, _ := w.request("POST", w.urls.UnsubscribeURL(tracking.Token{CampaignID: campaign, StepID: mailStep, CustomerID: 2}), browser, "List-Unsubscribe=One-Click")
	if res.StatusCode != 200 {
		t.Error(res.Status)
	}
	w.want(`SELECT customer_id FROM responses WHERE kind = 'unsubscribe'`, "4")
	w.want(`SELECT customer_id FROM consents WHERE NOT granted ORDER BY 1`, "3, 4") // 3 has the same address
}
