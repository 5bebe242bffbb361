package customers

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// BenchmarkImportOrders imports orders of 50,000 customers in no order, then the same file again.
func BenchmarkImportOrders(b *testing.B) {
	const people, rows = 50_000, 100_000
	var customers, orders strings.Builder
	customers.WriteString("external_id,last_name\n")
	for i := range people {
		fmt.Fprintf(&customers, "C%07d,Last%d\n", i, i%20_000)
	}
	orders.WriteString("order_id,customer_external_id,ordered_at,quantity,amount,currency\n")
	for i := range rows {
		fmt.Fprintf(&orders, "O%07d,C%07d,2026-%02d-%02dT10:00:00Z,1,%d.50,EUR\n", i, i*7919%people, 1+i%9, 1+i%28, 1+i%200)
	}
	for b.Loop() {
		s := setup(b)
		s.load("customers", "bench", customers.String())
		began := time.Now()
		if got := figures(s.load("orders", "", orders.String())); got != fmt.Sprintf("%d/0/0/0/0", rows) {
			b.Fatal(got)
		}
		first := rows / time.Since(began).Seconds()
		began = time.Now()
		if got := figures(s.load("orders", "", orders.String())); got != fmt.Sprintf("0/0/%d/0/0", rows) {
			b.Fatal(got)
		}
		b.ReportMetric(rows/time.Since(began).Seconds(), "again-rows/s")
		report(b, first, rows/copied(b, s.pool, "orders", "order_refs"))
	}
}

// copied takes all rows out of tables and gives the seconds in which COPY puts them back, with their indexes: the floor of an import.
func copied(b *testing.B, pool *pgxpool.Pool, tables ...string) (seconds float64) {
	b.Helper()
	c, err := pool.Acquire(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer c.Release()
	for _, table := range tables {
		var rows bytes.Buffer
		if _, err := c.Conn().PgConn().CopyTo(b.Context(), &rows, `COPY `+table+` TO STDOUT (FORMAT binary)`); err != nil {
			b.Fatal(err)
		}
		if _, err := c.Exec(b.Context(), `TRUNCATE `+table); err != nil {
			b.Fatal(err)
		}
		at := time.Now()
		if _, err := c.Conn().PgConn().CopyFrom(b.Context(), &rows, `COPY `+table+` FROM STDIN (FORMAT binary)`); err != nil {
			b.Fatal(err)
		}
		seconds += time.Since(at).Seconds()
	}
	return seconds
}

func report(b *testing.B, rate, floor float64) {
	b.ReportMetric(rate, "rows/s")
	b.ReportMetric(floor, "floor-rows/s")
	b.ReportMetric(rate/floor, "ratio")
}
