package customers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/govalues/decimal"

	"aldine/internal/fault"
	"aldine/internal/queue"
	"aldine/internal/settings"
)

func amount(s string) *decimal.Decimal {
	d := decimal.MustParse(s)
	return &d
}

// report records events and gives their states with reasons.
func (b *bench) report(source string, events ...Event) []string {
	b.t.Helper()
	done, err := b.RecordEvents(b.ctx, source, events)
	b.ok(err)
	var out []string
	for i, o := range done {
		if o.Ref != strings.TrimSpace(events[i].Ref) || (o.State == EventRejected) != (o.Reason != "") || (o.State != EventRejected) != (o.ID != [16]byte{}) {
			b.t.Errorf("%+v", o)
		}
		out = append(out, strings.TrimSuffix(string(o.State)+" "+o.Reason, " "))
	}
	return out
}

func (b *bench) says(got []string, want ...string) {
	b.t.Helper()
	if len(got) != len(want) {
		b.t.Fatalf("%q, want %q", got, want)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			b.t.Errorf("%d: %q, want %q", i, got[i], want[i])
		}
	}
}

func TestEvents(t *testing.T) {
	t.Parallel()
	b := setup(t)
	anna := b.person(Fields{ExternalID: "C-1", FirstName: "Anna"})
	carl := b.person(Fields{ExternalID: "C-2", FirstName: "Carl"})
	viewed := Event{Ref: "v1", CustomerExternalID: "C-1", Name: " viewed ", At: b.at.Add(-time.Hour), Value: amount("12.50"),
		Properties: Properties{"page": "/roses", "seconds": json.Number("1.50"), "app": true, "nothing": nil, "n": 7}}
	b.says(b.report("shop", viewed, Event{CustomerID: carl, Name: "signed_up"}), "recorded", "recorded")
	// The same again, in either order of naming the customer, with the number written otherwise.
	again := viewed
	again.CustomerID, again.CustomerExternalID, again.Value = anna, "", amount("12.5")
	b.says(b.report("shop", viewed, again), "repeated", "repeated")
	// Other content; another customer; another sender's ref is another one.
	other := viewed
	other.Value = amount("13")
	elsewhere := viewed
	elsewhere.CustomerExternalID = "C-2"
	less := viewed
	less.Properties = Properties{"page": "/roses"}
	untimed := viewed
	untimed.At = time.Time{}
	b.says(b.report("shop", other, elsewhere, less, untimed), `rejected ref: "v1" was reported before with other content`, "rejected ref", "rejected ref", "repeated")
	b.says(b.report("app", other), "recorded")
	// Twice in one call.
	b.says(b.report("shop", Event{Ref: "x", CustomerID: anna, Name: "a"}, Event{Ref: "x", CustomerID: anna, Name: "a"}, Event{Ref: "x", CustomerID: anna, Name: "b"}),
		"recorded", "repeated", "rejected ref")
	// Without a ref every report is an event.
	b.says(b.report("shop", Event{CustomerID: anna, Name: "a"}, Event{CustomerID: anna, Name: "a"}), "recorded", "recorded")

	page, err := b.Events(b.ctx, anna, EventQuery{Limit: 2})
	b.ok(err)
	second, err := b.Events(b.ctx, anna, EventQuery{Limit: 200, Cursor: page.Next})
	b.ok(err)
	if len(page.Events) != 2 || len(second.Events) != 3 || second.Next != "" {
		t.Fatalf("pages of %d and %d", len(page.Events), len(second.Events))
	}
	oldest := second.Events[2]
	if i := slices.IndexFunc(second.Events, func(e Event) bool { return e.Value != nil && e.Value.String() == "12.5" }); i >= 0 {
		oldest = second.Events[i]
	}
	if raw, _ := json.Marshal(oldest.Properties); oldest.Name != "viewed" || !oldest.At.Equal(viewed.At) || oldest.Value.String() != "12.5" ||
		string(raw) != `{"app":true,"n":7,"page":"/roses","seconds":1.5}` {
		t.Errorf("%+v %s", oldest, raw)
	}
	if named, err := b.Events(b.ctx, anna, EventQuery{Name: "viewed"}); err != nil || len(named.Events) != 2 {
		t.Errorf("%+v %v", named, err)
	}
	if names, err := EventNames(b.ctx, b.pool); err != nil || !slices.Equal(names, []string{"a", "signed_up", "viewed"}) {
		t.Errorf("%v %v", names, err)
	}
	_, err = b.Events(b.ctx, anna, EventQuery{Cursor: "x"})
	b.wants(err, fault.Invalid, "page mark")
	_, err = b.Events(b.ctx, 999999, EventQuery{})
	b.wants(err, fault.NotFound, "no customer")
}

