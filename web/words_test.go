package web

import (
	"maps"
	"strings"
	"testing"
	"time"

	"aldine/customers/duplicates"
	"aldine/customers/mergepurge"
)

func TestDiffering(t *testing.T) {
	t.Parallel()
	shown := func(parts []part) string {
		var b strings.Builder
		for _, p := range parts {
			if p.Differs {
				b.WriteString("[" + p.Text + "]")
			} else {
				b.WriteString(p.Text)
			}
		}
		return b.String()
	}
	for _, c := range []struct{ a, b, wantA, wantB string }{
		{"Smith", "Smyth", "Sm[i]th", "Sm[y]th"},
		{"Anna", "anna", "Anna", "anna"},
		{"12 Main Street", "12 Main St", "12 Main St[reet]", "12 Main St"},
		{"Anna", "", "Anna", ""},
		{"Walter", "Ophelia", "[Walter]", "[Ophelia]"},
		{"Müller", "Muller", "M[ü]ller", "M[u]ller"},
		{"Straße", "STRASSE", "Stra[ß]e", "STRA[SS]E"},
		{strings.Repeat("x", 300), "y", "[" + strings.Repeat("x", 300) + "]", "[y]"},
	} {
		a, b := differing(c.a, c.b)
		if shown(a) != c.wantA || shown(b) != c.wantB {
			t.Errorf("%q and %q: %s and %s, want %s and %s", c.a, c.b, shown(a), shown(b), c.wantA, c.wantB)
		}
	}
}

func TestReasonFor(t *testing.T) {
	t.Parallel()
	got := reasonFor([]duplicates.Evidence{{Field: "given_name", Level: "close", Weight: 4}, {Field: "email", Level: "exact", Weight: 12},
		{Field: "postal_code", Level: "exact", Weight: 9}, {Field: "phone", Level: "missing"}, {Field: "city", Level: "different", Weight: -3}})
	if want := "Same e-mail and postal code; first name: one slip of the pen; but city differs."; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := reasonFor(nil); got != "" {
		t.Errorf("without evidence: %q", got)
	}
}

func TestRanked(t *testing.T) {
	t.Parallel()
	in := func(no, priority int) mergepurge.Input {
		return mergepurge.Input{No: no, Kind: mergepurge.Rented, Priority: priority}
	}
	three := []mergepurge.Input{{No: 1, Kind: mergepurge.House}, in(2, 1), in(3, 2), in(4, 2)}
	for _, c := range []struct {
		no   int
		to   string
		want map[int]int
	}{
		{3, "up", map[int]int{2: 1, 3: 2, 4: 3}},   // out of a rank of two
		{4, "down", map[int]int{2: 1, 3: 2, 4: 3}}, // likewise
		{2, "down", map[int]int{3: 1, 4: 1, 2: 2}},
		{2, "up", map[int]int{2: 1, 3: 2, 4: 2}}, // is first already
		{3, "level", map[int]int{2: 1, 3: 1, 4: 2}},
		{4, "level", map[int]int{2: 1, 3: 2, 4: 2}}, // stands on one rank with the list above
		{9, "up", nil},
	} {
		if got := ranked(three, c.no, c.to); !maps.Equal(got, c.want) {
			t.Errorf("%d %s: %v, want %v", c.no, c.to, got, c.want)
		}
	}
}

func TestTimeLeft(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		spent      time.Duration
		done, rest int64
		want       string
	}{
		{time.Second, 100, 1000, ""}, {10 * time.Second, 0, 1000, ""}, {10 * time.Second, 100, 0, ""}, {10 * time.Second, 1000, 100, "a few seconds left"},
		{10 * time.Second, 100, 300, "about 30 seconds left"}, {time.Minute, 100, 1000, "about 10 minutes left"}, {time.Hour, 100, 1000, "about 10 hours left"},
	} {
		if got := timeLeft(c.spent, c.done, c.rest); got != c.want {
			t.Errorf("%v for %d, %d left: %q, want %q", c.spent, c.done, c.rest, got, c.want)
		}
	}
}
