package segments

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"testing"
	"time"

	"aldine/internal/access"
	"aldine/internal/fault"
	"aldine/internal/pgtest"
)

func TestVersions(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	ctx := access.With(t.Context(), access.Actor{Kind: "user", Name: "anna@example.org", Role: access.Marketer})
	now := testNow
	s := New(pool, func() time.Time { return now })
	exec(t, pool, `INSERT INTO users (email, name, role, password_hash, created_at, disabled_at) VALUES
		('Ben@example.org', 'Ben', 'marketer', '', $1, NULL), ('gone@example.org', 'Gone', 'marketer', '', $1, $1)`, testNow)
	exec(t, pool, `INSERT INTO customers (orders_count, created_at, updated_at) VALUES (1, $1, $1), (5, $1, $1)`, testNow)

	a, err := s.Create(ctx, Draft{Name: "regulars", Expression: "orders_count > 3", Folder: " Loyalty ", Tags: []string{"vip", " spring ", "vip", ""}})
	if err != nil || a.Version != 1 || a.Owner != "anna@example.org" || a.Folder != "Loyalty" || !slices.Equal(a.Tags, []string{"spring", "vip"}) {
		t.Fatalf("%+v, %v", a, err)
	}
	if _, err := s.CountSegment(ctx, a.ID); err != nil {
		t.Fatal(err)
	}
	now = now.Add(24 * time.Hour)
	same, err := s.Update(ctx, a.ID, Draft{Name: "regulars", Expression: "orders_count > 3", Description: "new words", Owner: "ben@example.org"})
	if err != nil || same.Version != 1 || same.Owner != "Ben@example.org" || same.Folder != "" || same.LastCount == nil {
		t.Fatalf("%+v, %v", same, err)
	}
	for _, owner := range []string{"nobody@example.org", "gone@example.org"} {
		if _, err := s.Update(ctx, a.ID, Draft{Name: "regulars", Owner: owner}); !fault.Is(err, fault.Invalid) {
			t.Errorf("owner %s: %v", owner, err)
		}
	}
	next, err := s.Update(ctx, a.ID, Draft{Name: "regulars", Expression: "orders_count > 0", Tags: []string{"vip"}})
	if err != nil || next.Version != 2 || next.LastCount != nil || next.Owner != "Ben@example.org" {
		t.Fatalf("%+v, %v", next, err)
	}
	if _, err := s.CountSegment(ctx, a.ID); err != nil {
		t.Fatal(err)
	}
	exec(t, pool, `INSERT INTO campaigns (code, name, currency, state, segment_id, segment_version, created_by, created_at, updated_at)
		VALUES ('spring', 'Spring', 'USD', 'approved', $1, 1, 'test', $2, $2)`, a.ID, testNow)
	versions, err := s.Versions(ctx, a.ID, 0, 0)
	if err != nil || len(versions) != 2 || versions[0].Expression != "orders_count > 0" || versions[1].Expression != "orders_count > 3" ||
		!slices.Equal(versions[1].Campaigns, []string{"spring"}) || !versions[1].SavedAt.Equal(testNow) {
		t.Fatalf("%+v, %v", versions, err)
	}
	if older, err := s.Versions(ctx, a.ID, 2, 1); err != nil || len(older) != 1 || older[0].Version != 1 {
		t.Errorf("%+v, %v", older, err)
	}
	back, err := s.Restore(ctx, a.ID, 1)
	if err != nil || back.Version != 3 || back.Expression != "orders_count > 3" || back.Owner != "Ben@example.org" || !slices.Equal(back.Tags, []string{"vip"}) {
		t.Errorf("%+v, %v", back, err)
	}
	if _, err := s.Restore(ctx, a.ID, 9); !fault.Is(err, fault.NotFound) {
		t.Errorf("a version that never was: %v", err)
	}
	days, err := s.History(ctx, a.ID, 30)
	if err != nil || len(days) != 2 || days[0].Members != 1 || days[1].Members != 2 || days[1].Version != 2 {
		t.Errorf("%+v, %v", days, err)
	}
	now = now.Add(24 * time.Hour)
	exec(t, pool, `INSERT INTO segments (name, expression, created_by, created_at, updated_at) VALUES ('broken', 'gone > 1', 'test', $1, $1)`, testNow)
	if err := s.CountDue(ctx); err != nil {
		t.Fatal(err)
	}
	if days, err := s.History(ctx, a.ID, 30); err != nil || len(days) != 3 || days[2].Members != 1 || days[2].Version != 3 {
		t.Errorf("after the daily count: %+v, %v", days, err)
	}
	if list, err := s.List(ctx, Query{Tag: "vip"}); err != nil || len(list) != 1 {
		t.Errorf("%+v, %v", list, err)
	}
	if list, err := s.List(ctx, Query{Folder: "Loyalty"}); err != nil || len(list) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
	if tags, err := s.Tags(ctx); err != nil || len(tags) != 1 || tags[0] != (Label{"vip", 1}) {
		t.Errorf("%+v, %v", tags, err)
	}
	if _, err := s.Create(ctx, Draft{Name: "x", Tags: []string{"a,b"}, Folder: "a\nb"}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a folder of two lines: %v", err)
	}
	exec(t, pool, `DELETE FROM campaigns`)
	if err := s.Delete(ctx, a.ID); err != nil {
		t.Error(err)
	}
}

// The file of a segment holds all its members once, across slices and gaps, and nothing that a spreadsheet would run.
func TestWriteCSV(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	define(t, pool)
	ctx := access.With(t.Context(), access.System)
	s := New(pool, clock)
	exec(t, pool, `INSERT INTO customers (customer_id, first_name, orders_count, a_birthday, a_tags, created_at, updated_at)
		SELECT i * 3, CASE WHEN i = 1 THEN '=1+1' ELSE 'N' || i END, i % 2, '1980-05-04', ARRAY['a', 'b'], $1, $1 FROM generate_series(1, $2::int) i`, testNow, exportSlice+5)
	a, err := s.Create(ctx, Draft{Name: "odd", Expression: "orders_count == 1"})
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := s.WriteCSV(ctx, a, &b); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(rows) != 1+exportSlice/2+3 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	cell := func(row int, name string) string { return rows[row][slices.Index(rows[0], name)] }
	if cell(1, "first_name") != "'=1+1" || cell(1, "customer_id") != "3" || cell(1, "birthday") != "1980-05-04" || cell(1, "tags") != "a; b" ||
		cell(1, "created_at") != testNow.Format(time.RFC3339) || cell(1, "email") != "" {
		t.Errorf("%v", rows[1])
	}
	if last := cell(len(rows)-1, "customer_id"); last != fmt.Sprint((exportSlice+5)*3) {
		t.Errorf("the last is %s", last)
	}
	a.Expression = "gone == 1"
	b.Reset()
	if err := s.WriteCSV(ctx, a, &b); !fault.Is(err, fault.Invalid) || b.Len() > 0 {
		t.Errorf("an expression that is not valid any more: %v, %d bytes", err, b.Len())
	}
}
