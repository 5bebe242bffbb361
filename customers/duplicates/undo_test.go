package duplicates_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"aldine/customers"
	"aldine/internal/fault"
)

// person makes a customer of random values, so that two have some in common, some apart and some missing.
func (h *house) person(r *rand.Rand, n int) int64 {
	h.t.Helper()
	pick := func(values ...string) string { return values[r.IntN(len(values))] }
	f := customers.Fields{FirstName: pick("Anna", "A.", "Annie", ""), LastName: pick("Meyer", "Maier", "Meyer"), Title: pick("Dr.", ""),
		Email: pick("anna@example.org", "Anna.M@example.org", ""), Phone: pick("+4930123456", "+4989123456", ""), Company: pick("Acme GmbH", "")}
	if r.IntN(3) > 0 {
		f.ExternalID = fmt.Sprint("X", n)
	}
	switch r.IntN(3) {
	case 0:
		f.Street, f.City, f.PostalCode, f.Country = "Hauptstr. 5", "Berlin", "10115", "DE"
	case 1:
		f.Street, f.City, f.Country = "Marktplatz 1", "Bonn", "DE"
	}
	attributes := map[string]any{}
	if r.IntN(2) == 0 {
		attributes["colour"] = pick("red", "blue")
	}
	if r.IntN(2) == 0 {
		attributes["points"] = float64(r.IntN(1000)) / 8
	}
	if r.IntN(2) == 0 {
		attributes["likes"] = []any{"tea", pick("cake", "rye")}
	}
	h.at = h.at.Add(time.Duration(r.IntN(3)) * time.Minute)
	return h.add(f, attributes)
}

func (h *house) attributes() {
	h.t.Helper()
	for name, kind := range map[string]customers.AttributeType{"colour": customers.Text, "points": customers.Number, "likes": customers.List} {
		_, err := h.people.DefineAttribute(h.ctx, customers.Attribute{Name: name, Label: name, Type: kind})
		h.ok(err)
	}
}

// Whatever three customers have lived through: merging them into one, in any order, and undoing it from the last merge to the first
// leaves every table as it was, at every step.
func TestUndoRestoresExactly(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.attributes()
	h.campaigns(3)
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 1))
	t.Logf("seed %d", seed)
	for round := range 12 {
		var ids []int64
		for i := range 4 {
			id := h.person(r, round*10+i)
			h.live(r, id, 3)
			ids = append(ids, id)
		}
		for i, a := range ids {
			for _, b := range ids[i+1:] {
				if r.IntN(3) > 0 {
					h.pair(a, b, r.Float64(), []string{"open", "open", "different"}[r.IntN(3)])
				}
			}
		}
		if r.IntN(2) == 0 {
			h.exec(`UPDATE customers SET person_id = $1 WHERE customer_id = ANY($2)`, ids[0], ids[r.IntN(2)*2:])
		}
		if r.IntN(2) == 0 { // 3 is nobody's survivor, but part of groups and pairs
			h.exec(`UPDATE customers SET person_id = NULL WHERE customer_id = $1`, ids[3])
		}
		r.Shuffle(3, func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
		first := [2]int64{ids[0], ids[1]}
		second := [][2]int64{{ids[0], ids[2]}, {ids[2], ids[0]}}[r.IntN(2)]
		was := h.dump()
		h.at = h.at.Add(time.Minute)
		one, err := h.Merge(h.ctx, first[0], first[1], nil)
		h.ok(err)
		between := h.dump()
		h.at = h.at.Add(time.Minute)
		two, err := h.Merge(h.ctx, second[0], second[1], nil)
		h.ok(err)
		h.want("aliases of aliases", h.text(`SELECT count(*)::text FROM customer_aliases a JOIN customer_aliases b ON b.old_id = a.customer_id`), "0")
		h.want("aliases without a customer", h.text(`SELECT count(*)::text FROM customer_aliases a LEFT JOIN customers c USING (customer_id) WHERE c.customer_id IS NULL`), "0")
		if _, err := h.Undo(h.ctx, one.ID); err == nil {
			t.Fatal("the first merge was undone before the second")
		} else {
			h.wants(err, fault.Conflict, "undo that merge first")
		}
		h.at = h.at.Add(time.Minute)
		undone, err := h.Undo(h.ctx, two.ID)
		h.ok(err)
		if len(undone.Kept) > 0 || undone.UndoneAt == nil {
			t.Errorf("undone: %+v", undone)
		}
		h.same(fmt.Sprintf("round %d, after undoing the second merge", round), h.dump(), between)
		_, err = h.Undo(h.ctx, one.ID)
		h.ok(err)
		h.same(fmt.Sprintf("round %d, after undoing the first merge", round), h.dump(), was)
		_, err = h.Undo(h.ctx, one.ID)
		h.wants(err, fault.Conflict, "undone before")
	}
}

