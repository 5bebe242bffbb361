package delivery_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/campaigns/journey"
	"aldine/customers"
)

// reason gives what a step decided about a customer, as "planned" or "household of 12".
func (w *world) reason(s journey.Step, id int64) string {
	w.t.Helper()
	return w.text(`SELECT coalesce((SELECT CASE WHEN state = 'excluded' THEN reason || coalesce(' of ' || reason_ref, '') ELSE state END FROM touches
		WHERE customer_id = @id AND campaign_id = @campaign AND step_id = @step), 'nothing')`, pgx.NamedArgs{"id": id, "campaign": w.campaign, "step": s.ID})
}

func (w *world) spent(id int64, sum string, last time.Time) {
	w.t.Helper()
	w.exec(`UPDATE customers SET total_spent = @sum::text::numeric, last_order_at = @last, orders_count = 1 WHERE customer_id = @id`, pgx.NamedArgs{"id": id, "sum": sum, "last": last})
}

func TestBestOfAGroup(t *testing.T) {
	t.Parallel()
	home := person{household: "42", address: "7", email: "x@x.example"}
	type setUp func(w *world, ids []int64)
	for name, tt := range map[string]struct {
		channel string
		people  []person // the first two stand in one slice, the others in later ones of two
		setUp   setUp
		best    int // -1: nobody
		others  string
	}{
		"who spent most, in a later slice": {"post", []person{home, home, home, home}, func(w *world, ids []int64) { w.spent(ids[3], "99.50", start); w.spent(ids[0], "99.49", start) }, 3, "household"},
		"of equal ones who bought last":    {"post", []person{home, home, home}, func(w *world, ids []int64) { w.spent(ids[0], "5", start); w.spent(ids[2], "5", start.Add(time.Hour)) }, 2, "household"},
		"of all alike the lowest number":   {"post", []person{home, home, home}, func(*world, []int64) {}, 0, "household"},
		"not one who is suppressed": {"post", []person{home, home, home}, func(w *world, ids []int64) {
			w.spent(ids[2], "100", start)
			w.spent(ids[1], "50", start)
			_, err := w.people.Suppress(context.Background(), []customers.Suppression{{Scope: "customer", Value: fmt.Sprint(ids[2]), Reason: "asked"}})
			w.must(err)
		}, 1, "household"},
		"not one without an address for the medium": {"email", []person{home, {household: "42"}, home}, func(w *world, ids []int64) { w.spent(ids[1], "100", start); w.spent(ids[2], "1", start) }, 2, "household"},
		"not one of the control cell":               {"post", []person{home, {household: "42", address: "7", cell: 2}, home}, func(w *world, ids []int64) { w.spent(ids[1], "100", start) }, 0, "household"},
		"not one who refused": {"post", []person{home, home}, func(w *world, ids []int64) {
			w.spent(ids[0], "100", start)
			w.must(w.people.SetConsents(context.Background(), []customers.Consent{{CustomerID: ids[0], Channel: "post", Source: "test"}}))
		}, 1, "household"},
		"not one who walks another branch": {"post", []person{home, home, home}, func(w *world, ids []int64) {
			w.spent(ids[2], "100", start)
			w.exec(`UPDATE enrollments SET step_id = step_id + 1000 WHERE customer_id = @id`, pgx.NamedArgs{"id": ids[2]})
		}, 0, "household"},
		"not one who is not due": {"post", []person{home, home, home}, func(w *world, ids []int64) {
			w.spent(ids[2], "100", start)
			w.exec(`UPDATE enrollments SET due_at = @later WHERE customer_id = @id`, pgx.NamedArgs{"id": ids[2], "later": start.Add(time.Hour)})
		}, 0, "household"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			s := w.step(tt.channel, "household", "0")
			ids := w.add(s, tt.people...)
			tt.setUp(w, ids)
			for i := 0; i < len(ids); i += 2 {
				w.plan(s, ids[i], ids[min(i+1, len(ids)-1)])
			}
			w.want("the best", w.reason(s, ids[tt.best]), "planned")
			w.want("pieces", w.text(`SELECT count(*)::text FROM touches WHERE state = 'planned'`, nil), "1")
			for i, id := range ids {
				got := w.reason(s, id)
				if i != tt.best && strings.HasPrefix(got, tt.others) && got != fmt.Sprintf("%s of %d", tt.others, ids[tt.best]) {
					t.Errorf("%d: %s", i, got)
				}
			}
		})
	}
}

