package segments

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aldine/internal/pgtest"
)

var testNow = time.Date(2026, 2, 20, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return testNow }

func exec(t testing.TB, pool *pgxpool.Pool, sql string, args ...any) {
	t.Helper()
	if _, err := pool.Exec(context.Background(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// define adds attributes as package customers does: a row and a column.
func define(t testing.TB, pool *pgxpool.Pool) {
	for _, a := range [][3]string{
		{"score", "number", "numeric"}, {"income", "money", "numeric(19,4)"}, {"vip", "bool", "boolean"}, {"note", "text", "text"},
		{"birthday", "date", "date"}, {"seen_at", "time", "timestamptz"}, {"tags", "list", "text[]"},
	} {
		exec(t, pool, `INSERT INTO attributes (name, label, type, column_name, created_at) VALUES ($1, $1, $2, $3, $4)`, a[0], a[1], "a_"+a[0], testNow)
		exec(t, pool, `ALTER TABLE customers ADD COLUMN a_`+a[0]+` `+a[2])
	}
}

// Words with everything that patterns, orderings and encodings stumble over.
var words = []string{"", "a", "A", "b", "ab", "aB", "DE", "AT", "Ä", "ä", "ß", "a\nb", "%", "_", "a%", ".", "\\", "a b", "é", "e\u0301", "日本", "K", "K", "'", "x'; DROP", "@p1", "😀"}

// Zones on both sides of the date line, with half hours and with changes of the clock; one that is none.
var testZones = []string{"Europe/Berlin", "America/New_York", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kolkata", "Australia/Lord_Howe", "UTC", "Mars/Olympus", "europe/berlin", ""}

var products = append([]string{"a", "a", "b", "DE"}, words...)

func pick[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

func maybe[T any](r *rand.Rand, v T) *T {
	if r.IntN(3) == 0 {
		return nil
	}
	return &v
}

func someTime(r *rand.Rand) time.Time {
	t := testNow.Add(-time.Duration(r.IntN(8)) * 30 * 24 * time.Hour)
	switch r.IntN(12) {
	case 9: // ends of what can be stored, clocks put forward and back, leap days, months' ends
		return pick(r, []time.Time{time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
			time.Date(2025, 3, 30, 1, 30, 0, 0, time.UTC), time.Date(2025, 10, 26, 0, 59, 59, 0, time.UTC), time.Date(2024, 2, 29, 10, 0, 0, 0, time.UTC),
			time.Date(2025, 12, 31, 23, 30, 0, 0, time.UTC), time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC), time.Date(1883, 11, 18, 12, 0, 0, 0, time.UTC)})
	case 10, 11:
		return t.Add(-time.Duration(r.IntN(60)) * time.Hour)
	}
	switch r.IntN(3) {
	case 0:
		return t.Truncate(24 * time.Hour)
	case 1:
		return t.Add(time.Duration(r.IntN(3)-1) * time.Microsecond)
	}
	return t
}

// world fills a database with n customers of all sorts, nulls included, and gives a service on it.
func world(t testing.TB, n int) (*Service, *pgxpool.Pool) {
	t.Helper()
	return worldOf(t, n, 1)
}

// worldOf is world drawn by a seed.
func worldOf(t testing.TB, n int, seed uint64) (*Service, *pgxpool.Pool) {
	t.Helper()
	ctx, pool := context.Background(), pgtest.New(t)
	define(t, pool)
	exec(t, pool, `INSERT INTO lists (name, kind, created_at) VALUES ('House', 'house', $1), ('Rented A', 'rented', $1)`, testNow)
	for _, code := range []string{"spring", "autumn"} {
		exec(t, pool, `INSERT INTO campaigns (code, name, objective, currency, state, created_by, created_at, updated_at) VALUES ($1, $1, 'win ' || $1, 'USD', 'running', 'test', $2, $2)`, code, testNow)
	}
	exec(t, pool, `INSERT INTO products (sku, name, category, created_at) VALUES ('a', 'A', 'seeds', $1), ('DE', 'DE', '', $1), ('b', 'B', 'bulbs', $1)`, testNow)
	exec(t, pool, `INSERT INTO segments (name, expression, created_by, created_at, updated_at) VALUES
		('vip', 'vip and orders_count >= 2', 'test', $1, $1), ('nested', 'not in_segment("vip") or clicked()', 'test', $1, $1),
		('home', 'household(vip and count(orders) > 1) and not (country == "DE")', 'test', $1, $1), ('quiet', 'never(clicked()) and count(orders) < 3', 'test', $1, $1)`, testNow)
	exec(t, pool, `INSERT INTO event_names (name, created_at) VALUES ('viewed', $1), ('signed_up', $1)`, testNow)
	exec(t, pool, `INSERT INTO rfm_limits (days, orders, spent, customers, made_at)
		VALUES ('{2025-09-01,2025-11-20,2025-12-20,2026-01-19}', '{1,2,3,3}', '{0,20.5,20.5,99.99}', 1, $1)`, testNow)
	r := rand.New(rand.NewPCG(seed, 2))
	var batch pgx.Batch
	for i := range n {
		id := int64(i + 1)
		orders := r.IntN(5)
		batch.Queue(`INSERT INTO customers (customer_id, first_name, city, country, email, list_id, rented,
			created_at, updated_at, household_id, time_zone, a_score, a_income, a_vip, a_note, a_birthday, a_seen_at, a_tags)
			VALUES ($1, $2, $3, $4, $5, $6, $15, $7, $7, $16, $17, $8::text::numeric, $9::text::numeric, $10, $11, $12, $13, $14)`,
			id, maybe(r, pick(r, words)), maybe(r, pick(r, words)), maybe(r, pick(r, words)), maybe(r, pick(r, words)), maybe(r, int64(1+r.IntN(2))),
			someTime(r), maybe(r, pick(r, []string{"0", "1", "2.5", "-3", "7.000001", "1e20", "0.333333333333333333"})),
			maybe(r, pick(r, []string{"0", "10.5", "1000"})), maybe(r, r.IntN(2) == 0), maybe(r, pick(r, words)),
			maybe(r, someTime(r)), maybe(r, someTime(r)), maybe(r, []*string{maybe(r, pick(r, words)), maybe(r, pick(r, words))}), r.IntN(3) == 0,
			maybe(r, int64(r.IntN(n/2+1))), maybe(r, pick(r, testZones)))
		for o := range orders {
			ref := fmt.Sprintf("%d-%d", id, o)
			batch.Queue(`INSERT INTO orders (customer_id, order_ref, ordered_at, quantity, amount, currency, rate, base_amount, place, reason, keycode, recorded_at)
				VALUES ($1, $2, $3, $4, $5::text::numeric, $6, 1, $5::text::numeric, $7, $8, $9, $3)`,
				id, ref, someTime(r), r.IntN(4), pick(r, []string{"0", "10", "20.5", "-5", "99.99"}), pick(r, []string{"USD", "EUR"}),
				maybe(r, pick(r, words)), maybe(r, pick(r, words)), maybe(r, pick(r, words)))
			for l := range r.IntN(3) {
				batch.Queue(`INSERT INTO order_lines (customer_id, order_ref, line_no, sku, quantity, amount) VALUES ($1, $2, $3, $4, $5, $6::text::numeric)`,
					id, ref, l, pick(r, products), r.IntN(3), pick(r, []string{"0", "10", "-5"}))
			}
		}
		for e := range r.IntN(4) {
			batch.Queue(`INSERT INTO responses (customer_id, response_id, kind, at, recorded_at, campaign_id, channel, method, machine)
				VALUES ($1, gen_random_uuid(), $2, $3, $3, $4, $6, 'direct', $5)`,
				id, pick(r, []string{"open", "click", "reply", "order", "bounce", "unsubscribe"}), someTime(r), maybe(r, int64(1+r.IntN(2))), r.IntN(3) == 0, maybe(r, pick(r, channels)))
			batch.Queue(`INSERT INTO touches (customer_id, campaign_id, step_id, channel, cell_id, state, planned_at, sent_at, updated_at, keycode, unit_cost)
				VALUES ($1, $2, $3, $7, 1, $4, $5, $6, $5, $8, $9::text::numeric)`,
				id, int64(1+r.IntN(2)), int64(e), pick(r, []string{"sent", "sent", "planned", "bounced"}), someTime(r), maybe(r, someTime(r)), pick(r, channels),
				maybe(r, pick(r, words)), pick(r, []string{"0", "0.0125", "1"}))
		}
		for range r.IntN(4) {
			batch.Queue(`INSERT INTO events (customer_id, at, event_id, name, value, properties, recorded_at) VALUES ($1, $2, gen_random_uuid(), $3, $4::text::numeric, $5, $2)`,
				id, someTime(r), pick(r, []string{"viewed", "viewed", "signed_up", "Ä"}), maybe(r, pick(r, []string{"0", "12.5", "-3"})),
				map[string]any{"page": pick(r, []any{"/roses", "/", 7, nil}), "seconds": r.IntN(60), "app": pick(r, []any{true, false, "true"})})
		}
		if r.IntN(3) == 0 {
			batch.Queue(`INSERT INTO list_members (customer_id, list_id, added_at) VALUES ($1, $2, $3)`, id, int64(1+r.IntN(2)), testNow)
		}
	}
	if err := pool.SendBatch(ctx, &batch).Close(); err != nil {
		t.Fatal(err)
	}
	derive(t, pool)
	leftovers(t, pool)
	exec(t, pool, `ANALYZE`)
	return New(pool, clock), pool
}

// leftovers keeps orders of customers who were erased: they stay, under the bare number.
func leftovers(t testing.TB, pool *pgxpool.Pool) {
	t.Helper()
	exec(t, pool, `WITH kept AS (
			INSERT INTO orders (customer_id, order_ref, ordered_at, quantity, amount, currency, rate, base_amount, place, reason, keycode, recorded_at)
			SELECT 1000000 + customer_id, 'erased ' || order_ref, ordered_at, quantity, amount, currency, rate, base_amount, place, reason, keycode, recorded_at
			FROM orders WHERE customer_id <= 12 RETURNING customer_id)
		INSERT INTO order_lines (customer_id, order_ref, line_no, sku, quantity, amount)
		SELECT 1000000 + customer_id, 'erased ' || order_ref, line_no, sku, quantity, amount FROM order_lines WHERE customer_id <= 12`)
}

// derive keeps with customers what follows from their orders, as package customers does.
func derive(t testing.TB, pool *pgxpool.Pool) {
	t.Helper()
	exec(t, pool, `UPDATE customers c SET orders_count = o.orders, total_spent = o.spent, first_order_at = o.first, last_order_at = o.last, rented = c.rented AND o.orders = 0
		FROM customers i CROSS JOIN LATERAL (SELECT count(*) AS orders, coalesce(sum(base_amount), 0) AS spent, min(ordered_at) AS first, max(ordered_at) AS last
			FROM orders WHERE customer_id = i.customer_id) o
		WHERE c.customer_id = i.customer_id`)
}

// selected gives the ids for which SQL says yes.
func selected(ctx context.Context, pool *pgxpool.Pool, where string, args pgx.NamedArgs) ([]int64, error) {
	rows, err := pool.Query(ctx, `SELECT c.customer_id FROM customers c WHERE `+where+` ORDER BY c.customer_id`, args)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}
