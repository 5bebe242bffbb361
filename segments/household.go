package segments

import "slices"

// memberPart tells which customers of a household are asked: rented names are members for themselves only.
type memberPart uint8

const (
	everyMember memberPart = iota
	housemates             // members of the house file
	alone                  // who has no household, or is a rented name
)

func (p memberPart) link(member, customer string) string {
	switch p {
	case housemates:
		return member + ".household_id = " + customer + ".household_id AND NOT " + member + ".rented"
	case alone:
		return member + ".customer_id = " + customer + ".customer_id AND (" + member + ".household_id IS NULL OR " + member + ".rented)"
	}
	return "(" + member + ".customer_id = " + customer + ".customer_id OR " + member + ".household_id = " + customer + ".household_id AND NOT " + member + ".rented)"
}

// atHome tells that two customers of the house file are members of one household, or one and the same: by keys that all customers
// can be joined by.
func atHome(a, b string) string {
	key := func(of string) string { return "COALESCE(" + of + ".household_id, " + of + ".customer_id)" }
	alone := func(of string) string { return "(" + of + ".household_id IS NULL)" }
	return "NOT " + a + ".rented AND " + key(a) + " = " + key(b) + " AND " + alone(a) + " = " + alone(b)
}

// members gives the household in memory, the customer among them.
func (f *Facts) members() []item {
	var items []item
	add := func(m *Facts) { items = append(items, item{values: m.fields, at: ever}) }
	own := false
	for _, m := range f.household {
		if !own && m.CustomerID > f.CustomerID {
			own = true
			add(f)
		}
		add(m)
	}
	if !own {
		add(f)
	}
	return items
}

// anyMember holds where an expression holds for a member of the household, the customer among them.
type anyMember struct{ cond node }

func (n *anyMember) kind() kind     { return boolean }
func (n *anyMember) nullable() bool { return false }

func (n *anyMember) sql(w *writer) {
	member := w.newAlias("h")
	if w.house && !w.few && w.first == "" && slices.Contains(w.outermost, node(n)) { // elsewhere it may be asked one by one, which needs an index
		inner := *w
		inner.alias, inner.joins, inner.values, inner.means = member, nil, nil, nil
		w.text("EXISTS (SELECT 1 FROM customers " + member + " WHERE " + atHome(member, w.alias) + " AND ")
		n.cond.sql(&inner)
		w.aliases, w.zones = inner.aliases, inner.zones
		w.text(")")
		return
	}
	w.text("(EXISTS (SELECT 1 FROM customers " + member + " WHERE " + housemates.link(member, w.alias) + " AND ")
	inner := *w // the household reaches beyond a slice
	inner.alias, inner.few, inner.first, inner.last = member, w.few || w.first != "", "", ""
	inner.joins, inner.values, inner.means = nil, nil, nil // they are of the customer at hand
	n.cond.sql(&inner)
	w.aliases, w.zones = inner.aliases, inner.zones
	w.text(") OR (" + w.alias + ".household_id IS NULL OR " + w.alias + ".rented) AND (")
	n.cond.sql(w)
	w.text(" IS TRUE))") // a fact that is yes or no may be unknown
}

func (n *anyMember) eval(e *env) value {
	if truth(n.cond.eval(&env{facts: e.facts})) {
		return known(true)
	}
	for _, m := range e.facts.household {
		if truth(n.cond.eval(&env{facts: m})) {
			return known(true)
		}
	}
	return known(false)
}
