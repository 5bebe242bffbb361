package segments

import (
	"math"
	"math/big"
	"strings"
	"time"
)

// compare is == != < <= > >=. Text is ordered by its bytes, the same in both evaluators whatever the database's
// collation.
type compare struct {
	op          string
	left, right node
}

var sqlOperators = map[string]string{"==": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}

func (n *compare) kind() kind { return boolean }

func (n *compare) nullable() bool { return true }

func (n *compare) sql(w *writer) {
	if one := n.quantified(w); one != nil {
		one.sql(w)
		return
	}
	if writeGrouped(w, n) {
		return
	}
	n.write(w, sqlOperators[n.op])
}

func (n *compare) write(w *writer, operator string) {
	n = &compare{op: n.op, left: w.plain(n.left), right: w.plain(n.right)}
	w.text("(")
	if !n.bare(w, operator) {
		w.value(n.left)
		w.text(" " + operator + " ")
		w.value(n.right)
		if n.left.kind() == text && n.op != "==" && n.op != "!=" {
			w.text(` COLLATE "C"`)
		}
	}
	w.text(")")
}

// unlike writes that == does not hold, by one operator whose rows the planner can foresee; false where the right side may be
// unknown.
func (n *compare) unlike(w *writer) bool {
	if _, literal := n.right.(*constant); !literal || n.op != "==" || groups(w, n) {
		return false
	}
	n.write(w, "IS DISTINCT FROM")
	return true
}

// bare compares a column as it is stored with a literal of its own type, so that the column's statistics count.
func (n *compare) bare(w *writer, operator string) bool {
	c, ok := n.right.(*constant)
	if !ok {
		return false
	}
	if n.product(w, c.v.n) {
		return true
	}
	if quotient, ok := n.left.(*arithmetic); ok && quotient.op == "/" { // the literal in millionths, too: one multiplication less
		quotient.millionths(w)
		w.text(" " + operator + " ")
		w.constant(number, knownNumber(new(big.Rat).Mul(c.v.n, new(big.Rat).SetInt(million))))
		return true
	}
	var column, pgType string
	var v any
	switch left := n.left.(type) {
	case *fieldNode:
		if v, pgType = bareValue(c, left.field.integer, left.field.cast == asTime); v != nil {
			if digits := left.field.score.compared(w, w.alias, operator, v); digits != "" {
				w.text(digits)
				return true
			}
			column = left.field.sql(w, w.alias, false)
		}
	case *aggregate:
		if left.fn == "count" && w.values[left] != "" {
			column = strings.TrimSuffix(w.values[left], "::numeric")
			v, _ = bareValue(c, true, false)
			pgType = "bigint"
		}
	case *itemNode:
		v, pgType = bareValue(c, left.field.integer, left.field.cast == asTime)
		if v != nil {
			column = w.capture(func() { left.field.write(w, w.item) })
		}
	}
	if v == nil {
		return false
	}
	w.text(column + " " + operator + " " + w.arg(v, pgType))
	return true
}

func bareValue(c *constant, integer, date bool) (v any, pgType string) {
	switch {
	case integer && c.v.n.IsInt() && c.v.n.Num().IsInt64() && abs64(c.v.n.Num().Int64()) <= math.MaxInt32:
		return c.v.n.Num().Int64(), "integer"
	case date && c.v.i%day == 0:
		return time.UnixMicro(c.v.i).UTC(), "date"
	}
	return nil, ""
}

func abs64(n int64) int64 {
	if n < 0 && n != math.MinInt64 {
		return -n
	}
	return n
}

func (n *compare) eval(e *env) value {
	l, r := n.left.eval(e), n.right.eval(e)
	if !l.known || !r.known {
		return known(false)
	}
	return known(holds(compareValues(n.left.kind(), l, r), n.op))
}

func holds(order int, op string) bool {
	switch op {
	case "==":
		return order == 0
	case "!=":
		return order != 0
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	}
	return order >= 0
}

// oneOf is in with a list of values in brackets.
type oneOf struct {
	left     node
	literals []value // the constants among the choices
	others   []node
}

func (n *oneOf) kind() kind     { return boolean }
func (n *oneOf) nullable() bool { return true }

// sql writes the left side once only: written per choice, nested ones would grow without bound.
func (n *oneOf) sql(w *writer) {
	if writeGrouped(w, n) {
		return
	}
	w.text("(")
	n.left.sql(w)
	w.text(" = ANY(")
	if len(n.others) == 0 {
		w.array(n.left.kind(), n.literals)
	} else {
		w.text("ARRAY[")
		for i, other := range n.others {
			if i > 0 {
				w.text(", ")
			}
			other.sql(w)
		}
		for _, v := range n.literals {
			w.text(", ")
			w.constant(n.left.kind(), v)
		}
		w.text("]")
	}
	w.text("))")
}

func (n *oneOf) eval(e *env) value {
	l := n.left.eval(e)
	if !l.known {
		return known(false)
	}
	for _, v := range n.literals {
		if compareValues(n.left.kind(), l, v) == 0 {
			return known(true)
		}
	}
	for _, other := range n.others {
		if v := other.eval(e); v.known && compareValues(n.left.kind(), l, v) == 0 {
			return known(true)
		}
	}
	return known(false)
}

// member holds where a list of text has an item: tags contains "x", "x" in tags.
type member struct{ item, list node }

func (n *member) kind() kind     { return boolean }
func (n *member) nullable() bool { return true }

func (n *member) sql(w *writer) {
	w.text("(")
	n.item.sql(w)
	w.text(" = ANY(")
	n.list.sql(w)
	w.text("))")
}

func (n *member) eval(e *env) value {
	item, list := n.item.eval(e), n.list.eval(e)
	if item.known {
		for _, s := range list.l {
			if s == item.s {
				return known(true)
			}
		}
	}
	return known(false)
}

// isKnown asks whether a value is known.
type isKnown struct{ of node }

func (n *isKnown) kind() kind     { return boolean }
func (n *isKnown) nullable() bool { return false }
func (n *isKnown) sql(w *writer) {
	if writeGrouped(w, n) {
		return
	}
	w.text("(")
	w.value(n.of)
	w.text(" IS NOT NULL)")
}
func (n *isKnown) eval(e *env) value { return known(n.of.eval(e).known) }

// negated gives -x; checked to be a number.
type negated struct{ of node }

func (n *negated) kind() kind { return number }
func (n *negated) sql(w *writer) {
	w.text("(- ")
	n.of.sql(w)
	w.text(")")
}

func (n *negated) eval(e *env) value {
	v := n.of.eval(e)
	if !v.known {
		return value{}
	}
	return knownNumber(new(big.Rat).Neg(v.n))
}

var mirrored = map[string]string{"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

var opposite = map[string]string{"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}

// certain tells that both sides are known for every customer.
func (n *compare) certain() bool {
	of, ok := n.left.(*aggregate)
	_, literal := n.right.(*constant)
	return ok && literal && (of.fn == "count" || of.fn == "sum")
}