func (h *house) pair(a, b int64, score float64, state string) {
	h.t.Helper()
	h.exec(`INSERT INTO duplicates (customer_id, other_id, score, evidence, conflict, state, run_id, found_at)
		SELECT least($1::bigint, $2), greatest($1::bigint, $2), $3::float8, '[{"field": "surname", "a": "Meyer", "b": "Maier", "standard_a": "meyer", "standard_b": "maier", "level": "close", "weight": 3.5}]',
			CASE WHEN x.external_id <> y.external_id THEN 'two external ids: ' || x.external_id || ' and ' || y.external_id END, $4::text, 1, $5::timestamptz
		FROM customers x, customers y WHERE x.customer_id = least($1::bigint, $2) AND y.customer_id = greatest($1::bigint, $2)`, a, b, score, state, h.at)
}

func TestUndoAfterAnErasure(t *testing.T) {
	t.Parallel()
	h := setup(t)
	erased := "The customer was erased; nothing is left from which the merge could be undone"
	a, b := h.add(customers.Fields{LastName: "Meyer", Email: "a@example.org"}, nil), h.add(customers.Fields{LastName: "Maier", Phone: "+4930123456"}, nil)
	first, err := h.Merge(h.ctx, a, b, nil)
	h.ok(err)
	h.ok(h.people.Erase(h.ctx, b)) // under the old number
	_, err = h.Undo(h.ctx, first.ID)
	h.wants(err, fault.Conflict, erased)

	// The record alone is emptied, as a retention that someone has will do: the survivor lives on.
	c, d := h.add(customers.Fields{LastName: "Huber"}, nil), h.add(customers.Fields{LastName: "Hubert"}, nil)
	second, err := h.Merge(h.ctx, c, d, nil)
	h.ok(err)
	h.exec(`UPDATE customer_merges SET before = '{}', fields = '[]' WHERE old_id = $1`, d)
	was := h.dump()
	_, err = h.Undo(h.ctx, second.ID)
	h.wants(err, fault.Conflict, erased)
	h.same("refused", h.dump(), was)
}

// Homes that were one spelling apart when the merge was made may be one residence when it is taken back.
func TestUndoFindsTheHouseholdAnew(t *testing.T) {
	t.Parallel()
	h := setup(t)
	home := customers.Fields{LastName: "Meyer", Street: "Lindenweg 4", PostalCode: "53111", City: "Bonn", Country: "DE"}
	a := h.add(customers.Fields{LastName: "Meyer", Email: "a@example.org"}, nil)
	b := h.add(home, nil)
	m, err := h.Merge(h.ctx, a, b, map[string]string{"address": "survivor"})
	h.ok(err)
	h.exec(`TRUNCATE residences`) // forgotten meanwhile; the next one sets the tone
	home.FirstName, home.Street = "Karl", "Lindnweg 4"
	c := h.add(home, nil)
	_, err = h.Undo(h.ctx, m.ID)
	h.ok(err)
	_, err = h.people.RefreshHouseholds(h.ctx, nil)
	h.ok(err)
	h.want("one residence", h.text(`SELECT count(DISTINCT residence_id)::text FROM customers WHERE customer_id = ANY($1)`, []int64{b, c}), "1")
	h.want("one household", h.text(`SELECT count(DISTINCT household_id)::text FROM customers WHERE customer_id = ANY($1)`, []int64{b, c}), "1")
}

// The e-mail of the one merged away finds the survivor, who may take it for its own and give it up again.
func TestSurvivorTakesTheOtherEmail(t *testing.T) {
	t.Parallel()
	h := setup(t)
	a, b := h.add(customers.Fields{LastName: "Meyer", Email: "a@example.org", Phone: "+4930123456"}, nil),
		h.add(customers.Fields{LastName: "Meyer", Email: "b@example.org", Phone: "+4930123457"}, nil)
	m, err := h.Merge(h.ctx, a, b, nil)
	h.ok(err)
	for _, patch := range []customers.Patch{{"email": "B@example.org", "phone": "+4930123457"}, {"email": "a@example.org", "phone": "+4930123456"}, {"email": "B@example.org"}} {
		_, err := h.people.Update(h.ctx, a, patch)
		h.ok(err)
	}
	h.want("found by", h.text(`SELECT string_agg(email, ' ' ORDER BY email) FROM customer_emails WHERE customer_id = $1`, a), "b@example.org")
	_, err = h.Undo(h.ctx, m.ID)
	h.ok(err)
	h.want("found by", h.text(`SELECT string_agg(email || customer_id, ' ' ORDER BY email, customer_id) FROM customer_emails`),
		fmt.Sprintf("b@example.org%d b@example.org%d", a, b))
}
