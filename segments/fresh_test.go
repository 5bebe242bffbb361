package segments_test

import (
	"strings"
	"testing"
	"time"

	"github.com/govalues/decimal"

	"aldine/customers"
	"aldine/internal/pgtest"
	"aldine/internal/queue"
	"aldine/internal/settings"
	"aldine/segments"
)

// A new order, a return and a response are in segments at once: nothing waits for a nightly run.
func TestSegmentsSeeWhatIsNew(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	jobs, err := queue.NewInserter(pool)
	if err != nil {
		t.Fatal(err)
	}
	people := customers.New(customers.Deps{Pool: pool, Jobs: jobs, Settings: settings.New(pool, time.Now), DataDir: t.TempDir()})
	s := segments.New(pool, time.Now)
	c, err := people.Create(t.Context(), customers.Input{Fields: customers.Fields{ExternalID: "x1", LastName: "Meyer"}})
	if err != nil {
		t.Fatal(err)
	}
	order := func(ref string, cents int64) {
		t.Helper()
		out, err := people.RecordOrders(t.Context(), []customers.Order{{Ref: ref, CustomerID: c.ID, OrderedAt: time.Now().Add(-time.Minute), Amount: decimal.MustNew(cents, 2), Currency: "USD"}})
		if err != nil || out[0].State == customers.OrderRejected {
			t.Fatal(out, err)
		}
	}
	holds := func(expressions ...string) {
		t.Helper()
		begun := time.Now()
		for _, expression := range expressions {
			if n, err := s.Count(t.Context(), expression, segments.Exact); err != nil || n.Count != 1 {
				t.Errorf("%s: %+v, %v", expression, n, err)
			}
		}
		if took := time.Since(begun); took > 5*time.Second { // a second, and what a busy machine adds
			t.Errorf("%v went by", took)
		}
	}
	holds("orders_count == 0", "not is_known(last_order_at)", "none(responses, true)")
	order("o1", 5000)
	holds("orders_count == 1 and total_spent == 50", `last_order_at > ago("1h")`, `any(orders, .amount == 50)`)
	order("o2", -2000)
	holds("orders_count == 2 and total_spent == 30")
	order("o1", 6000) // corrected
	holds("orders_count == 2 and total_spent == 40")
	imp, err := people.StartImport(t.Context(), customers.StartImport{Kind: "orders", FileName: "o.csv", Hold: true,
		Body: strings.NewReader("order_id,external_id,date,amount,currency\no3,x1,2020-05-04,10,USD\n")})
	if err != nil {
		t.Fatal(err)
	}
	if imp, err = people.RunImport(t.Context(), imp.ID); err != nil || imp.Created != 1 {
		t.Fatalf("%+v, %v", imp, err)
	}
	holds(`orders_count == 3 and total_spent == 50 and first_order_at < date("2020-06-01")`)
	if _, err := pool.Exec(t.Context(), `INSERT INTO responses (customer_id, response_id, kind, at, recorded_at, method, machine)
		VALUES ($1, gen_random_uuid(), 'click', now(), now(), 'token', false)`, c.ID); err != nil {
		t.Fatal(err)
	}
	holds(`any(responses, .kind == "click")`, `count(responses, .at > ago("1h")) == 1`)
}
