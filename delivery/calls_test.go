package delivery_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"

	"aldine/campaigns/journey"
	"aldine/customers"
	"aldine/delivery/calls"
	"aldine/internal/fault"
)

// callList gives a call list of people.
func (w *world) callList(people ...person) (journey.Step, int64, []int64) {
	w.t.Helper()
	s := w.step("calls", "customer", "2")
	ids := w.add(s, people...)
	w.plan(s, 0, everybody)
	w.work(w.delivery)
	lists, err := w.delivery.Calls().Lists(w.t.Context(), w.campaign, 0, 0)
	w.must(err)
	if len(lists) != 1 {
		w.t.Fatalf("lists %+v", lists)
	}
	return s, lists[0].ID, ids
}

func (w *world) outcome(call calls.Call, agent string, r calls.Report) calls.Result {
	w.t.Helper()
	res, err := w.delivery.Calls().Outcome(w.t.Context(), call.ID, agent, r)
	w.must(err)
	return res
}

func TestCalls(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, list, ids := w.callList(mails(6)...)
	c := w.delivery.Calls()
	w.want("touches", w.counts(s), "sending:6")
	w.want("money", w.money(), "12/0")
	leased, err := c.Lease(t.Context(), list, "anna", 2)
	w.must(err)
	if len(leased) != 2 || leased[0].CustomerID != ids[0] || leased[0].Script != "Hello P0, this is Aldine, code "+leased[0].Keycode+"." ||
		leased[0].Name != "P0 Smith" || leased[0].LocalTime != "15:00" || leased[0].Customer["city"] != "London" {
		t.Fatalf("leased %+v", leased)
	}
	again, err := c.Lease(t.Context(), list, "anna", 2)
	w.must(err)
	if len(again) != 2 || again[0].ID != leased[0].ID || again[1].ID != leased[1].ID {
		t.Errorf("asked again: %+v", again)
	}
	others, err := c.Lease(t.Context(), list, "ben", 50)
	w.must(err)
	if len(others) != 4 {
		t.Errorf("the other agent got %d", len(others))
	}
	progress, err := c.List(t.Context(), list)
	w.must(err)
	if progress.Total != 6 || progress.Leased != 6 || progress.Ready != 0 {
		t.Errorf("progress %+v", progress)
	}

	// Sold, with an order that has its response and its keycode.
	w.outcome(leased[0], "anna", calls.Report{Outcome: "sale", Note: "gladly", Order: &calls.Order{Ref: "T-1", Amount: decimal.MustParse("49.90")}})
	w.want("responses", w.text(`SELECT string_agg(kind || ':' || channel, ' ' ORDER BY kind) FROM responses WHERE customer_id = @id`, pgx.NamedArgs{"id": ids[0]}), "call:calls order:calls")
	w.want("order", w.text(`SELECT order_ref || ' ' || amount::float8 || ' ' || currency FROM orders WHERE customer_id = @id`, pgx.NamedArgs{"id": ids[0]}), "T-1 49.9 EUR")
	w.want("touches", w.counts(s), "sending:5 sent:1")
	w.want("money", w.money(), "10/2")
	// A second outcome for the same call, or for somebody else's, is refused.
	for _, id := range []int64{leased[0].ID, others[0].ID} {
		if _, err := c.Outcome(t.Context(), id, "anna", calls.Report{Outcome: "refused"}); !fault.Is(err, fault.Conflict) {
			t.Errorf("call %d: %v", id, err)
		}
	}
	if _, err := c.Outcome(t.Context(), 999, "anna", calls.Report{Outcome: "refused"}); !fault.Is(err, fault.NotFound) {
		t.Errorf("an unknown call: %v", err)
	}

	// Does not want to be called: not by this campaign nor by any other.
	w.outcome(leased[1], "anna", calls.Report{Outcome: "do_not_call"})
	w.want("consent", w.text(`SELECT granted::text FROM consents WHERE customer_id = @id AND channel = 'calls'`, pgx.NamedArgs{"id": ids[1]}), "false")
	w.want("suppression", w.text(`SELECT scope || ' ' || value || ' ' || channel FROM suppressions`, nil), "phone +447911100001 calls")
	w.want("its response", w.text(`SELECT string_agg(kind, ' ' ORDER BY kind) FROM responses WHERE customer_id = @id`, pgx.NamedArgs{"id": ids[1]}), "call unsubscribe")

	// Tried again after its time, and given up after the last try.
	res := w.outcome(others[0], "ben", calls.Report{Outcome: "busy"})
	if res.State != "waiting" || !res.NextAt.Equal(w.now().Add(20*time.Minute)) {
		t.Errorf("busy: %+v", res)
	}
	w.outcome(others[1], "ben", calls.Report{Outcome: "disconnected"})
	w.must(c.Release(t.Context(), others[2].ID, "ben"))
	if err := c.Release(t.Context(), others[2].ID, "ben"); !fault.Is(err, fault.Conflict) {
		t.Errorf("given back twice: %v", err)
	}
	for range 2 {
		w.pass(20 * time.Minute)
		next, err := c.Lease(t.Context(), list, "cleo", 50)
		w.must(err)
		for _, k := range next {
			if k.ID == others[0].ID {
				if len(k.History) == 0 || k.History[0].Outcome != "busy" {
					t.Errorf("history %+v", k.History)
				}
				w.outcome(k, "cleo", calls.Report{Outcome: "busy"})
				continue
			}
			w.must(c.Release(t.Context(), k.ID, "cleo"))
		}
	}
	w.want("touches", w.counts(s), "failed:2 sending:2 sent:2")
	w.want("reasons", w.text(`SELECT string_agg(reason, ', ' ORDER BY customer_id) FROM touches WHERE state = 'failed'`, nil), "not reached in 3 tries, last: Busy, Disconnected")
	w.want("money", w.money(), "4/8")
}

func TestCallBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, list, ids := w.callList(mails(3)...)
	c := w.delivery.Calls()
	leased, err := c.Lease(t.Context(), list, "anna", 3)
	w.must(err)
	past, at := w.now().Add(-time.Hour), w.now().Add(9*time.Hour) // midnight
	for _, bad := range []calls.Report{
		{Outcome: "callback"}, {Outcome: "callback", CallBackAt: &past}, {Outcome: "sale", CallBackAt: &at}, {Outcome: "dunno"},
		{Outcome: "refused", Order: &calls.Order{}}, {Outcome: "sale", Order: &calls.Order{Ref: "x", Amount: decimal.MustParse("-1")}},
	} {
		if _, err := c.Outcome(t.Context(), leased[2].ID, "anna", bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	w.outcome(leased[2], "anna", calls.Report{Outcome: "callback", CallBackAt: &at, Note: "after dinner"})
	w.want("touches", w.counts(s), "sending:2 sent:1") // a person was reached
	w.must(c.Release(t.Context(), leased[0].ID, "anna"))
	w.must(c.Release(t.Context(), leased[1].ID, "anna"))
	w.pass(9 * time.Hour)
	none, err := c.Lease(t.Context(), list, "anna", 3)
	w.must(err)
	if len(none) != 0 {
		t.Errorf("called at midnight: %+v", none)
	}
	w.pass(8 * time.Hour) // eight in the morning
	next, err := c.Lease(t.Context(), list, "ben", 3)
	w.must(err)
	if len(next) != 3 || next[0].CustomerID != ids[2] || !next[0].Callback || next[0].Note != "after dinner" {
		t.Errorf("the call-back does not come first: %+v", next)
	}
}

// TestHours: a call is made only within the hours of every zone that number and address are in.
func TestHours(t *testing.T) {
	t.Parallel()
	w := newWorld(t) // 15:00 in London, 10:00 in New York, 7:00 in Los Angeles
	_, list, ids := w.callList(
		person{phone: "+447911100001"},
		person{phone: "+12125550123", country: "US"},
		person{phone: "+12135550123", country: "US"},
		person{phone: "+12125550124", country: "US", zone: "America/Los_Angeles"}, // moved west with a New York number
	)
	c := w.delivery.Calls()
	leased, err := c.Lease(t.Context(), list, "anna", 50)
	w.must(err)
	got := map[int64]bool{}
	for _, k := range leased {
		got[k.CustomerID] = true
	}
	if len(got) != 2 || !got[ids[0]] || !got[ids[1]] {
		t.Errorf("leased %+v", leased)
	}
	w.pass(time.Hour) // 8:00 in Los Angeles
	leased, err = c.Lease(t.Context(), list, "ben", 50)
	w.must(err)
	if len(leased) != 4 { // anna's leases have ended by now
		t.Errorf("leased %d", len(leased))
	}
	for zones, want := range map[string]bool{"Europe/London": true, "Europe/London,America/Los_Angeles": true, "Asia/Tokyo": false, "": false, "No/Where": false, "Europe/London,Asia/Tokyo": false} {
		if calls.Legal(zones, w.now(), 8, 21) != want {
			t.Errorf("%q: want %v", zones, want)
		}
	}
	summer := time.Date(2026, 7, 1, 19, 59, 59, 0, time.UTC) // 20:59:59 in London's summer
	if !calls.Legal("Europe/London", summer, 8, 21) || calls.Legal("Europe/London", summer.Add(time.Second), 8, 21) {
		t.Error("daylight saving, or the end of the day, is wrong")
	}
}

func TestLeaseChecksAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, list, ids := w.callList(mails(5)...)
	_, err := w.people.Suppress(t.Context(), []customers.Suppression{{Scope: "customer", Value: fmt.Sprint(ids[0]), Reason: "died"}})
	w.must(err)
	w.must(w.people.SetConsents(t.Context(), []customers.Consent{{CustomerID: ids[1], Channel: "calls", Source: "test"}}))
	c := w.delivery.Calls()
	leased, err := c.Lease(t.Context(), list, "anna", 2)
	w.must(err)
	if len(leased) != 2 || leased[0].CustomerID != ids[2] {
		t.Errorf("leased %+v", leased)
	}
	w.want("touches", w.counts(s), "no_consent:1 sending:3 suppressed:1")
	w.want("money", w.money(), "6/0")
	// One that is held already is looked at again too.
	w.must(w.people.SetConsents(t.Context(), []customers.Consent{{CustomerID: ids[2], Channel: "calls", Source: "test"}}))
	leased, err = c.Lease(t.Context(), list, "anna", 2)
	w.must(err)
	if len(leased) != 2 || leased[0].CustomerID != ids[3] || leased[1].CustomerID != ids[4] {
		t.Errorf("leased %+v", leased)
	}
	w.exec(`UPDATE campaigns SET state = 'paused'`, nil)
	if _, err := c.Lease(t.Context(), list, "anna", 2); !fault.Is(err, fault.Conflict) {
		t.Errorf("a paused campaign: %v", err)
	}
	if _, err := c.Lease(t.Context(), 999, "anna", 2); !fault.Is(err, fault.NotFound) {
		t.Errorf("an unknown list: %v", err)
	}
	if _, err := c.Lease(t.Context(), list, "anna", 51); !fault.Is(err, fault.Invalid) {
		t.Errorf("too many: %v", err)
	}
}

