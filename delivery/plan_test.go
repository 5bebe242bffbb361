package delivery_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/customers"
	"aldine/tracking"
)

func TestPlanReasons(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.step("email", "email", "0.10")
	ids := w.add(s,
		person{email: "a@x.example", list: 1},
		person{email: "b@x.example", cell: 1, list: 2},
		person{email: "c@x.example", cell: 2},  // control comes before everything
		person{cell: 2},                        // even before a missing address
		person{},                               // no address
		person{email: "gone@x.example"},        // suppressed by e-mail
		person{email: "later@x.example"},       // suppressed, but not any more
		person{email: "no@x.example"},          // withdrew
		person{email: "A@x.example", list: 1},  // the first one's address
		person{email: "no@x.example", cell: 1}, // the address of one who is excluded: not a duplicate of anybody
	)
	expired := start.Add(-time.Hour)
	_, err := w.people.Suppress(t.Context(), []customers.Suppression{
		{Scope: "email", Value: "gone@x.example", Reason: "asked"},
		{Scope: "email", Value: "later@x.example", Reason: "asked", ExpiresAt: &expired},
	})
	w.must(err)
	w.must(w.people.SetConsents(t.Context(), []customers.Consent{{CustomerID: ids[7], Channel: "email", Source: "test"}}))
	w.plan(s, 0, everybody)
	w.want("touches", w.counts(s), "control:2 duplicate:1 no_address:1 no_consent:1 planned:4 suppressed:1")
	for i, want := range map[int]string{0: "planned//", 3: "excluded/control/", 4: "excluded/no_address/", 6: "planned//", 7: "excluded/no_consent/",
		8: fmt.Sprintf("excluded/duplicate/%d", ids[0]), 9: "planned//"} {
		w.want(fmt.Sprint("person ", i), w.text(`SELECT state || '/' || coalesce(reason, '') || '/' || coalesce(reason_ref, '') FROM touches WHERE customer_id = @id`,
			pgx.NamedArgs{"id": ids[i]}), want)
	}
	if ref := w.text(`SELECT reason_ref FROM touches WHERE customer_id = @id`, pgx.NamedArgs{"id": ids[5]}); len(ref) != 36 {
		t.Errorf("the suppression is not named: %q", ref)
	}
	w.want("money", w.money(), "0.4/0")
	rows, err := w.pool.Query(t.Context(), `SELECT DISTINCT k.keycode FROM touches t JOIN keycodes k USING (keycode) WHERE k.cell_id = t.cell_id AND k.list_id IS NOT DISTINCT FROM t.list_id`)
	w.must(err)
	codes, err := pgx.CollectRows(rows, pgx.RowTo[string])
	w.must(err)
	if len(codes) != 4 {
		t.Errorf("keycodes of A/house, A/none, B/rented, B/none: %v", codes)
	}
	for _, c := range codes {
		if _, err := tracking.CheckKeycode(c); err != nil {
			t.Error(err)
		}
	}
	// Planned again nothing changes.
	w.exec(`UPDATE enrollments SET state = 'active', step_id = @step`, pgx.NamedArgs{"step": s.ID})
	w.plan(s, 0, everybody)
	w.want("touches", w.counts(s), "control:2 duplicate:1 no_address:1 no_consent:1 planned:4 suppressed:1")
	w.want("money", w.money(), "0.4/0")
}

func TestConsentRequired(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec(`INSERT INTO settings (name, value, updated_at) VALUES ('consent_sms', 'true', now())`, nil)
	s := w.step("sms", "customer", "0.05")
	ids := w.add(s, person{phone: "+447911123456"}, person{phone: "+447911123457"}, person{email: "only@x.example"})
	w.must(w.people.SetConsents(t.Context(), []customers.Consent{{CustomerID: ids[1], Channel: "sms", Granted: true, Source: "test"}}))
	w.plan(s, 0, everybody)
	w.want("touches", w.counts(s), "no_address:1 no_consent:1 planned:1")
}

func TestDuplicatesAcrossSlices(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		channel string
		same    person
		reason  string
		holder  int
	}{
		"household": {"post", person{household: "42", address: "7"}, "household", 1}, // decided as a whole
		"address":   {"post", person{household: "42", address: "7"}, "address", 3},   // not known by its place: the slice that is planned first
		"phone":     {"sms", person{phone: "+447911123456"}, "duplicate", 3},
		"email":     {"email", person{email: "couple@x.example"}, "duplicate", 3},
	}
	for dedup, tt := range tests {
		t.Run(dedup, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			s := w.step(tt.channel, dedup, "0")
			control := tt.same
			control.cell = 2
			ids := w.add(s, control, tt.same, tt.same, tt.same, tt.same)
			w.plan(s, ids[3], ids[4]) // the later slice comes first
			w.plan(s, ids[0], ids[2])
			want := []string{"control:1", tt.reason + ":3", "planned:1"}
			slices.Sort(want)
			w.want("touches", w.counts(s), strings.Join(want, " "))
			w.want("holder", w.text(`SELECT string_agg(DISTINCT reason_ref, ',') FROM touches WHERE reason = @reason`, pgx.NamedArgs{"reason": tt.reason}), fmt.Sprint(ids[tt.holder]))
		})
	}
}

func TestBudget(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec(`UPDATE campaigns SET budget = 10`, nil)
	w.exec(`INSERT INTO cost_entries (campaign_id, entry_id, at, kind, quantity, unit_cost, amount, currency) VALUES (@c, gen_random_uuid(), now(), 'fixed', 1, 7, 7, 'EUR')`, pgx.NamedArgs{"c": w.campaign})
	s := w.step("post", "customer", "0.7") // 3 left: enough for 4
	var people []person
	for i := range 7 {
		people = append(people, person{address: fmt.Sprint(i + 1)})
	}
	ids := w.add(s, people...)
	w.plan(s, ids[0], ids[2])
	w.plan(s, ids[3], ids[6])
	w.want("touches", w.counts(s), "budget:3 planned:4")
	w.want("the last one planned", w.text(`SELECT max(customer_id)::text FROM touches WHERE state = 'planned'`, nil), fmt.Sprint(ids[3]))
	w.want("money", w.money(), "2.8/7")
	free := w.step("email", "customer", "0") // what costs nothing needs no money
	w.add(free, person{email: "a@x.example"})
	w.plan(free, 0, everybody)
	w.want("free of charge", w.counts(free), "planned:1")
}

// TestBudgetUnderPressure plans slices at the same time: together they must not spend more than there is.
func TestBudgetUnderPressure(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec(`UPDATE campaigns SET budget = 1`, nil)
	s := w.step("email", "email", "0.1")
	var people []person
	for i := range 40 {
		people = append(people, person{email: fmt.Sprintf("p%d@x.example", i%30)})
	}
	ids := w.add(s, people...)
	done := make(chan struct{})
	for i := range 4 {
		go func() {
			defer func() { done <- struct{}{} }()
			w.plan(s, ids[i*10], ids[i*10+9])
		}()
	}
	for range 4 {
		<-done
	}
	got := w.counts(s)
	if !strings.Contains(got, "planned:10") {
		t.Errorf("touches: %s", got)
	}
	w.want("money", w.money(), "1/0")
	w.want("keys held by their touches", w.text(`SELECT count(*)::text FROM touch_keys k JOIN touches t USING (customer_id, campaign_id, step_id) WHERE t.state = 'planned'`, nil), "10")
}
