package segments

import (
	"math/big"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
)

// number reads a literal from the source, digit by digit: the parser's floating point would lose some.
func (c *checker) number(n ast.Node, whole string) node {
	loc := n.Location()
	digits := ""
	if loc.From >= 0 && loc.To <= len(c.source) && loc.From < loc.To {
		digits = strings.ReplaceAll(string(c.source[loc.From:loc.To]), "_", "")
	}
	if whole != "" && strings.ContainsAny(digits, "xXoObB") {
		digits = whole
	}
	var r *big.Rat
	ok := len(digits) > 0 && len(digits) <= 40
	if exp := strings.IndexAny(digits, "eE"); exp >= 0 && len(digits)-exp > 4 {
		ok = false
	}
	if ok {
		r, ok = new(big.Rat).SetString(digits)
	}
	if ok {
		places, exact := r.FloatPrec()
		ok = exact && places <= 12 && r.Cmp(largest) < 0
	}
	if !ok {
		return c.fail(n, "the number is too large or too fine: at most 15 digits before the decimal point and 12 after it")
	}
	return &constant{k: number, v: knownNumber(r)}
}

var largest = new(big.Rat).SetInt64(1_000_000_000_000_000)

func (c *checker) literal(n *ast.StringNode) node {
	if strings.ContainsRune(n.Value, 0) || !utf8.ValidString(n.Value) {
		return c.fail(n, "the text holds a character that cannot be stored")
	}
	return &constant{k: text, v: knownText(n.Value)}
}

func (c *checker) arithmetic(n *ast.BinaryNode, left, right node) node {
	if c.sums++; c.sums > maxArithmetic {
		return c.fail(n, "the expression computes too much: at most %d operations", maxArithmetic)
	}
	l, constantLeft := left.(*constant)
	r, constantRight := right.(*constant)
	switch {
	case left.kind() == number && right.kind() == number:
		if constantRight && r.v.n.Sign() == 0 && (n.Operator == "/" || n.Operator == "%") {
			return c.fail(n, "this divides by zero")
		}
		sum := &arithmetic{op: n.Operator, left: left, right: right}
		if constantLeft && constantRight {
			return &constant{k: number, v: sum.eval(nil)}
		}
		return sum
	case left.kind() == text && right.kind() == text && n.Operator == "+":
		return &concat{left: left, right: right}
	case left.kind() == span && right.kind() == instant && n.Operator == "+" && constantLeft:
		return c.moved(n, right, l.v)
	case left.kind() == instant && right.kind() == span && constantRight && n.Operator == "+":
		return c.moved(n, left, r.v)
	case left.kind() == instant && right.kind() == span && constantRight && n.Operator == "-":
		return c.moved(n, left, minus(r.v))
	case left.kind() == instant && right.kind() == instant && n.Operator == "-":
		between := &distance{left: left, right: right}
		if constantLeft && constantRight {
			fixed := c.span(n, knownTime(l.v.i-r.v.i))
			if literal, ok := fixed.(*constant); ok {
				literal.between = between
			}
			return fixed
		}
		return between
	case left.kind() == span && right.kind() == span && constantLeft && constantRight && n.Operator == "+":
		return c.span(n, added(l.v, r.v))
	case left.kind() == span && right.kind() == span && constantLeft && constantRight && n.Operator == "-":
		return c.span(n, added(l.v, minus(r.v)))
	}
	hint := ""
	if left.kind() == instant && (right.kind() == number || right.kind() == text) {
		hint = `; a length of time is written as duration("30d")`
	}
	return c.fail(n, "%s is %s and %s is %s: %q does not work on them%s", c.name(n.Left), left.kind().phrase(), c.name(n.Right),
		right.kind().phrase(), n.Operator, hint)
}

// longest is what a duration may reach, and maxTime and minTime a literal time: PostgreSQL's own times reach further in
// both directions, so no sum of them is out of its range.
const longest = 1000 * 365 * day

var (
	minTime = micros(time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC))
	maxTime = micros(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC))
)

func added(a, b value) value { return value{known: true, i: a.i + b.i, months: a.months + b.months} }

func (c *checker) span(at ast.Node, length value) node {
	if tooLong(length) {
		return c.fail(at, "the duration is longer than 1000 years")
	}
	return &constant{k: span, v: length}
}

func tooLong(v value) bool {
	total := v.i + int64(v.months)*31*day
	return total > longest || total < -longest || v.i > longest || v.i < -longest || v.months > 12000 || v.months < -12000
}

// moved is a time moved by a constant duration.
func (c *checker) moved(at ast.Node, n node, by value) node {
	switch n := n.(type) {
	case *constant:
		t := plus(n.v.i, by)
		if t < minTime || t >= maxTime {
			return c.fail(at, "the time is not between the years 1 and 9999")
		}
		return &constant{k: instant, v: knownTime(t)}
	case *shift:
		if by.months == 0 { // a month after a day is another time than a day after a month
			if c.span(at, added(n.by, by)) == nil {
				return nil
			}
			return &shift{left: n.left, by: added(n.by, by)}
		}
	}
	if reach(n)+abs64(by.i)+abs64(int64(by.months))*31*day > longest {
		return c.fail(at, "the duration is longer than 1000 years")
	}
	return &shift{left: n, by: by}
}

// reach is how far a time is moved already, at the most.
func reach(n node) int64 {
	switch n := n.(type) {
	case *shift:
		return abs64(n.by.i) + abs64(int64(n.by.months))*31*day + reach(n.left)
	case *fallback:
		return max(reach(n.left), reach(n.right))
	case *choice:
		return max(reach(n.yes), reach(n.no))
	case *aggregate:
		if n.of != nil {
			return reach(n.of)
		}
	}
	return 0
}