func TestBadEvents(t *testing.T) {
	t.Parallel()
	b := setup(t)
	anna := b.person(Fields{ExternalID: "C-1"})
	many := Properties{}
	for i := range 21 {
		many[fmt.Sprint("p", i)] = true
	}
	large := Properties{}
	for i := range 9 {
		large[fmt.Sprint("p", i)] = strings.Repeat("x", 490)
	}
	cases := []struct {
		change func(*Event)
		says   string
	}{
		{func(e *Event) { e.Name = " " }, "name: is missing"},
		{func(e *Event) { e.Name = strings.Repeat("x", 101) }, "name: "},
		{func(e *Event) { e.Name = "a\nb" }, `name: "a\nb" holds a line break`},
		{func(e *Event) { e.Name = "a\u2028b" }, `name: "a\u2028b" holds a line break`},
		{func(e *Event) { e.Name = "a\u202eb" }, `name: "a\u202eb" holds a line break`},
		{func(e *Event) { e.Name = "a\x00" }, "name: "},
		{func(e *Event) { e.Name = "\xff" }, "name: "},
		{func(e *Event) { e.Ref = strings.Repeat("x", 201) }, "ref: "},
		{func(e *Event) { e.CustomerID = 0 }, "customer_external_id: is missing"},
		{func(e *Event) { e.CustomerID, e.CustomerExternalID = 0, "C-9" }, `customer_external_id: there is no customer "C-9"`},
		{func(e *Event) { e.CustomerID = 4711 }, "customer_id: there is no customer 4711"},
		{func(e *Event) { e.CustomerID = -1 }, "customer_id: there is no customer -1"},
		{func(e *Event) { e.At = b.at.Add(25 * time.Hour) }, "at: is in the future"},
		{func(e *Event) { e.At = time.Date(1200, 1, 1, 0, 0, 0, 0, time.UTC) }, "at: is before 1900"},
		{func(e *Event) { e.Value = amount("1000000000000") }, "value: "},
		{func(e *Event) { e.Value = amount("0.0000001") }, "value: "},
		{func(e *Event) { e.Properties = many }, "properties: there are 21"},
		{func(e *Event) { e.Properties = large }, "properties: they take more than 4096 bytes"},
		{func(e *Event) { e.Properties = Properties{"a b": 1} }, `properties: "a b" cannot be a name`},
		{func(e *Event) { e.Properties = Properties{"a": []any{1}} }, "properties: a must be a text"},
		{func(e *Event) { e.Properties = Properties{"a": map[string]any{}} }, "properties: a must be a text"},
		{func(e *Event) { e.Properties = Properties{"a": strings.Repeat("x", 501)} }, "properties: a is longer"},
		{func(e *Event) { e.Properties = Properties{"a": "x\x00"} }, "properties: a holds"},
		{func(e *Event) { e.Properties = Properties{"a": json.Number("1e400")} }, "properties: a is no number"},
		{func(e *Event) { e.Properties = Properties{"a": 0.1234567} }, "properties: a is no number"},
	}
	list, want := []Event{{CustomerID: anna, Name: "good"}}, []string{"recorded"}
	for _, c := range cases {
		e := Event{CustomerID: anna, Name: "viewed"}
		c.change(&e)
		list, want = append(list, e), append(want, "rejected "+c.says)
	}
	b.says(b.report("shop", list...), want...)
	if n := b.count(`SELECT count(*) FROM events`); n != 1 {
		t.Errorf("%d events", n)
	}
	_, err := b.RecordEvents(b.ctx, "shop", make([]Event, MaxEvents+1))
	b.wants(err, fault.Invalid, "at most 5000")
	// Names are kinds.
	for i := range 999 {
		_, err := b.pool.Exec(b.ctx, `INSERT INTO event_names (name, created_at) VALUES ($1, $2)`, fmt.Sprint("n", i), b.at)
		b.ok(err)
	}
	b.says(b.report("shop", Event{CustomerID: anna, Name: "one too many"}, Event{CustomerID: anna, Name: "good"}), `rejected name: "one too many" is new, and there are 1000`, "recorded")
}