// A number that a do-not-call register lists comes off the list; while the register's file is too old, calls wait.
func TestLeaseAsksTheRegisters(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s, list, ids := w.callList(mails(4)...)
	people, err := w.people.Profiles(t.Context(), w.pool, ids)
	w.must(err)
	r, err := w.people.SaveRegister(t.Context(), customers.Register{Name: "Preference Service", Country: "GB", Required: true, ConsentExempts: true})
	w.must(err)
	c := w.delivery.Calls()
	lease := func(want int) []calls.Call {
		t.Helper()
		leased, err := c.Lease(t.Context(), list, "anna", 4)
		w.must(err)
		if len(leased) != want {
			t.Errorf("leased %d calls, want %d", len(leased), want)
		}
		return leased
	}
	held := func(want string) {
		t.Helper()
		h, err := c.Held(t.Context(), list)
		w.must(err)
		w.want("held back", fmt.Sprint(h), want)
	}
	lease(0) // no file yet
	held(fmt.Sprintf("[{%d Preference Service, no file yet 4}]", r.ID))
	w.must(w.people.SetConsents(t.Context(), []customers.Consent{{CustomerID: ids[3], Channel: "calls", Granted: true, Source: "test"}}))
	if got := lease(1); len(got) == 1 && got[0].CustomerID != ids[3] {
		t.Errorf("leased %+v", got)
	}
	w.want("touches", w.counts(s), "sending:4")
	load := func(day time.Time) {
		t.Helper()
		im, err := w.people.LoadRegister(t.Context(), customers.LoadRegister{RegisterID: r.ID, ScrubbedOn: day, FileName: "tps.txt", Hold: true,
			Body: strings.NewReader(people[ids[0]].Phone + "\n")})
		w.must(err)
		_, err = w.people.RunImport(t.Context(), im.ID)
		w.must(err)
	}
	load(w.now().AddDate(0, 0, -29))
	lease(1) // of 29 days: too old for those it does not list
	held(fmt.Sprintf("[{%d Preference Service, file of %s 2}]", r.ID, w.now().AddDate(0, 0, -29).UTC().Format(time.DateOnly)))
	load(w.now().AddDate(0, 0, -28))
	lease(3)
	held("[]")
	w.want("touches", w.counts(s), "sending:3 suppressed:1")
	w.want("why", w.text(`SELECT reason_ref FROM touches WHERE reason = 'suppressed'`, nil),
		fmt.Sprintf("register:%d Preference Service, file of %s", r.ID, w.now().AddDate(0, 0, -29).UTC().Format(time.DateOnly)))
	w.want("money", w.money(), "6/0")
}

