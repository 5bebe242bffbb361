package segments

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"aldine/internal/fault"
)

func seeds(f *testing.F) {
	for _, e := range Reference() {
		f.Add(e.Example)
	}
	for _, e := range []string{
		"", "1", "vip ? vip : vip", `city matches "(?i)[^a-k]{2,}$"`, `not (score / 0.1 > 3) and tags contains "x" or "y" in tags`,
		`in_segment("nested") or bought("a", "90d") and one(orders, .product in ["a", city])`, `sum(filter(orders, .at > ago("1y")), .amount * score) >= 1.5`,
		`created_at + duration("1w") < now() - duration("2d") and now() - seen_at > duration("1h")`, `birthday_within("3d") && bucket("x", 0, 50) || nth(7)`,
		"\"\\x00\"", "\xff", "a.b.c()[1:2]?.d", `{"a": [1, 2]}`, "let a = 1; a", "orders | any(.amount > 1)", "#", "any(orders, # > 1)", "((((", "if vip {true} else {false}",
		`(("a" + city) ?? "b") endsWith "\u00e4" and -score < +3 and first_name in [city, "a"]`,
	} {
		f.Add(e)
	}
	for _, e := range append(slices.Clone(mistakes), hostile...) {
		f.Add(e)
	}
}

// Whatever a stranger types: never a panic, the fault is Invalid, and what compiles runs in the database and in memory
// with one result.
func FuzzExpression(f *testing.F) {
	seeds(f)
	s, pool := world(f, 30)
	catalog, err := LoadCatalog(f.Context(), pool)
	if err != nil {
		f.Fatal(err)
	}
	ids, err := selected(f.Context(), pool, "TRUE", nil)
	if err != nil {
		f.Fatal(err)
	}
	facts, err := LoadFacts(f.Context(), pool, ids)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, expression string) {
		stop := time.AfterFunc(5*time.Second, func() { panic(fmt.Sprintf("takes too long: %q", expression)) })
		defer stop.Stop()
		if refused(t, catalog, expression) {
			return
		}
		if err := disagreement(t.Context(), s, pool, facts, expression); err != nil {
			t.Fatalf("%q: %v", expression, err)
		}
	})
}

// The same without the database, which leaves time for many more: never a panic, and never long.
func FuzzParser(f *testing.F) {
	seeds(f)
	_, pool := world(f, 0)
	catalog, err := LoadCatalog(f.Context(), pool)
	if err != nil {
		f.Fatal(err)
	}
	reader := catalog.ForReader()
	f.Fuzz(func(t *testing.T, expression string) {
		stop := time.AfterFunc(5*time.Second, func() { panic(fmt.Sprintf("takes too long: %q", expression)) })
		defer stop.Stop()
		uses(expression)
		refused(t, reader, expression)
		if refused(t, catalog, expression) {
			return
		}
		compiled, err := catalog.Compile(expression, testNow)
		if err != nil {
			t.Fatal(err)
		}
		compiled.WhereSlice("c", "p", 1, 2)
		if where, _ := compiled.Where("c", "p"); len(where) > 1<<20 {
			t.Fatalf("%q became %d bytes", expression, len(where))
		}
	})
}

// refused tells whether an expression is, as it should be.
func refused(t *testing.T, catalog *Catalog, expression string) bool {
	_, err := catalog.Compile(expression, testNow)
	if err == nil {
		return false
	}
	var wrong *fault.Error
	if !errors.As(err, &wrong) || wrong.Kind != fault.Invalid {
		t.Fatalf("%q: %v", expression, err)
	}
	if place := misplaced(expression, wrong); place != nil {
		t.Fatalf("%q: not a place: %+v", expression, *place)
	}
	return true
}
