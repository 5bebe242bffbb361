package customers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"aldine/internal/access"
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
			_, err = b.DefineAttribute(b.ctx, Attribute{Name: "shoe_size", Type: Number})
			b.ok(err)
			a, err := b.AwaitAttribute(b.ctx, "shoe_size", nil)
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

// Where the moment does not come soon, nobody waits for it: a job goes on trying.
func TestDefineAttributeLater(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.columnTries = 300 * time.Millisecond
	worker := &attributeWorker{service: b.Service}
	work := func(id int64) error {
		return worker.Work(b.ctx, &river.Job[AttributeArgs]{JobRow: &rivertype.JobRow{}, Args: AttributeArgs{ID: id}})
	}
	for i, lock := range []string{`SELECT count(*) FROM customers`, `LOCK TABLE customers IN SHARE UPDATE EXCLUSIVE MODE`} {
		name := fmt.Sprintf("shoe_size_%d", i)
		over := b.held(lock, 2*time.Second)
		begun := time.Now()
		a, err := b.DefineAttribute(b.ctx, Attribute{Name: name, Type: Number})
		b.ok(err)
		if a.State != AttributeComing || time.Since(begun) > 1900*time.Millisecond {
			t.Errorf("%+v after %v", a, time.Since(begun))
		}
		_, err = b.DefineAttribute(b.ctx, Attribute{Name: name, Type: Number})
		b.wants(err, fault.Conflict, "is being added already")
		if n := b.count(`SELECT count(*) FROM attributes WHERE name = $1`, name); n != 0 {
			t.Error("it is there")
		}
		id := b.count(`SELECT coming_id FROM coming_attributes WHERE name = $1`, name)
		b.ok(b.ResumeAttributes(b.ctx)) // it has its job
		if n := b.count(`SELECT count(*) FROM river_job WHERE kind = 'add_attribute' AND (args->>'id')::bigint = $1`, id); n != 1 {
			t.Errorf("%d jobs", n)
		}
		b.ok(work(id)) // its round lasts longer than the lock
		<-over
		b.ok(work(id)) // once more does no harm
		if a, err = b.Attribute(b.ctx, name); err != nil || a.State != AttributeReady || a.ID == 0 {
			t.Errorf("%+v, %v", a, err)
		}
		b.wants(b.CancelAttribute(b.ctx, name), fault.Conflict, "has been added already")
	}
	over := b.held(`SELECT count(*) FROM customers`, 20*time.Second)
	_, err := b.DefineAttribute(b.ctx, Attribute{Name: "hat_size", Type: Number})
	b.ok(err)
	id := b.count(`SELECT coming_id FROM coming_attributes`)
	_, err = b.pool.Exec(b.ctx, `DELETE FROM river_job`)
	b.ok(err)
	b.ok(b.ResumeAttributes(b.ctx))
	if n := b.count(`SELECT count(*) FROM river_job WHERE kind = 'add_attribute' AND (args->>'id')::bigint = $1`, id); n != 1 {
		t.Errorf("%d jobs after the start of a program", n)
	}
	var snooze *rivertype.JobSnoozeError
	if err := work(id); !errors.As(err, &snooze) {
		t.Errorf("after a round without a moment: %v", err)
	}
	reader := access.With(b.ctx, access.Actor{Kind: "user", Role: access.ReadOnly})
	if list, err := b.ComingAttributes(reader); err != nil || len(list) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
	_, err = b.pool.Exec(b.ctx, `UPDATE coming_attributes SET private = true`)
	b.ok(err)
	if list, err := b.ComingAttributes(reader); err != nil || len(list) != 0 {
		t.Errorf("a reader sees %+v, %v", list, err)
	}
	b.ok(b.CancelAttribute(b.ctx, "hat_size"))
	b.ok(work(id))
	b.wants(b.CancelAttribute(b.ctx, "hat_size"), fault.NotFound, "no attribute named hat_size")
	_, err = b.AwaitAttribute(b.ctx, "hat_size", nil)
	b.wants(err, fault.NotFound, "hat_size")
	select {
	case <-over:
		t.Error("the table was free meanwhile")
	default:
	}
}

// A column that somebody added by hand is not an attribute, and does not keep a job busy for ever.
func TestDefineAttributeBesideAColumn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := b.pool.Exec(b.ctx, `ALTER TABLE customers ADD COLUMN a_hat text`)
	b.ok(err)
	_, err = b.DefineAttribute(b.ctx, Attribute{Name: "hat", Type: Text})
	b.wants(err, fault.Conflict, "exists already")
	if n := b.count(`SELECT count(*) FROM attributes`) + b.count(`SELECT count(*) FROM coming_attributes`); n != 0 {
		t.Errorf("%d rows are left of it", n)
	}
}

// Marketers who define attributes at once get all of them.
func TestDefineAttributesAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	end := b.traffic()
	var wait sync.WaitGroup
	for i := range 6 {
		wait.Go(func() {
			name := fmt.Sprintf("a%d", i/2)
			_, err := b.DefineAttribute(b.ctx, Attribute{Name: name, Type: Text})
			if err != nil && !fault.Is(err, fault.Conflict) {
				t.Error(err)
			}
			if _, err := b.AwaitAttribute(b.ctx, name, nil); err != nil {
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
