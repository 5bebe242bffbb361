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
	last := len(n.events) - 1
	if w.few || n.dependent() {
		found := w.newAlias("g")
		w.text("EXISTS (SELECT 1 FROM (")
		n.reached(w, last)
		w.text(") " + found + " WHERE " + found + ".customer_id = " + w.alias + ".customer_id)")
		return
	}
	each, found := w.newAlias("e"), w.newAlias("g") // found for all customers at once: grouped, since PostgreSQL would look for each one's
	w.text("EXISTS (SELECT 1 FROM (SELECT " + each + ".customer_id FROM (")
	n.reached(w, last)
	w.text(") " + each + " GROUP BY " + each + ".customer_id) " + found + " WHERE " + found + ".customer_id = " + w.alias + ".customer_id)")
}

// reached writes the moments of an event that came after all before it: each once, since the ways to reach it multiply with every
// event. Where it may come at any time later, the earliest moment of the one before decides.
func (n *sequence) reached(w *writer, i int) {
	if i == 0 {
		n.events[0].moments(w)
		return
	}
	at, before, within := w.newAlias("e"), w.newAlias("e"), n.within[i-1]
	w.text("SELECT " + at + ".customer_id, " + at + ".at FROM (")
	n.events[i].moments(w)
	w.text(") " + at)
	after := before + ".customer_id = " + at + ".customer_id AND " + before + ".at < " + at + ".at"
	if !within.known {
		each := w.newAlias("e")
		w.text(" JOIN (SELECT " + each + ".customer_id, min(" + each + ".at) AS at FROM (")
		n.reached(w, i-1)
		w.text(") " + each + " GROUP BY " + each + ".customer_id) " + before + " ON " + after)
		return
	}
	if last := i == len(n.events)-1; last { // reached more than once does no harm, and a join is found faster
		w.text(" JOIN (")
		n.reached(w, i-1)
		w.text(") " + before + " ON " + after + " AND " + at + ".at <= ")
		writeMoved(w, func() { w.text(before + ".at") }, within)
		return
	}
	w.text(" WHERE EXISTS (SELECT 1 FROM (")
	n.reached(w, i-1)
	w.text(") " + before + " WHERE " + after + " AND " + at + ".at <= ")
	writeMoved(w, func() { w.text(before + ".at") }, within)
	w.text(")")
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
