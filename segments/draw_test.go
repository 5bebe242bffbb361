package segments

import (
	"strconv"
	"strings"

	"pgregory.net/rapid"
)

// source draws expressions of the whole language, always well typed.
type source struct {
	t        *rapid.T
	u        *universe
	of       string // within a predicate over this collection
	asOf     bool   // no facts of the customer
	member   bool   // within household
	unranked bool   // no top
}

func (s source) one(label string, of ...string) string { return rapid.SampledFrom(of).Draw(s.t, label) }

func (s source) form(n int) int { return rapid.IntRange(0, n-1).Draw(s.t, "form") }

func (s source) chance(of int) bool { return rapid.IntRange(1, of).Draw(s.t, "chance") == 1 }

// in is the source within a predicate over a collection.
func (s source) in(of string) source { s.of = of; return s }

// collection draws a collection, or a filter over one, and gives its name too.
func (s source) collection(depth int, of ...string) (name, written string) {
	if of == nil {
		of = []string{"orders", "lines", "responses", "touches", "events"}
		if !s.member && !s.asOf {
			of = append(of, "household")
		}
	}
	name = s.one("collection", of...)
	written = name
	for depth > 0 && s.chance(3) {
		depth--
		cond := s.in(name).cond(depth)
		if s.chance(4) {
			written = "(" + written + " | filter(" + cond + "))"
		} else {
			written = "filter(" + written + ", " + cond + ")"
		}
	}
	return name, written
}

// itemFacts are the facts of items by type, as they are written.
func (s source) itemFacts(of string, k kind) (facts []string) {
	if many := s.u.catalog.collection(of); many != nil {
		for _, f := range many.fields {
			switch {
			case f.score != nil && f.score.limits == nil: // refused
			case f.kind == k && f.keyed:
				for _, key := range propertyKeys {
					facts = append(facts, "."+f.name+"("+strconv.Quote(key)+")")
				}
			case f.kind == k:
				facts = append(facts, "."+f.name, "."+f.name)
			}
		}
	}
	return facts
}

// fact draws a fact of the item or the customer of the type, "" where there is none.
func (s source) fact(k kind) string {
	items, own := s.itemFacts(s.of, k), s.u.facets[k]
	if s.asOf {
		own = nil
	}
	switch {
	case len(items) > 0 && (len(own) == 0 || s.form(4) > 0):
		return s.one("fact of an item", items...)
	case len(own) > 0:
		return s.one("fact", own...)
	}
	return ""
}

// edge draws a fact of the first or last item.
func (s source) edge(depth int, k kind) string {
	name, items := s.collection(depth)
	facts := s.itemFacts(name, k)
	if len(facts) == 0 {
		name, items = "orders", "orders"
		if k == boolean {
			name, items = "responses", "responses"
		}
		facts = s.itemFacts(name, k)
	}
	fact := s.one("fact of an edge", facts...)
	switch s.form(6) {
	case 0: // a value made of facts
		in, value := s.in(name), fact
		switch k {
		case text:
			value = in.text(depth)
		case number:
			value = in.number(depth)
		case instant:
			value = in.time(depth)
		case boolean:
			value = in.cond(depth)
		}
		if s.chance(2) {
			return "(" + items + " | map(" + value + ") | " + s.one("edge", "first", "last") + "())"
		}
		return s.one("edge", "first", "last") + "(map(" + items + ", " + value + "))"
	case 1:
		return s.one("edge", "first", "last") + "(map(" + items + ", #" + fact + "))"
	}
	return s.one("edge", "first", "last") + "(" + items + ")" + fact
}

var letters = []rune("aAbBäßẞiIİıkK\u212as\u017fΣσς%_.\\ é\u0301\u200f\ufeff\uffff\U00010000日'\"`\n\t")

func (s source) literal() string {
	var text string
	switch s.form(6) {
	case 0:
		text = rapid.StringOfN(rapid.RuneFrom(letters), 0, 3, -1).Draw(s.t, "text")
	case 1, 2, 3:
		text = rapid.SampledFrom(oddTexts).Draw(s.t, "odd text")
		if len(text) > 200 {
			text = text[:200]
		}
	default:
		text = s.one("text", "click", "email", "post", "spring", "win", "keep", "seeds", "USD", "a", "DE", "ß", "House", "Europe/Berlin", "")
	}
	switch {
	case s.chance(6) && !strings.ContainsAny(text, "`\r"):
		return "`" + text + "`"
	case s.chance(6) && !strings.ContainsAny(text, "'\\\n\r"):
		return "'" + text + "'"
	}
	return strconv.Quote(text)
}

func (s source) text(depth int) string {
	if depth > 0 {
		switch s.form(8) {
		case 0:
			return "(" + s.text(depth-1) + " + " + s.text(depth-1) + ")"
		case 1:
			return "(" + s.cond(depth-1) + " ? " + s.text(depth-1) + " : " + s.text(depth-1) + ")"
		case 2:
			return "((" + s.text(depth-1) + ") ?? (" + s.text(depth-1) + "))"
		case 3, 4:
			if s.of == "" {
				return s.edge(depth-1, text)
			}
		}
	}
	if fact := s.fact(text); fact != "" && s.form(4) > 0 {
		return fact
	}
	return s.literal()
}