// Levels tell whom a step takes for one; who belongs to no group of the level is still one person.
func TestLevels(t *testing.T) {
	t.Parallel()
	for dedup, want := range map[string]string{
		"customer":  "planned:8",
		"person":    "duplicate:1 planned:7",             // 6 and 7
		"household": "duplicate:1 household:1 planned:6", // 0 and 1, 6 and 7
		"address":   "address:3 duplicate:1 planned:4",   // 0 to 2 live at one place however it is written, 3 and 4 at another
		"company":   "company:1 duplicate:1 planned:6",   // 4 and 5
	} {
		t.Run(dedup, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			s := w.step("email", dedup, "0")
			var people []person
			for i := range 8 {
				people = append(people, person{email: fmt.Sprintf("p%d@x.example", i)})
			}
			ids := w.add(s, people...)
			for i, set := range []string{"household_id = 1, residence_id = 10, address_hash = 10", "household_id = 1, residence_id = 10, address_hash = 11",
				"household_id = 2, residence_id = 10, address_hash = 12", "residence_id = 20, address_hash = 20", "residence_id = 20, address_hash = 20, company_id = 5",
				"company_id = 5", "person_id = 7", "person_id = 7"} {
				w.exec(`UPDATE customers SET `+set+` WHERE customer_id = @id`, pgx.NamedArgs{"id": ids[i]})
			}
			w.plan(s, ids[0], ids[2])
			w.plan(s, ids[3], ids[4])
			w.plan(s, ids[5], ids[7])
			w.want("touches", w.counts(s), want)
		})
	}
}

// A budget that is used up excludes the best as well; nobody of the group steps in.
func TestGroupsAndBudget(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.exec(`UPDATE campaigns SET budget = 1`, nil)
	s := w.step("post", "household", "1")
	ids := w.add(s, person{household: "1", address: "1"}, person{household: "2", address: "2"}, person{household: "1", address: "1"}, person{household: "2", address: "2"})
	w.spent(ids[3], "9", start)
	w.plan(s, ids[0], ids[1])
	w.plan(s, ids[2], ids[3])
	w.want("touches", w.counts(s), "budget:1 household:2 planned:1")
	w.want("first", w.reason(s, ids[0]), "planned")
	w.want("best of the second home", w.reason(s, ids[3]), "budget")
	w.want("the other one", w.reason(s, ids[1]), fmt.Sprintf("household of %d", ids[3]))
	w.want("money", w.money(), "1/0")
}

// A plan that did not commit leaves nothing; the next one decides alike, whichever slice it begins with.
func TestGroupsPlannedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.step("post", "household", "0.5")
	var people []person
	for i := range 12 {
		people = append(people, person{household: fmt.Sprint(i % 4), address: fmt.Sprint(i % 4)})
	}
	ids := w.add(s, people...)
	for i, id := range ids {
		w.spent(id, fmt.Sprint(i%5), start)
	}
	for range 2 {
		ctx, stop := context.WithCancel(t.Context())
		tx, err := w.pool.Begin(ctx)
		w.must(err)
		w.must(w.delivery.PlanTx(ctx, tx, journey.PlanRequest{CampaignID: w.campaign, Step: s, FirstID: ids[0], LastID: ids[5], Now: w.now()}))
		stop() // as a process that dies
		_ = tx.Conn().Close(context.Background())
		_ = tx.Rollback(context.Background())
	}
	w.want("nothing", w.counts(s), "")
	w.plan(s, ids[6], ids[11])
	w.plan(s, ids[6], ids[11])
	w.want("groups are decided whole", w.counts(s), "household:8 planned:4")
	w.plan(s, ids[0], ids[5])
	w.want("touches", w.counts(s), "household:8 planned:4")
	w.want("money", w.money(), "2/0")
	for home := range 4 { // 0, 4, 8 with i%5 = 0, 4, 3; ...
		best := slices.MaxFunc([]int{home, home + 4, home + 8}, func(a, b int) int { return cmp.Or(cmp.Compare(a%5, b%5), cmp.Compare(b, a)) })
		w.want(fmt.Sprint("home ", home), w.reason(s, ids[best]), "planned")
	}
}