// Whoever reports the same batch at once with others stores it once.
func TestEventsAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	anna := b.person(Fields{ExternalID: "C-1"})
	var batch []Event
	for i := range 200 {
		batch = append(batch, Event{Ref: fmt.Sprint("r", i), CustomerID: anna, Name: fmt.Sprint("kind", i%7), At: b.at})
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			done, err := b.RecordEvents(b.ctx, "shop", batch)
			if err != nil || slices.ContainsFunc(done, func(o EventOutcome) bool { return o.State == EventRejected }) {
				t.Errorf("%v %+v", err, done)
			}
		})
	}
	wg.Wait()
	if n := b.count(`SELECT count(*) FROM events`); n != 200 {
		t.Errorf("%d events", n)
	}
}

// A person's events are told to the person, and go with the person; those of rented names do not make them customers of the house.
func TestEventsOfPeople(t *testing.T) {
	t.Parallel()
	b := setup(t)
	anna := b.person(Fields{ExternalID: "C-1", FirstName: "Anna", Email: "anna@example.org"})
	carl := b.person(Fields{ExternalID: "C-2", FirstName: "Carl"})
	_, err := b.pool.Exec(b.ctx, `UPDATE customers SET rented = true WHERE customer_id = $1`, carl)
	b.ok(err)
	_, err = b.pool.Exec(b.ctx, `INSERT INTO customer_aliases (old_id, customer_id, merge_id) VALUES (900, $1, gen_random_uuid())`, anna)
	b.ok(err)
	b.says(b.report("shop", Event{Ref: "1", CustomerID: 900, Name: "viewed", Properties: Properties{"page": "/secret"}}, Event{Ref: "2", CustomerID: carl, Name: "viewed"}), "recorded", "recorded")
	if n := b.count(`SELECT count(*) FROM customers WHERE rented`); n != 1 {
		t.Error("an event took a rented name into the house file")
	}
	var out bytes.Buffer
	b.ok(b.Export(b.ctx, anna, &out))
	var export struct {
		Events []struct {
			Name, Source, Ref string
			Properties        map[string]any
		}
	}
	if err := json.Unmarshal(out.Bytes(), &export); err != nil || len(export.Events) != 1 || export.Events[0].Name != "viewed" ||
		export.Events[0].Source != "shop" || export.Events[0].Ref != "1" || export.Events[0].Properties["page"] != "/secret" {
		t.Errorf("%v %+v", err, export)
	}
	if p, err := b.ErasePreview(b.ctx, anna); err != nil || p.Events != 1 {
		t.Errorf("%+v %v", p, err)
	}
	b.says(b.report("shop", Event{CustomerID: anna, Name: "told anna@example.org"}), "recorded")
	b.ok(b.Erase(b.ctx, anna))
	if names, err := EventNames(b.ctx, b.pool); err != nil || !slices.Equal(names, []string{"viewed"}) {
		t.Errorf("names are left that tell of the person: %q %v", names, err)
	}
	if found := b.everywhere("secret"); found != nil {
		t.Errorf("still in %v", found)
	}
	if n := b.count(`SELECT count(*) FROM event_refs WHERE customer_id = $1`, anna); n != 0 {
		t.Errorf("%d refs are left", n)
	}
	b.says(b.report("shop", Event{Ref: "1", CustomerID: anna, Name: "viewed"}), "rejected customer_id: there is no customer")
}

