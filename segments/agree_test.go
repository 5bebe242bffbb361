package segments

import (
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
	orders bool // within a predicate over orders
}

func (s source) one(label string, of ...string) string { return rapid.SampledFrom(of).Draw(s.t, label) }

func (s source) literal() string {
	if rapid.IntRange(0, 4).Draw(s.t, "word") == 0 {
		return strconv.Quote(rapid.StringOfN(rapid.RuneFrom([]rune("aAbBäß%_.\\ é\n")), 0, 3, -1).Draw(s.t, "text"))
	}
	return strconv.Quote(s.one("text", words...))
}

func (s source) text(depth int) string {
	if depth > 0 {
		switch rapid.IntRange(0, 6).Draw(s.t, "text form") {
		case 0:
			return "(" + s.text(depth-1) + " + " + s.text(depth-1) + ")"
		case 1:
			return "(" + s.cond(depth-1) + " ? " + s.text(depth-1) + " : " + s.text(depth-1) + ")"
		case 2:
			return "((" + s.text(depth-1) + ") ?? (" + s.text(depth-1) + "))"
		}
	}
	if s.orders && rapid.Bool().Draw(s.t, "of order") {
		return s.one("text fact", ".place", ".reason", ".currency", ".keycode")
	}
	if rapid.IntRange(0, 2).Draw(s.t, "literal") == 0 {
		return s.literal()
	}
	return s.one("text field", "first_name", "city", "country", "email", "list", "note", "company")
}

func (s source) number(depth int) string {
	if depth > 0 {
		switch rapid.IntRange(0, 8).Draw(s.t, "number form") {
		case 0, 1:
			return "(" + s.number(depth-1) + s.one("sum", " + ", " - ", " * ") + s.number(depth-1) + ")"
		case 7:
			return "(" + s.number(depth-1) + s.one("quotient", " / ", " % ") + s.one("divisor", "score", "orders_count", "2.5", "(score - 1)", "3") + ")"
		case 2:
			return "(" + s.cond(depth-1) + " ? " + s.number(depth-1) + " : " + s.number(depth-1) + ")"
		case 3:
			return "(" + s.number(depth-1) + " ?? " + s.number(depth-1) + ")"
		case 4:
			return "(-" + s.number(depth-1) + ")"
		case 5:
			if !s.orders {
				return "sum(" + s.ordersOf(depth-1) + ", " + source{s.t, true}.number(depth-1) + ")"
			}
		case 6:
			if !s.orders {
				return "count(" + s.ordersOf(depth-1) + ", " + source{s.t, true}.cond(depth-1) + ")"
			}
		}
	}
	if s.orders && rapid.Bool().Draw(s.t, "of order") {
		return s.one("number fact", ".amount", ".quantity")
	}
	if rapid.Bool().Draw(s.t, "literal") {
		return s.one("number", "0", "1", "2", "2.5", "20.5", "100", "0.1", "3000000000", "1e3", "0x10", "7.000001")
	}
	return s.one("number field", "orders_count", "total_spent", "score", "income")
}

func (s source) ordersOf(depth int) string {
	if depth > 0 && rapid.IntRange(0, 2).Draw(s.t, "filter") == 0 {
		return "filter(orders, " + source{s.t, true}.cond(depth-1) + ")"
	}
	return "orders"
}

func (s source) time(depth int) string {
	if depth > 0 {
		switch rapid.IntRange(0, 6).Draw(s.t, "time form") {
		case 0:
			return "(" + s.time(depth-1) + s.one("shift", " + ", " - ") + s.span() + ")"
		case 1:
			return "(" + s.time(depth-1) + " ?? " + s.time(depth-1) + ")"
		}
	}
	if s.orders && rapid.Bool().Draw(s.t, "of order") {
		return ".at"
	}
	return s.one("time", "created_at", "last_order_at", "first_order_at", "birthday", "seen_at", "now()", `ago("60d")`, `ago("1d")`,
		`date("2026-01-21")`, `date("2025-10-23T12:00:00Z")`, `date("2026-02-20")`)
}

