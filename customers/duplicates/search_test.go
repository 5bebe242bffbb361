package duplicates_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"aldine/customers"
	"aldine/customers/duplicates"
	"aldine/internal/fault"
)

// find runs a search to its end.
func (h *house) find(in duplicates.NewSearch) duplicates.Search {
	h.t.Helper()
	in.Hold = true
	s, err := h.StartSearch(h.ctx, in)
	h.ok(err)
	s, err = h.Run(h.ctx, s.ID)
	h.ok(err)
	if s.State != duplicates.Finished {
		h.t.Fatalf("search: %+v", s)
	}
	return s
}

// town fills the house file with strangers, so that there is something to learn from: as many as asked for, each once.
func (h *house) town(n int) {
	h.t.Helper()
	first := []string{"Anna", "Berta", "Carla", "Doris", "Emil", "Franz", "Georg", "Hanna", "Ida", "Jonas", "Karl", "Lena", "Moritz", "Nora", "Otto", "Paula", "Rosa", "Sven", "Theo", "Ute"}
	last := []string{"Ahrens", "Bergmann", "Claussen", "Dietrich", "Ebert", "Fischer", "Gruber", "Hoffmann", "Jansen", "Krause", "Lehmann", "Neumann", "Petersen", "Richter", "Schulz", "Vogel", "Winkler", "Ziegler"}
	street := []string{"Gartenweg", "Lindenallee", "Rosenstr.", "Am Markt", "Bahnhofstr.", "Schulweg", "Bergstr."}
	rows := make([][]any, n)
	for i := range rows {
		a, b, c := i*7919%20, i*104729%18, i*15485863%7
		rows[i] = []any{first[a], fmt.Sprintf("%s%s", last[b], []string{"", "er", "sen", "kamp"}[i%4]), fmt.Sprintf("p%d@example.org", i), fmt.Sprintf("+4930%07d", i*37%9999999),
			fmt.Sprintf("%s %d", street[c], i%211+1), "Berlin", fmt.Sprintf("1%04d", i*31%9999), "DE", h.at, h.at}
	}
	_, err := h.pool.CopyFrom(h.ctx, pgx.Identifier{"customers"}, []string{"first_name", "last_name", "email", "phone", "street", "city", "postal_code", "country",
		"created_at", "updated_at"}, pgx.CopyFromRows(rows))
	h.ok(err)
}