func TestForgetEvents(t *testing.T) {
	t.Parallel()
	b := setup(t)
	anna := b.person(Fields{ExternalID: "C-1"})
	b.says(b.report("shop", Event{Ref: "old", CustomerID: anna, Name: "viewed", At: b.at.AddDate(-1, 0, 0)}, Event{Ref: "older", CustomerID: anna, Name: "left", At: b.at.AddDate(-2, 0, 0)},
		Event{Ref: "new", CustomerID: anna, Name: "viewed"}), "recorded", "recorded", "recorded")
	if on := (ForgetEventsArgs{}).InsertOpts().Queue; on == queue.Imports {
		t.Error("imports wait until events are deleted")
	}
	gone, err := b.ForgetEvents(b.ctx, b.at.AddDate(0, -1, 0))
	b.ok(err)
	if more, err := b.ForgetEvents(b.ctx, b.at.AddDate(0, -1, 0)); gone != 2 || more != 0 || err != nil {
		t.Errorf("%d, then %d, %v", gone, more, err)
	}
	b.ok(b.ForgetOldEvents(b.ctx)) // keeps all unless the setting says otherwise
	if n, refs := b.count(`SELECT count(*) FROM events`), b.count(`SELECT count(*) FROM event_refs`); n != 1 || refs != 1 {
		t.Errorf("%d events and %d refs are left", n, refs)
	}
	_, err = b.settings.Update(b.ctx, func(v *settings.Values) error { v.EventMonths = 2; return nil })
	b.ok(err)
	b.ok(b.ForgetOldEvents(b.ctx))
	if n := b.count(`SELECT count(*) FROM events`); n != 1 {
		t.Error("an event was deleted too early")
	}
	b.at = b.at.AddDate(0, 2, 1)
	b.ok(b.ForgetOldEvents(b.ctx))
	if n := b.count(`SELECT count(*) FROM events`); n != 0 {
		t.Error("an event outlived the setting")
	}
}

// Events that come while customers are merged, parted again or erased are those of whom they name afterwards.
func TestEventsMeanwhile(t *testing.T) {
	t.Parallel()
	b := setup(t)
	old, survivor := b.person(Fields{ExternalID: "A"}), b.person(Fields{ExternalID: "B"})
	var out []EventOutcome
	report := func() (err error) {
		out, err = b.RecordEvents(b.ctx, "shop", []Event{{CustomerExternalID: "A", Name: "viewed"}, {CustomerID: old, Name: "viewed"}, {CustomerID: survivor, Name: "viewed"}})
		return err
	}
	of := func(what string, want ...ID) {
		t.Helper()
		for i, o := range out {
			if o.CustomerID != want[i] || (want[i] != 0) != (o.State == EventRecorded) {
				t.Errorf("%s: %+v, want customer %d", what, o, want[i])
			}
		}
	}
	b.ok(b.mergeWhile(old, survivor, report))
	of("merged", survivor, survivor, survivor)
	b.ok(b.while(old, survivor, report, `SELECT FROM customers WHERE customer_id = @survivor FOR UPDATE`, `UPDATE customers SET updated_at = updated_at WHERE customer_id = @survivor`,
		`INSERT INTO customers SELECT (jsonb_populate_record(c, jsonb_build_object('customer_id', @old::bigint, 'external_id', 'A'))).* FROM customers c WHERE customer_id = @survivor`,
		`UPDATE customer_external_ids SET customer_id = @old WHERE external_id = 'A'`, `DELETE FROM customer_aliases WHERE old_id = @old`))
	of("parted", old, old, survivor)
	b.ok(b.while(old, survivor, report, `SELECT FROM customers WHERE customer_id = @old FOR UPDATE`, `DELETE FROM customers WHERE customer_id = @old`,
		`DELETE FROM customer_external_ids WHERE external_id = 'A'`))
	of("erased", 0, 0, survivor)
	if n := b.count(`SELECT count(*) FROM events`); n != 7 {
		t.Errorf("%d events", n)
	}
}
