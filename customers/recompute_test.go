package customers

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/govalues/decimal"
	"golang.org/x/sync/errgroup"

	"aldine/internal/fault"
)

// people makes customers of whom most have orders.
func (b *bench) people(n int) {
	b.t.Helper()
	_, err := b.pool.Exec(b.ctx, `INSERT INTO customers (customer_id, created_at, updated_at) SELECT i, $1, $1 FROM generate_series(1, $2::int) i`, b.at, n)
	b.ok(err)
	_, err = b.pool.Exec(b.ctx, `SELECT setval(pg_get_serial_sequence('customers', 'customer_id'), $1)`, n)
	b.ok(err)
	for i := range n {
		for range i % 4 {
			b.order(int64(i+1), fmt.Sprintf("o%d-%d", i, rand.Int64()), int64(i))
		}
	}
}

func (b *bench) order(id ID, ref string, cents int64) {
	b.t.Helper()
	out, err := b.RecordOrders(b.ctx, []Order{{Ref: ref, CustomerID: id, OrderedAt: b.at, Amount: decimal.MustNew(cents, 2), Currency: "USD"}})
	b.ok(err)
	if out[0].State == OrderRejected {
		b.t.Fatal(out[0].Reason)
	}
}

func TestRecompute(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.recomputePartSize = 7
	b.people(40)
	facts := func() string {
		var text string
		b.ok(b.pool.QueryRow(b.ctx, `SELECT string_agg(concat_ws(' ', customer_id, orders_count, total_spent, first_order_at, last_order_at, rented), ';' ORDER BY customer_id) FROM customers`).Scan(&text))
		return text
	}
	run := func() Recomputation {
		t.Helper()
		r, err := b.StartRecomputation(b.ctx, true)
		b.ok(err)
		r, err = b.RunRecomputation(b.ctx, r.ID, nil)
		b.ok(err)
		if r.State != "finished" || r.LookedAt != 40 || r.FinishedAt == nil {
			t.Errorf("%+v", r)
		}
		return r
	}
	want := facts()
	if r := run(); r.Mended != 0 || facts() != want {
		t.Errorf("%d mended where nothing was wrong", r.Mended)
	}
	for i, damage := range []string{"orders_count = 99", "total_spent = -1", "first_order_at = NULL", "last_order_at = '1999-01-01'", "rented = true", "orders_count = 0, total_spent = 0, first_order_at = NULL, last_order_at = NULL"} {
		// 8, 12, 16, ... have orders, 1, 5, ... have none
		_, err := b.pool.Exec(b.ctx, `UPDATE customers SET `+damage+` WHERE customer_id = $1`, 8+4*i)
		b.ok(err)
	}
	_, err := b.pool.Exec(b.ctx, `UPDATE customers SET orders_count = 1, last_order_at = '2020-01-01' WHERE customer_id = 5`)
	b.ok(err)
	if r := run(); r.Mended != 7 || facts() != want {
		t.Errorf("%d of 7 mended", r.Mended)
	}
}

