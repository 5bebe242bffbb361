package segments

import "strconv"

// top holds for the customers with the highest scores, of all or of those who meet a condition. It sets customers beside each
// other, so only a database can tell; in memory it needs to be told who they are.
type top struct {
	n     int64
	score node
	among node // nil for all
}

func (n *top) kind() kind     { return boolean }
func (n *top) nullable() bool { return false }

func (n *top) sql(w *writer) {
	if w.ranks != exactly {
		n.unranked(w)
		return
	}
	inner := *w // ranked among all, whatever the slice
	inner.first, inner.last, inner.few, inner.alias = "", "", false, w.newAlias("t")
	inner.joins, inner.outermost = nil, outermost(n.among)
	inner.aliases = w.aliases
	customers := inner.alias
	inner.text("(" + w.alias + ".customer_id IN (SELECT " + customers + ".customer_id FROM customers " + customers)
	found, _ := aggregatesOf(n.score)
	values := joinGroups(&inner, customers, found)
	score := inner.capture(func() {
		inner.values = values
		n.score.sql(&inner)
		inner.values = nil
	})
	inner.text(" WHERE ")
	inner.admit()
	if n.among != nil {
		inner.text(" AND ")
		n.among.sql(&inner)
	}
	inner.text(" AND " + score + " IS NOT NULL ORDER BY " + score + " DESC, " + customers + ".customer_id LIMIT " + strconv.FormatInt(n.n, 10) + "))")
	w.aliases, w.zones = inner.aliases, inner.zones
}

func (n *top) eval(e *env) value { return known(e.tops[n][e.facts.CustomerID]) }
