package segments

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"
)

// source draws expressions of the whole language, always well typed.
type source struct {
	t      *rapid.T
	of     string // within a predicate over this collection
	asOf   bool   // no facts of the customer
	member bool   // within household
}

func (s source) one(label string, of ...string) string { return rapid.SampledFrom(of).Draw(s.t, label) }

func (s source) chance(of int) bool { return rapid.IntRange(1, of).Draw(s.t, "chance") == 1 }

// in is the source within a predicate over a collection.
func (s source) in(of string) source { return source{t: s.t, of: of, asOf: s.asOf, member: s.member} }

// collection draws a collection, or a filter over one, and gives its name too.
func (s source) collection(depth int, of ...string) (name, written string) {
	if of == nil {
		of = []string{"orders", "orders", "lines", "responses", "touches"}
		if !s.member && !s.asOf {
			of = append(of, "household")
		}
	}
	name = s.one("collection", of...)
	if depth > 0 && s.chance(3) {
		return name, "filter(" + name + ", " + s.in(name).cond(depth-1) + ")"
	}
	return name, name
}

// Facts of items by type.
var itemFacts = map[string]map[kind][]string{
	"orders":    {text: {".place", ".reason", ".currency", ".keycode"}, number: {".amount", ".quantity"}, instant: {".at"}},
	"lines":     {text: {".product", ".category", ".place"}, number: {".amount", ".quantity"}, instant: {".at"}},
	"responses": {text: {".kind", ".campaign", ".objective", ".channel", ".keycode"}, instant: {".at"}, boolean: {".interest"}},
	"touches":   {text: {".campaign", ".objective", ".channel", ".keycode"}, number: {".cost"}, instant: {".at"}},
	"household": {text: {".first_name", ".city", ".country", ".note", ".list"}, number: {".orders_count", ".total_spent", ".score"},
		instant: {".created_at", ".last_order_at", ".birthday"}, boolean: {".vip"}},
}

// fact draws a fact of the item or the customer of the type, "" where there is none.
func (s source) fact(k kind, own ...string) string {
	items := itemFacts[s.of][k]
	if s.asOf {
		own = nil
	}
	switch {
	case len(items) > 0 && (len(own) == 0 || s.chance(2)):
		return s.one("fact of an item", items...)
	case len(own) > 0:
		return s.one("fact", own...)
	}
	return ""
}

// edge draws a fact of the first or last item.
func (s source) edge(depth int, k kind) string {
	name, items := s.collection(depth)
	facts := itemFacts[name][k]
	if len(facts) == 0 {
		name, items = "orders", "orders"
		if k == boolean {
			name, items = "responses", "responses"
		}
		facts = itemFacts[name][k]
	}
	return s.one("edge", "first", "last") + "(" + items + ")" + s.one("fact of an edge", facts...)
}

func (s source) literal() string {
	if s.chance(5) {
		return strconv.Quote(rapid.StringOfN(rapid.RuneFrom([]rune("aAbBäß%_.\\ é\n")), 0, 3, -1).Draw(s.t, "text"))
	}
	return strconv.Quote(s.one("text", append(words, "click", "email", "spring", "win spring", "seeds")...))
}

func (s source) text(depth int) string {
	if depth > 0 {
		switch rapid.IntRange(0, 7).Draw(s.t, "text form") {
		case 0:
			return "(" + s.text(depth-1) + " + " + s.text(depth-1) + ")"
		case 1:
			return "(" + s.cond(depth-1) + " ? " + s.text(depth-1) + " : " + s.text(depth-1) + ")"
		case 2:
			return "((" + s.text(depth-1) + ") ?? (" + s.text(depth-1) + "))"
		case 3:
			if s.of == "" {
				return s.edge(depth-1, text)
			}
		}
	}
	if fact := s.fact(text, "first_name", "city", "country", "email", "list", "note", "company", "time_zone"); fact != "" && !s.chance(3) {
		return fact
	}
	return s.literal()
}

