package segments

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"aldine/internal/access"
	"aldine/internal/fault"
	"aldine/internal/pgtest"
)

func saver(t *testing.T) (context.Context, *Service, func(Draft) Segment) {
	t.Helper()
	pool := pgtest.New(t)
	define(t, pool)
	s := New(pool, clock)
	ctx := access.With(t.Context(), access.Actor{Kind: "user", Name: "anna@example.org", Role: access.Marketer})
	return ctx, s, func(d Draft) Segment {
		t.Helper()
		of, err := s.Create(ctx, d)
		if err != nil {
			t.Fatal(err)
		}
		return of
	}
}

// Of two people who edit a segment at once the second is told who was faster, and nothing of the first one's change is lost.
func TestLostUpdate(t *testing.T) {
	t.Parallel()
	ctx, s, create := saver(t)
	a := create(Draft{Name: "regulars", Expression: "orders_count > 3"})
	ben := access.With(t.Context(), access.Actor{Kind: "user", Name: "ben@example.org", Role: access.Marketer})
	if _, err := s.Update(ben, a.ID, Draft{Name: "regulars", Expression: "orders_count > 5", RowVersion: a.RowVersion}); err != nil {
		t.Fatal(err)
	}
	_, err := s.Update(ctx, a.ID, Draft{Name: "regulars", Expression: "orders_count > 3", Description: "my note", RowVersion: a.RowVersion})
	if !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "ben@example.org") {
		t.Errorf("the second: %v", err)
	}
	now, err := s.Get(ctx, a.ID)
	if err != nil || now.Expression != "orders_count > 5" || now.RowVersion != a.RowVersion+1 {
		t.Errorf("%+v, %v", now, err)
	}
	if _, err := s.Update(ctx, a.ID, Draft{Name: "regulars", Expression: "orders_count > 5", Description: "my note", RowVersion: now.RowVersion}); err != nil {
		t.Error(err)
	}
	if _, err := s.CountSegment(ctx, a.ID); err != nil { // is no change
		t.Fatal(err)
	}
	var people errgroup.Group
	saved := make(chan struct{}, 20)
	for i := range 20 {
		people.Go(func() error {
			_, err := s.Update(ctx, a.ID, Draft{Name: "regulars", Expression: fmt.Sprintf("orders_count > %d", i+10), RowVersion: now.RowVersion + 1})
			if err == nil {
				saved <- struct{}{}
			} else if !fault.Is(err, fault.Conflict) {
				return err
			}
			return nil
		})
	}
	if err := people.Wait(); err != nil || len(saved) != 1 {
		t.Errorf("%d of 20 saved, %v", len(saved), err)
	}
}

// Two saves at once, each right by itself, do not make a circle; nor does an old version that is restored.
func TestNoCircles(t *testing.T) {
	t.Parallel()
	ctx, s, create := saver(t)
	for i := range 10 {
		a := create(Draft{Name: fmt.Sprint("a", i)})
		b := create(Draft{Name: fmt.Sprint("b", i)})
		var people errgroup.Group
		refused := make(chan error, 2)
		for _, of := range [][2]Segment{{a, b}, {b, a}} {
			people.Go(func() error {
				_, err := s.Update(ctx, of[0].ID, Draft{Name: of[0].Name, Expression: fmt.Sprintf("in_segment(%q)", of[1].Name)})
				if err != nil {
					refused <- err
				}
				return nil
			})
		}
		_ = people.Wait()
		if len(refused) != 1 {
			t.Fatalf("%d of 2 are refused", len(refused))
		}
		if err := <-refused; !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "uses itself") {
			t.Error(err)
		}
	}
	a := create(Draft{Name: "a"})
	b := create(Draft{Name: "b", Expression: `in_segment("a")`})
	change := func(of Segment, expression string) {
		t.Helper()
		if _, err := s.Update(ctx, of.ID, Draft{Name: of.Name, Expression: expression}); err != nil {
			t.Fatal(err)
		}
	}
	change(b, "vip")
	change(a, `in_segment("b")`)
	if _, err := s.Restore(ctx, b.ID, 1); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "uses itself") {
		t.Errorf("a version that would make a circle: %v", err)
	}
	change(b, "score > 1")
	if _, err := s.pool.Exec(ctx, `DELETE FROM attributes WHERE name = 'vip'`); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Restore(ctx, b.ID, 2); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "vip") {
		t.Errorf("a version that names what is gone: %v", err)
	}
	if now, err := s.Get(ctx, b.ID); err != nil || now.Expression != "score > 1" || now.Version != 3 {
		t.Errorf("%+v, %v", now, err)
	}
}