// A run that is stopped in the middle carries on where it was, one that is cancelled does not, and there is one at a time.
func TestRecomputeStopsAndCarriesOn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.recomputePartSize = 5
	b.people(40)
	r, err := b.StartRecomputation(b.ctx, true)
	b.ok(err)
	_, err = b.StartRecomputation(b.ctx, true)
	b.wants(err, fault.Conflict, "already")
	_, err = b.pool.Exec(b.ctx, `UPDATE customers SET orders_count = 77`)
	b.ok(err)
	ctx, stop := context.WithCancel(b.ctx)
	if _, err = b.RunRecomputation(ctx, r.ID, func(r Recomputation) {
		if r.LookedAt == 15 {
			stop()
		}
	}); !errors.Is(err, context.Canceled) {
		t.Fatalf("stopped: %v", err)
	}
	if left := b.count(`SELECT count(*) FROM customers WHERE orders_count = 77`); left != 25 {
		t.Errorf("%d are left", left)
	}
	b.ok(b.ResumeRecomputations(b.ctx))
	b.ok(b.ResumeRecomputations(b.ctx))
	if jobs := b.count(`SELECT count(*) FROM river_job WHERE kind = 'recompute'`); jobs != 1 {
		t.Errorf("%d jobs", jobs)
	}
	var both errgroup.Group
	for range 2 { // as when one seemed dead
		both.Go(func() error { _, err := b.RunRecomputation(b.ctx, r.ID, nil); return err })
	}
	b.ok(both.Wait())
	if r, err = b.Recomputation(b.ctx, r.ID); err != nil || r.LookedAt != 40 || r.State != "finished" {
		t.Errorf("%+v, %v", r, err)
	}
	if left := b.count(`SELECT count(*) FROM customers WHERE orders_count = 77`); left != 0 {
		t.Errorf("%d are left", left)
	}
	_, err = b.CancelRecomputation(b.ctx, r.ID)
	b.wants(err, fault.Conflict, "ended")
	_, err = b.CancelRecomputation(b.ctx, 999)
	b.wants(err, fault.NotFound, "no recomputation")
	next, err := b.StartRecomputation(b.ctx, false)
	b.ok(err)
	if next, err = b.CancelRecomputation(b.ctx, next.ID); err != nil || next.State != "cancelled" {
		t.Errorf("%+v, %v", next, err)
	}
	if next, err = b.RunRecomputation(b.ctx, next.ID, nil); err != nil || next.LookedAt != 0 {
		t.Errorf("it went on: %+v, %v", next, err)
	}
	if next, err = b.ResumeRecomputation(b.ctx, next.ID); err != nil || next.State != "waiting" || next.FinishedAt != nil {
		t.Errorf("carried on: %+v, %v", next, err)
	}
	_, err = b.ResumeRecomputation(b.ctx, next.ID)
	b.wants(err, fault.Conflict, "Only a recomputation that was stopped")
	_, err = b.ResumeRecomputation(b.ctx, 999)
	b.wants(err, fault.NotFound, "no recomputation 999")
	if next, err = b.RunRecomputation(b.ctx, next.ID, nil); err != nil || next.LookedAt != 40 || next.State != "finished" {
		t.Errorf("after it was carried on: %+v, %v", next, err)
	}
}

// Orders that come while facts are recomputed are in them: those who bring orders and the run keep out of each other's way.
func TestRecomputeBesideOrders(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.recomputePartSize = 5
	b.people(20)
	ctx, stop := context.WithCancel(b.ctx)
	var shops errgroup.Group
	for shop := range 3 {
		shops.Go(func() error {
			r := rand.New(rand.NewPCG(uint64(shop), 1))
			for i := 0; ctx.Err() == nil; i++ {
				if _, err := b.RecordOrders(b.ctx, []Order{
					{Ref: fmt.Sprintf("s%d-%d", shop, i), CustomerID: r.Int64N(20) + 1, OrderedAt: b.at, Amount: decimal.MustNew(r.Int64N(1000)-200, 2), Currency: "USD"},
					{Ref: fmt.Sprintf("s%d-%d", shop, r.IntN(i+1)), CustomerID: r.Int64N(20) + 1, OrderedAt: b.at, Amount: decimal.MustNew(r.Int64N(1000), 2), Currency: "USD"},
				}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for range 15 {
		_, err := b.pool.Exec(b.ctx, `
			WITH l AS MATERIALIZED (SELECT customer_id FROM customers WHERE customer_id % 3 = 0 ORDER BY customer_id FOR NO KEY UPDATE) -- in everybody's order
			UPDATE customers c SET orders_count = 500 + orders_count FROM l WHERE c.customer_id = l.customer_id`)
		b.ok(err)
		r, err := b.StartRecomputation(b.ctx, true)
		b.ok(err)
		_, err = b.RunRecomputation(b.ctx, r.ID, nil)
		b.ok(err)
	}
	stop()
	b.ok(shops.Wait())
	r, err := b.StartRecomputation(b.ctx, true)
	b.ok(err)
	if r, err = b.RunRecomputation(b.ctx, r.ID, nil); err != nil || r.Mended != 0 {
		t.Errorf("%d were wrong, %v", r.Mended, err)
	}
}