func (s source) number(depth int) string {
	if depth > 0 {
		switch rapid.IntRange(0, 12).Draw(s.t, "number form") {
		case 0, 1:
			return "(" + s.number(depth-1) + s.one("sum", " + ", " - ", " * ") + s.number(depth-1) + ")"
		case 2:
			return "(" + s.number(depth-1) + s.one("quotient", " / ", " % ") + s.one("divisor", "2.5", cmp.Or(s.fact(number, "score", "orders_count", "(score - 1)"), "3")) + ")"
		case 3:
			return "(" + s.cond(depth-1) + " ? " + s.number(depth-1) + " : " + s.number(depth-1) + ")"
		case 4:
			return "(" + s.number(depth-1) + " ?? " + s.number(depth-1) + ")"
		case 5:
			return "(-" + s.number(depth-1) + ")"
		case 6:
			return s.one("part", "year", "month", "day", "weekday", "hour") + "(" + s.time(depth-1) + ")"
		case 7, 8, 9, 10, 11:
			if s.of == "" {
				return s.aggregate(depth - 1)
			}
		}
	}
	if fact := s.fact(number, "orders_count", "total_spent", "score", "income"); fact != "" && s.chance(2) {
		return fact
	}
	return s.one("number", "0", "1", "2", "2.5", "20.5", "100", "0.1", "3000000000", "1e3", "0x10", "7.000001")
}

func (s source) aggregate(depth int) string {
	name, items := s.collection(depth)
	switch rapid.IntRange(0, 5).Draw(s.t, "aggregate") {
	case 0, 1:
		return s.one("count", "count("+items+", "+s.in(name).cond(depth)+")", "count("+items+")")
	case 2:
		return "sum(" + items + ", " + s.in(name).number(depth) + ")"
	case 3:
		return s.one("function", "sum", "min", "max", "mean", "first", "last") + "(map(" + items + ", " + s.in(name).number(depth) + "))"
	case 4:
		return "contacts(" + s.one("contacts", "", `"email"`, `"post", "90d"`, `"", "3mo"`) + ")"
	}
	return s.edge(depth, number)
}

func (s source) time(depth int) string {
	if depth > 0 {
		switch rapid.IntRange(0, 7).Draw(s.t, "time form") {
		case 0, 1:
			return "(" + s.time(depth-1) + s.one("shift", " + ", " - ") + s.span() + ")"
		case 2:
			return "(" + s.time(depth-1) + " ?? " + s.time(depth-1) + ")"
		case 3:
			if s.of == "" {
				return s.edge(depth-1, instant)
			}
		case 4:
			if s.of == "" {
				name, items := s.collection(depth - 1)
				return s.one("extreme", "min", "max") + "(map(" + items + ", " + s.in(name).time(depth-1) + "))"
			}
		}
	}
	if fact := s.fact(instant, "created_at", "last_order_at", "first_order_at", "birthday", "seen_at"); fact != "" && !s.chance(3) {
		return fact
	}
	return s.one("time", "now()", `ago("60d")`, `ago("1d")`, `ago("1mo")`, `ago("1y2mo3d")`, `date("2026-01-21")`, `date("2025-10-23T12:00:00Z")`, `date("2026-02-20")`)
}

func (s source) span() string {
	return s.one("span", `duration("30d")`, `duration("1h")`, `duration("12h")`, `duration("1y")`, `(-duration("90d"))`, `duration("1mo")`, `(-duration("1mo1d"))`,
		`(duration("2w") - duration("1d"))`)
}

// event draws what followed and never take.
func (s source) event(depth int) string {
	switch rapid.IntRange(0, 2).Draw(s.t, "event") {
	case 0:
		return "bought" + s.one("what", "()", `("a")`, `("a", "90d")`, `("", "60d")`, `("DE", "6mo")`)
	case 1:
		name, items := s.collection(depth, "orders", "lines", "responses", "touches")
		return "any(" + items + ", " + s.in(name).cond(depth) + ")"
	}
	return s.one("event", "clicked", "opened", "responded", "contacted", "received") +
		s.one("of", "()", `("")`, `("spring")`, `("spring", "90d")`, `("", "60d")`, `("autumn", "")`, `("", "2mo")`)
}

