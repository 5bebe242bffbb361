package tracking_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"aldine/internal/fault"
	"aldine/tracking"
)

func TestRecordTiesResponsesToTouches(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	out := w.record("crm",
		tracking.Response{Ref: "a", Kind: tracking.KindReply, ExternalID: "X1", Keycode: strings.ToLower(w.code)},
		tracking.Response{Ref: "b", Kind: tracking.KindVisit, CustomerID: 1, Campaign: "spring", Channel: "email"},
		tracking.Response{Ref: "c", Kind: tracking.KindCoupon, Coupon: w.code[:4] + "-" + w.code[4:]},
		tracking.Response{Ref: "d", Kind: tracking.KindSurvey, Email: " PAIR@example.org", Channel: "email"},
		tracking.Response{Ref: "e", Kind: tracking.KindCall, Phone: "(202) 555-0102", Campaign: "spring", Channel: "sms"},
		tracking.Response{Ref: "f", Kind: tracking.KindVisit, ExternalID: "X4"},
	)
	for i, want := range []struct{ customer, campaign int64 }{{1, 1}, {1, 1}, {0, 1}, {2, 1}, {3, 1}, {4, 0}} {
		if o := out[i]; o.State != tracking.Recorded || o.Repeated || o.CustomerID != want.customer || o.CampaignID != want.campaign || o.ResponseID == uuid.Nil {
			t.Errorf("%d: %+v", i, o)
		}
	}
	w.want(`SELECT concat_ws(' ', r.ref, p.customer_id, kind, step_id, cell_id, channel, method, keycode IS NOT NULL) FROM responses p
		JOIN response_refs r USING (customer_id, response_id) ORDER BY r.ref`,
		"a 1 reply 13 31 post keycode t, b 1 visit 11 31 email direct f, c 0 coupon 13 31 post coupon t, d 2 survey 11 31 email direct f, "+
			"e 3 call 12 31 sms phone f, f 4 visit direct f")
	w.want(`SELECT args ->> 'customer_ids' FROM river_job WHERE kind = 'tracking_recorded'`, "[1,2,3]")
}

