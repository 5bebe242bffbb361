package segments

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aldine/internal/pg"
	"aldine/internal/pgtest"
	"aldine/migrations"
)

// benchDatabase gives a database with total customers and four times as many orders: a test's own, or where ALDINE_BENCH_DIR
// names a folder the private one there, which is filled at first and used again by later runs, migrated to what they need.
func benchDatabase(b *testing.B, total int) *pgxpool.Pool {
	dir := os.Getenv("ALDINE_BENCH_DIR")
	if dir == "" {
		pool := pgtest.New(b)
		populate(b, pool, total)
		return pool
	}
	pool, stop := openBench(b, dir, false)
	var found int
	if err := pool.QueryRow(b.Context(), `SELECT coalesce(max(customer_id), 0) FROM customers`).Scan(&found); err != nil {
		b.Fatal(err)
	}
	if found == 0 { // filled without regard to crashes; measured with the settings of production
		stop()
		pool, stop = openBench(b, dir, true)
		populate(b, pool, total)
		stop()
		pool, stop = openBench(b, dir, false)
	} else if found != total {
		b.Fatalf("%s holds %d customers, not %d: set ALDINE_BENCH_CUSTOMERS, or remove the folder", dir, found, total)
	}
	b.Cleanup(stop)
	return pool
}

func openBench(b *testing.B, dir string, volatile bool) (*pgxpool.Pool, func()) {
	ctx := context.Background()
	cluster, err := pg.StartCluster(ctx, dir, pg.Options{Volatile: volatile})
	if err != nil {
		b.Fatal(err)
	}
	pool, err := pg.Open(ctx, cluster.URL(pg.Database), pg.MaxConns(8))
	if err != nil {
		b.Fatal(err)
	}
	if err := migrations.Up(ctx, pool); err != nil {
		b.Fatal(err)
	}
	return pool, func() {
		pool.Close()
		if err := cluster.Stop(ctx); err != nil {
			b.Error(err)
		}
	}
}