func (s source) cond(depth int) string {
	compare := func() string { return s.one("comparison", " == ", " != ", " < ", " <= ", " > ", " >= ") }
	if depth > 0 {
		switch rapid.IntRange(0, 11).Draw(s.t, "condition form") {
		case 0, 1:
			return "(" + s.cond(depth-1) + s.one("and", " and ", " && ") + s.cond(depth-1) + ")"
		case 2, 3:
			return "(" + s.cond(depth-1) + s.one("or", " or ", " || ") + s.cond(depth-1) + ")"
		case 4, 5:
			return s.one("not", "not ", "!") + "(" + s.cond(depth-1) + ")"
		case 6:
			return "(" + s.cond(depth-1) + " ? " + s.cond(depth-1) + " : " + s.cond(depth-1) + ")"
		case 7:
			return "((" + s.cond(depth-1) + ")" + s.one("equal", " == ", " != ") + "(" + s.cond(depth-1) + "))"
		case 8:
			return "((" + s.cond(depth-1) + ") ?? (" + s.cond(depth-1) + "))"
		case 9:
			if s.of == "" && !s.member && !s.asOf {
				return "household(" + source{t: s.t, member: true}.cond(depth-1) + ")"
			}
		case 10:
			if s.of == "" && !s.asOf {
				return "as_of(" + s.one("as of", `"2026-01-21"`, `"2025-12-01T12:00:00Z"`) + ", " + source{t: s.t, asOf: true, member: s.member}.cond(depth-1) + ")"
			}
		}
	}
	inner := max(0, depth-1)
	choices := 27
	if s.of != "" {
		choices = 12
	}
	switch rapid.IntRange(0, choices).Draw(s.t, "condition") {
	case 0:
		return "(" + s.text(inner) + compare() + s.text(inner) + ")"
	case 1, 2:
		return "(" + s.number(inner) + compare() + s.number(inner) + ")"
	case 3:
		return "(" + s.time(inner) + compare() + s.time(inner) + ")"
	case 4:
		return "((" + s.time(inner) + " - " + s.time(inner) + ")" + compare() + s.span() + ")"
	case 5:
		return "(" + s.text(inner) + s.one("in", " in ", " not in ") + "[" + s.literal() + ", " + s.text(inner) + ", " + s.literal() + "])"
	case 6:
		return "(" + s.number(inner) + " in [1, 2.5, " + s.number(inner) + "] or " + s.time(inner) + ` in [date("2026-01-21"), now()])`
	case 7:
		return "(" + s.text(inner) + s.one("test", " contains ", " startsWith ", " endsWith ", " not contains ", " not endsWith ") + s.text(inner) + ")"
	case 8:
		return "is_known(" + s.one("known", s.text(inner), s.number(inner), s.time(inner), s.cond(inner)) + ")"
	case 9:
		if fact := s.fact(boolean, "vip", "(vip == true)", "(vip != false)", "(true == vip)"); fact != "" {
			return fact
		}
		return s.one("flag", "true", "false")
	case 10:
		if s.of == "orders" {
			return "(.product" + s.one("product", ` == "a"`, ` in ["a", "DE"]`, ` contains "b"`, ` startsWith "A"`, ` matches "^.b?$"`, ` == .place`) + ")"
		}
		return "(" + s.text(inner) + " matches " + strconv.Quote(s.one("pattern", "^a", "b$", "(?i)^AB?$", ".", "^$", "[^a]", "a.b", `\d|\s`, "(?i)k", "ß|é", "(a|b)+", "a{1,2}", "[[:upper:]]", `\.`, `\\`, "")) + ")"
	case 11:
		if s.asOf {
			return "true"
		}
		return s.one("tags", "(tags contains "+s.text(inner)+")", "("+s.text(inner)+" in tags)", "("+s.text(inner)+" not in tags)", "is_known(tags)")
	case 12:
		return "anniversary_within(" + s.time(inner) + ", " + s.one("window", `"0d"`, `"7d"`, `"90d"`, `"1mo"`, `"1y"`) + ")"
	case 13, 14, 15:
		name, items := s.collection(inner)
		return s.one("quantifier", "any", "all", "none", "one") + "(" + items + ", " + s.in(name).cond(inner) + ")"
	case 16, 17:
		return "(" + s.aggregate(inner) + compare() + s.one("number", "0", "1", "2", "-1", "1.5") + ")"
	case 18:
		return "(" + s.one("number", "0", "20", "30.5") + compare() + s.aggregate(inner) + ")"
	case 19, 20:
		return s.event(inner)
	case 21:
		return "never(" + s.event(inner) + ")"
	case 22, 23:
		third := ""
		if s.chance(4) {
			third = ", " + s.event(0) + s.one("window", "", `, "60d"`)
		}
		return "followed(" + s.event(inner) + ", " + s.event(inner) + s.one("window", "", `, ""`, `, "30d"`, `, "90d"`, `, "1mo"`) + third + ")"
	case 24:
		if s.asOf {
			return `in_segment("quiet")`
		}
		if s.member {
			return s.one("set", `in_list("House")`, `in_list("Rented A")`, `in_segment("vip")`, `in_segment("nested")`, `in_segment("quiet")`)
		}
		return s.one("set", `in_list("House")`, `in_list("Rented A")`, `in_segment("vip")`, `in_segment("nested")`, `in_segment("home")`)
	case 25:
		if !s.asOf {
			return s.one("birthday", `birthday_within("7d")`, `birthday_within("90d")`)
		}
	}
	if !s.asOf && !s.member && s.chance(2) {
		score := s.number(inner)
		if s.chance(3) {
			score = s.time(inner)
		}
		return "top(" + s.one("n", "1", "5", "40", "1000") + ", " + score + s.one("among", "", ", "+s.cond(inner)) + ")"
	}
	return s.one("rest", `bucket("s", 0, 30)`, `bucket("other", 50, 100)`, "nth(3)", "nth(1)")
}

