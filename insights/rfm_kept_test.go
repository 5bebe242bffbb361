package insights

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"aldine/customers"
	"aldine/customers/duplicates"
	"aldine/internal/fault"
	"aldine/internal/pgtest"
	"aldine/internal/queue"
	"aldine/internal/settings"
)

// shoppersOf stores customers 1 to n with one order each.
func shoppersOf(t *testing.T, pool *pgxpool.Pool, n int) {
	exec(t, pool, `INSERT INTO customers (customer_id, last_name, orders_count, total_spent, last_order_at, created_at, updated_at)
		SELECT i, 'N' || i, 1, i, $1, $1, $1 FROM generate_series(1, $2::int) i`, testNow, n)
	exec(t, pool, `INSERT INTO orders (customer_id, order_ref, ordered_at, quantity, amount, currency, rate, base_amount, recorded_at)
		SELECT i, 'O' || i, $1, 1, i, 'EUR', 1, i, $1 FROM generate_series(1, $2::int) i`, testNow, n)
}

// A grid is kept for some minutes, but not with people who were erased or merged: nor where that was under way while it was made.
func TestKeptGridForgetsWhoIsGone(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	shoppersOf(t, pool, 20)
	s := newService(pool)
	jobs, err := queue.NewInserter(pool)
	if err != nil {
		t.Fatal(err)
	}
	people := customers.New(customers.Deps{Pool: pool, Jobs: jobs, Settings: settings.New(pool, clock), DataDir: t.TempDir(), Now: clock})
	merging := duplicates.New(duplicates.Deps{Pool: pool, Jobs: jobs, Customers: people, DataDir: t.TempDir(), Now: clock})
	size := func() int64 {
		t.Helper()
		g, err := s.RecentRFM(t.Context(), Scheme{Returns: true})
		if err != nil {
			t.Fatal(err)
		}
		sum := int64(0)
		for _, c := range g.Cells {
			sum += c.Customers
		}
		if sum != g.Customers {
			t.Errorf("%d in the cells of %d", sum, g.Customers)
		}
		return sum
	}
	if n := size(); n != 20 {
		t.Fatalf("%d customers", n)
	}
	exec(t, pool, `DELETE FROM customers WHERE customer_id = 20`) // by nobody: the grid is kept
	if n := size(); n != 20 {
		t.Errorf("%d customers: the grid was not kept", n)
	}
	if err := people.Erase(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if n := size(); n != 18 {
		t.Errorf("%d customers after an erasure", n)
	}
	if _, err := merging.Merge(t.Context(), 2, 3, nil); err != nil {
		t.Fatal(err)
	}
	if n := size(); n != 17 {
		t.Errorf("%d customers after a merge", n)
	}
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(t.Context())
	for _, sql := range []string{`DELETE FROM customers WHERE customer_id = 4`, `INSERT INTO audit_log (audit_id, at, actor, action, object_kind, object_id)
		VALUES (gen_random_uuid(), '1998-07-01 11:59:59Z', 'test', 'customer.erase', 'customer', '4')`} {
		if _, err := tx.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	s.kept = nil
	if n := size(); n != 17 {
		t.Errorf("%d customers while one is erased", n)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := size(); n != 16 {
		t.Errorf("%d customers after an erasure that was under way", n)
	}
}

// A cell that is saved as a list waits for an erasure that is under way.
func TestSavedCellLeavesOutWhoIsBeingErased(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	shoppersOf(t, pool, 5)
	s := newService(pool)
	g := must(s.RFM(t.Context(), Scheme{Nested: true}))
	var cell Cell
	for _, c := range g.Cells {
		cell = c
	}
	var id int64 = 5 // the last cell's
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(t.Context())
	if _, err := tx.Exec(t.Context(), `DELETE FROM customers WHERE customer_id = $1`, id); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		_, err := s.SaveCell(t.Context(), Scheme{Nested: true}, cell.R, cell.F, cell.M, "cell")
		done <- err
	}()
	select {
	case err := <-done:
		t.Errorf("saved beside the erasure: %v", err)
	case <-time.After(500 * time.Millisecond):
		if err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := <-done; !fault.Is(err, fault.NotFound) {
			t.Errorf("a cell of one who is gone: %v", err)
		}
	}
	var n int
	if err := pool.QueryRow(t.Context(), `SELECT count(*) FROM list_members`).Scan(&n); err != nil || n != 0 {
		t.Errorf("%d members, %v", n, err)
	}
}

// More than can be scored is told with the customer; just below it is exact.
func TestScoresOfHugeSums(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	shoppersOf(t, pool, 5)
	s := newService(pool)
	exec(t, pool, `UPDATE customers SET total_spent = 922337203685477.5807 WHERE customer_id = 3`)
	exec(t, pool, `UPDATE orders SET base_amount = 922337203685477.5807 WHERE customer_id = 3`)
	for _, sc := range []Scheme{{Returns: true}, {}, {Nested: true}} {
		g, err := s.RFM(t.Context(), sc)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, c := range g.Cells {
			found = found || c.Customers == 1 && c.Spent.String() == "922337203685477.5807"
		}
		if !found {
			t.Errorf("%+v: %+v", sc, g.Cells)
		}
	}
	exec(t, pool, `UPDATE customers SET total_spent = -922337203685477.5809 WHERE customer_id = 3`)
	exec(t, pool, `INSERT INTO orders (customer_id, order_ref, ordered_at, quantity, amount, currency, rate, base_amount, recorded_at) VALUES (3, 'more', $1, 1, 1, 'EUR', 1, 1, $1)`, testNow)
	for _, sc := range []Scheme{{Returns: true}, {}, {Nested: true}} {
		if _, err := s.RFM(t.Context(), sc); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "customer 3 ") {
			t.Errorf("%+v: %v", sc, err)
		}
	}
}
