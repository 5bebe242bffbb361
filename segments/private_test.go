package segments

import (
	"errors"
	"strings"
	"testing"

	"aldine/internal/access"
	"aldine/internal/fault"
)

// Who only reads can neither ask for a private attribute nor reach it through a segment, a household or a suggestion.
func TestPrivateAttributes(t *testing.T) {
	t.Parallel()
	s, pool := world(t, 20)
	exec(t, pool, `UPDATE attributes SET private = true WHERE name = 'vip'`)
	exec(t, pool, `INSERT INTO segments (name, expression, created_by, created_at, updated_at) VALUES ('all', '', 'test', $1, $1)`, testNow)
	reader := access.With(t.Context(), access.Actor{Kind: "user", Role: access.ReadOnly})
	marketer := access.With(t.Context(), access.Actor{Kind: "user", Role: access.Marketer})
	for _, expression := range []string{"vip", `in_segment("vip")`, `not in_segment("nested")`, "any(household, .vip)", "household(vip)", "top(3, vip ? 1 : 0)"} {
		if err := s.Check(marketer, expression); err != nil {
			t.Errorf("a marketer: %s: %v", expression, err)
		}
		if err := s.Check(reader, expression); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "private") {
			t.Errorf("a reader: %s: %v", expression, err)
		}
		if _, err := s.Count(reader, expression, Exact); !fault.Is(err, fault.Invalid) {
			t.Errorf("a reader counts %s: %v", expression, err)
		}
		if _, err := s.Sample(reader, expression, 5); !fault.Is(err, fault.Invalid) {
			t.Errorf("a reader sees %s: %v", expression, err)
		}
	}
	if err := s.Check(reader, "vap"); strings.Contains(err.Error(), "vip") {
		t.Errorf("a suggestion names it: %v", err)
	}
	exec(t, pool, `INSERT INTO segments (name, expression, created_by, created_at, updated_at) VALUES ('closed', 'vip', 'test', $1, $1), ('around', 'in_segment("closed")', 'test', $1, $1),
		('broken', 'vip == "Xyzzy"', 'test', $1, $1)`, testNow)
	for _, name := range []string{"closed", "around", "broken"} {
		err := s.Check(reader, `in_segment("`+name+`")`)
		if err == nil || !strings.Contains(err.Error(), "private") || strings.Contains(err.Error(), "vip") || strings.Contains(err.Error(), "Xyzzy") {
			t.Errorf("a reader is told of the segment %s: %v", name, err)
		}
		if of, err := s.ByName(reader, name); err != nil || of.Expression != "" || !of.Hidden {
			t.Errorf("a reader sees the segment %s: %+v, %v", name, of, err)
		}
	}
	names, err := s.Names(reader)
	if err != nil || len(names.Attributes) != 6 {
		t.Errorf("names for a reader: %+v, %v", names.Attributes, err)
	}
	if names, err := s.Names(marketer); err != nil || len(names.Attributes) != 7 {
		t.Errorf("names for a marketer: %+v, %v", names.Attributes, err)
	}
	for id := range int64(20) {
		in, err := s.Memberships(reader, id+1)
		if err != nil {
			t.Fatal(err)
		}
		for _, segment := range in {
			if segment.Name != "all" && segment.Name != "quiet" {
				t.Errorf("a reader sees that customer %d is in %q", id+1, segment.Name)
			}
		}
	}
}

// A ranking is asked of the database for one customer, and not at all by a journey.
func TestRankingOfOneCustomer(t *testing.T) {
	t.Parallel()
	s, pool := world(t, 30)
	exec(t, pool, `UPDATE customers SET rented = false, total_spent = customer_id`)
	exec(t, pool, `INSERT INTO segments (name, expression, created_by, created_at, updated_at) VALUES ('best', 'top(3, total_spent)', 'test', $1, $1)`, testNow)
	for id, want := range map[int64]bool{30: true, 28: true, 27: false, 1: false} {
		in, err := s.Memberships(t.Context(), id)
		found := false
		for _, segment := range in {
			found = found || segment.Name == "best"
		}
		if err != nil || found != want {
			t.Errorf("customer %d: %v, %v", id, found, err)
		}
	}
	catalog, err := LoadCatalog(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	for _, expression := range []string{"top(3, total_spent)", `vip or in_segment("best")`} {
		if _, err := catalog.CompileCondition(expression, testNow); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "journey") {
			t.Errorf("%s: %v", expression, err)
		}
	}
	if _, err := catalog.CompileCondition("vip", testNow); err != nil {
		t.Error(err)
	}
}

// Of a saved segment that is no longer valid all faults are told, with its name, through segments that use it too.
func TestFaultsOfASavedSegment(t *testing.T) {
	t.Parallel()
	s, pool := world(t, 1)
	exec(t, pool, `INSERT INTO segments (name, expression, created_by, created_at, updated_at) VALUES
		('broken', E'vip and gone > 1\nor lost == "x" or citty == "Bonn"', 'test', $1, $1),
		('outer', 'vip or in_segment("broken")', 'test', $1, $1)`, testNow)
	for expression, lead := range map[string]string{
		`vip and in_segment("broken")`: `the segment "broken" is not valid: `,
		`vip and in_segment("outer")`:  `the segment "outer" is not valid: the segment "broken" is not valid: `,
	} {
		err := s.Check(t.Context(), expression)
		var f *fault.Error
		if !errors.As(err, &f) || len(f.Fields) != 3 {
			t.Fatalf("%s: %v", expression, err)
		}
		for i, want := range []string{`gone`, `lost`, `citty`} {
			got := f.Fields[i]
			if got.Segment != "broken" || !strings.HasPrefix(got.Message, lead) || !strings.Contains(got.Message, want) || got.Column != 20 || got.Line != 1 {
				t.Errorf("%s: %+v", expression, got)
			}
		}
		if !strings.Contains(f.Fields[1].Message, "(its line 2, column 4)") {
			t.Errorf("%s: %+v", expression, f.Fields[1])
		}
	}
}
