package segments

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"
)

// disagreement tells where SQL and memory differ about an expression.
func disagreement(ctx context.Context, s *Service, pool *pgxpool.Pool, facts map[int64]Facts, expression string) error {
	compiled, err := s.Compile(ctx, expression, testNow)
	if err != nil {
		return err
	}
	return differs(ctx, pool, facts, compiled)
}

// differs tells where the ways to ask differ.
func differs(ctx context.Context, pool *pgxpool.Pool, facts map[int64]Facts, compiled *Compiled) (err error) {
	bySQL := map[string][]int64{}
	where, args := compiled.Where("c", "p")
	if bySQL["Where"], err = selected(ctx, pool, where, args); err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	// As a value and not only as a filter the planner goes other ways; so does a slice.
	if bySQL["value"], err = selected(ctx, pool, "((("+where+") IS TRUE)::text = 'true')", args); err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	if !compiled.ranked {
		if err := chosenDisagree(ctx, pool, facts, compiled); err != nil {
			return err
		}
	}
	where, args = compiled.whereSampled("c", "p", exactly)
	if bySQL["whereSampled"], err = selected(ctx, pool, where, args); err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	inMemory, err := matched(compiled, facts)
	if err != nil {
		return err
	}
	for way, ids := range bySQL {
		if !slices.Equal(ids, inMemory) {
			return &difference{way: way, sql: ids, memory: inMemory, where: where}
		}
	}
	where, args = compiled.WhereSlice("c", "arg", 10, math.MaxInt64)
	ids, err := selected(ctx, pool, where, args)
	if err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	within := slices.DeleteFunc(slices.Clone(inMemory), func(id int64) bool { return id < 10 })
	if !slices.Equal(ids, within) {
		return &difference{way: "WhereSlice", sql: ids, memory: within, where: where}
	}
	for slice, want := range map[*[2]int64]int{nil: len(inMemory), {10, math.MaxInt64}: len(within)} {
		sql, args, _ := compiled.counting(slice)
		var n int
		if err := pool.QueryRow(ctx, sql, args).Scan(&n); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
		if n != want {
			return fmt.Errorf("counted %d, in memory %d: %s", n, want, sql)
		}
	}
	return nil
}

// difference is customers for whom SQL and memory do not say the same.
type difference struct {
	way, where  string
	sql, memory []int64
}

func (d *difference) Error() string {
	return fmt.Sprintf("%s gives %v, Match gives %v\n%s", d.way, d.sql, d.memory, d.where)
}

// first gives one of the customers.
func (d *difference) first() int64 {
	for _, lists := range [][2][]int64{{d.sql, d.memory}, {d.memory, d.sql}} {
		for _, id := range lists[0] {
			if !slices.Contains(lists[1], id) {
				return id
			}
		}
	}
	return 0
}

// matched gives the customers for whom memory says yes, those of a top by ranking them here.
func matched(compiled *Compiled, facts map[int64]Facts) ([]int64, error) {
	tops := map[*top]map[int64]bool{}
	choose := func(cond node) []int64 {
		var ids []int64
		for id, f := range facts {
			if compiled.admits(&f) && (cond == nil || truth(cond.eval(&env{facts: &f, tops: tops}))) {
				ids = append(ids, id)
			}
		}
		slices.Sort(ids)
		return ids
	}
	var rankAll func(n node)
	rankAll = func(n node) {
		within, _ := parts(n)
		for _, part := range within {
			rankAll(part)
		}
		ranked, ok := n.(*top)
		if !ok || tops[ranked] != nil {
			return
		}
		if ranked.among != nil {
			rankAll(ranked.among)
		}
		rankAll(ranked.score)
		scores := map[int64]value{}
		ids := slices.DeleteFunc(choose(ranked.among), func(id int64) bool {
			f := facts[id]
			scores[id] = ranked.score.eval(&env{facts: &f, tops: tops})
			return !scores[id].known
		})
		slices.SortStableFunc(ids, func(a, b int64) int { return -compareValues(ranked.score.kind(), scores[a], scores[b]) })
		tops[ranked] = map[int64]bool{}
		for _, id := range ids[:min(len(ids), int(ranked.n))] {
			tops[ranked][id] = true
		}
	}
	rankAll(compiled.root)
	ids := choose(compiled.root)
	for id, f := range facts {
		if ok, err := compiled.Match(f); (err != nil) != compiled.ranked || err == nil && ok != slices.Contains(ids, id) {
			return nil, fmt.Errorf("match of %d says %v: %w", id, ok, err)
		}
	}
	return ids, nil
}

func allFacts(t testing.TB, pool *pgxpool.Pool) map[int64]Facts {
	t.Helper()
	ids, err := selected(t.Context(), pool, "TRUE", nil)
	if err != nil {
		t.Fatal(err)
	}
	facts, err := LoadFacts(t.Context(), pool, ids)
	if err != nil || len(facts) != len(ids) {
		t.Fatalf("facts of %d of %d customers: %v", len(facts), len(ids), err)
	}
	return facts
}

