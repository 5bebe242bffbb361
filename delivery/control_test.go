package delivery_test

import (
	"strings"
	"testing"

	"aldine/campaigns"
	"aldine/delivery"
	"aldine/delivery/sandbox"
	"aldine/internal/fault"
)

func (w *world) enqueue(args interface{ Kind() string }) {
	w.t.Helper()
	tx, err := w.pool.Begin(w.t.Context())
	w.must(err)
	switch a := args.(type) {
	case campaigns.ResumedArgs:
		_, err = w.jobs.InsertTx(w.t.Context(), tx, a, nil)
	case campaigns.CancelledArgs:
		_, err = w.jobs.InsertTx(w.t.Context(), tx, a, nil)
	}
	w.must(err)
	w.must(tx.Commit(w.t.Context()))
}

func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mail, letter, call := w.step("email", "customer", "0.01"), w.step("post", "customer", "0.80"), w.step("calls", "customer", "2")
	w.add(mail, mails(5)...)
	w.add(letter, mails(3)...)
	w.add(call, mails(2)...)
	w.plan(mail, 0, everybody)
	w.plan(letter, 0, everybody)
	w.plan(call, 0, everybody)
	w.exec(`UPDATE campaigns SET state = 'paused'`, nil)
	w.work(w.delivery)
	w.want("mails", w.counts(mail), "planned:5")
	w.want("letters", w.counts(letter), "planned:3")
	w.want("calls", w.counts(call), "planned:2")
	w.want("jobs left", w.text(`SELECT count(*)::text FROM river_job WHERE state NOT IN ('completed') AND kind <> 'campaign_finish'`, nil), "0")
	w.exec(`UPDATE campaigns SET state = 'running'`, nil)
	w.enqueue(campaigns.ResumedArgs{CampaignID: w.campaign})
	w.work(w.delivery)
	w.work(w.delivery) // the print run is put off for some seconds
	w.want("mails", w.counts(mail), "sent:5")
	w.want("letters", w.counts(letter), "sent:3")
	w.want("calls", w.counts(call), "sending:2")
	w.want("money", w.money(), "4/2.45")
}

func TestCancel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mail, call := w.step("email", "customer", "0.01"), w.step("calls", "customer", "2")
	w.add(mail, mails(5)...)
	w.add(call, mails(2)...)
	w.plan(call, 0, everybody)
	w.work(w.delivery)
	w.plan(mail, 0, everybody)
	w.exec(`UPDATE campaigns SET state = 'cancelled'`, nil)
	w.exec(`UPDATE calls SET attempts = 1 WHERE call_id = (SELECT min(call_id) FROM calls)`, nil)
	w.enqueue(campaigns.CancelledArgs{CampaignID: w.campaign})
	w.work(w.delivery)
	w.want("mails", w.counts(mail), "cancelled:5")
	w.want("calls", w.counts(call), "cancelled:1 failed:1") // the one that was tried has to be paid
	w.want("calls off the list", w.text(`SELECT string_agg(DISTINCT state, ',') FROM calls`, nil), "withdrawn")
	w.want("money", w.money(), "0/2")
	w.want("mails sent", w.text(`SELECT count(*)::text FROM sandbox_messages`, nil), "0")
	w.exec(`UPDATE touches SET state = 'unconfirmed' WHERE channel = 'email'`, nil)
	if _, err := w.delivery.ResolveUnconfirmed(t.Context(), w.campaign, 0, 0, true); !fault.Is(err, fault.Conflict) {
		t.Errorf("sending again after the end: %v", err)
	}
}

func TestTestSend(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mail, text, letter := w.step("email", "customer", "1"), w.step("sms", "customer", "1"), w.step("post", "customer", "1")
	ids := w.add(mail, person{email: "real@x.example"})
	w.must(w.delivery.TestSend(t.Context(), delivery.TestMessage{TemplateID: mail.TemplateID, CampaignID: w.campaign, CustomerID: ids[0], To: "me@office.example"}))
	w.must(w.delivery.TestSend(t.Context(), delivery.TestMessage{TemplateID: text.TemplateID, To: "+447911123456"}))
	box, err := w.delivery.Outbox(t.Context(), sandbox.Query{})
	w.must(err)
	if len(box) != 2 || !strings.HasPrefix(box[0].Snippet, "[Test] ") || box[1].Subject != "[Test] Roses for P0" || box[1].Recipient != "me@office.example" {
		t.Errorf("outbox %+v", box)
	}
	m, err := w.delivery.OutboxMessage(t.Context(), box[1].ID)
	w.must(err)
	if strings.Contains(m.HTML, "/t/c/") || strings.Contains(m.HTML, "/t/o/") {
		t.Errorf("a test is tracked:\n%s", m.HTML)
	}
	w.want("touches and costs", w.text(`SELECT (SELECT count(*) FROM touches) || ' ' || (SELECT count(*) FROM cost_entries)`, nil), "0 0")
	bad := map[string]delivery.TestMessage{
		"address":  {TemplateID: mail.TemplateID, To: "nobody"},
		"number":   {TemplateID: text.TemplateID, To: "12"},
		"a letter": {TemplateID: letter.TemplateID, To: "x"},
	}
	for name, m := range bad {
		if err := w.delivery.TestSend(t.Context(), m); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, m := range map[string]delivery.TestMessage{
		"template": {TemplateID: 999, To: "a@x.example"},
		"customer": {TemplateID: mail.TemplateID, CustomerID: 999, To: "a@x.example"},
		"campaign": {TemplateID: mail.TemplateID, CampaignID: 999, To: "a@x.example"},
	} {
		if err := w.delivery.TestSend(t.Context(), m); !fault.Is(err, fault.NotFound) {
			t.Errorf("unknown %s: %v", name, err)
		}
	}
	c := w.config
	c.SMTPURL = "smtp://127.0.0.1:1"
	if err := w.open(c).TestSend(t.Context(), delivery.TestMessage{TemplateID: mail.TemplateID, To: "a@x.example"}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("no relay: %v", err)
	}
}