// Names that look like others, or like nothing, are refused; bad text in a question finds nothing.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	ctx, s, create := saver(t)
	for _, bad := range []string{"", " ", "a\nb", "a\x00b", "a\u0085b", "a\x7fb", "best\u202egnp", "\u2066x", "be\u200bst", "\ufeffbest", "a\u2028b", "a\xffb", strings.Repeat("ä", 101), "\ue000"} {
		if _, err := s.Create(ctx, Draft{Name: bad}); !fault.Is(err, fault.Invalid) {
			t.Errorf("name %q: %v", bad, err)
		}
		if bad != "" && bad != " " {
			for what, d := range map[string]Draft{"folder": {Name: "x", Folder: bad + "x"}, "tag": {Name: "x", Tags: []string{bad + "x"}}, "owner": {Name: "x", Owner: bad + "x"}} {
				if _, err := s.Create(ctx, d); !fault.Is(err, fault.Invalid) {
					t.Errorf("%s %q: %v", what, bad, err)
				}
			}
			for _, q := range []Query{{Search: bad}, {Folder: bad}, {Tag: bad}, {After: bad}} {
				if _, err := s.List(ctx, q); err != nil {
					t.Errorf("%+v: %v", q, err)
				}
			}
			if _, err := s.ByName(ctx, bad); !fault.Is(err, fault.NotFound) {
				t.Errorf("by name %q: %v", bad, err)
			}
		}
	}
	if _, err := s.Create(ctx, Draft{Name: "x", Description: "a\u202eb"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a note that turns: %v", err)
	}
	if _, err := s.Create(ctx, Draft{Name: "x", Tags: strings.Split(strings.Repeat("t ", 5)+"1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21", " ")}); !fault.Is(err, fault.Invalid) {
		t.Errorf("too many tags: %v", err)
	}
	for _, good := range []string{`He said "hi" \ 'yo' `, "Größe ✓ 顧客 مشتری\u200cها 👩\u200d👧", "<b>&", `in_segment("x")`, "$1 @name %s"} {
		of := create(Draft{Name: good, Description: "line\n\ttwo"})
		create(Draft{Name: "uses " + good, Expression: fmt.Sprintf("in_segment(%q)", of.Name)})
		if err := s.Delete(ctx, of.ID); !fault.Is(err, fault.Conflict) {
			t.Errorf("%q is deleted though it is used: %v", good, err)
		}
		if _, err := s.Update(ctx, of.ID, Draft{Name: "other " + good}); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "uses it under its name") {
			t.Errorf("%q is renamed though it is used: %v", good, err)
		}
	}
	old := create(Draft{Name: "of an older time"})
	exec(t, s.pool, `UPDATE segments SET name = E'b\u202Ed' WHERE segment_id = $1`, old.ID)
	if _, err := s.Update(ctx, old.ID, Draft{Name: "b\u202ed", Expression: "vip"}); err != nil {
		t.Errorf("a name of an older time: %v", err)
	}
	if _, err := s.Versions(ctx, old.ID, 1<<40, 0); err != nil {
		t.Error(err)
	}
	if _, err := s.Restore(ctx, old.ID, 1<<40); !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
}

