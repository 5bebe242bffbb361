package segments

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
)

// chosenDisagree tells where SQL and memory differ about an expression that is asked of customers chosen before.
func chosenDisagree(ctx context.Context, pool *pgxpool.Pool, facts map[int64]Facts, compiled *Compiled) error {
	compiled = compiled.OfChosen()
	where, args := compiled.Where("c", "p")
	bySQL, err := selected(ctx, pool, where, args)
	if err != nil {
		return err
	}
	var inMemory []int64
	for id, f := range facts {
		if ok, err := compiled.Match(f); err != nil {
			return err
		} else if ok {
			inMemory = append(inMemory, id)
		}
	}
	if slices.Sort(inMemory); !slices.Equal(bySQL, inMemory) {
		return fmt.Errorf("of the chosen: SQL gives %v, Match gives %v", bySQL, inMemory)
	}
	return nil
}

// Rented names take part where a list of theirs is named, be it by a segment within, and nowhere else.
func TestRentedNamesTakePartByName(t *testing.T) {
	t.Parallel()
	s, pool := world(t, 0)
	exec(t, pool, `INSERT INTO customers (customer_id, city, rented, list_id, created_at, updated_at) VALUES
		(1, 'Bonn', false, NULL, $1, $1), (2, 'Bonn', true, 2, $1, $1), (3, 'Ulm', true, 2, $1, $1), (4, 'Bonn', false, 2, $1, $1), (5, 'Bonn', true, 3, $1, $1)`, testNow)
	exec(t, pool, `INSERT INTO lists (list_id, name, kind, created_at) OVERRIDING SYSTEM VALUE VALUES (3, 'Rented B', 'rented', $1), (4, 'Net names', 'merged', $1)`, testNow)
	exec(t, pool, `INSERT INTO list_members (customer_id, list_id, added_at) VALUES (2, 2, $1), (3, 2, $1), (4, 2, $1), (5, 3, $1), (1, 4, $1), (5, 4, $1)`, testNow)
	exec(t, pool, `INSERT INTO segments (name, expression, created_by, created_at, updated_at) VALUES ('a', 'in_list("Rented A")', 'test', $1, $1)`, testNow)
	for expression, want := range map[string][]int64{
		"":                            {1, 4},
		`city == "Bonn"`:              {1, 4},
		`in_list("Rented A")`:         {2, 3, 4},
		`in_segment("a")`:             {2, 3, 4},
		`in_list("Net names")`:        {1, 5},
		`not in_list("Rented B")`:     {1, 4}, // named, but its names are not asked for
		`list == "Rented A"`:          {4},    // the list of origin names no licence
		`in_list("Rented A") or true`: {1, 2, 3, 4},
		`city == "Bonn" and (in_list("Rented A") or in_list("Rented B") or not is_known(list))`: {1, 2, 4, 5},
	} {
		ids, err := s.Sample(t.Context(), expression, 100)
		slices.Sort(ids)
		if err != nil || !slices.Equal(ids, want) {
			t.Errorf("%s: %v, %v; want %v", expression, ids, err, want)
		}
		count, err := s.Count(t.Context(), expression, Estimate)
		if err != nil || count.Count != int64(len(want)) {
			t.Errorf("%s: %+v, %v", expression, count, err)
		}
	}
	chosen, err := s.Compile(t.Context(), `city == "Bonn"`, testNow)
	if err != nil {
		t.Fatal(err)
	}
	where, args := chosen.OfChosen().WhereSlice("c", "w", 1, 100)
	if ids, err := selected(t.Context(), pool, where, args); err != nil || !slices.Equal(ids, []int64{1, 2, 4, 5}) {
		t.Errorf("of the chosen: %v, %v", ids, err)
	}
	facts := allFacts(t, pool)
	for expression := range map[string]bool{`in_list("Rented A")`: true, `in_segment("a")`: true, "": true} {
		if err := disagreement(t.Context(), s, pool, facts, expression); err != nil {
			t.Error(err)
		}
	}
}
