package segments

import (
	"maps"
	"slices"
)

// A condition over aggregates is answered for all customers at once: one pass over a collection groups it by customer, and
// PostgreSQL joins the groups by hash, where the plain form would look up every customer's items one by one.

// aggregatesOf gives the aggregates of a tree that can be grouped, by collection; pure tells that nothing but they and constants
// decides it. Kept ones are among them only where others of their collection are counted anyway.
func aggregatesOf(n node) (found map[*collection][]*aggregate, pure bool) {
	found = map[*collection][]*aggregate{}
	pure = gather(n, found)
	maps.DeleteFunc(found, func(_ *collection, aggregates []*aggregate) bool {
		counted := slices.ContainsFunc(aggregates, func(a *aggregate) bool { return a.kept == nil })
		pure = pure && counted
		return !counted
	})
	return found, pure
}

func gather(n node, into map[*collection][]*aggregate) (pure bool) {
	if a, ok := n.(*aggregate); ok {
		if a.over.dependent || a.over.of.shared != "customer_id" {
			return false
		}
		into[a.over.of] = append(into[a.over.of], a)
		return true
	}
	within, ok := parts(n)
	pure = ok
	for _, part := range within {
		pure = gather(part, into) && pure
	}
	return pure
}

// groupedBy gives the one collection whose aggregates alone decide a condition; nil where it is not so.
func groupedBy(n node) *collection {
	found, pure := aggregatesOf(n)
	if !pure || len(found) != 1 {
		return nil
	}
	for of := range found {
		return of
	}
	return nil
}

// groups tells whether writeGrouped would write a comparison.
func groups(w *writer, n *compare) bool {
	found, _ := aggregatesOf(n)
	return !w.few && w.values == nil && len(found) > 0
}

// writeGrouped writes a condition by groups where that is possible and gains something.
func writeGrouped(w *writer, n node) bool {
	if w.few || w.values != nil {
		return false
	}
	found, pure := aggregatesOf(n)
	switch {
	case len(found) == 0:
		return false
	case pure && len(found) == 1:
		for _, aggregates := range found {
			writeHaving(w, n, aggregates)
		}
	default:
		if _, leaf := n.(*junction); leaf {
			return false // its parts are written one by one
		}
		writeJoined(w, n, found)
	}
	w.grouped = true
	return true
}

// writeHaving writes a condition as a look into the groups that meet it. Customers without items have no group: where they meet
// it, it is a look into the groups that fail it.
func writeHaving(w *writer, n node, aggregates []*aggregate) {
	groups := w.newAlias("g")
	if meetsEmpty(n) {
		w.text("(NOT ")
		defer w.text(")")
	}
	w.text("EXISTS (SELECT 1 FROM (")
	groupsOf(w, n, aggregates)
	w.text(") " + groups + " WHERE " + groups + ".customer_id = " + w.alias + ".customer_id)")
}

func meetsEmpty(n node) bool { return truth(n.eval(&env{facts: &Facts{}})) }

// groupsOf writes a query of the customers whose items meet a condition, or where customers without items meet it, of those whose
// items fail it.
func groupsOf(w *writer, n node, aggregates []*aggregate) {
	failing := meetsEmpty(n)
	test := func() {
		w.text("(")
		if c, ok := n.(*compare); ok && failing && c.certain() {
			c.write(w, sqlOperators[opposite[c.op]])
			w.text(")")
			return
		}
		n.sql(w)
		if failing {
			w.text(") IS NOT TRUE")
		} else {
			w.text(")")
		}
	}
	if edges(aggregates) {
		groupsByEdge(w, aggregates, test)
	} else {
		grouping(w, aggregates, nil, test)
	}
}

// grouping writes SELECT customer_id, columns FROM ... GROUP BY customer_id, with every aggregate as SQL in values.
func grouping(w *writer, aggregates []*aggregate, columns func(alias string, values map[*aggregate]string), having func()) {
	all := over{of: aggregates[0].over.of, until: never}
	picked := sharedItems(aggregates)
	if picked {
		all = *aggregates[0].over
	}
	var group string
	alias := all.subquery(w, func(alias string) {
		w.text(alias + ".customer_id")
		values, means := map[*aggregate]string{}, map[*aggregate][2]string{}
		for _, a := range aggregates {
			filter := ""
			if !picked && (a.over.cond != nil || a.over.until != never) {
				filter = " FILTER (WHERE " + w.capture(func() { a.over.filter(w, alias) }) + ")"
			}
			if a.fn == "first" || a.fn == "last" {
				x := w.capture(func() { w.value(a.of) })
				order := w.capture(func() { a.order(w, alias) })
				values[a] = "((array_agg(" + x + " ORDER BY " + order + ")" + filter + ")[1])"
				continue
			}
			x := ""
			if a.of != nil {
				x = w.capture(func() { a.of.sql(w) })
			}
			values[a] = a.function(x, filter)
			if a.fn == "mean" {
				means[a] = [2]string{"(sum(" + x + ")" + filter + ")", "(count(" + x + ")" + filter + ")"}
			}
		}
		if columns != nil {
			columns(alias, values)
		}
		if having != nil {
			w.values, w.means = values, means
			group = w.capture(having)
			w.values, w.means = nil, nil
		}
	}, false)
	w.text(" GROUP BY " + alias + ".customer_id")
	if having != nil {
		w.text(" HAVING " + group)
	}
}

// sharedItems tells whether all aggregates are over the same items, which then can be picked before they are grouped.
func sharedItems(aggregates []*aggregate) bool {
	for _, a := range aggregates {
		if a.over.cond != aggregates[0].over.cond || a.over.until != aggregates[0].over.until {
			return false
		}
	}
	return true
}

// filter writes the condition on an item of a grouped collection.
func (o *over) filter(w *writer, alias string) {
	if o.until != never {
		o.of.at.write(w, alias)
		w.text(" < ")
		w.constant(instant, knownTime(o.until))
		if o.cond != nil {
			w.text(" AND ")
		}
	}
	if o.cond != nil {
		o.cond.sql(w)
	}
}