// What a merge/purge run or a campaign needs is not deleted, also where that comes to be in the same moment.
func TestDeletionBesideUse(t *testing.T) {
	t.Parallel()
	ctx, s, create := saver(t)
	a, b := create(Draft{Name: "a"}), create(Draft{Name: "b"})
	exec(t, s.pool, `INSERT INTO merge_runs (run_id, name, level, allocation, seed, threshold, review, state, created_by, created_at) VALUES (1, 'autumn', 'person', 'random', 1, 0, 0, 'draft', 'test', $1)`, testNow)
	exec(t, s.pool, `INSERT INTO merge_inputs (run_id, input_no, kind, name, priority, expression) VALUES (1, 1, 'house', 'house', 1, 'not in_segment("a")')`)
	if err := s.Delete(ctx, a.ID); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), `merge/purge run "autumn"`) {
		t.Errorf("a merge/purge run: %v", err)
	}
	tx, err := s.pool.Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx))
	if _, err := tx.Exec(ctx, `INSERT INTO campaigns (code, name, currency, state, segment_id, created_by, created_at, updated_at) VALUES ('c', 'C', 'USD', 'draft', $1, 'test', $2, $2)`, b.ID, testNow); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Delete(ctx, b.ID) }()
	time.Sleep(200 * time.Millisecond)
	if err := tx.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !fault.Is(err, fault.Conflict) {
		t.Errorf("a campaign in the same moment: %v", err)
	}
}

// One segment that cannot be counted stops no other, is not tried again that day, and says why.
func TestDailyCountGoesOn(t *testing.T) {
	t.Parallel()
	ctx, s, create := saver(t)
	exec(t, s.pool, `INSERT INTO customers (customer_id, city, created_at, updated_at) SELECT i, repeat('a', 2000), $1, $1 FROM generate_series(1, 500) i`, testNow)
	now := testNow
	s.now = func() time.Time { return now }
	create(Draft{Name: "a slow", Expression: `city matches "(a*)*(a*)*(a|aa)*b"`})
	create(Draft{Name: "b broken", Expression: "vip"})
	create(Draft{Name: "c fails", Expression: "score > 1"})
	create(Draft{Name: "d", Expression: ""})
	exec(t, s.pool, `DELETE FROM attributes WHERE name = 'vip'`)
	exec(t, s.pool, `UPDATE attributes SET column_name = 'a_nowhere' WHERE name = 'score'`)
	s.timeout = 50 * time.Millisecond
	exec(t, s.pool, `UPDATE customers SET city = repeat('a', 100000)`)
	err := s.CountDue(ctx)
	if err == nil || !strings.Contains(err.Error(), "a_nowhere") {
		t.Errorf("what is for the log: %v", err)
	}
	why := func(name string) (string, *int64) {
		t.Helper()
		of, err := s.ByName(ctx, name)
		if err != nil {
			t.Fatal(err)
		}
		return of.CountError, of.LastCount
	}
	for name, want := range map[string]string{"a slow": "took longer", "b broken": "vip", "c fails": "log", "d": ""} {
		got, n := why(name)
		if !strings.Contains(got, want) || (got == "") != (want == "") || (n != nil) != (name == "d") || strings.Contains(got, "nowhere") {
			t.Errorf("%s: %q, %v", name, got, n)
		}
	}
	if err := s.CountDue(ctx); err != nil {
		t.Errorf("tried again on the same day: %v", err)
	}
	now = now.Add(24 * time.Hour)
	s.timeout = countTimeout
	exec(t, s.pool, `UPDATE customers SET city = 'b'`)
	exec(t, s.pool, `UPDATE attributes SET column_name = 'a_score' WHERE name = 'score'`)
	if err := s.CountDue(ctx); err != nil {
		t.Error(err)
	}
	for name, want := range map[string]string{"a slow": "", "b broken": "vip", "c fails": ""} {
		if got, _ := why(name); !strings.Contains(got, want) || (got == "") != (want == "") {
			t.Errorf("%s on the next day: %q", name, got)
		}
	}
}
