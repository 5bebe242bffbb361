package campaigns

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/campaigns/content"
	"aldine/campaigns/journey"
	"aldine/customers/duplicates"
	"aldine/internal/fault"
)

func (f *fixture) duplicates(t *testing.T) *duplicates.Service {
	return duplicates.New(duplicates.Deps{Pool: f.pool, Jobs: f.jobs, Customers: f.customers, DataDir: t.TempDir(), Now: f.time})
}

// waiting waits until a statement of the database waits for a lock.
func (f *fixture) waiting(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if one[int](t, f, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`) > 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatal("nobody waits")
		}
	}
}

// A merge that is under way while the audience is frozen is waited for: who comes out of it enters, if she is in the segment.
func TestAMergeUnderWayIsWaitedFor(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.people(t, 3)
	f.exec(t, `UPDATE customers SET city = CASE customer_id WHEN 1 THEN 'Bonn' ELSE NULL END`) // 1 is in, 2 is not
	f.template(t, "Mail", content.Email)
	d := f.launch(t, Input{Journey: oneMail, Expression: `city == "Bonn"`})
	lock, err := f.pool.Begin(t.Context()) // so that the merge has to wait at its end
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Rollback(context.WithoutCancel(t.Context()))
	if _, err := lock.Exec(t.Context(), `LOCK TABLE customer_merges IN EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	merged, entered := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := f.duplicates(t).Merge(t.Context(), 2, 1, nil)
		merged <- err
	}()
	f.waiting(t)
	go func() { entered <- f.engine.Enter(t.Context(), journey.EntryArgs{CampaignID: d.ID}) }()
	select {
	case err := <-entered:
		t.Errorf("the audience was frozen beside the merge: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	if err := lock.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-merged; err != nil {
		t.Fatal(err)
	}
	if err := <-entered; err != nil {
		t.Fatal(err)
	}
	f.work(t)
	if got := one[[]int64](t, f, `SELECT array_agg(customer_id ORDER BY customer_id) FROM enrollments`); len(got) != 1 || got[0] != 2 {
		t.Errorf("%v entered, want the one who is left", got)
	}
}

// A merge that begins while the audience is frozen waits, and then until its customer has entered.
func TestAMergeWaitsForTheFreeze(t *testing.T) {
	t.Parallel()
	f := setup(t)
	f.people(t, 3)
	f.exec(t, `UPDATE customers SET city = CASE customer_id WHEN 1 THEN 'Bonn' ELSE NULL END`)
	f.template(t, "Mail", content.Email)
	d := f.launch(t, Input{Journey: oneMail, Expression: `city == "Bonn"`})
	lock, err := f.pool.BeginTx(t.Context(), pgx.TxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Rollback(context.WithoutCancel(t.Context()))
	if _, err := lock.Exec(t.Context(), `LOCK TABLE audience_slices IN EXCLUSIVE MODE`); err != nil { // the members are known, not yet kept
		t.Fatal(err)
	}
	merged, entered := make(chan error, 1), make(chan error, 1)
	go func() { entered <- f.engine.Enter(t.Context(), journey.EntryArgs{CampaignID: d.ID}) }()
	f.waiting(t)
	go func() {
		_, err := f.duplicates(t).Merge(t.Context(), 2, 1, nil)
		merged <- err
	}()
	select {
	case err := <-merged:
		t.Errorf("merged beside the freeze: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	if err := lock.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-entered; err != nil {
		t.Fatal(err)
	}
	if err := <-merged; !fault.Is(err, fault.Conflict) {
		t.Fatalf("merged before the entry was over: %v", err)
	}
	f.work(t)
	if _, err := f.duplicates(t).Merge(t.Context(), 2, 1, nil); err != nil {
		t.Fatal(err)
	}
	if got := one[[]int64](t, f, `SELECT array_agg(customer_id ORDER BY customer_id) FROM enrollments`); len(got) != 1 || got[0] != 2 {
		t.Errorf("%v entered, want the one who is left", got)
	}
}