func TestSearch(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.town(400)
	meyer := customers.Fields{FirstName: "Katharina", LastName: "Meyerhoff", Email: "k.meyerhoff@example.net", Phone: "+4940555111", Street: "Elbchaussee 12", City: "Hamburg", PostalCode: "22765", Country: "DE"}
	slip := meyer
	slip.LastName, slip.Email, slip.Street = "Meyerhof", "", "Elbchausee 12"
	third := meyer
	third.Phone, third.FirstName = "", "Katherina"
	named, other := meyer, slip
	named.ExternalID, other.ExternalID = "M-1", "M-2"
	a, b, c := h.add(named, nil), h.add(other, nil), h.add(third, nil)
	rented := h.add(meyer, nil)
	h.exec(`UPDATE customers SET rented = true WHERE customer_id = $1`, rented)

	s := h.find(duplicates.NewSearch{})
	if s.Pairs < 3 || s.Done != s.Total {
		t.Errorf("search: %+v", s)
	}
	h.want("model kept", h.text(`SELECT (model->'fields' IS NOT NULL)::text FROM duplicate_searches`), "true")
	h.want("rented names", h.text(`SELECT count(*)::text FROM duplicates WHERE $1 IN (customer_id, other_id)`, rented), "0")
	h.want("one person", h.text(`SELECT string_agg(customer_id::text, ' ' ORDER BY customer_id) FROM customers WHERE person_id = $1`, a), fmt.Sprint(a, " ", b, " ", c))
	p, err := h.Pair(h.ctx, b, a)
	h.ok(err)
	h.want("conflict", p.Conflict, "two external ids: M-1 and M-2")
	var street duplicates.Evidence
	for _, e := range p.Evidence {
		if e.Field == "street" {
			street = e
		}
	}
	if street.A != "Elbchaussee 12" || street.B != "Elbchausee 12" || street.StandardA == "" || street.Weight <= 0 || p.A.ID != a || p.B.LastName != "Meyerhof" {
		t.Errorf("pair: %+v", p)
	}
	page, err := h.Open(h.ctx, duplicates.Cursor{}, 1)
	h.ok(err)
	seen := map[string]bool{}
	for len(page) > 0 {
		key := fmt.Sprint(page[0].CustomerID, page[0].OtherID)
		if seen[key] {
			t.Fatalf("pair %s twice", key)
		}
		seen[key] = true
		page, err = h.Open(h.ctx, page[0].Cursor(), 1)
		h.ok(err)
	}
	if int64(len(seen)) != s.Pairs {
		t.Errorf("%d pairs listed of %d", len(seen), s.Pairs)
	}

	// A word of a person splits the group at once, and stays when the search runs again.
	h.ok(h.Decide(h.ctx, b, a, true))
	together := func() string {
		return h.text(`SELECT (count(DISTINCT coalesce(person_id, customer_id)) = 1)::text FROM customers WHERE customer_id IN ($1, $2)`, a, b)
	}
	h.want("one person still", together(), "false")
	h.find(duplicates.NewSearch{})
	h.want("one person again", together(), "false")
	p, err = h.Pair(h.ctx, a, b)
	h.ok(err)
	h.want("decision", p.State+" "+p.DecidedBy, "different system")
	h.ok(h.Decide(h.ctx, a, b, false))
	h.want("one person after all", together(), "true")

	// What is not alike any more goes: the pair, and the group.
	_, err = h.people.Update(h.ctx, c, customers.Patch{"first_name": "Bruno", "last_name": "Oppenheim", "email": "bo@example.net", "street": "Kai 3", "postal_code": "20095"})
	h.ok(err)
	h.find(duplicates.NewSearch{})
	_, err = h.Pair(h.ctx, a, c)
	h.wants(err, fault.NotFound, "No search")
	h.want("group of the one who left", h.text(`SELECT coalesce(person_id::text, 'none') FROM customers WHERE customer_id = $1`, c), "none")
	h.want("group of the others", together(), "true")
}

func TestSearchesOneAtATime(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.town(50)
	for _, in := range []duplicates.NewSearch{{Threshold: 1}, {Threshold: -1}, {Threshold: 0.3, Review: 0.4}, {Review: 2}} {
		_, err := h.StartSearch(h.ctx, in)
		h.wants(err, fault.Invalid, "must be above 0")
	}
	s, err := h.StartSearch(h.ctx, duplicates.NewSearch{})
	h.ok(err)
	_, err = h.StartSearch(h.ctx, duplicates.NewSearch{})
	h.wants(err, fault.Conflict, "under way")
	_, err = h.MergeSure(h.ctx, 0.99)
	h.wants(err, fault.Conflict, "under way")
	h.ok(h.CancelSearch(h.ctx, s.ID))
	h.wants(h.CancelSearch(h.ctx, s.ID), fault.Conflict, "ended already")
	_, err = h.Run(h.ctx, s.ID)
	h.wants(err, fault.Conflict, "cancelled")
	_, err = h.Search(h.ctx, s.ID+1)
	h.wants(err, fault.NotFound, "no search")

	// One that was killed in the middle carries on and finds the same.
	s, err = h.StartSearch(h.ctx, duplicates.NewSearch{Hold: true})
	h.ok(err)
	stopped, stop := context.WithCancel(h.ctx)
	stop()
	if _, err := h.Run(stopped, s.ID); err == nil {
		t.Error("a search went on without a context")
	}
	h.exec(`UPDATE duplicate_searches SET state = 'running', phase = 'matching', done = 3 WHERE run_id = $1`, s.ID)
	h.ok(h.Resume(h.ctx))
	s, err = h.Run(h.ctx, s.ID)
	h.ok(err)
	h.want("state", s.State, duplicates.Finished)
	list, err := h.Searches(h.ctx, 0, 10)
	h.ok(err)
	if len(list) != 2 || list[0].ID != s.ID {
		t.Errorf("searches: %+v", list)
	}
}

