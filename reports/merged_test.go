package reports_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"aldine/customers"
	"aldine/customers/duplicates"
	"aldine/internal/queue"
	"aldine/internal/settings"
)

// A campaign is what it was: neither who turns out to be one person nor who asks to be erased changes its report.
func TestReportOutlivesMergesAndErasures(t *testing.T) {
	t.Parallel()
	s, pool := start(t)
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := pool.Exec(t.Context(), `INSERT INTO customers (customer_id, last_name, email, created_at, updated_at)
		SELECT n, 'Name' || n, 'n' || n || '@example.org', '2026-01-01', '2026-01-01' FROM generate_series(1, 22) n`)
	ok(err)
	jobs, err := queue.NewInserter(pool)
	ok(err)
	now := func() time.Time { return at }
	people := customers.New(customers.Deps{Pool: pool, Jobs: jobs, Settings: settings.New(pool, now), DataDir: t.TempDir(), Now: now})
	dup := duplicates.New(duplicates.Deps{Pool: pool, Jobs: jobs, Customers: people, DataDir: t.TempDir(), Now: now})
	report := func() map[string]string {
		t.Helper()
		r, err := s.Campaign(t.Context(), 1)
		ok(err)
		body, err := json.Marshal(r)
		ok(err)
		var parts map[string]json.RawMessage
		ok(json.Unmarshal(body, &parts))
		out := map[string]string{}
		for name, part := range parts {
			out[name] = string(part)
		}
		return out
	}
	was := report()
	same := func(after string, but ...string) {
		t.Helper()
		is := report()
		for name := range was {
			if (is[name] == was[name]) == slices.Contains(but, name) {
				t.Errorf("after %s, %s of the report is\n%s, was\n%s", after, name, is[name], was[name])
			}
		}
		if problems, err := s.Reconcile(t.Context(), 1); err != nil || len(problems) > 0 {
			t.Errorf("after %s: %v %v", after, problems, err)
		}
	}
	var merges []string
	for _, m := range []struct {
		what          string
		survivor, old int64
		but           []string
	}{
		{"merging somebody new into one who answered", 1, 20, nil},
		{"merging one who answered into somebody new", 21, 3, nil},
		{"merging two who both took part, one of whom ordered", 1, 5, nil},
		// Orders are the survivor's: one customer ordered where two did, and from the survivor's list. The sums stay.
		{"merging two who both took part and ordered", 1, 2, []string{"by_list", "control", "funnel"}},
	} {
		merged, err := dup.Merge(t.Context(), m.survivor, m.old, nil)
		ok(err)
		merges = append(merges, merged.ID)
		same(m.what, m.but...)
	}
	for _, m := range slices.Backward(merges) {
		_, err := dup.Undo(t.Context(), m)
		ok(err)
		same("undoing")
	}
	_, err = dup.Merge(t.Context(), 1, 5, nil)
	ok(err)
	for _, id := range []int64{1, 2, 3, 9, 6} {
		ok(people.Erase(t.Context(), id))
		same("erasing")
	}
}
