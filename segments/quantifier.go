package segments

import (
	"math/big"
	"strings"
)

// quantifier is any, all or none over the customer's items; of all, cond is what must hold for each.
type quantifier struct {
	name string
	over *over
}

func (n *quantifier) kind() kind     { return boolean }
func (n *quantifier) nullable() bool { return false }

func (n *quantifier) sql(w *writer) {
	over := *n.over
	if n.name == "all" {
		over.cond = &inverse{of: over.cond}
	}
	exists := func(part memberPart) {
		over.part = part
		w.text("EXISTS (")
		over.subquery(w, func(string) { w.text("1") }, true)
		w.text(")")
	}
	w.text("(")
	if n.name != "any" {
		w.text("NOT (")
	}
	if over.of.shared == "household_id" { // apart, since PostgreSQL hashes a test of one key
		exists(housemates)
		w.text(" OR ")
		exists(alone)
	} else {
		exists(everyMember)
	}
	if n.name != "any" {
		w.text(")")
	}
	w.text(")")
}

// moments and times make any(...) an event of followed.
func (n *quantifier) moments(w *writer) {
	n.over.subquery(w, func(alias string) {
		w.text(alias + ".customer_id, ")
		n.over.of.at.write(w, alias)
		w.text(" AS at")
	}, false)
}

func (n *quantifier) times(e *env) []int64 {
	var times []int64
	n.over.each(e, func(inner *env) bool {
		if inner.item.at != ever {
			times = append(times, inner.item.at)
		}
		return true
	})
	return times
}

func (n *quantifier) eval(e *env) value {
	over, found := *n.over, false
	if n.name == "all" {
		over.cond = &inverse{of: over.cond}
	}
	over.each(e, func(*env) bool {
		found = true
		return false
	})
	return known(found == (n.name == "any"))
}

// aggregate is count, sum, min, max, mean, first or last over the customer's items.
type aggregate struct {
	fn   string
	over *over
	of   node // nil for count; items without a known value do not count, but for first and last
	kept node // the same as a fact that is kept with the customer; nil where none is
}

func (n *aggregate) kind() kind {
	if n.of == nil {
		return number
	}
	return n.of.kind()
}

// Aggregates in a subquery of items as x, and grouped with a filter.
func (n *aggregate) function(x string, filter string) string {
	switch n.fn {
	case "count":
		return "(count(*)" + filter + ")::numeric"
	case "sum":
		return "COALESCE(sum(" + x + ")" + filter + ", 0)"
	case "mean":
		return "(div((sum(" + x + ")" + filter + ") * 1000000::numeric, NULLIF(count(" + x + ")" + filter + ", 0)::numeric) * 0.000001)"
	}
	return "(" + n.fn + "(" + x + ")" + filter + ")"
}

// sql asks per customer; where it can, a condition over aggregates is written for all customers at once instead, see grouped.go.
func (n *aggregate) sql(w *writer) {
	if s, ok := w.values[n]; ok {
		w.text(s)
		return
	}
	if n.kept != nil {
		n.kept.sql(w)
		return
	}
	switch n.fn {
	case "count":
		w.text("(")
		n.over.subquery(w, func(string) { w.text("count(*)::numeric") }, true)
		w.text(")")
	case "first", "last":
		w.text("(")
		var order string
		n.over.subquery(w, func(alias string) {
			w.value(n.of)
			order = w.capture(func() { n.order(w, alias) })
		}, true)
		w.text(" ORDER BY " + order + " LIMIT 1)")
	default:
		// Summed in a query around it: a sum of nothing but facts of the customer would count as the outer query's.
		w.text("(SELECT " + n.function("x", "") + " FROM (")
		n.over.subquery(w, func(string) {
			n.of.sql(w)
			w.text(" AS x")
		}, true)
		w.text(") x)")
	}
}

// order writes how items follow each other in time, for last from the end.
func (n *aggregate) order(w *writer, alias string) {
	down, nulls := "", " NULLS FIRST"
	if n.fn == "last" {
		down, nulls = " DESC", " NULLS LAST"
	}
	if n.over.of.at.sql != "" {
		n.over.of.at.write(w, alias)
		w.text(down)
		if n.over.of.atNull {
			w.text(nulls)
		}
		w.text(", ")
	}
	w.text(ordered(n.over.of.tie, alias, down))
}

// ordered writes a list of columns for ORDER BY, each downwards where down says so.
func ordered(columns, alias, down string) string {
	list := strings.Split(strings.ReplaceAll(columns, "%", alias), ", ")
	for i := range list {
		list[i] += down
	}
	return strings.Join(list, ", ")
}

func (n *aggregate) eval(e *env) value {
	var got value
	total, items := new(big.Rat), int64(0)
	n.over.each(e, func(inner *env) bool {
		if n.of == nil {
			items++
			return true
		}
		v := n.of.eval(inner)
		switch n.fn {
		case "first":
			got = v
			return false
		case "last":
			got = v
			return true
		}
		if !v.known {
			return true
		}
		switch order := 0; n.fn {
		case "sum", "mean":
			items++
			total.Add(total, v.n)
		default:
			if got.known {
				order = compareValues(n.of.kind(), v, got)
			}
			if !got.known || n.fn == "min" && order < 0 || n.fn == "max" && order > 0 {
				got = v
			}
		}
		return true
	})
	switch n.fn {
	case "count":
		return whole(items)
	case "sum":
		return knownNumber(total)
	case "mean":
		if items == 0 {
			return value{}
		}
		return (&arithmetic{op: "/", left: &constant{k: number, v: knownNumber(total)}, right: &constant{k: number, v: whole(items)}}).eval(nil)
	}
	return got
}