// check draws an expression and fails where the evaluators differ about it, or where a reader may use what is private.
func (u *universe) check(t *testing.T, rt *rapid.T, drawn *tally) {
	expression := source{t: rt, u: u}.cond(rapid.IntRange(0, 4).Draw(rt, "depth"))
	compiled, err := u.catalog.Compile(expression, u.now)
	if err != nil {
		if beyondLimits(err) {
			return
		}
		rt.Fatalf("%s\n%v", expression, err)
	}
	drawn.add(t, u.catalog, expression)
	err = differs(t.Context(), u.pool, u.facts, compiled)
	if d := (*difference)(nil); errors.As(err, &d) {
		rt.Fatalf("%s\n%v\nat %s of%s", expression, err, u.now.Format(time.RFC3339Nano), u.about(t.Context(), d.first()))
	} else if err != nil {
		rt.Fatalf("%s\n%v", expression, err)
	}
}

// beyondLimits tells whether an expression that was drawn is too large, moves a time too far, or has a name's own text for a name.
func beyondLimits(err error) bool {
	for _, words := range []string{"too large", "asks too much", "computes too much", "longer than 1000 years", "longer than 8192 bytes", "has no fixed length", "in quotes is a text", "there is no ."} {
		if strings.Contains(err.Error(), words) {
			return true
		}
	}
	return false
}

// Both evaluators mean the same: in universes drawn anew, over a few thousand expressions that use the whole language.
func TestEvaluatorsAgree(t *testing.T) {
	t.Parallel()
	var drawn tally
	t.Run("universes", func(t *testing.T) {
		for range 8 {
			seed := rand.Uint64()
			t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
				t.Parallel()
				u := newUniverse(t, seed)
				rapid.Check(t, func(rt *rapid.T) {
					for range 4 {
						u.check(t, rt, &drawn)
					}
				})
			})
		}
	})
	if t.Failed() {
		return
	}
	if drawn.expressions < 3000 {
		t.Errorf("%d expressions only", drawn.expressions)
	}
	if missing := drawn.missing(3, false); missing != nil {
		t.Errorf("drawn less than 3 times in %d expressions: %s", drawn.expressions, strings.Join(missing, "; "))
	}
	t.Logf("%d expressions; rarest: %s", drawn.expressions, strings.Join(drawn.missing(math.MaxInt, false)[:8], "; "))
}

// Patterns mean the same to both engines: what RE2 reads is refused or matches alike.
func TestPatternsAgree(t *testing.T) {
	t.Parallel()
	_, pool := world(t, 0)
	texts := append([]string{"ab", "aab", "abab", "K", "\u212a", "ſ", "S", "\r\n", "\t", "a.b", "a-b", "]", "^", "0", "٣", "x1_", "ΣΑΣ", "ssS", "iI"}, oddTexts...)
	rapid.Check(t, func(rt *rapid.T) {
		for range 5 {
			pattern := rapid.StringOfN(rapid.SampledFrom([]rune(`abAksSiI.^$*+?|()[]{}1,2-\dswDSW:i_ßéσİıǆ日`+"\n\u0301\u212a\U00010000")), 0, 10, -1).Draw(rt, "pattern")
			re, translated, err := translatePattern(pattern)
			if err != nil {
				return
			}
			var matched []bool
			if err := pool.QueryRow(t.Context(), `SELECT array_agg(x ~ $1 ORDER BY i) FROM unnest($2::text[]) WITH ORDINALITY AS t (x, i)`,
				translated, texts).Scan(&matched); err != nil {
				rt.Fatalf("%q became %q: %v", pattern, translated, err)
			}
			for i, s := range texts {
				if re.MatchString(s) != matched[i] {
					rt.Fatalf("%q became %q: on %q Go says %v", pattern, translated, s, re.MatchString(s))
				}
			}
		}
	})
}

// No argument of an expression is ever part of the SQL's text.
func TestOnlyPlaceholders(t *testing.T) {
	t.Parallel()
	s, pool := world(t, 1)
	catalog, err := LoadCatalog(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	u := &universe{s: s, catalog: catalog, facets: facetsOf(catalog), saved: savedNames{"vip", "nested", "home", "quiet"}}
	names := regexp.MustCompile(`@p(\d+)::`)
	rapid.Check(t, func(rt *rapid.T) {
		expression := source{t: rt, u: u}.cond(3)
		compiled, err := s.Compile(t.Context(), expression, testNow)
		if err != nil && beyondLimits(err) {
			return
		} else if err != nil {
			rt.Fatal(err)
		}
		where, args := compiled.Where("c", "p")
		if strings.ContainsAny(where, "ÄÖß日😀%") || strings.Contains(where, "DROP") {
			rt.Fatalf("%s became %s", expression, where)
		}
		used := map[string]bool{}
		for _, name := range names.FindAllStringSubmatch(where, -1) {
			used["p"+name[1]] = true
		}
		if len(used) != len(args) {
			rt.Fatalf("%d placeholders, %d arguments", len(used), len(args))
		}
	})
}
