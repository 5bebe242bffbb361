package tracking_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"aldine/internal/queue"
	"aldine/tracking"
)

const day = 24 * time.Hour

// order stores an order past all services, as an import of long ago would have.
func (w *world) order(ref string, customer int64, at time.Time, amount, keycode string) {
	w.t.Helper()
	w.exec(`INSERT INTO orders (customer_id, order_ref, ordered_at, quantity, amount, currency, rate, base_amount, keycode, recorded_at)
		VALUES (@customer, @ref, @at, 1, @amount::numeric, 'USD', 1, @amount::numeric, nullif(@keycode, ''), @at)`,
		"customer", customer, "ref", ref, "at", at, "amount", money(amount), "keycode", keycode)
	w.exec(`INSERT INTO order_refs (order_ref, customer_id) VALUES (@ref, @customer)`, "ref", ref, "customer", customer)
}

func (w *world) attribute(refs ...string) {
	w.t.Helper()
	if err := w.s.AttributeOrders(w.t.Context(), refs); err != nil {
		w.t.Fatal(err)
	}
}

const credits = `SELECT concat_ws(' ', order_ref, customer_id, campaign_id, step_id, cell_id, channel, method) FROM attributions ORDER BY order_ref`

func TestMatchbackWindows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// Campaign 2 reached one customer by each medium, long ago.
	sent := start.Add(-200 * day)
	for customer, channel := range map[int64]string{51: "email", 52: "sms", 53: "post", 54: "calls"} {
		w.touch(customer, 2, 19, channel, "", sent)
	}
	days := map[int64]int{51: 7, 52: 3, 53: 90, 54: 30}
	var refs []string
	for customer, n := range days {
		for name, at := range map[string]time.Time{
			"before": sent.Add(-time.Second), "at once": sent, "last": sent.Add(time.Duration(n)*day - time.Second), "late": sent.Add(time.Duration(n) * day),
		} {
			ref := fmt.Sprintf("%d %s", customer, name)
			w.order(ref, customer, at, "10", "")
			refs = append(refs, ref)
		}
	}
	w.attribute(refs...)
	w.want(`SELECT order_ref FROM attributions ORDER BY order_ref`, "51 at once, 51 last, 52 at once, 52 last, 53 at once, 53 last, 54 at once, 54 last")
	w.want(`SELECT DISTINCT method || weight FROM attributions`, "matchback1.000000")
	w.want(`SELECT count(*) FROM responses WHERE kind = 'order'`, "8")
}

func TestOrdersDatedByDay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	today := start.Truncate(day)
	sent := today.Add(15 * time.Hour)
	w.touch(51, 2, 19, "email", "", sent)
	for ref, at := range map[string]time.Time{
		"day before": today.Add(-day), "same day": today, "same day, too early": today.Add(time.Second), "day after": today.Add(day),
		"last day": today.Add(7 * day), "too late": today.Add(8 * day),
	} {
		w.order(ref, 51, at, "10", "")
	}
	w.touch(52, 2, 19, "sms", "", sent)
	w.order("sold at four", 52, sent.Add(time.Hour), "10", "")
	w.order("returned the same day", 52, today, "-10", "")
	w.attribute("day before", "same day", "same day, too early", "day after", "last day", "too late", "sold at four", "returned the same day")
	w.want(`SELECT order_ref FROM attributions ORDER BY order_ref`, "day after, last day, returned the same day, same day, sold at four")
}

// A return takes from one campaign only, and follows the order that it takes from, whichever of the two is looked at first.
func TestReturns(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.touch(1, 2, 19, "post", "", start.Add(-time.Hour))
	w.order("buy", 1, start, "10", "")
	w.order("back", 1, start.Add(time.Hour), "-10", "")
	w.order("back by code", 1, start.Add(time.Hour), "-1", w.code)
	w.attribute("back", "back by code")
	w.want(`SELECT order_ref FROM attributions ORDER BY 1`, "back by code")
	w.attribute("buy")
	w.want(`SELECT order_ref || ' ' || campaign_id FROM attributions ORDER BY 1`, "back 2, back by code 1, buy 2")
	w.exec(`UPDATE orders SET keycode = @code WHERE order_ref = 'buy'`, "code", w.code)
	w.attribute("buy")
	w.want(`SELECT order_ref || ' ' || campaign_id FROM attributions ORDER BY 1`, "back 1, back by code 1, buy 1")
	w.want(`SELECT order_ref FROM responses WHERE kind = 'order'`, "buy")
}

