package segments

import (
	"context"
	"encoding/csv"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/internal/pgtest"
	"aldine/internal/testdata"
)

// The real orders of a CD shop: counts equal those of a plain program over the file.
func TestCDNOW(t *testing.T) {
	t.Parallel()
	file, err := os.Open(testdata.Path(t, "cdnow-sample/orders.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	type buyer struct {
		id     int64
		orders int
		cents  int64
		big    int // orders above 20.00
		last   string
	}
	buyers := map[string]*buyer{}
	var orders [][]any
	for i, row := range rows[1:] { // order_id,customer_external_id,ordered_at,quantity,amount,currency
		b := buyers[row[1]]
		if b == nil {
			b = &buyer{id: int64(len(buyers) + 1)}
			buyers[row[1]] = b
		}
		amount, err := strconv.ParseFloat(row[4], 64)
		if err != nil {
			t.Fatal(err)
		}
		cents := int64(amount*100 + 0.5)
		b.orders, b.cents, b.last = b.orders+1, b.cents+cents, max(b.last, row[2])
		if cents > 2000 {
			b.big++
		}
		at, err := time.Parse(time.DateOnly, row[2])
		if err != nil {
			t.Fatal(err)
		}
		quantity, _ := strconv.Atoi(row[3])
		orders = append(orders, []any{b.id, "o" + strconv.Itoa(i), at, quantity, row[4], "USD", "1", row[4], testNow})
	}
	ctx, pool := context.Background(), pgtest.New(t)
	var customers [][]any
	for external, b := range buyers {
		customers = append(customers, []any{b.id, external, testNow, testNow})
	}
	if _, err := pool.CopyFrom(ctx, pgx.Identifier{"customers"}, []string{"customer_id", "external_id", "created_at", "updated_at"}, pgx.CopyFromRows(customers)); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.CopyFrom(ctx, pgx.Identifier{"orders"}, []string{"customer_id", "order_ref", "ordered_at", "quantity", "amount", "currency", "rate", "base_amount", "recorded_at"}, pgx.CopyFromRows(orders)); err != nil {
		t.Fatal(err)
	}
	exec(t, pool, `UPDATE customers c SET orders_count = o.n, total_spent = o.sum, first_order_at = o.first, last_order_at = o.last
		FROM (SELECT customer_id, count(*) AS n, sum(base_amount) AS sum, min(ordered_at) AS first, max(ordered_at) AS last FROM orders GROUP BY 1) o
		WHERE o.customer_id = c.customer_id`)
	s := New(pool, clock)
	for expression, holds := range map[string]func(*buyer) bool{
		"":                                          func(*buyer) bool { return true },
		`orders_count >= 2`:                         func(b *buyer) bool { return b.orders >= 2 },
		`total_spent > 100`:                         func(b *buyer) bool { return b.cents > 10000 },
		`last_order_at < date("1997-06-30")`:        func(b *buyer) bool { return b.last < "1997-06-30" },
		`count(orders, .amount > 20) >= 2`:          func(b *buyer) bool { return b.big >= 2 },
		`count(orders, .amount > 20) < 2`:           func(b *buyer) bool { return b.big < 2 },
		`sum(orders, .amount) > 100`:                func(b *buyer) bool { return b.cents > 10000 },
		`sum(orders, .amount) / count(orders) > 30`: func(b *buyer) bool { return b.cents > 3000*int64(b.orders) },
		`any(orders, .at >= date("1998-01-01")) and none(orders, .amount > 20)`: func(b *buyer) bool { return b.last >= "1998-01-01" && b.big == 0 },
	} {
		var want int64
		for _, b := range buyers {
			if holds(b) {
				want++
			}
		}
		got, err := s.Count(ctx, expression, Exact)
		if err != nil || got != (Count{want, want, want, true}) {
			t.Errorf("%s: %+v, %v; want %d", expression, got, err, want)
		}
		t.Logf("%s: %d", expression, want)
		estimated, err := s.Count(ctx, expression, Estimate)
		if err != nil || estimated != got {
			t.Errorf("%s: a small base is counted also for an estimate: %+v, %v", expression, estimated, err)
		}
	}
}