func (s source) number(depth int) string {
	if depth > 0 {
		switch s.form(13) {
		case 0, 1:
			return "(" + s.number(depth-1) + s.one("sum", " + ", " - ", " * ") + s.number(depth-1) + ")"
		case 2, 3:
			divisor := s.one("divisor", "2.5", "3", "0.000001", "-7")
			if s.chance(2) {
				divisor = "(" + s.variable(depth-1) + ")"
			}
			return "(" + s.number(depth-1) + s.one("quotient", " / ", " % ") + divisor + ")"
		case 4:
			return "(" + s.cond(depth-1) + " ? " + s.number(depth-1) + " : " + s.number(depth-1) + ")"
		case 5:
			return "(" + s.number(depth-1) + " ?? " + s.number(depth-1) + ")"
		case 6:
			return "(" + s.one("sign", "-", "+") + s.number(depth-1) + ")"
		case 7:
			return s.one("part", "year", "month", "day", "weekday", "hour") + "(" + s.time(depth-1) + ")"
		case 8, 9, 10, 11:
			if s.of == "" {
				return s.aggregate(depth - 1)
			}
		}
	}
	if fact := s.fact(number); fact != "" && s.chance(2) {
		return fact
	}
	return s.one("number", "0", "1", "2", "2.5", "20.5", "100", "0.1", "3000000000", "1e3", "0x10", "7.000001", "0b11", "1_000", ".5", "999999999999999", "0.000000000001", "2147483648", "400", "234")
}

// variable draws a number that is not a literal, so that it is zero for some at most.
func (s source) variable(depth int) string {
	if fact := s.fact(number); fact != "" {
		return fact
	}
	if s.of == "" {
		return s.aggregate(depth)
	}
	return "day(.at)"
}

func (s source) aggregate(depth int) string {
	name, items := s.collection(depth)
	in := s.in(name)
	switch s.form(7) {
	case 0:
		return "count(" + items + ")"
	case 1:
		return "count(" + items + ", " + in.cond(depth) + ")"
	case 2:
		return "sum(" + items + ", " + in.number(depth) + ")"
	case 3:
		if s.chance(2) {
			return "(" + items + " | sum(" + in.number(depth) + "))"
		}
		return "(" + items + " | count(" + in.cond(depth) + "))"
	case 4:
		return s.one("function", "sum", "min", "max", "mean", "first", "last") + "(map(" + items + ", " + in.number(depth) + "))"
	case 5:
		return "contacts(" + s.one("contacts", "", `"email"`, `"post", "90d"`, `"", "3mo"`, `"sms", ""`, `"calls", "1y2mo3w4d5h6min7s"`) + ")"
	}
	return s.edge(depth, number)
}

func (s source) time(depth int) string {
	if depth > 0 {
		switch s.form(8) {
		case 0, 1:
			if s.chance(5) {
				return "(" + s.span() + " + " + s.time(depth-1) + ")"
			}
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
		case 5:
			return "(" + s.cond(depth-1) + " ? " + s.time(depth-1) + " : " + s.time(depth-1) + ")"
		}
	}
	if fact := s.fact(instant); fact != "" && s.form(3) > 0 {
		return fact
	}
	if s.chance(4) {
		return `date("` + s.one("moment", moments[2:]...) + `")`
	}
	return s.one("time", "now()", `ago("60d")`, `ago("1d")`, `ago("1mo")`, `ago("1y2mo3d")`, `ago("13mo")`, `date("2026-01-21")`, `date("2024-02-29")`, `date("2025-10-26 01:30")`)
}

func (s source) span() string {
	return s.one("span", `duration("30d")`, `duration("1h")`, `duration("12h")`, `duration("1y")`, `(-duration("90d"))`, `duration("1mo")`, `(-duration("1mo1d"))`,
		`(duration("2w") - duration("1d"))`, `duration("90min")`, `duration("1s")`, `duration("11mo")`, `duration("4y")`, `(duration("1mo") + duration("1d"))`)
}

// propertyKeys are the names of properties, each with values of every type and missing here and there.
var propertyKeys = []string{"page", "n", "größe"}

// event draws what followed and never take.
func (s source) event(depth int) string {
	switch s.form(4) {
	case 3:
		name := strconv.Quote(s.one("name of an event", append(s.u.catalog.Events, "")...))
		return "did" + s.one("of", "()", "("+name+")", "("+name+`, "90d")`, "("+name+`, "")`, "("+name+`, "2mo")`)
	case 0:
		return "bought" + s.one("what", "()", `("a")`, `("a", "90d")`, `("", "60d")`, `("DE", "6mo")`, `("ß", "")`)
	case 1:
		name, items := s.collection(depth, "orders", "lines", "responses", "touches", "events")
		return "any(" + items + ", " + s.in(name).cond(depth) + ")"
	}
	campaign := strconv.Quote(s.one("campaign", append(s.u.catalog.Campaigns, "")...))
	return s.one("event", "clicked", "opened", "responded", "contacted", "received") +
		s.one("of", "()", "("+campaign+")", "("+campaign+`, "90d")`, "("+campaign+`, "")`, "("+campaign+`, "2mo")`)
}