// TestAgentsAtOnce: agents who ask at the same time never hold the same call.
func TestAgentsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, list, _ := w.callList(mails(60)...)
	var mu sync.Mutex
	holder := map[int64]string{}
	var wait sync.WaitGroup
	for i := range 6 {
		agent := fmt.Sprint("agent", i)
		wait.Go(func() {
			for range 4 {
				leased, err := w.delivery.Calls().Lease(t.Context(), list, agent, 12)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for _, k := range leased {
					if h, ok := holder[k.ID]; ok && h != agent {
						t.Errorf("call %d is held by %s and %s", k.ID, h, agent)
					}
					holder[k.ID] = agent
				}
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	if len(holder) != 60 {
		t.Errorf("%d of 60 calls are held", len(holder))
	}
}

func TestPull(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, list, ids := w.callList(mails(3)...)
	w.exec(`UPDATE customers SET first_name = '=HYPERLINK("http://evil")', last_name = NULL WHERE customer_id = @id`, pgx.NamedArgs{"id": ids[0]})
	var b bytes.Buffer
	w.must(w.delivery.Calls().ExportCSV(t.Context(), &b, list, "agency", 2))
	rows, err := csv.NewReader(&b).ReadAll()
	w.must(err)
	if len(rows) != 3 || rows[1][2] != `'=HYPERLINK("http://evil")` || rows[1][3] != "+447911100000" || len(rows[0]) != len(rows[1]) {
		t.Errorf("rows %q", rows)
	}
	for _, r := range rows[1:] {
		for _, cell := range r {
			if strings.HasPrefix(cell, "=") || strings.HasPrefix(cell, "@") {
				t.Errorf("a formula: %q", cell)
			}
		}
	}
	rest, err := w.delivery.Calls().Lease(t.Context(), list, "anna", 50)
	w.must(err)
	if len(rest) != 1 {
		t.Errorf("the others got %d of the pulled calls", len(rest))
	}
	// A lease that ended is over once another agent takes the call, not before: a talk may be long.
	w.pass(time.Hour)
	w.outcome(rest[0], "anna", calls.Report{Outcome: "busy"})
	w.pass(time.Hour)
	again, err := w.delivery.Calls().Lease(t.Context(), list, "anna", 50)
	w.must(err)
	w.pass(time.Hour)
	taken, err := w.delivery.Calls().Lease(t.Context(), list, "ben", 50)
	w.must(err)
	if len(again) != 1 || len(taken) != 1 || taken[0].ID != again[0].ID {
		t.Fatalf("anna held %v, ben took %v", again, taken)
	}
	if _, err := w.delivery.Calls().Outcome(t.Context(), again[0].ID, "anna", calls.Report{Outcome: "refused"}); !fault.Is(err, fault.Conflict) {
		t.Errorf("a call that another agent took: %v", err)
	}
}
