package segments

import (
	"strconv"
)

var patterns = []string{"^a", "b$", "(?i)^AB?$", ".", "^$", "[^a]", "a.b", `\d|\s`, "(?i)k", "(?i)ß", "(?i)i", "(?i)s+", "(?i)σ", "(?i)[h-l]", "ß|é", "(a|b)+", "a{1,2}", "[[:upper:]]", "[[:alpha:]]+",
	`\.`, `\\`, "", `\w+\W`, `^\S*$`, "a*?b", "(?:ab){2,}", `[\x{10000}-\x{10ffff}]`, "[א-ת]", `\A.\z`, `\r\n`, "x{0}", "(?i)ǆ", "^(?i:ss)$", "[^\\x00-\\x7f]", "日本?", "(?s)a.*c", "(|a)b"}

var comparisons = []string{" == ", " != ", " < ", " <= ", " > ", " >= "}

// cond draws a condition.
func (s source) cond(depth int) string {
	if depth > 0 {
		switch s.form(14) {
		case 0, 1:
			return "(" + s.cond(depth-1) + s.one("and", " and ", " && ") + s.cond(depth-1) + ")"
		case 2, 3:
			return "(" + s.cond(depth-1) + s.one("or", " or ", " || ") + s.cond(depth-1) + ")"
		case 4, 5:
			return s.one("not", "not ", "!") + "(" + s.cond(depth-1) + ")"
		case 6:
			if s.of == "" && s.chance(3) {
				return "(if " + s.cond(depth-1) + " { " + s.cond(depth-1) + " } else { " + s.cond(depth-1) + " })"
			}
			return "(" + s.cond(depth-1) + " ? " + s.cond(depth-1) + " : " + s.cond(depth-1) + ")"
		case 7:
			return "((" + s.cond(depth-1) + ")" + s.one("equal", " == ", " != ") + "(" + s.cond(depth-1) + "))"
		case 8:
			return "((" + s.cond(depth-1) + ") ?? (" + s.cond(depth-1) + "))"
		case 9:
			if s.of == "" && !s.member && !s.asOf {
				inner := s
				inner.member = true
				return "household(" + inner.cond(depth-1) + ")"
			}
		case 10:
			if s.of == "" && !s.asOf {
				inner := s
				inner.asOf = true
				return "as_of(" + s.one("as of", `"2026-01-21"`, `"2025-12-01T12:00:00Z"`, `"2025-10-26T01:30:00Z"`, `"2024-02-29"`) + ", " + inner.cond(depth-1) + ")"
			}
		case 11:
			return "(" + s.number(depth-1) + s.one("below", " < ", " <= ") + s.number(depth-1) + s.one("below", " < ", " <= ") + s.number(depth-1) + ")"
		}
	}
	inner := max(0, depth-1)
	if s.of != "" || s.chance(3) {
		return s.test(inner)
	}
	return s.question(inner)
}