func TestRecordIsIdempotentByRef(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	batch := []tracking.Response{
		{Ref: "1", Kind: tracking.KindReply, CustomerID: 1, Keycode: w.code}, {Ref: "2", Kind: tracking.KindVisit, Keycode: tracking.NewKeycode(nil)},
		{Ref: "1", Kind: tracking.KindReply, CustomerID: 2, Keycode: w.code},
	}
	const n = 8
	outs := make([][]tracking.Outcome, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			out, err := w.s.Record(t.Context(), "crm", batch)
			if err != nil {
				t.Error(err)
			}
			outs[i] = out
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	fresh := 0
	for _, out := range outs {
		if !out[0].Repeated {
			fresh++
		}
		if !out[2].Repeated {
			t.Error("the second of the same ref is not told as repeated")
		}
		for i := range out {
			out[i].Repeated = false
			if out[i] != outs[0][i] {
				t.Errorf("%+v and %+v", out[i], outs[0][i])
			}
		}
		if out[1].State != tracking.Unmatched || !strings.Contains(out[1].Reason, "unknown keycode") {
			t.Errorf("%+v", out[1])
		}
	}
	if fresh != 1 {
		t.Errorf("%d of %d were the first", fresh, n)
	}
	w.want(`SELECT count(*) FROM responses`, "1")
	w.want(`SELECT count(*) FROM unmatched_responses`, "1")
	w.record("other", batch[0]) // another reporter's ids are another matter
	w.want(`SELECT count(*) FROM responses`, "2")
	w.record("order", tracking.Response{Ref: "1", Kind: tracking.KindVisit, CustomerID: 1})
	w.want(`SELECT count(*) FROM response_refs WHERE source = 'order'`, "0") // not among the program's own
}

func TestRecordNamesFaultyFields(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	mistyped := "3" + w.code[1:]
	if mistyped == w.code {
		mistyped = "4" + w.code[1:]
	}
	for field, r := range map[string]tracking.Response{
		"keycode": {Kind: tracking.KindOrder, OrderRef: "9", Currency: "USD", Keycode: mistyped}, "coupon": {Kind: tracking.KindCoupon, Coupon: "0000"},
		"kind": {Kind: "gossip", CustomerID: 1}, "campaign": {Kind: tracking.KindVisit, CustomerID: 1, Campaign: "autumn"},
		"campaign_id": {Kind: tracking.KindVisit, CustomerID: 1, CampaignID: 77}, "step_id": {Kind: tracking.KindVisit, CustomerID: 1, StepID: 77},
		"channel": {Kind: tracking.KindVisit, CustomerID: 1, Channel: "pigeon"}, "at": {Kind: tracking.KindVisit, CustomerID: 1, At: start.Add(72 * time.Hour)},
		"email": {Kind: tracking.KindVisit, Email: "nonsense"}, "phone": {Kind: tracking.KindVisit, Phone: "12"},
		"customer_id": {Kind: tracking.KindVisit}, "order_ref": {Kind: tracking.KindOrder, CustomerID: 1, Currency: "USD"},
		"currency": {Kind: tracking.KindOrder, CustomerID: 1, OrderRef: "1"}, "external_id": {Kind: tracking.KindVisit, ExternalID: "a\x00b"},
		"ref":    {Kind: tracking.KindVisit, CustomerID: 1, Ref: strings.Repeat("x", 300)},
		"detail": {Kind: tracking.KindVisit, CustomerID: 1, Detail: map[string]any{"x": strings.Repeat("x", 10000)}},
	} {
		for name, batch := range map[string][]tracking.Response{
			field: {r}, "responses[1]." + field: {{Kind: tracking.KindVisit, CustomerID: 1}, r},
		} {
			_, err := w.s.Record(t.Context(), "crm", batch)
			var f *fault.Error
			if !errors.As(err, &f) || f.Kind != fault.Invalid || len(f.Fields) != 1 || f.Fields[0].Name != name {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if _, err := w.s.Record(t.Context(), "crm", make([]tracking.Response, 1001)); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
	// The campaign named and the one of the keycode must agree.
	if _, err := w.s.Record(t.Context(), "crm", []tracking.Response{{Kind: tracking.KindVisit, Keycode: w.code, Campaign: "winter"}}); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
	w.want(`SELECT count(*) FROM responses`, "0")
	w.want(`SELECT count(*) FROM unmatched_responses`, "0")
	w.want(`SELECT count(*) FROM response_refs`, "0")
}

func TestRecordAThousand(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	batch := make([]tracking.Response, tracking.MaxBatch)
	for i := range batch {
		batch[i] = tracking.Response{Ref: fmt.Sprint(i), Kind: tracking.KindVisit, CustomerID: int64(1 + i%4), Keycode: w.code}
	}
	begin := time.Now()
	w.record("crm", batch...)
	t.Log("1,000 responses took", time.Since(begin))
	w.want(`SELECT count(*) FROM responses WHERE campaign_id = 1`, "1000")
	w.want(`SELECT count(*) FROM river_job`, "1")
}

func TestBouncesComplaintsAndUnsubscriptions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.record("mailer",
		tracking.Response{Ref: "soft", Kind: tracking.KindBounce, Email: "dan@example.org"},
		tracking.Response{Ref: "hard", Kind: tracking.KindBounce, Email: "ANNA@example.org", Hard: true},
		tracking.Response{Ref: "angry", Kind: tracking.KindComplaint, Email: "pair@example.org"},
		tracking.Response{Ref: "post", Kind: tracking.KindUnsubscribe, CustomerID: 4, Channel: "post"},
	)
	w.want(`SELECT customer_id || ' ' || channel FROM touches WHERE state = 'bounced'`, "1 email")
	w.want(`SELECT concat_ws(' ', scope, match_key, channel, reason) FROM suppressions ORDER BY match_key`,
		"email anna@example.org email hard bounce, email pair@example.org email complaint")
	w.want(`SELECT customer_id || channel FROM consents WHERE NOT granted ORDER BY customer_id`, "2email, 3email, 4post")
	w.want(`SELECT count(*) FROM consent_events`, "3")
	w.want(`SELECT customer_id || kind FROM responses WHERE campaign_id = 1 ORDER BY 1`, "1bounce, 2complaint")
}

func TestUnmatchedAreReviewed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	unknown := tracking.NewKeycode(nil)
	out := w.record("crm",
		tracking.Response{Ref: "1", Kind: tracking.KindCoupon, Coupon: unknown, Detail: map[string]any{"shop": "12"}},
		tracking.Response{Ref: "2", Kind: tracking.KindVisit, ExternalID: "X99"},
		tracking.Response{Ref: "3", Kind: tracking.KindVisit, Email: "pair@example.org"},
		tracking.Response{Ref: "4", Kind: tracking.KindVisit, CustomerID: 987654},
		tracking.Response{Ref: "5", Kind: tracking.KindVisit, ExternalID: "X99", Keycode: w.code},
		tracking.Response{Ref: "6", Kind: tracking.KindOrder, OrderRef: "6", Amount: money("12.50"), Currency: "USD", Email: "stranger@example.org"},
	)
	for i, want := range []string{"unknown keycode", "external id", "2 customers share", "987654", "campaign only", "stranger@example.org"} {
		if !strings.Contains(out[i].Reason, want) || (out[i].State == tracking.Unmatched) != (i != 4) {
			t.Errorf("%d: %+v", i, out[i])
		}
	}
	page, err := w.s.Unmatched(t.Context(), "", 2)
	if err != nil || len(page.Responses) != 2 || page.Next == "" {
		t.Fatal(page, err)
	}
	rest, err := w.s.Unmatched(t.Context(), page.Next, 0)
	if err != nil || len(rest.Responses) != 3 || rest.Next != "" {
		t.Fatal(rest, err)
	}
	if _, err := w.s.Unmatched(t.Context(), "rubbish", 0); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
	id := out[0].ResponseID
	for _, r := range []tracking.Resolution{{}, {Keycode: unknown}, {Keycode: "33333334"}, {Keycode: "short"}} {
		if _, err := w.s.Resolve(t.Context(), id, r); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", r, err)
		}
	}
	got, err := w.s.Resolve(t.Context(), id, tracking.Resolution{Keycode: w.code})
	if err != nil || got.State != tracking.Recorded || got.CampaignID != 1 {
		t.Fatal(got, err)
	}
	if again := w.record("crm", tracking.Response{Ref: "1", Kind: tracking.KindCoupon, Coupon: unknown})[0]; again.State != tracking.Recorded || again.ResponseID != got.ResponseID {
		t.Errorf("%+v", again)
	}
	if _, err := w.s.Resolve(t.Context(), id, tracking.Resolution{Dismiss: true}); !fault.Is(err, fault.Conflict) {
		t.Error(err)
	}
	if _, err := w.s.Resolve(t.Context(), uuid.New(), tracking.Resolution{Dismiss: true}); !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
	if got, err := w.s.Resolve(t.Context(), out[2].ResponseID, tracking.Resolution{CustomerID: 3}); err != nil || got.CustomerID != 3 {
		t.Error(got, err)
	}
	if got, err := w.s.Resolve(t.Context(), out[1].ResponseID, tracking.Resolution{Dismiss: true}); err != nil || got.State != "dismissed" {
		t.Error(got, err)
	}
	if got, err := w.s.Resolve(t.Context(), out[5].ResponseID, tracking.Resolution{CustomerID: 4}); err != nil || got.State != tracking.Recorded {
		t.Error(got, err)
	}
	w.want(`SELECT customer_id || order_ref || amount FROM orders`, "4612.5000")
	w.want(`SELECT kind || ' ' || (detail ->> 'shop') FROM responses WHERE method = 'coupon'`, "coupon 12")
	w.want(`SELECT count(*) FROM audit_log WHERE action = 'response.resolve'`, "4")
	if page, err := w.s.Unmatched(t.Context(), "", 0); err != nil || len(page.Responses) != 1 {
		t.Error(page, err)
	}
}