// populate draws customers and what they did in the database, the same ones each time. Orders lie in the order of time, as
// they come; indexes are made after the rows.
func populate(b *testing.B, pool *pgxpool.Pool, total int) {
	define(b, pool)
	conn, err := pool.Acquire(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Release()
	do := func(sql string) {
		start := time.Now()
		if _, err := conn.Exec(b.Context(), sql, pgx.NamedArgs{"total": total, "orders": 4 * total, "now": testNow}); err != nil {
			b.Fatalf("%s: %v", sql, err)
		}
		if took := time.Since(start); took > 10*time.Second {
			b.Logf("%.0f s: %.60s", took.Seconds(), strings.TrimSpace(sql))
		}
	}
	do(`SET maintenance_work_mem = '1GB'`)
	do(`SET work_mem = '512MB'`)
	for _, table := range []struct {
		name, rows string
	}{
		{"products", `INSERT INTO products (sku, name, category, created_at)
			SELECT 'SKU-' || i, 'Product ' || i, (ARRAY['seeds', 'bulbs', 'tools', 'books'])[1 + i % 4], @now FROM generate_series(0, 499) i`},
		{"orders", `INSERT INTO orders (customer_id, order_ref, ordered_at, quantity, amount, currency, rate, base_amount, place, recorded_at)
			SELECT 1 + least(h % @total::int, h / 7 % @total::int), i::text, @now::timestamptz - (@orders::int - i) * (interval '2000 days' / @orders::int), 1 + h % 3, h % 10000 / 100.0, 'USD', 1, h % 10000 / 100.0,
				(ARRAY['web', 'web', 'shop', 'mail'])[1 + h % 4], @now
			FROM (SELECT i, abs(hashint8extended(i, 2)) AS h FROM generate_series(1, @orders::int) i) x`},
		{"order_lines", `INSERT INTO order_lines (customer_id, order_ref, line_no, sku, quantity, amount)
			SELECT customer_id, order_ref, 1, 'SKU-' || abs(hashtext(order_ref)) % 500, quantity, amount FROM orders`},
		{"customers", `INSERT INTO customers (customer_id, first_name, last_name, email, city, country, postal_code, time_zone, household_id, rented, created_at, updated_at, a_score, a_tags, a_birthday,
				orders_count, total_spent, first_order_at, last_order_at)
			SELECT i, 'First' || h % 5000, 'Last' || h % 20000, CASE WHEN h % 10 < 8 THEN 'user' || i || CASE WHEN h % 3 = 0 THEN '@example.org' ELSE '@example.com' END END,
				'City' || h % 1000, (ARRAY['DE','DE','DE','AT','CH','FR','US','US','IT','ES'])[1 + h % 10], lpad((h % 90000)::text, 5, '0'), 'Europe/Berlin',
				CASE WHEN h % 4 > 0 THEN h % (@total::int / 2) END, o.n IS NULL AND h % 50 < 25, @now::timestamptz - h % 1500 * interval '1 day', @now, (h % 1000)::numeric / 10,
				CASE WHEN h % 5 = 0 THEN ARRAY['garden', 'x' || h % 7] END, date '1940-01-01' + (h % 25000)::int, coalesce(n, 0), coalesce(sum, 0), first, last
			FROM (SELECT i, abs(hashint8extended(i, 1)) AS h FROM generate_series(1, @total::int) i) x
			LEFT JOIN (SELECT customer_id, count(*) AS n, sum(base_amount) AS sum, min(ordered_at) AS first, max(ordered_at) AS last FROM orders GROUP BY 1) o ON o.customer_id = i ORDER BY i`},
		{"campaigns", `INSERT INTO campaigns (code, name, objective, currency, state, created_by, created_at, updated_at)
			SELECT 'c' || i, 'c' || i, CASE WHEN i % 2 = 0 THEN 'reactivation' ELSE 'sale' END, 'USD', 'running', 'test', @now, @now FROM generate_series(1, 10) i`},
		{"touches", `INSERT INTO touches (customer_id, campaign_id, step_id, channel, cell_id, state, planned_at, sent_at, updated_at)
			SELECT i, k, 1, (ARRAY['email', 'post'])[1 + (h + k) % 2], 1, 'sent', @now, @now::timestamptz - (h + k * 30) % 300 * interval '1 day', @now
			FROM generate_series(1, 3) k, (SELECT i, abs(hashint8extended(i, 3)) AS h FROM generate_series(1, @total::int) i) x WHERE (h + k) % 3 > 0`},
		{"responses", `INSERT INTO responses (customer_id, response_id, kind, at, recorded_at, campaign_id, channel, method, machine)
			SELECT 1 + h % @total::int, md5(i::text)::uuid, (ARRAY['open', 'open', 'click', 'reply'])[1 + h / 3 % 4], @now::timestamptz - (@total::int - i) * (interval '300 days' / @total::int), @now, 1 + h % 10, 'email', 'token', h % 5 = 0
			FROM (SELECT i, abs(hashint8extended(i, 4)) AS h FROM generate_series(1, @total::int) i) x`},
		{"event_names", `INSERT INTO event_names (name, created_at) SELECT 'event-' || i, @now FROM generate_series(0, 19) i`},
		{"events", `INSERT INTO events (customer_id, at, event_id, name, value, properties, recorded_at)
			SELECT 1 + h % @total::int, @now::timestamptz - (@total::int - i) * (interval '300 days' / @total::int), md5('event' || i::text)::uuid, 'event-' || (h / 3 % 20), h % 10000 / 100.0,
				jsonb_build_object('page', '/' || h % 50, 'seconds', h % 300), @now
			FROM (SELECT i, abs(hashint8extended(i, 5)) AS h FROM generate_series(1, @total::int) i) x`},
		{"lists", `INSERT INTO lists (name, kind, created_at) VALUES ('Club', 'house', @now)`},
		{"list_members", `INSERT INTO list_members (customer_id, list_id, added_at) SELECT i, 1, @now FROM generate_series(1, @total::int, 9) i`},
	} {
		indexes := indexesOf(b, conn, table.name)
		for _, index := range indexes {
			do(index[0])
		}
		do(table.rows)
		for _, index := range indexes {
			do(index[1])
		}
	}
	do(`VACUUM ANALYZE`)
}

// indexesOf gives the statements that drop and make the indexes of a table; none where it is divided into others.
func indexesOf(b *testing.B, conn *pgxpool.Conn, table string) (statements [][2]string) {
	rows, err := conn.Query(b.Context(), `
		SELECT i.indexrelid::regclass::text, coalesce(c.conname, ''), coalesce(pg_get_constraintdef(c.oid), pg_get_indexdef(i.indexrelid))
		FROM pg_index i LEFT JOIN pg_constraint c ON c.conindid = i.indexrelid AND c.contype IN ('p', 'u') AND c.conrelid = i.indrelid
		WHERE i.indrelid = $1::regclass AND NOT EXISTS (SELECT FROM pg_constraint f WHERE f.confrelid = i.indrelid)
			AND NOT EXISTS (SELECT FROM pg_partitioned_table p WHERE p.partrelid = i.indrelid)
		ORDER BY c.contype NULLS LAST, 1`, table)
	if err != nil {
		b.Fatal(err)
	}
	var index, constraint, definition string
	if _, err := pgx.ForEachRow(rows, []any{&index, &constraint, &definition}, func() error {
		drop, make := "DROP INDEX "+index, definition
		if constraint != "" {
			drop, make = fmt.Sprintf("ALTER TABLE %s DROP CONSTRAINT %s", table, constraint), fmt.Sprintf("ALTER TABLE %s ADD CONSTRAINT %s %s", table, constraint, definition)
		}
		statements = append(statements, [2]string{drop, make})
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	return statements
}