func TestMergeSure(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.town(300)
	for i := range 12 { // three records each, of which two name the shop's number in every third case
		name := []string{"Quandt", "Ohlsen", "Yilmaz", "Przybylski", "Xanthopoulos", "Iwanow", "Uhland", "Zacher", "Tischbein", "Kowalczyk", "Nguyen", "Abendroth"}[i]
		f := customers.Fields{FirstName: []string{"Zacharias", "Wilma", "Ottokar"}[i%3], LastName: name, Email: strings.ToLower(name) + "@example.net",
			Phone: fmt.Sprintf("+4940%07d", (i+1)*7654321%9999999), Street: fmt.Sprintf("%serring %d", name[:4], i*17+1), City: "Hamburg",
			PostalCode: fmt.Sprintf("2%04d", (i+1)*797), Country: "DE"}
		for k := range 3 {
			g := f
			if k > 0 && i%3 == 0 {
				g.ExternalID = fmt.Sprintf("Q%d-%d", i, k)
			}
			h.add(g, nil)
		}
	}
	h.find(duplicates.NewSearch{})
	_, err := h.MergeSure(h.ctx, 0.5)
	h.wants(err, fault.Invalid, "min_score")
	before := h.text(`SELECT count(*)::text FROM customers`)
	n, err := h.CountSure(h.ctx, 0.95)
	h.ok(err)
	s, err := h.MergeSure(h.ctx, 0.95)
	h.ok(err)
	if n == 0 || s.Total != n {
		t.Errorf("%d sure, total %d", n, s.Total)
	}
	s, err = h.Run(h.ctx, s.ID)
	h.ok(err)
	// 8 threes become one; of the 4 with two numbers, the one without joins one of them.
	h.want("merged", fmt.Sprint(s.State, s.Pairs), "finished20")
	h.want("fewer", h.text(`SELECT ($1::int - count(*))::text FROM customers`, before), "20")
	h.want("left", h.text(`SELECT count(*)::text FROM customers WHERE postal_code LIKE '2%'`), "16")
	c, err := h.Counts(h.ctx)
	h.ok(err)
	if c.Sure != 0 || c.Conflicts != 4 || c.Merged == 0 {
		t.Errorf("counts: %+v", c)
	}
	h.want("numbers kept apart", h.text(`SELECT count(*)::text FROM customer_external_ids`), "8")

	// Each of them can be undone, the last one first.
	rows, err := h.pool.Query(h.ctx, `SELECT merge_id::text FROM customer_merges ORDER BY merged_at DESC, merge_id DESC`)
	h.ok(err)
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	h.ok(err)
	for _, id := range ids {
		_, err := h.Undo(h.ctx, id)
		h.ok(err)
	}
	h.want("all back", h.text(`SELECT count(*)::text FROM customers`), before)
	h.want("no aliases", h.text(`SELECT count(*)::text FROM customer_aliases`), "0")
}

func TestBadNumbersAndWords(t *testing.T) {
	t.Parallel()
	h := setup(t)
	a := h.add(customers.Fields{LastName: "One"}, nil)
	b := h.add(customers.Fields{LastName: "Two"}, nil)
	_, err := h.Merge(h.ctx, a, a, nil)
	h.wants(err, fault.Invalid, "itself")
	_, err = h.Merge(h.ctx, a, 99999, nil)
	h.wants(err, fault.NotFound, "no customer 99999")
	_, err = h.Merge(h.ctx, a, b, map[string]string{"street": "old", "nonsense": "old", "last_name": "both"})
	h.wants(err, fault.Invalid, "chosen together")
	if err != nil && (!strings.Contains(err.Error(), "no field") || !strings.Contains(err.Error(), "say survivor or old")) {
		t.Errorf("not all faults at once: %v", err)
	}
	h.wants(h.Decide(h.ctx, a, b, true), fault.NotFound, "alike")
	_, err = h.Undo(h.ctx, "nonsense\x00")
	h.wants(err, fault.NotFound, "no merge")
	_, err = h.Undo(h.ctx, "01890000-0000-7000-8000-000000000000")
	h.wants(err, fault.NotFound, "no merge")
	_, err = h.PreviewMerge(h.ctx, a, -1, nil)
	h.wants(err, fault.NotFound, "no customer")
	_, err = h.Merge(h.ctx, a, b, nil)
	h.ok(err)
	_, err = h.Merge(h.ctx, a, b, nil)
	h.wants(err, fault.Conflict, fmt.Sprintf("merged into customer %d before", a))
	c, err := h.people.Get(h.ctx, b)
	h.ok(err)
	h.want("the old number", fmt.Sprint(c.ID), fmt.Sprint(a))
}