func TestKeycodeBeatsClickBeatsTouch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.touch(1, 2, 19, "post", "", start.Add(-2*time.Hour)) // the latest touch is of another campaign
	w.order("touch", 1, start.Add(-time.Hour), "10", "")
	w.request("GET", w.urls.ClickURL(anna), browser, "")
	w.request("GET", w.urls.ClickURL(tracking.Token{CampaignID: 2, StepID: 19, CustomerID: 1, LinkID: linkPlain}), "curl/8", "")
	w.order("click", 1, start.Add(time.Hour), "10", "")
	w.order("code", 1, start.Add(time.Hour), "10", w.code)
	w.order("wrong code", 1, start.Add(time.Hour), "10", "NOSUCH")
	w.order("stranger", 0, start.Add(time.Hour), "10", w.code)
	w.order("nobody", 0, start.Add(time.Hour), "10", "")
	w.order("untouched", 4, start.Add(time.Hour), "10", "")
	w.order("back", 1, start.Add(2*time.Hour), "-10", "")
	all := []string{"touch", "click", "code", "wrong code", "stranger", "nobody", "untouched", "back", "no such order"}
	const want = "back 1 1 11 31 email token, click 1 1 11 31 email token, code 1 1 13 31 post keycode, stranger 0 1 13 31 post keycode, " +
		"touch 1 2 19 32 post matchback, wrong code 1 1 11 31 email token"
	for range 3 { // again changes nothing
		w.attribute(all...)
		w.want(credits, want)
		w.want(`SELECT order_ref || campaign_id FROM responses WHERE kind = 'order' ORDER BY order_ref`, "click1, code1, stranger1, touch2, wrong code1")
	}
	w.want(`SELECT order_ref FROM (SELECT order_ref FROM attributions GROUP BY customer_id, order_ref HAVING sum(weight) <> 1) AS o`, "")
	// A keycode that is entered later moves the credit and the response with it.
	w.exec(`UPDATE orders SET keycode = @code WHERE order_ref = 'touch'`, "code", w.code)
	w.attribute("touch")
	w.want(`SELECT concat_ws(' ', campaign_id, step_id, method) FROM responses WHERE order_ref = 'touch'`, "1 13 keycode")
	// And an order that loses its credit leaves a response to no campaign.
	w.exec(`UPDATE orders SET keycode = NULL, ordered_at = @at WHERE order_ref = 'touch'`, "at", start.Add(-1000*day))
	w.attribute("touch")
	w.want(`SELECT campaign_id IS NULL FROM responses WHERE order_ref = 'touch'`, "true")
}

func TestOrdersAreAttributedConcurrentlyOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var refs []string
	for i := range 50 {
		refs = append(refs, fmt.Sprint("o", i))
		w.order(refs[i], int64(1+i%3), start, "10", "")
	}
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			if err := w.s.AttributeOrders(t.Context(), refs); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	w.want(`SELECT count(*) FROM attributions`, "50")
	w.want(`SELECT count(*) FROM responses`, "50")
}

// TestReportAndJobAtOnce: an order that is known already is reported while the job credits it; neither is in the other's way.
func TestReportAndJobAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 40 {
		var refs []string
		var batch []tracking.Response
		for j := range 20 {
			ref := fmt.Sprintf("%d-%d", i, j)
			refs = append(refs, ref)
			w.order(ref, int64(1+j%4), start.Add(time.Duration(j)*time.Second), "10", "")
			batch = append(batch, tracking.Response{Kind: tracking.KindOrder, OrderRef: ref, CustomerID: int64(1 + j%4), Amount: money("10"), Currency: "USD", At: start.Add(time.Duration(j) * time.Second)})
		}
		var wait sync.WaitGroup
		wait.Go(func() {
			if _, err := w.s.Record(t.Context(), "shop", batch); err != nil {
				t.Error(err)
			}
		})
		wait.Go(func() {
			if err := w.s.AttributeOrders(t.Context(), refs); err != nil {
				t.Error(err)
			}
		})
		wait.Wait()
	}
	w.want(`SELECT count(*) FROM (SELECT order_ref FROM responses WHERE kind = 'order' GROUP BY order_ref HAVING count(*) > 1) x`, "0")
}