func (s source) span() string {
	return s.one("span", `duration("30d")`, `duration("1h")`, `duration("12h")`, `duration("1y")`, `(-duration("90d"))`)
}

func (s source) cond(depth int) string {
	compare := func() string { return s.one("comparison", " == ", " != ", " < ", " <= ", " > ", " >= ") }
	if depth > 0 {
		switch rapid.IntRange(0, 9).Draw(s.t, "condition form") {
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
		}
	}
	inner := max(0, depth-1)
	choices := 20
	if s.orders {
		choices = 10
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
		return "is_known(" + s.one("known", s.text(inner), s.number(inner), s.time(inner), "tags", s.cond(inner)) + ")"
	case 9:
		return s.one("flag", "vip", "true", "false", "(vip == true)", "(vip != false)", "(true == vip)")
	case 10:
		if s.orders {
			return "(.product" + s.one("product", ` == "a"`, ` in ["a", "DE"]`, ` contains "b"`, ` startsWith "A"`, ` matches "^.b?$"`, ` == city`) + ")"
		}
		return "(" + s.text(inner) + " matches " + strconv.Quote(s.one("pattern", "^a", "b$", "(?i)^AB?$", ".", "^$", "[^a]", "a.b", `\d|\s`, "(?i)k", "ß|é", "(a|b)+", "a{1,2}", "[[:upper:]]", `\.`, `\\`, "")) + ")"
	case 11:
		return s.one("tags", "(tags contains "+s.text(inner)+")", "("+s.text(inner)+" in tags)", "("+s.text(inner)+" not in tags)")
	case 12, 13:
		return s.one("quantifier", "any", "all", "none", "one") + "(" + s.ordersOf(inner) + ", " + source{s.t, true}.cond(inner) + ")"
	case 14, 15:
		return "(count(" + s.ordersOf(inner) + ", " + source{s.t, true}.cond(inner) + ")" + compare() + s.one("number", "0", "1", "2", "-1", "1.5") + ")"
	case 16:
		return "(" + s.one("number", "0", "20", "30.5") + compare() + "sum(" + s.ordersOf(inner) + ", " + source{s.t, true}.number(inner) + "))"
	case 17:
		return s.one("event", "clicked", "opened", "responded", "contacted", "received") +
			s.one("of", "()", `("")`, `("spring")`, `("spring", "90d")`, `("", "60d")`, `("autumn", "")`)
	case 18:
		return "bought" + s.one("what", "()", `("a")`, `("a", "90d")`, `("", "60d")`, `("DE", "180d")`)
	case 19:
		return s.one("set", `in_list("House")`, `in_list("Rented A")`, `in_segment("vip")`, `in_segment("nested")`)
	default:
		return s.one("rest", `birthday_within("7d")`, `birthday_within("90d")`, `bucket("s", 0, 30)`, `bucket("other", 50, 100)`, "nth(3)", "nth(1)")
	}
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
	if err := chosenDisagree(ctx, pool, facts, compiled); err != nil {
		return err
	}
	where, args = compiled.WhereSlice("c", "arg", 1, 1_000_000)
	if bySQL["WhereSlice"], err = selected(ctx, pool, where, args); err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	where, args = compiled.whereFew("c", "p")
	if bySQL["whereFew"], err = selected(ctx, pool, where, args); err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	var inMemory []int64
	for id, f := range facts {
		ok, err := compiled.Match(f)
		if err != nil {
			return err
		}
		if ok {
			inMemory = append(inMemory, id)
		}
	}
	slices.Sort(inMemory)
	for way, ids := range bySQL {
		if !slices.Equal(ids, inMemory) {
			return fmt.Errorf("%s gives %v, Match gives %v\n%s", way, ids, inMemory, where)
		}
	}
	return nil
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
		if n := len(names.FindAllString(where, -1)); n != len(args) {
			rt.Fatalf("%d placeholders, %d arguments", n, len(args))
		}
	})
}
