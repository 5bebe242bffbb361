package segments

import "strconv"

// Where groups do not decide alone, customers are joined with them.

// writeJoined writes a condition that sets aggregates beside facts of the customer, or of several collections: customers
// joined with the groups of each collection.
func writeJoined(w *writer, n node, found map[*collection][]*aggregate) {
	if w.joins != nil {
		var values map[*aggregate]string
		*w.joins += w.capture(func() { values = joinGroups(w, w.alias, found) })
		w.values = values
		n.sql(w)
		w.values = nil
		return
	}
	outer := w.alias
	inner := w.newAlias("c")
	w.text("EXISTS (SELECT 1 FROM (SELECT " + inner + ".customer_id FROM customers " + inner)
	values := joinGroups(w, inner, found)
	w.alias = inner
	w.text(" WHERE ")
	w.within(inner)
	w.values = values
	n.sql(w)
	w.values = nil
	w.alias = outer
	members := w.newAlias("m")
	w.text(") " + members + " WHERE " + members + ".customer_id = " + outer + ".customer_id)")
}

// joinGroups writes a join of the groups of each collection, and gives each aggregate as SQL.
func joinGroups(w *writer, customers string, found map[*collection][]*aggregate) map[*aggregate]string {
	values := map[*aggregate]string{}
	for _, of := range behaviours {
		aggregates := found[of]
		if aggregates == nil {
			continue
		}
		groups := w.newAlias("g")
		w.text(" LEFT JOIN (")
		if edge := onlyEdge(aggregates); edge != nil {
			edge.distinct(w)
			values[edge] = groups + ".a1"
			w.text(") " + groups + " ON " + groups + ".customer_id = " + customers + ".customer_id")
			continue
		}
		grouping(w, aggregates, func(_ string, sql map[*aggregate]string) {
			for i, a := range aggregates {
				name := "a" + strconv.Itoa(i+1)
				w.text(", " + sql[a] + " AS " + name)
				values[a] = groups + "." + name
				if a.fn == "count" || a.fn == "sum" {
					values[a] = "COALESCE(" + values[a] + ", 0)"
				}
			}
		}, nil)
		w.text(") " + groups + " ON " + groups + ".customer_id = " + customers + ".customer_id")
	}
	return values
}

// onlyEdge gives the aggregate where there is one alone, and it is first or last: picking an item of each customer is cheaper
// than collecting them all in order.
func onlyEdge(aggregates []*aggregate) *aggregate {
	if len(aggregates) == 1 && (aggregates[0].fn == "first" || aggregates[0].fn == "last") {
		return aggregates[0]
	}
	return nil
}

// distinct writes the first or last item of each customer, its value as a1.
func (n *aggregate) distinct(w *writer) {
	var order string
	alias := n.over.subquery(w, func(alias string) {
		w.text("DISTINCT ON (" + alias + ".customer_id) " + alias + ".customer_id, ")
		w.value(n.of)
		w.text(" AS a1")
		order = w.capture(func() { n.order(w, alias) })
	}, false)
	w.text(" ORDER BY " + alias + ".customer_id, " + order)
}
