package customers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"golang.org/x/sync/errgroup"

	"aldine/internal/queue"
)

// The end of an import makes the job; the job does all there is.
func TestHouseholdJob(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := b.StartImport(b.ctx, StartImport{Kind: "customers", Body: strings.NewReader(homeHeader +
		"1,A,Smith,,1 Washington St,,Leeds,LS1 4DY,GB\n2,B,Smyth,,1 Washingtno Street,,Leeds,LS1 4DY,GB\n")})
	b.ok(err)
	workers := river.NewWorkers()
	b.Register(workers)
	river.AddWorker(workers, river.WorkFunc(func(context.Context, *river.Job[OrdersRecordedArgs]) error { return nil }))
	client, err := queue.NewWorking(b.pool, workers, "test", slog.New(slog.DiscardHandler))
	b.ok(err)
	b.ok(client.Start(b.ctx))
	defer func() { b.ok(client.Stop(context.WithoutCancel(b.ctx))) }()
	for end := time.Now().Add(30 * time.Second); b.partition("household_id") != "1 2"; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still %q", b.partition("household_id"))
		}
	}
}

// A refresh stopped anywhere carries on where it was.
func TestHouseholdsStopped(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rows := homes(rand.New(rand.NewPCG(9, 7)), 12_000)
	b.load("customers", "", homeHeader+strings.Join(rows, ""))
	for waiting := int64(12_000); waiting > 0; {
		ctx, stop := context.WithCancel(b.ctx)
		_, err := b.RefreshHouseholds(ctx, func(done, total int64) {
			if done == 0 || total != waiting {
				t.Errorf("%d of %d, with %d waiting", done, total, waiting)
			}
			stop()
		})
		stop()
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		left, err := b.HouseholdsWaiting(b.ctx)
		b.ok(err)
		if left >= waiting {
			t.Fatalf("%d waiting, after %d", left, waiting)
		}
		waiting = left
	}
	want := b.keysDump()
	b.ok(b.RecomputeHouseholds(b.ctx))
	b.refresh()
	if b.keysDump() != want {
		t.Error("at one go the households differ")
	}
}

// People are edited and made, files imported and households found all at once; in the end all is as if one had come after the other.
func TestHouseholdsAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rows := homes(rand.New(rand.NewPCG(4, 7)), 3_000)
	b.load("customers", "", homeHeader+strings.Join(rows[:2_000], ""))
	var group errgroup.Group
	group.Go(func() error {
		_, err := b.RefreshHouseholds(b.ctx, nil)
		return err
	})
	group.Go(func() error {
		_, err := b.RefreshHouseholds(b.ctx, nil)
		return err
	})
	ids := make([]ID, 40)
	for i := range ids {
		ids[i] = b.byExternal(fmt.Sprint(1 + 7*i)).ID
	}
	names := []string{"Smith", "Smyth", "Jones"}
	for worker := range 2 {
		group.Go(func() error {
			for i := worker; i < len(ids); i += 2 {
				if _, err := b.Update(b.ctx, ids[i], Patch{"last_name": names[i%3]}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	group.Go(func() error {
		imp, err := b.start("customers", "", homeHeader+strings.Join(rows[2_000:], ""))
		if err != nil {
			return err
		}
		_, err = b.RunImport(b.ctx, imp.ID)
		return err
	})
	b.ok(group.Wait())
	b.refresh()
	// Which spelling names a residence depends on who came first; surnames at each are right whatever it was.
	n := b.count(`SELECT count(*) FROM customers`)
	if n != 3_000 || b.count(`SELECT count(*) FROM customers WHERE address_hash IS NOT NULL AND residence_id IS NULL`) != 0 {
		t.Errorf("%d customers", n)
	}
	before := b.keysDump()
	b.ok(b.noteAll())
	b.refresh()
	if b.keysDump() != before {
		t.Error("a household was not brought up to date")
	}
}

// noteAll notes everybody, with the spellings kept.
func (b *bench) noteAll() error {
	_, err := b.pool.Exec(b.ctx, `INSERT INTO household_work (customer_ids, residence_ids) SELECT array_agg(customer_id), '{}' FROM customers`)
	return err
}