// disagreement tells where SQL and memory differ about an expression.
func disagreement(ctx context.Context, s *Service, pool *pgxpool.Pool, facts map[int64]Facts, expression string) error {
	compiled, err := s.Compile(ctx, expression, testNow)
	if err != nil {
		return err
	}
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
	where, args = compiled.WhereSlice("c", "arg", 1, 1_000_000)
	if bySQL["WhereSlice"], err = selected(ctx, pool, where, args); err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	where, args = compiled.whereFew("c", "p")
	if bySQL["whereFew"], err = selected(ctx, pool, where, args); err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	inMemory, err := matched(compiled, facts)
	if err != nil {
		return err
	}
	for way, ids := range bySQL {
		if !slices.Equal(ids, inMemory) {
			return fmt.Errorf("%s gives %v, Match gives %v\n%s", way, ids, inMemory, where)
		}
	}
	return nil
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

// Both evaluators mean the same: 100 draws of 12 expressions, each over all customers.
func TestEvaluatorsAgree(t *testing.T) {
	t.Parallel()
	s, pool := world(t, 150)
	facts := allFacts(t, pool)
	rapid.Check(t, func(rt *rapid.T) {
		for i := range 12 {
			expression := source{t: rt}.cond(rapid.IntRange(0, 3).Draw(rt, "depth"))
			if err := disagreement(t.Context(), s, pool, facts, expression); err != nil {
				rt.Fatalf("%d: %s\n%v", i, expression, err)
			}
		}
	})
}

// Patterns mean the same to both engines: what RE2 reads is refused or matches alike.
func TestPatternsAgree(t *testing.T) {
	t.Parallel()
	_, pool := world(t, 0)
	texts := append([]string{"ab", "aab", "abab", "K", "\u212a", "ſ", "S", "\r\n", "\t", "a.b", "a-b", "]", "^", "0", "٣", "x1_"}, words...)
	rapid.Check(t, func(rt *rapid.T) {
		for range 5 {
			pattern := rapid.StringOfN(rapid.SampledFrom([]rune(`abAk.^$*+?|()[]{}1,2-\dswDSW:i_ßé`+"\n")), 0, 10, -1).Draw(rt, "pattern")
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
	s, _ := world(t, 1)
	names := regexp.MustCompile(`@p(\d+)::`)
	rapid.Check(t, func(rt *rapid.T) {
		expression := source{t: rt}.cond(3)
		compiled, err := s.Compile(t.Context(), expression, testNow)
		if err != nil {
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
