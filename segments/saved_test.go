package segments

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"aldine/internal/access"
	"aldine/internal/fault"
	"aldine/internal/pgtest"
)

func TestSavedSegments(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	ctx := access.With(t.Context(), access.Actor{Kind: "user", Name: "anna@example.org", Role: access.Marketer})
	s := New(pool, clock)
	exec(t, pool, `INSERT INTO customers (orders_count, created_at, updated_at) VALUES (1, $1, $1), (5, $1, $1), (7, $1, $1)`, testNow)

	a, err := s.Create(ctx, Draft{Name: " regulars ", Expression: "orders_count > 3", Description: "who come back"})
	if err != nil || a.Name != "regulars" || a.CreatedBy != "user:anna@example.org" || a.LastCount != nil {
		t.Fatalf("%+v, %v", a, err)
	}
	if _, err := s.Create(ctx, Draft{Name: "regulars", Expression: "orders_count > 4"}); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), `"regulars"`) {
		t.Errorf("the same name again: %v", err)
	}
	var f *fault.Error
	if _, err := s.Create(ctx, Draft{Name: "", Expression: "contry == 3"}); !errors.As(err, &f) || len(f.Fields) != 2 || f.Fields[0].Name != "name" || f.Fields[1].Name != "expression" {
		t.Errorf("two faults: %v", err)
	}
	if _, err := s.Create(ctx, Draft{Name: "self", Expression: `in_segment("self")`}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a new segment uses itself: %v", err)
	}

	count, err := s.CountSegment(ctx, a.ID)
	if err != nil || count.Count != 2 {
		t.Fatalf("%+v, %v", count, err)
	}
	if a, err = s.ByName(ctx, "regulars"); err != nil || a.LastCount == nil || *a.LastCount != 2 || !a.CountedAt.Equal(testNow) {
		t.Fatalf("%+v, %v", a, err)
	}
	b, err := s.Create(ctx, Draft{Name: "others", Expression: `not in_segment("regulars")`})
	if err != nil {
		t.Fatal(err)
	}
	if n, err := s.Count(ctx, `in_segment("others")`, Exact); err != nil || n.Count != 1 {
		t.Errorf("%+v, %v", n, err)
	}
	for customer, want := range map[int64]string{1: "others", 2: "regulars", 3: "regulars", 4: ""} {
		in, err := s.Memberships(ctx, customer)
		var names []string
		for _, m := range in {
			names = append(names, m.Name)
		}
		if got := strings.Join(names, " "); err != nil || got != want {
			t.Errorf("customer %d is in %q, want %q (%v)", customer, got, want, err)
		}
	}
	_, err = s.Update(ctx, a.ID, Draft{Name: "regulars", Expression: `orders_count > 3 or in_segment("others")`})
	if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), `uses itself`) {
		t.Errorf("a circle: %v", err)
	}
	if _, err := s.Update(ctx, a.ID, Draft{Name: "good", Expression: "orders_count > 3"}); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), `the segment "others"`) {
		t.Errorf("renaming what is used: %v", err)
	}
	if err := s.Delete(ctx, a.ID); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), `the segment "others" uses it`) {
		t.Errorf("deleting what is used: %v", err)
	}
	if a, err = s.Update(ctx, a.ID, Draft{Name: "regulars", Expression: "orders_count > 6"}); err != nil || a.LastCount != nil {
		t.Errorf("a new expression forgets the count: %+v, %v", a, err)
	}
	if err := s.Delete(ctx, b.ID); err != nil {
		t.Error(err)
	}

	exec(t, pool, `INSERT INTO campaigns (code, name, currency, state, segment_id, created_by, created_at, updated_at) VALUES ('spring', 'Spring', 'USD', 'finished', $1, 'test', $2, $2)`, a.ID, testNow)
	if err := s.Delete(ctx, a.ID); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), `the campaign "spring"`) {
		t.Errorf("the audience of a campaign: %v", err)
	}
	exec(t, pool, `UPDATE campaigns SET segment_id = NULL, state = 'running'`)
	exec(t, pool, `INSERT INTO journeys (campaign_id, version, definition) SELECT campaign_id, 1, '{"steps": [{"key": "a", "if": "vip"}, {"key": "b", "if": "vip or in_segment(\"regulars\")"}]}' FROM campaigns`)
	if err := s.Delete(ctx, a.ID); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), `the campaign "spring"`) {
		t.Errorf("a branch of a journey: %v", err)
	}
	exec(t, pool, `UPDATE campaigns SET state = 'finished'`)
	if err := s.Delete(ctx, a.ID); err != nil {
		t.Error(err)
	}
	if err := s.Delete(ctx, a.ID); !fault.Is(err, fault.NotFound) {
		t.Errorf("deleted twice: %v", err)
	}

	var audited int
	if err := pool.QueryRow(ctx, `SELECT count(*) FROM audit_log WHERE object_kind = 'segment' AND actor = 'user:anna@example.org'`).Scan(&audited); err != nil || audited != 5 {
		t.Errorf("%d entries in the audit log, %v", audited, err)
	}
	for i := range 5 {
		if _, err := s.Create(ctx, Draft{Name: fmt.Sprintf("part %d", i)}); err != nil {
			t.Fatal(err)
		}
	}
	page, err := s.List(ctx, Query{Search: "PART", After: "part 1", Limit: 2})
	if err != nil || len(page) != 2 || page[0].Name != "part 2" || page[1].Name != "part 3" {
		t.Errorf("%+v, %v", page, err)
	}
}
