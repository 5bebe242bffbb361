package duplicates

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/internal/pgtest"
)

// What a search writes at its end outlives a deadlock with somebody who changes the same customers in another order.
func TestInsists(t *testing.T) {
	t.Parallel()
	ctx, pool := t.Context(), pgtest.New(t)
	s := New(Deps{Pool: pool})
	do := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	do(pool.Exec(ctx, `INSERT INTO customers (customer_id, created_at, updated_at) VALUES (1, $1, $1), (2, $1, $1)`, time.Now()))
	tx, err := pool.Begin(ctx)
	do(nil, err)
	defer tx.Rollback(ctx)                                //nolint:errcheck // of a test that has failed
	do(tx.Exec(ctx, `SET LOCAL deadlock_timeout = '1h'`)) // the other one is given up
	do(tx.Exec(ctx, `UPDATE customers SET person_id = 7 WHERE customer_id = 2`))
	done := make(chan error, 1)
	go func() {
		done <- s.insist(ctx, `WITH one AS MATERIALIZED (SELECT FROM customers WHERE customer_id = 1 FOR UPDATE)
			UPDATE customers SET person_id = @p WHERE customer_id = 2 AND EXISTS (SELECT FROM one)`, pgx.NamedArgs{"p": 1})
	}()
	for waits := 0; waits == 0; time.Sleep(5 * time.Millisecond) {
		do(nil, pool.QueryRow(ctx, `SELECT count(*) FROM pg_locks WHERE NOT granted`).Scan(&waits))
	}
	do(tx.Exec(ctx, `UPDATE customers SET person_id = 7 WHERE customer_id = 1`))
	do(nil, tx.Commit(ctx))
	do(nil, <-done)
	var is int64
	do(nil, pool.QueryRow(ctx, `SELECT person_id FROM customers WHERE customer_id = 2`).Scan(&is))
	if is != 1 {
		t.Errorf("person %d", is)
	}
}
