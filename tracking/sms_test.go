package tracking_test

import (
	"strings"
	"sync"
	"testing"

	"aldine/tracking"
)

func (w *world) sms(from, text, ref string) tracking.Reply {
	w.t.Helper()
	r, err := w.s.InboundSMS(w.t.Context(), from, "ALDINE", text, ref)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func TestKeywordsOfTextMessages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for text, want := range map[string]string{
		"STOP": "stop", "stop": "stop", " Stop. ": "stop", "\"STOP\"!!": "stop", "s.t.o.p": "stop", "StopAll": "stop", "stop all": "stop", "UNSUBSCRIBE": "stop",
		"cancel": "stop", "End.": "stop", "quit!": "stop", "revoke": "stop", "opt out": "stop", "OPT-OUT": "stop", "optout": "stop", "ＳＴＯＰ": "stop",
		"🛑 STOP 🛑": "stop", "please stop": "stop", "Stop please, thank you": "stop", "STOP texting me": "stop", "please stop sending me messages": "stop",
		"Don't text me again": "stop", "don’t ever... do not contact me": "stop", "Take me off this list": "stop", "please remove me": "stop",
		"I want to unsubscribe": "stop", "no more texts": "stop", "stop\n": "stop", "\u200bSTOP": "stop",
		"START": "start", "unstop": "start", "start!": "start", "HELP": "help", "info?": "help", "help please": "help",
		"": "", "yes": "", "I will stop by the shop on Monday": "", "don't stop, I love it": "", "What is the end date?": "", "nonstop": "", "👍": "",
		"Can I cancel my order from May?": "", "help me find the shop": "", "stop by at the shop on Monday?": "",
	} {
		if got := w.sms("+12025550104", text, "").Keyword; got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestStopAndStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.sms("(202) 555-0102", "Stop!", "m1") // of customers 2 and 3
	if !strings.Contains(r.Text, "unsubscribed") || r.Outcome.CampaignID != campaign || r.Outcome.CustomerID != 3 {
		t.Errorf("%+v", r)
	}
	w.want(`SELECT customer_id || channel FROM consents WHERE NOT granted ORDER BY 1`, "2sms, 3sms")
	w.want(`SELECT concat_ws(' ', customer_id, kind, step_id, channel, method, detail ->> 'text') FROM responses`, "3 unsubscribe 12 sms number Stop!")
	w.want(`SELECT match_key || channel FROM suppressions`, "+12025550102sms")
	if again := w.sms("+12025550102", "Stop!", "m1"); again.Text != "" || !again.Outcome.Repeated || again.Outcome.ResponseID != r.Outcome.ResponseID {
		t.Errorf("%+v", again)
	}
	if r := w.sms("+12025550102", "HELP", "m2"); !strings.Contains(r.Text, "STOP") {
		t.Errorf("%+v", r)
	}
	w.want(`SELECT count(*) FROM consents WHERE NOT granted`, "2")
	if r := w.sms("+12025550102", "unstop", "m3"); r.Text == "" || r.Outcome.CampaignID != 0 {
		t.Errorf("%+v", r)
	}
	w.want(`SELECT count(*) FROM consents WHERE NOT granted`, "0")
	w.want(`SELECT count(*) FROM suppressions`, "0")
	w.want(`SELECT granted || source FROM consent_events WHERE customer_id = 3 ORDER BY event_id`, "falsesms: stop, truesms: start")
	// Numbers that nobody has: the stop holds, a person is asked.
	w.sms("+12025550199", "STOP", "m4")
	w.sms("40404", "hello", "m5")
	w.want(`SELECT match_key || channel FROM suppressions`, "+12025550199sms")
	w.want(`SELECT kind || ' ' || reason FROM unmatched_responses ORDER BY kind`, "reply unknown number 40404, unsubscribe unknown number +12025550199")
}

func TestRepliesAreTied(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if r := w.sms("+12025550101", "Yes, send me the catalogue", "1"); r.Text != "" || r.Outcome.CampaignID != campaign || r.Outcome.CustomerID != 1 {
		t.Errorf("%+v", r)
	}
	w.sms("+12025550102", "which one is it? \x00", "2") // two have the number, one got the message
	w.sms("+12025550104", "My code is "+strings.ToLower(w.code[:4])+" "+w.code[4:]+", thanks", "3")
	w.now = start.Add(3 * day) // beyond the window
	w.sms("+12025550101", "Is it too late?", "4")
	w.sms("+12025550102", "and now?", "5")
	w.want(`SELECT concat_ws(' ', f.ref, r.customer_id, r.kind, r.step_id, r.channel, r.method) FROM responses r JOIN response_refs f USING (customer_id, response_id) ORDER BY f.ref`,
		"1 1 reply 12 sms number, 2 3 reply 12 sms number, 3 4 reply 13 post keycode, 4 1 reply sms number")
	w.want(`SELECT reason FROM unmatched_responses`, "2 customers share the number +12025550102")
}

func TestSameMessageAtTheSameTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := w.s.InboundSMS(t.Context(), "+12025550101", "ALDINE", "STOP", "same"); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	w.want(`SELECT count(*) FROM responses`, "1")
	w.want(`SELECT count(*) FROM consent_events`, "1")
}
