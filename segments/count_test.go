package segments

import (
	"context"
	"testing"
	"time"

	"aldine/internal/fault"
	"aldine/internal/pgtest"
)

// An estimate encloses the truth, also where alike customers lie side by side in the table.
func TestEstimate(t *testing.T) {
	t.Parallel()
	ctx, pool := context.Background(), pgtest.New(t)
	const total = 120_000
	exec(t, pool, `INSERT INTO customers (customer_id, city, country, orders_count, created_at, updated_at)
		SELECT i, CASE WHEN i % 1000 = 0 THEN 'rare' ELSE 'often' END, CASE WHEN i <= 40000 THEN 'DE' ELSE 'AT' END, i % 7, $1, $1 FROM generate_series(1, $2::int) i`, testNow, total)
	exec(t, pool, `INSERT INTO orders (customer_id, order_ref, ordered_at, quantity, amount, currency, rate, base_amount, recorded_at)
		SELECT i, n::text, $1, 1, 10, 'USD', 1, 10, $1 FROM generate_series(1, $2::int, 4) i, generate_series(1, 2) n`, testNow, total)
	exec(t, pool, `ANALYZE`)
	s := New(pool, clock)
	for expression, want := range map[string]int64{
		"": total, `country == "DE"`: 40_000, `city == "rare"`: 120, `city == "none"`: 0, `orders_count >= 3`: 68_572, `count(orders, .amount > 5) >= 2`: 30_000,
		`bought()`: 30_000, `not any(orders, .amount > 5)`: 90_000,
	} {
		exact, err := s.Count(ctx, expression, Exact)
		if err != nil || !exact.Exact || exact.Count != want {
			t.Errorf("%s: exact %+v, %v; want %d", expression, exact, err, want)
		}
		start := time.Now()
		got, err := s.Count(ctx, expression, Estimate)
		if err != nil || got.Exact || got.Low > want || got.High < want || got.Count < got.Low || got.Count > got.High {
			t.Errorf("%s: estimate %+v, %v; want %d", expression, got, err, want)
		}
		t.Logf("%s: %+v in %v", expression, got, time.Since(start))
	}
	if got, _ := s.Count(ctx, `orders_count >= 3`, Estimate); got.High-got.Low > total/5 {
		t.Errorf("a wide interval for evenly spread customers: %+v", got)
	}
	if _, err := s.Count(ctx, "", "guess"); !fault.Is(err, fault.Invalid) {
		t.Errorf("an unknown mode: %v", err)
	}
	ids, err := s.Sample(ctx, `city == "rare"`, 10)
	if err != nil || len(ids) != 10 || ids[0]%1000 != 0 {
		t.Errorf("sample %v, %v", ids, err)
	}
}

func BenchmarkCompile(b *testing.B) {
	c := &Catalog{}
	for b.Loop() {
		if _, err := c.Compile(`country in ["DE", "AT"] and orders_count >= 3 and last_order_at < ago("90d") and count(orders, .amount > 20) >= 2`, testNow); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	c, err := (&Catalog{}).Compile(`country in ["DE", "AT"] and orders_count >= 3 and last_order_at < ago("90d")`, testNow)
	if err != nil {
		b.Fatal(err)
	}
	facts := Facts{fields: map[string]value{"country": knownText("AT"), "orders_count": numberFrom("3"), "last_order_at": knownTime(0)}}
	for b.Loop() {
		if ok, _ := c.Match(facts); !ok {
			b.Fatal("no match")
		}
	}
}

// BenchmarkCount counts exactly over customers: attributes alone, and with their orders.
func BenchmarkCount(b *testing.B) {
	const total = 200_000
	ctx, pool := context.Background(), pgtest.New(b)
	exec(b, pool, `INSERT INTO customers (customer_id, first_name, last_name, email, city, country, postal_code, orders_count, created_at, updated_at)
		SELECT i, 'First' || i % 5000, 'Last' || i % 20000, 'user' || i || '@example.org', 'City' || i % 100, CASE WHEN i % 3 = 0 THEN 'DE' ELSE 'AT' END,
			lpad((i % 90000)::text, 5, '0'), i % 7, $1, $1 FROM generate_series(1, $2::int) i`, testNow, total)
	exec(b, pool, `INSERT INTO orders (customer_id, order_ref, ordered_at, quantity, amount, currency, rate, base_amount, recorded_at)
		SELECT i, n::text, $1, 1, i % 50, 'USD', 1, i % 50, $1 FROM generate_series(1, $2::int, 2) i, generate_series(1, 2) n`, testNow, total)
	exec(b, pool, `ANALYZE`)
	s := New(pool, clock)
	for name, expression := range map[string]string{
		"attributes": `country == "DE" and city != "City7" and postal_code >= "5"`,
		"orders":     `country == "DE" and count(orders, .amount > 20) >= 2`,
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if n, err := s.Count(ctx, expression, Exact); err != nil || n.Count == 0 {
					b.Fatalf("%+v, %v", n, err)
				}
			}
			b.ReportMetric(float64(total*b.N)/b.Elapsed().Seconds(), "customers/s")
		})
	}
}
