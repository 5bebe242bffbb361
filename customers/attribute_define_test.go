package customers

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"aldine/internal/fault"
)

// held keeps a lock on customers for a while, as a long read or a vacuum does.
func (b *bench) held(sql string, long time.Duration) (done <-chan struct{}) {
	b.t.Helper()
	tx, err := b.pool.Begin(b.ctx)
	b.ok(err)
	_, err = tx.Exec(b.ctx, sql)
	b.ok(err)
	over := make(chan struct{})
	go func() {
		defer close(over)
		select {
		case <-time.After(long):
		case <-b.ctx.Done():
		}
		_ = tx.Rollback(context.WithoutCancel(b.ctx))
	}()
	return over
}

// traffic reads and writes customers without a pause until the returned function is called, which gives the longest time that
// a read or a write took.
func (b *bench) traffic() (end func() time.Duration) {
	ctx, cancel := context.WithCancel(b.ctx)
	var wait sync.WaitGroup
	var mu sync.Mutex
	var longest time.Duration
	for _, sql := range []string{`SELECT count(*) FROM customers WHERE customer_id < 100`, `UPDATE customers SET city = 'X' WHERE customer_id = 1`} {
		wait.Go(func() {
			for ctx.Err() == nil {
				begun := time.Now()
				if _, err := b.pool.Exec(ctx, sql); err != nil && ctx.Err() == nil {
					b.t.Error(err)
				}
				mu.Lock()
				longest = max(longest, time.Since(begun))
				mu.Unlock()
				time.Sleep(time.Millisecond)
			}
		})
	}
	return func() time.Duration {
		cancel()
		wait.Wait()
		return longest
	}
}

// A new attribute waits behind a long read and a vacuum without holding up anybody else.
func TestDefineAttributeHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	for name, lock := range map[string]string{"a long read": `SELECT count(*) FROM customers`, "a vacuum": `LOCK TABLE customers IN SHARE UPDATE EXCLUSIVE MODE`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			_, err := b.pool.Exec(b.ctx, `INSERT INTO customers (customer_id, created_at, updated_at) SELECT i, $1, $1 FROM generate_series(1, 1000) i`, b.at)
			b.ok(err)
			over := b.held(lock, 3*time.Second)
			end := b.traffic()
			a, err := b.DefineAttribute(b.ctx, Attribute{Name: "shoe_size", Type: Number})
			longest := end()
			b.ok(err)
			select {
			case <-over:
			default:
				t.Error("it did not wait")
			}
			if longest > time.Second { // columnWait, and what a busy machine adds
				t.Errorf("a read or a write took %v", longest)
			}
			t.Logf("the longest read or write took %v", longest)
			_, err = b.pool.Exec(b.ctx, `UPDATE customers SET a_shoe_size = 41 WHERE customer_id = 2`)
			b.ok(err)
			if a.ID == 0 {
				t.Error("no id")
			}
		})
	}
}

// Where the moment never comes, that is said in words, and nothing is changed.
func TestDefineAttributeGivesUp(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.columnTries = 500 * time.Millisecond
	for i, lock := range []string{`SELECT count(*) FROM customers`, `LOCK TABLE customers IN SHARE UPDATE EXCLUSIVE MODE`} {
		name := fmt.Sprintf("shoe_size_%d", i)
		over := b.held(lock, 2500*time.Millisecond)
		_, err := b.DefineAttribute(b.ctx, Attribute{Name: name, Type: Number})
		b.wants(err, fault.Unavailable, "Nothing is changed")
		if n := b.count(`SELECT count(*) FROM attributes`) + b.count(`SELECT count(*) FROM audit_log WHERE action = 'attribute.define'`); n != 0 {
			t.Errorf("%d rows are left of it", n)
		}
		<-over
	}
	b.columnTries = columnTries
	_, err := b.DefineAttribute(b.ctx, Attribute{Name: "shoe_size_0", Type: Number})
	b.ok(err)
	_, err = b.DefineAttribute(b.ctx, Attribute{Name: "shoe_size_0", Type: Number})
	b.wants(err, fault.Conflict, "exists already")
}

// Marketers who define attributes at once get all of them.
func TestDefineAttributesAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	end := b.traffic()
	var wait sync.WaitGroup
	for i := range 6 {
		wait.Go(func() {
			_, err := b.DefineAttribute(b.ctx, Attribute{Name: fmt.Sprintf("a%d", i/2), Type: Text})
			if err != nil && !fault.Is(err, fault.Conflict) {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	end()
	if n := b.count(`SELECT count(*) FROM attributes`); n != 3 {
		t.Errorf("%d attributes", n)
	}
}
