package delivery_test

import (
	"strconv"
	"testing"

	"aldine/campaigns"
	"aldine/customers/duplicates"
)

func TestMergedCustomersGetOnePiece(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	people := duplicates.New(duplicates.Deps{Pool: w.pool, Jobs: w.jobs, Customers: w.people, DataDir: t.TempDir(), Now: w.now})
	mail, call := w.step("email", "customer", "0.01"), w.step("calls", "customer", "2")
	both, called := w.add(mail, mails(4)...), w.add(call, mails(2)...)
	w.plan(mail, 0, everybody)
	w.plan(call, 0, everybody)
	w.exec(`DELETE FROM river_job WHERE kind = 'delivery_send' AND args->>'channel' = 'calls'`, nil)
	w.exec(`UPDATE campaigns SET state = 'paused'`, nil)
	w.want("money", w.money(), "4.04/0")
	one, err := people.Merge(t.Context(), both[0], both[1], nil) // both are planned: one piece is left
	w.must(err)
	w.work(w.delivery)
	w.want("mails", w.counts(mail), "merged:1 planned:3")
	w.want("who has it", w.text(`SELECT reason_ref || ' ' || customer_id FROM touches WHERE reason = 'merged'`, nil), itoa(both[0])+" "+itoa(both[1]))
	w.want("money", w.money(), "4.03/0")

	// Nobody has to wait for the job: what comes to be sent meanwhile finds out by itself.
	_, err = people.Merge(t.Context(), both[2], both[3], nil)
	w.must(err)
	w.exec(`DELETE FROM river_job WHERE kind = 'customers_merged'`, nil)
	w.exec(`UPDATE campaigns SET state = 'running'`, nil)
	w.enqueue(campaigns.ResumedArgs{CampaignID: w.campaign})
	w.work(w.delivery)
	w.want("mails", w.counts(mail), "merged:2 sent:2")
	w.want("calls", w.counts(call), "sending:2")

	// Taken apart again, the other one gets its piece.
	_, err = people.Undo(t.Context(), one.ID)
	w.must(err)
	w.work(w.delivery)
	w.want("mails", w.counts(mail), "merged:1 sent:3")
	w.want("money", w.money(), "4/0.03")
	_, err = people.Merge(t.Context(), called[0], called[1], nil)
	w.must(err)
	w.work(w.delivery)
	w.want("calls", w.counts(call), "merged:1 sending:1")
	w.want("calls off the list", w.text(`SELECT string_agg(state, ' ' ORDER BY customer_id) FROM calls`, nil), "ready withdrawn")
	w.want("money", w.money(), "2/0.03")
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// A contact that moves to the survivor is sent, whatever number the job names that was made for it.
func TestPlannedContactMovesToTheSurvivor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	people := duplicates.New(duplicates.Deps{Pool: w.pool, Jobs: w.jobs, Customers: w.people, DataDir: t.TempDir(), Now: w.now})
	mail := w.step("email", "customer", "0.01")
	ids := w.add(mail, mails(2)...)
	w.exec(`DELETE FROM enrollments WHERE customer_id = (SELECT min(customer_id) FROM customers)`, nil)
	w.exec(`INSERT INTO journey_slices (campaign_id, first_id, last_id, size) SELECT campaign_id, customer_id, customer_id, 1 FROM enrollments`, nil)
	w.plan(mail, 0, everybody)
	w.exec(`UPDATE touches SET state = 'sending', provider_ref = 'job:1:1'`, nil)
	_, err := people.Merge(t.Context(), ids[0], ids[1], nil)
	if err == nil {
		t.Fatal("a customer was merged while a message was on its way")
	}
	w.exec(`UPDATE touches SET state = 'planned', provider_ref = NULL`, nil)
	m, err := people.Merge(t.Context(), ids[0], ids[1], nil)
	w.must(err)
	w.want("moved", w.text(`SELECT string_agg(customer_id::text, ' ') FROM touches`, nil), itoa(ids[0]))
	w.work(w.delivery)
	w.want("mails", w.counts(mail), "sent:1")
	_, err = people.Undo(t.Context(), m.ID)
	w.must(err)
	w.work(w.delivery)
	w.want("mails", w.counts(mail), "sent:1")
	w.want("back", w.text(`SELECT string_agg(customer_id::text, ' ') FROM touches`, nil), itoa(ids[1]))
	w.want("money", w.money(), "0/0.01")
}