func TestRecordedOrdersAreStoredAndCredited(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lines := []tracking.Line{{SKU: "ROSE", Quantity: 2, Amount: money("20.00")}, {SKU: "POT", Quantity: 1, Amount: money("5.50")}}
	batch := []tracking.Response{
		{Kind: tracking.KindOrder, OrderRef: "1", ExternalID: "X4", Keycode: w.code, Amount: money("25.50"), Currency: "USD", Lines: lines, Place: "mail"},
		{Kind: tracking.KindOrder, OrderRef: "2", CustomerID: 1, Amount: money("10"), Currency: "USD"},
		{Kind: tracking.KindOrder, OrderRef: "3", Keycode: w.code, Amount: money("7"), Currency: "USD"},
		{Kind: tracking.KindOrder, OrderRef: "4", CustomerID: 4, Amount: money("8"), Currency: "USD"},
		{Kind: tracking.KindOrder, OrderRef: "5", CustomerID: 4, CampaignID: campaign, StepID: mailStep, Channel: "calls", Amount: money("9"), Currency: "USD"},
		{Kind: tracking.KindOrder, OrderRef: "6", CustomerID: 4, Coupon: w.code, Amount: money("3"), Currency: "USD"},
		{Kind: tracking.KindOrder, OrderRef: "7", CustomerID: 4, Amount: money("-3"), Currency: "USD", At: start.Add(time.Hour)},
	}
	out := w.record("shop", batch...)
	for i, campaign := range []int64{1, 1, 1, 0, 1, 1, 0} {
		if out[i].State != tracking.Recorded || out[i].CampaignID != campaign {
			t.Errorf("%d: %+v", i, out[i])
		}
	}
	const want = "1 4 1 13 31 post keycode, 2 1 1 12 31 sms matchback, 3 0 1 13 31 post keycode, 5 4 1 11 email phone, 6 4 1 13 31 post coupon"
	check := func() {
		t.Helper()
		w.want(`SELECT concat_ws(' ', order_ref, customer_id, campaign_id, step_id, cell_id, channel, method) FROM attributions WHERE order_ref <> '7' ORDER BY order_ref`, want)
		w.want(`SELECT order_ref || coalesce(campaign_id, 0) FROM responses WHERE kind = 'order' ORDER BY order_ref`, "11, 21, 31, 40, 51, 61")
		w.want(`SELECT concat_ws(' ', order_ref, quantity, amount, (SELECT count(*) FROM order_lines l WHERE l.order_ref = o.order_ref)) FROM orders o WHERE order_ref = '1'`,
			"1 3 25.5000 2")
	}
	check()
	for i, o := range w.record("shop", batch...) {
		o.Repeated = !o.Repeated
		if o != out[i] {
			t.Errorf("%+v, then %+v", out[i], o)
		}
	}
	// Another reporter of the same order adds nothing.
	if o := w.record("erp", batch[0])[0]; o.ResponseID != out[0].ResponseID {
		t.Errorf("%+v and %+v", out[0], o)
	}
	check()
	// The worker comes after, with jobs of the same transactions.
	workers := river.NewWorkers()
	w.s.Register(workers)
	river.AddWorker(workers, &ignored{})
	client, err := queue.NewWorking(w.pool, workers, "test", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 200 {
		if idle, err := queue.Idle(t.Context(), w.pool, time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		} else if idle {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err := client.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.want(`SELECT count(*) FROM river_job WHERE kind = 'orders_recorded' AND state <> 'completed'`, "0")
	w.want(`SELECT count(*) > 0 FROM river_job WHERE kind = 'orders_recorded'`, "true")
	check()
	if _, err := w.s.Record(t.Context(), "shop", []tracking.Response{
		{Kind: tracking.KindOrder, OrderRef: "8", CustomerID: 4, Amount: money("1"), Currency: "USD"},
		{Kind: tracking.KindOrder, OrderRef: "9", CustomerID: 4, Amount: money("1"), Currency: "XXQ"},
	}); err == nil {
		t.Error("an unknown currency was accepted")
	}
	w.want(`SELECT count(*) FROM orders WHERE order_ref IN ('8', '9')`, "0") // all or none
}

type ignored struct {
	river.WorkerDefaults[tracking.RecordedArgs]
}

func (*ignored) Work(context.Context, *river.Job[tracking.RecordedArgs]) error { return nil }

func BenchmarkAttribute(b *testing.B) {
	w := newWorld(b)
	w.exec(`INSERT INTO touches (customer_id, campaign_id, step_id, channel, cell_id, state, planned_at, sent_at, updated_at)
		SELECT c, 1, s, 'post', 31, 'sent', @now, @now, @now FROM generate_series(100, 5099) c, generate_series(13, 15) s`)
	w.exec(`INSERT INTO orders (customer_id, order_ref, ordered_at, quantity, amount, currency, rate, base_amount, recorded_at)
		SELECT c, 'b' || c, @now::timestamptz + interval '1 day', 1, 10, 'USD', 1, 10, @now FROM generate_series(100, 5099) c`)
	w.exec(`INSERT INTO order_refs (order_ref, customer_id) SELECT order_ref, customer_id FROM orders`)
	w.exec(`ANALYZE`)
	refs := make([]string, 5000)
	for i := range refs {
		refs[i] = fmt.Sprint("b", i+100)
	}
	for b.Loop() {
		w.t = b
		if err := w.s.AttributeOrders(b.Context(), refs); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(refs))/b.Elapsed().Seconds(), "orders/s")
}
