package mergepurge

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aldine/internal/fault"
)

// people makes rows of n people from a number on; every seventh is there twice.
func people(from, n int) string {
	var out strings.Builder
	out.WriteString(head)
	for i := from; i < from+n; i++ {
		row := fmt.Sprintf("Given%d,Family%d,p%d@example.org,,Street%d %d,Town%d,%05d,DE\n", i*7919%997, i, i, i*31%499, i%97+1, i%50, 10000+i%80000)
		out.WriteString(row)
		if i%7 == 0 {
			out.WriteString(row)
		}
		if i%100 == 0 {
			out.WriteString("bad row\n")
		}
	}
	return out.String()
}

func bigRun(b *bench, name string) Run {
	run := b.create(NewRun{Name: name, Level: Household, Seed: 5})
	b.add(run, House, "", "")
	b.add(run, Rented, "A", people(500, 4_000))
	b.add(run, Rented, "B", people(3_000, 2_500))
	b.add(run, Suppression, "no", people(3_900, 300))
	return run
}

// cut works a run again and again, each time ended after a while, until it is through.
func cut(b *bench, run Run, rng *rand.Rand, most time.Duration) Run {
	b.t.Helper()
	cuts := 0
	for {
		ctx, cancel := context.WithTimeout(b.ctx, time.Duration(rng.Int64N(int64(most))))
		done, err := b.Work(ctx, run.ID)
		late := ctx.Err() != nil
		cancel()
		if err == nil {
			b.t.Logf("through after %d cuts", cuts)
			return done
		}
		if !late && !errors.Is(err, context.DeadlineExceeded) {
			// It may have been cut off between its last commit and saying so.
			if done, again := b.Run(b.ctx, run.ID); again == nil && fault.Is(err, fault.Conflict) && (done.State == Finished || done.State == Applied) {
				return done
			}
			b.t.Fatal(err)
		}
		if cuts++; cuts > 150 {
			b.t.Fatal("never through")
		}
		most += most / 10
	}
}

// A run that is cut off at any point and taken up again gives the same report and the same list, with no row lost or doubled.
func TestCutOff(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.house("external_id," + strings.ReplaceAll(head, "\n", "") + "\n" + numbered(people(1, 1_000)))
	whole := b.apply1(b.work(bigRun(b, "whole")))
	want := b.verdicts1(whole)

	b2 := setup(t)
	b2.sizes = sizes{rows: 300, customers: 200, records: 500, rented: 200} // many places to be cut off at
	b2.house("external_id," + strings.ReplaceAll(head, "\n", "") + "\n" + numbered(people(1, 1_000)))
	run := bigRun(b2, "whole")
	_, err := b2.StartHeld(b2.ctx, run.ID)
	b2.ok(err)
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	run = cut(b2, run, rng, 200*time.Millisecond)
	if run.State != Finished {
		t.Fatalf("the run is %s: %s", run.State, run.Error)
	}
	run.Report.Seconds = whole.Report.Seconds
	if diff := cmp.Diff(whole.Report, run.Report); diff != "" {
		t.Errorf("the report differs: %s", diff)
	}
	_, err = b2.ApplyHeld(b2.ctx, run.ID)
	b2.ok(err)
	run = cut(b2, run, rng, 100*time.Millisecond)
	if run.State != Applied {
		t.Fatalf("the run is %s: %s", run.State, run.Error)
	}
	if diff := cmp.Diff(want, b2.verdicts1(run)); diff != "" {
		t.Errorf("the records differ: %s", diff)
	}
	for _, sql := range []string{`SELECT count(*) FROM customers`, `SELECT count(*) FROM customers WHERE rented`, `SELECT count(*) FROM list_members`,
		`SELECT count(DISTINCT email) FROM customers`, `SELECT count(*) FROM customer_emails`, `SELECT count(*) FROM merge_records`} {
		if x, y := b.count(sql), b2.count(sql); x != y {
			t.Errorf("%s: %d at one go, %d cut off", sql, x, y)
		}
	}
}

func (b *bench) verdicts1(run Run) []string {
	var all []string
	for after := int64(0); ; {
		page, err := b.Records(b.ctx, run.ID, Filter{}, after, 10_000)
		b.ok(err)
		for _, r := range page {
			line := fmt.Sprintf("%d %d %d %s %s %s %d", r.No, r.Input, r.Line, r.Name, r.Verdict, r.Reason, r.Lists)
			if r.Winner != nil {
				line += fmt.Sprint(" ", r.Winner.No)
			}
			all = append(all, line)
			after = r.No
		}
		if len(page) == 0 {
			return all
		}
	}
}

// numbered gives rows external ids, without the head and the bad rows.
func numbered(text string) string {
	var out strings.Builder
	for i, line := range strings.Split(text, "\n") {
		if i > 0 && strings.Count(line, ",") > 3 {
			fmt.Fprintf(&out, "h-%d,%s\n", i, line)
		}
	}
	return out.String()
}

func TestCancel(t *testing.T) {
	t.Parallel()
	b := setup(t)
	run := bigRun(b, "stopped")
	_, err := b.StartHeld(b.ctx, run.ID)
	b.ok(err)
	type answer struct {
		run Run
		err error
	}
	ended := make(chan answer)
	go func() {
		run, err := b.Work(b.ctx, run.ID)
		ended <- answer{run, err}
	}()
	for b.count(`SELECT count(*) FROM merge_runs WHERE state = 'running'`) == 0 {
		time.Sleep(5 * time.Millisecond)
	}
	b.ok(b.Cancel(b.ctx, run.ID))
	select {
	case a := <-ended:
		if a.err != nil || a.run.State != Cancelled {
			t.Errorf("%s, %v", a.run.State, a.err)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the run goes on")
	}
	if n := uploads(b); n != 0 {
		t.Errorf("%d uploads are left", n)
	}
	b.ok(b.Delete(b.ctx, run.ID))
	if n := b.count(`SELECT count(*) FROM merge_records`); n != 0 {
		t.Errorf("%d records are left", n)
	}
}

// Applying that was cancelled leaves a finished run, which can be applied again.
func TestCancelApply(t *testing.T) {
	t.Parallel()
	b := setup(t)
	run := b.work(bigRun(b, "list"))
	_, err := b.ApplyHeld(b.ctx, run.ID)
	b.ok(err)
	b.ok(b.Cancel(b.ctx, run.ID))
	run, err = b.Run(b.ctx, run.ID)
	b.ok(err)
	if run.State != Finished || run.Report == nil {
		t.Fatalf("%s", run.State)
	}
	run = b.apply1(run)
	if n := b.count(`SELECT count(*) FROM list_members WHERE list_id = $1`, run.ListID); n != run.Report.Net {
		t.Errorf("%d members, net %d", n, run.Report.Net)
	}
}