// A plain statement of the rule, against random homes in random slices planned in random order.
func TestGroupsAgreeWithTheRule(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for round := range 12 {
		r := rand.New(rand.NewPCG(7, uint64(round)))
		level := []string{"household", "address", "company"}[round%3]
		column := map[string]string{"household": "household_id", "address": "residence_id", "company": "company_id"}[level]
		s := w.step("email", level, "0")
		var people []person
		type who struct {
			group           int // 0: none
			spent, last     int
			out             bool
			control, branch bool
		}
		var all []who
		for i := range 60 {
			x := who{group: r.IntN(16), spent: r.IntN(3), last: r.IntN(3), out: r.IntN(5) == 0, control: r.IntN(8) == 0, branch: r.IntN(8) == 0}
			p := person{email: fmt.Sprintf("r%dp%d@x.example", round, i)}
			if x.out {
				p.email = ""
			}
			if x.control {
				p.cell = 2
			}
			all, people = append(all, x), append(people, p)
		}
		ids := w.add(s, people...)
		for i, x := range all {
			last := start.AddDate(0, 0, x.last)
			args := pgx.NamedArgs{"id": ids[i], "group": int64(round*100 + x.group), "spent": x.spent, "last": &last, "none": x.group == 0}
			if x.last == 0 {
				args["last"] = nil
			}
			w.exec(`UPDATE customers SET `+column+` = CASE WHEN @none THEN NULL ELSE @group::bigint END, total_spent = @spent::int, last_order_at = @last WHERE customer_id = @id`, args)
			if x.branch {
				w.exec(`UPDATE enrollments SET due_at = @later WHERE customer_id = @id`, pgx.NamedArgs{"id": ids[i], "later": start.Add(time.Hour)})
			}
		}
		var slicesOf [][2]int64
		for i := 0; i < len(ids); {
			n := min(1+r.IntN(20), len(ids)-i)
			slicesOf = append(slicesOf, [2]int64{ids[i], ids[i+n-1]})
			i += n
		}
		r.Shuffle(len(slicesOf), func(i, j int) { slicesOf[i], slicesOf[j] = slicesOf[j], slicesOf[i] })
		for _, b := range slicesOf {
			err := pgx.BeginFunc(t.Context(), w.pool, func(tx pgx.Tx) error {
				return w.delivery.PlanTx(t.Context(), tx, journey.PlanRequest{CampaignID: w.campaign, Step: s, FirstID: b[0], LastID: b[1], Now: w.now()})
			})
			w.must(err)
		}
		best := map[int]int{}
		for i, x := range all {
			if x.group == 0 || x.out || x.control || x.branch {
				continue
			}
			j, ok := best[x.group]
			if !ok || x.spent > all[j].spent || x.spent == all[j].spent && x.last > all[j].last {
				best[x.group] = i
			}
		}
		for i, x := range all {
			want := "planned"
			switch j, ok := best[x.group]; {
			case x.branch:
				want = "nothing"
			case x.control:
				want = "control"
			case x.out:
				want = "no_address"
			case ok && j != i:
				want = fmt.Sprintf("%s of %d", level, ids[j])
			}
			w.want(fmt.Sprintf("round %d, %s, person %d", round, level, i), w.reason(s, ids[i]), want)
		}
	}
}
