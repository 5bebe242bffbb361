package builder

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"aldine/internal/fault"
	"aldine/segments"
)

var testNow = time.Date(2026, 2, 20, 12, 0, 0, 0, time.UTC)

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

func text(r *rand.Rand) Value {
	return Value{"text", pick(r, "DE", "", `a "b"`, "ä\n", "日本\u00a0", `\`, "x // no note", "'", "\x7f\u2028", "🙂")}
}

func number(r *rand.Rand) Value {
	return Value{"number", pick(r, "0", "3", "-2", "12.50", "0.1", "999999.000001")}
}

func moment(r *rand.Rand) Value {
	return pick(r, Value{"ago", "90d"}, Value{"date", "2026-01-31"}, Value{Type: "now"})
}

// row draws a row that is right by its types.
func row(r *rand.Rand, inside bool, depth int) Item {
	t := Item{Kind: Test, Not: r.IntN(4) == 0}
	compare := pick(r, "==", "!=", "<", "<=", ">", ">=")
	dot := ""
	if inside {
		dot = "."
	}
	switch k := r.IntN(9); {
	case k == 0:
		t.Left, t.Op, t.Values = &Left{Field: dot + pick(r, "place", "reason", "keycode")}, pick(r, "==", "contains", "startsWith", "endsWith"), []Value{text(r)}
		if !inside {
			t.Left.Field = pick(r, "city", "email", "country")
		}
	case k == 1:
		t.Left, t.Op = &Left{Field: pick(r, "city", "country")}, "in"
		if inside {
			t.Left.Field = ".place"
		}
		for range 1 + r.IntN(3) {
			t.Values = append(t.Values, text(r))
		}
	case k == 2 && inside:
		t.Left, t.Op, t.Values = &Left{Field: pick(r, ".amount", ".quantity")}, compare, []Value{number(r)}
	case k == 2:
		t.Left, t.Op, t.Values = &Left{Field: pick(r, "orders_count", "total_spent")}, compare, []Value{number(r)}
	case k == 3 && inside:
		t.Left, t.Op, t.Values = &Left{Field: ".at"}, compare, []Value{moment(r)}
	case k == 3:
		t.Left, t.Op, t.Values = &Left{Field: "last_order_at"}, compare, []Value{moment(r)}
	case k == 4:
		t.Left, t.Op = &Left{Field: "email"}, Known
		if inside {
			t.Left.Field = ".reason"
		}
	case inside:
		t.Left, t.Op, t.Values = &Left{Field: ".product"}, "==", []Value{text(r)}
	case k == 5:
		t.Left, t.Op = pick(r, &Left{Call: "bought"}, &Left{Call: "bought", Args: []Value{text(r), {"text", "30d"}}},
			events(r), &Left{Call: "did", Args: []Value{{"text", ""}, {"text", "30d"}}}, &Left{Call: "nth", Args: []Value{{"number", "10"}}}, &Left{Call: "bucket", Args: []Value{{"text", "s"}, {"number", "0"}, {"number", "20"}}}), Holds
	case k == 6:
		t.Left, t.Op = &Left{Call: pick(r, "any", "all", "none", "one"), Of: "orders", Where: where(r, depth)}, Holds
	case k == 7:
		t.Left, t.Op, t.Values = &Left{Call: "sum", Of: "orders", Measure: pick(r, ".amount", ".quantity")}, compare, []Value{number(r)}
		if r.IntN(2) == 0 {
			t.Left.Where = where(r, depth)
		}
	default:
		t.Left, t.Op, t.Values = &Left{Call: "count", Of: "orders"}, compare, []Value{number(r)}
		if r.IntN(2) == 0 {
			t.Left.Where = where(r, depth)
		}
	}
	return t
}

// events asks about properties.
func events(r *rand.Rand) *Left {
	property := func(field string) *Left {
		return &Left{Field: field, Args: []Value{{"text", pick(r, "page", `a "b"`, "größe")}}}
	}
	return &Left{Call: pick(r, "any", "none"), Of: "events", Where: &Item{Kind: Group, Join: pick(r, "and", "or"), Items: []Item{
		{Kind: Test, Left: property(".text"), Op: pick(r, "==", "contains"), Values: []Value{text(r)}, Not: r.IntN(2) == 0},
		{Kind: Test, Left: property(".number"), Op: ">=", Values: []Value{number(r)}},
		pick(r, Item{Kind: Test, Left: property(".flag"), Op: Holds}, Item{Kind: Test, Left: property(".text"), Op: Known})}}}
}

// where is a group with at least one row.
func where(r *rand.Rand, depth int) *Item {
	for {
		if g := group(r, true, depth+1); len(Normal(g).Items) > 0 {
			return &g
		}
	}
}

// group draws groups of all shapes: empty ones, of one part, turned round twice.
func group(r *rand.Rand, inside bool, depth int) Item {
	g := Item{Kind: Group, Not: r.IntN(5) == 0, Join: pick(r, "and", "or")}
	for range r.IntN(4) {
		if depth < 3 && r.IntN(3) == 0 {
			g.Items = append(g.Items, group(r, inside, depth+1))
		} else {
			g.Items = append(g.Items, row(r, inside, depth))
		}
	}
	return g
}

// What rows say comes back as the same rows, and the language finds nothing wrong with it.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(3, 4))
	catalog := &segments.Catalog{}
	for range 20_000 {
		g := group(r, false, 0)
		said, err := Text(g)
		if err != nil {
			t.Fatalf("%s: %v", asJSON(g), err)
		}
		back, why := Rows(said)
		if why != "" {
			t.Fatalf("%s: %s", said, why)
		}
		if want := Normal(g); asJSON(back) != asJSON(want) {
			t.Fatalf("%s\nback %s\nwant %s", said, asJSON(back), asJSON(want))
		}
		if again, err := Text(back); err != nil || again != said {
			t.Fatalf("%s\nbecame %s, %v", said, again, err)
		}
		if _, err := catalog.Compile(said, testNow); err != nil {
			t.Fatalf("%s: %v", said, err)
		}
	}
}

// Whatever a person writes that rows can show keeps its meaning: the SQL and its arguments are the same.
func TestMeaning(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(5, 6))
	catalog := &segments.Catalog{}
	respell := strings.NewReplacer(" and ", " && ", "not (", "!(", " or ", "\n||  ", "[", "[ ", "==", " ==")
	for range 5_000 {
		said, err := Text(group(r, false, 0))
		if err != nil {
			t.Fatal(err)
		}
		if r.IntN(2) == 0 && !strings.Contains(said, `"a \"b\""`) {
			said = "((" + respell.Replace(said) + "))"
			if said == "(())" {
				continue
			}
		}
		root, why := Rows(said)
		if why != "" {
			t.Fatalf("%s: %s", said, why)
		}
		again, err := Text(root)
		if err != nil {
			t.Fatal(err)
		}
		one, err := catalog.Compile(said, testNow)
		if err != nil {
			t.Fatalf("%s: %v", said, err)
		}
		two, err := catalog.Compile(again, testNow)
		if err != nil {
			t.Fatalf("%s: %v", again, err)
		}
		sql1, args1 := one.Where("c", "p")
		sql2, args2 := two.Where("c", "p")
		if sql1 != sql2 || !reflect.DeepEqual(args1, args2) {
			t.Fatalf("%s\nand %s\nmean\n%s\n%s", said, again, sql1, sql2)
		}
	}
}

func TestRows(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]string{
		``:                  `{"kind":"group","join":"and"}`,
		`3 <= orders_count`: `{"kind":"group","join":"and","items":[{"kind":"test","left":{"field":"orders_count"},"op":"\u003e=","values":[{"type":"number","text":"3"}]}]}`,
		`not (a and b)`:     `{"kind":"group","not":true,"join":"and","items":[{"kind":"test","left":{"field":"a"},"op":"holds"},{"kind":"test","left":{"field":"b"},"op":"holds"}]}`,
		`city not in ['a']`: `{"kind":"group","join":"and","items":[{"kind":"test","not":true,"left":{"field":"city"},"op":"in","values":[{"type":"text","text":"a"}]}]}`,
		`total > 1_000.5`:   `{"kind":"group","join":"and","items":[{"kind":"test","left":{"field":"total"},"op":"\u003e","values":[{"type":"number","text":"1000.5"}]}]}`,
	} {
		root, why := Rows(expression)
		if got := asJSON(root); why != "" || got != want {
			t.Errorf("%s: %s %s", expression, got, why)
		}
	}
	for expression, want := range map[string]string{
		`orders_count > 1 // best`:                    "note",
		`a /* x */ and b`:                             "note",
		`orders_count + 1 > 2`:                        "computed",
		`a ? b : c`:                                   "chooses",
		`total > 1e3`:                                 "no plain value",
		`total >`:                                     "mistake",
		`any(events, .text(city) == "a")`:             "computed",
		`any(events, .text("a", "b") == "a")`:         "computed",
		`.text("a") == "b"`:                           "mistake",
		`"x" in tags`:                                 "brackets",
		`any(filter(orders, .a == 1), .b == 2)`:       "itself computed",
		`sum(orders, .amount * 2) > 5`:                "computed",
		`true`:                                        "stands alone",
		`(a ?? "x") == "x"`:                           "computed",
		`last_order_at > now() - duration("90d")`:     "no plain value",
		`count(orders, .amount > total_spent) > 1`:    "no plain value",
		strings.Repeat("a and ", 2000):                "too long",
		`count(orders, any(orders, .x == 1) ) > 1 + `: "mistake",
	} {
		if root, why := Rows(expression); !strings.Contains(why, want) {
			t.Errorf("%s: %q %s", expression, why, asJSON(root))
		}
	}
	if _, why := Rows(`city == "http://x" and city != '/* '`); why != "" {
		t.Errorf("a note within quotes: %s", why)
	}
}

func TestTextRefuses(t *testing.T) {
	t.Parallel()
	for rows, want := range map[string]string{
		`{"kind":"group","join":"and","items":[{"kind":"test","left":{"field":"a"},"op":"=="}]}`: "row 1: enter a value",
		`{"kind":"group","join":"and","items":[{"kind":"test","left":{"call":"any","of":"events","where":{"kind":"group","join":"and","items":[{"kind":"test","left":{"field":".flag","args":[{"type":"text","text":""}]},"op":"holds"}]}},"op":"holds"}]}`: "row 1: enter the name of the property",
		`{"kind":"group","join":"and","items":[{"kind":"test","left":{"field":"text","args":[{"type":"text","text":"a"}]},"op":"holds"}]}`:                                                                                                                  "enter the name of the property",
		`{"kind":"group","join":"and","items":[{"kind":"test","left":{"field":"a) or (b"},"op":"holds"}]}`:                                                                                                                                                  "not a name",
		`{"kind":"group","join":"and","items":[{"kind":"test","left":{"field":".a"},"op":"holds"}]}`:                                                                                                                                                        "not a name",
		`{"kind":"group","join":"xor","items":[{"kind":"test","left":{"field":"a"},"op":"holds"},{"kind":"test","left":{"field":"b"},"op":"holds"}]}`:                                                                                                       "and or by or",
		`{"kind":"group","join":"and","items":[{"kind":"test","left":{"field":"a"},"op":">","values":[{"type":"number","text":"1 or true"}]}]}`:                                                                                                             "enter a number",
		`{"kind":"group","join":"and","items":[{"kind":"test","left":{"field":"a"},"op":"; drop","values":[{"type":"number","text":"1"}]}]}`:                                                                                                                "choose a comparison",
		`{"kind":"group","join":"and","items":[{"kind":"test","left":{"call":"any","of":"orders"},"op":"holds"}]}`:                                                                                                                                          "needs a condition",
		`{"kind":"group","join":"and","items":[{"kind":"test","left":{"call":"count"},"op":">","values":[{"type":"number","text":"1"}]}]}`:                                                                                                                  "looks at",
		`{"kind":"group","join":"and","items":[{"kind":"test","left":{"field":"in"},"op":"holds"}]}`:                                                                                                                                                        "not a name",
		`{"kind":"group","join":"and","items":[{"kind":"row"}]}`:                                                                                                                                                                                            "no kind of row",
		`{"kind":"group","join":"and","items":[{"kind":"test","op":"holds"}]}`:                                                                                                                                                                              "choose what it asks",
		strings.Repeat(`{"kind":"group","not":true,"join":"and","items":[{"kind":"test","not":true,"left":{"field":"a"},"op":"holds"},`, 60) + `{"kind":"test","left":{"field":"a"},"op":"holds"}` + strings.Repeat(`]}`, 60):                               "too deep",
	} {
		var root Item
		if err := json.Unmarshal([]byte(rows), &root); err != nil {
			t.Fatal(err)
		}
		if got, err := Text(root); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.200s: %q, %v; want %s", rows, got, err, want)
		}
	}
}

func asJSON(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

func FuzzRows(f *testing.F) {
	for _, s := range []string{`a and not (b or c)`, `count(orders, .amount > 1) >= 2`, `x in ["a"]`, `sum(filter(orders, .at > ago("1y")), .amount) > 5`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		root, why := Rows(s)
		if why != "" {
			return
		}
		said, err := Text(root)
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		if back, why := Rows(said); why != "" || asJSON(back) != asJSON(root) {
			t.Fatalf("%q became %q: %s", s, said, why)
		}
	})
}