// test draws a condition on values, which can be asked of items too.
func (s source) test(depth int) string {
	switch s.form(14) {
	case 0:
		return "(" + s.text(depth) + s.one("comparison", comparisons...) + s.text(depth) + ")"
	case 1: // where cutting off the seventh decimal counts
		if s.chance(2) {
			return "(" + s.number(depth) + s.one("quotient", " / ", " / ", " % ") + "(" + s.variable(depth) + ")" + s.one("comparison", comparisons...) +
				s.one("limit", "0", "0.333333", "-0.333333", "0.333334", "0.3333333", "3.333333", "0.000001", "-0.0000005", "0.5", "1", "33.333333", "-1.666666", "15") + ")"
		}
		fallthrough
	case 2:
		return "(" + s.number(depth) + s.one("comparison", comparisons...) + s.number(depth) + ")"
	case 3:
		return "(" + s.time(depth) + s.one("comparison", comparisons...) + s.time(depth) + ")"
	case 4:
		return "((" + s.time(depth) + " - " + s.time(depth) + ")" + s.one("comparison", comparisons...) + s.span() + ")"
	case 5:
		return "(" + s.text(depth) + s.one("in", " in ", " not in ") + "[" + s.literal() + ", " + s.text(depth) + ", " + s.literal() + "])"
	case 6:
		if s.chance(2) {
			return "(" + s.number(depth) + s.one("in", " in ", " not in ") + "[1, 2.5, " + s.number(depth) + "])"
		}
		return "(" + s.time(depth) + ` in [date("2026-01-21"), now(), ` + s.time(depth) + "])"
	case 7, 8:
		return "(" + s.text(depth) + s.one("test", " contains ", " startsWith ", " endsWith ", " not contains ", " not startsWith ", " not endsWith ") + s.text(depth) + ")"
	case 9:
		return "is_known(" + s.any(depth) + ")"
	case 10:
		if s.of == "" && depth > 0 && s.chance(3) {
			return s.edge(depth-1, boolean)
		}
		if fact := s.fact(boolean); fact != "" {
			return s.one("flag", fact, "("+fact+" == true)", "("+fact+" != false)", "(true == "+fact+")")
		}
		return s.one("flag", "true", "false")
	case 11:
		if s.of == "orders" && s.chance(2) {
			return "(.product" + s.one("product", ` == "a"`, ` in ["a", "DE", "ß"]`, ` not in ["a"]`, ` contains "b"`, ` startsWith "A"`, ` endsWith "ß"`, ` matches "^.b?$"`, ` == .place`, ` in [.place, "a"]`, ` contains .keycode`) + ")"
		}
		return "(" + s.text(depth) + s.one("matches", " matches ", " matches ", " not matches ") + strconv.Quote(s.one("pattern", patterns...)) + ")"
	case 12:
		if list := s.fact(texts); list != "" {
			item := s.text(depth)
			return s.one("list", "("+list+" contains "+item+")", "("+item+" in "+list+")", "("+item+" not in "+list+")", "is_known("+list+")", "("+list+" not contains "+item+")")
		}
	}
	if s.chance(2) && !s.asOf {
		return "birthday_within(" + s.one("window", `"0d"`, `"7d"`, `"90d"`, `"1mo"`, `"1y"`, `"12h"`) + ")"
	}
	return "anniversary_within(" + s.time(depth) + ", " + s.one("window", `"0d"`, `"7d"`, `"90d"`, `"1mo"`, `"1y"`, `"23h"`) + ")"
}

// any draws a value of whatever type.
func (s source) any(depth int) string {
	switch s.form(4) {
	case 0:
		return s.text(depth)
	case 1:
		return s.number(depth)
	case 2:
		return s.time(depth)
	}
	return s.cond(depth)
}

// question draws a condition that only a customer can be asked.
func (s source) question(depth int) string {
	switch s.form(12) {
	case 0, 1:
		name, items := s.collection(depth)
		return s.one("quantifier", "any", "all", "none", "one") + "(" + items + ", " + s.in(name).cond(depth) + ")"
	case 2:
		name, items := s.collection(depth)
		return "(" + items + " | " + s.one("quantifier", "any", "all", "none", "one") + "(" + s.in(name).cond(depth) + "))"
	case 3, 4:
		return "(" + s.aggregate(depth) + s.one("comparison", comparisons...) + s.one("number", "0", "1", "2", "-1", "1.5") + ")"
	case 5:
		return "(" + s.one("number", "0", "20", "30.5") + s.one("comparison", comparisons...) + s.aggregate(depth) + ")"
	case 6:
		return s.event(depth)
	case 7:
		return "never(" + s.event(depth) + ")"
	case 8:
		third := ""
		if s.chance(4) {
			third = ", " + s.event(0) + s.one("window", "", `, "60d"`)
		}
		return "followed(" + s.event(depth) + ", " + s.event(depth) + s.one("window", "", `, ""`, `, "30d"`, `, "90d"`, `, "1mo"`, `, "1h"`) + third + ")"
	case 9:
		return s.set()
	case 10:
		if !s.asOf && !s.member && !s.unranked && s.chance(2) {
			score := s.number(depth)
			if s.chance(3) {
				score = s.time(depth)
			}
			among := ""
			if s.chance(2) {
				among = ", " + s.cond(depth)
			}
			return "top(" + s.one("n", "1", "5", "20", "1000") + ", " + score + among + ")"
		}
	}
	return s.one("share", `bucket("s", 0, 30)`, `bucket("ß%", 50, 100)`, `bucket("", 0, 100)`, "nth(3)", "nth(1)", "nth(1000000000)")
}

// set draws in_list and in_segment, as far as they can stand here.
func (s source) set() string {
	segments := []string{s.u.saved.quiet}
	if !s.asOf {
		segments = append(segments, s.u.saved.plain, s.u.saved.nested)
		if !s.member {
			segments = append(segments, s.u.saved.home)
		}
	}
	var choices []string
	for _, name := range segments {
		if name != "" {
			choices = append(choices, "in_segment("+strconv.Quote(name)+")")
		}
	}
	if !s.asOf {
		for _, name := range s.u.catalog.Lists {
			choices = append(choices, "in_list("+strconv.Quote(name)+")")
		}
	}
	if choices == nil {
		return "nth(2)"
	}
	return s.one("set", choices...)
}
