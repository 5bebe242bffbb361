package duplicates_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/govalues/decimal"

	"aldine/customers"
	"aldine/customers/duplicates"
	"aldine/internal/fault"
)

// After whatever happens to orders and customers (reported, changed, returned, imported, merged, taken back, erased), the facts kept
// with customers are what a full recomputation gives.
func TestDerivedFactsFollowEverything(t *testing.T) {
	t.Parallel()
	h := setup(t)
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 1))
	t.Logf("seed %d", seed)
	var people []int64
	for i := range 12 {
		people = append(people, h.add(customers.Fields{ExternalID: fmt.Sprintf("x%d", i), LastName: "Meyer", Email: fmt.Sprintf("m%d@example.org", i)}, nil))
	}
	var merges []duplicates.Merged
	orders, done := 0, map[string]int{}
	for range 150 {
		switch what := r.IntN(10); {
		case what < 5: // new, changed, or a return; of somebody, or of a number that is an alias by now
			n := orders
			if r.IntN(3) == 0 && orders > 0 {
				n = r.IntN(orders)
			}
			orders++
			_, err := h.people.RecordOrders(h.ctx, []customers.Order{{Ref: fmt.Sprint("o", n), CustomerID: people[r.IntN(len(people))], OrderedAt: h.at.AddDate(0, 0, -r.IntN(900)),
				Amount: decimal.MustNew(r.Int64N(20000)-5000, 2), Currency: "USD"}})
			h.ok(err)
			done["order"]++
		case what < 6:
			var file strings.Builder
			file.WriteString("order_id,external_id,date,amount,currency\n")
			for range 5 {
				fmt.Fprintf(&file, "o%d,x%d,2026-%02d-01,%d.10,USD\n", r.IntN(orders+5), r.IntN(12), r.IntN(9)+1, r.IntN(90))
			}
			orders += 5
			imp, err := h.people.StartImport(h.ctx, customers.StartImport{Kind: "orders", FileName: "o.csv", Body: strings.NewReader(file.String()), Hold: true})
			h.ok(err)
			if imp, err = h.people.RunImport(h.ctx, imp.ID); err != nil || imp.State != customers.ImportFinished || imp.Created+imp.Updated+imp.Unchanged+imp.Rejected == 0 {
				t.Fatal(imp, err)
			}
			done["import"]++
		case what < 8:
			m, err := h.Merge(h.ctx, people[r.IntN(12)], people[r.IntN(12)], nil)
			if err == nil {
				merges = append(merges, m)
				done["merge"]++
			} else if fault.KindOf(err) == fault.Internal {
				t.Fatal(err)
			}
		case what < 9 && len(merges) > 0:
			if _, err := h.Undo(h.ctx, merges[r.IntN(len(merges))].ID); err == nil {
				done["undo"]++
			} else if fault.KindOf(err) == fault.Internal {
				t.Fatal(err)
			}
		case r.IntN(6) == 0:
			if err := h.people.Erase(h.ctx, people[r.IntN(12)]); err == nil {
				done["erasure"]++
			} else if fault.KindOf(err) == fault.Internal {
				t.Fatal(err)
			}
		}
		h.at = h.at.Add(time.Minute)
	}
	if done["order"] < 30 || done["merge"] < 3 || done["undo"] == 0 {
		t.Logf("little was done: %v", done)
	}
	run, err := h.people.StartRecomputation(h.ctx, true)
	h.ok(err)
	if run, err = h.people.RunRecomputation(h.ctx, run.ID, nil); err != nil || run.Mended != 0 || run.LookedAt == 0 {
		t.Errorf("%d of %d customers were wrong after %v (%v)", run.Mended, run.LookedAt, done, err)
	}
}
