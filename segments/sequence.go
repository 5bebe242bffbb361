package segments

import "slices"

// event is a condition that has moments: clicked(...), bought(...), any(orders, ...).
type event interface {
	node
	moments(w *writer) // SELECT customer_id, at
	times(e *env) []int64
}

// sequence holds where events followed each other, each after the one before and within a span of it.
type sequence struct {
	events []event
	within []value // of each event but the first; not known: at any time later
}

func (n *sequence) kind() kind     { return boolean }
func (n *sequence) nullable() bool { return false }

func (n *sequence) sql(w *writer) {
	first, each := w.newAlias("e"), w.few || n.dependent()
	if each {
		w.text("EXISTS (SELECT 1 FROM ")
	} else { // found for all customers at once: grouped, since PostgreSQL would look for each one's
		w.text("EXISTS (SELECT 1 FROM (SELECT " + first + ".customer_id FROM ")
	}
	var before string
	for i, of := range n.events {
		alias := first
		if i > 0 {
			alias = w.newAlias("e")
			w.text(" JOIN ")
		}
		w.text("(")
		of.moments(w)
		w.text(") " + alias)
		if i > 0 {
			w.text(" ON " + alias + ".customer_id = " + before + ".customer_id AND " + alias + ".at > " + before + ".at")
			if within := n.within[i-1]; within.known {
				w.text(" AND " + alias + ".at <= ")
				writeMoved(w, func() { w.text(before + ".at") }, within)
			}
		}
		before = alias
	}
	if each {
		w.text(" WHERE " + first + ".customer_id = " + w.alias + ".customer_id)")
		return
	}
	found := w.newAlias("g")
	w.text(" GROUP BY " + first + ".customer_id) " + found + " WHERE " + found + ".customer_id = " + w.alias + ".customer_id)")
}

// dependent tells whether an event is asked with facts of the customer.
func (n *sequence) dependent() bool {
	return slices.ContainsFunc(n.events, func(of event) bool {
		items, ok := of.(*quantifier)
		return ok && items.over.dependent
	})
}

func (n *sequence) eval(e *env) value {
	reached := n.events[0].times(e)
	for i, of := range n.events[1:] {
		var next []int64
		within := n.within[i]
		for _, at := range of.times(e) {
			for _, before := range reached {
				if at > before && (!within.known || at <= plus(before, within)) {
					next = append(next, at)
					break
				}
			}
		}
		reached = next
	}
	return known(len(reached) > 0)
}
