package segments

// The first and last items of all customers are found without putting each one's items in order: the latest time of those that
// meet a condition is set beside the latest time of those that fail it. Only items of one time need to be looked at in order.

// edges tells whether aggregates ask for one and the same item of each customer.
func edges(aggregates []*aggregate) bool {
	for _, a := range aggregates {
		if a.fn != "first" && a.fn != "last" || a.fn != aggregates[0].fn || a.over.of.at.sql == "" {
			return false
		}
	}
	return sharedItems(aggregates)
}

// groupsByEdge writes a query of the customers whose first or last item meets a test of the aggregates.
func groupsByEdge(w *writer, aggregates []*aggregate, test func()) {
	items, latest, later := aggregates[0].over, "max", " > "
	if aggregates[0].fn == "first" {
		latest, later = "min", " < "
	}
	of := func() string { // one item
		w.values = map[*aggregate]string{}
		for _, a := range aggregates {
			w.values[a] = w.capture(func() {
				values := w.values
				w.values = nil
				w.value(a.of)
				w.values = values
			})
		}
		s := w.capture(test)
		w.values = nil
		return s
	}
	var having string
	alias := items.subquery(w, func(alias string) {
		w.text(alias + ".customer_id")
		at, meets := w.capture(func() { items.of.at.write(w, alias) }), of()
		if items.of.atNull { // before all others
			at = "COALESCE(" + at + ", '-infinity')"
		}
		met := latest + "(" + at + ") FILTER (WHERE " + meets + ")"
		failed := latest + "(" + at + ") FILTER (WHERE (" + meets + ") IS NOT TRUE)"
		having = "CASE WHEN " + met + " = " + failed + " THEN (" + w.capture(func() {
			customers, order := w.alias, ""
			w.alias = alias
			items.subquery(w, func(alias string) {
				w.text(of())
				order = w.capture(func() { aggregates[0].order(w, alias) })
			}, true)
			w.text(" ORDER BY " + order + " LIMIT 1")
			w.alias = customers
		}) + ") ELSE COALESCE(" + met + later + failed + ", " + met + " IS NOT NULL) END"
	}, false)
	w.text(" GROUP BY " + alias + ".customer_id HAVING " + having)
}
