package segments

// junction is and, or: of any number of conditions, so that long chains stay flat.
type junction struct {
	or    bool
	parts []node
}

func (n *junction) kind() kind { return boolean }

func (n *junction) nullable() bool {
	for _, p := range n.parts {
		if c, ok := p.(condition); !ok || c.nullable() {
			return true
		}
	}
	return false
}

// sql lets null stand for false among the parts: and, or give true for exactly the same customers then.
func (n *junction) sql(w *writer) {
	w.text("(")
	for i, p := range n.merged(w) {
		switch {
		case i > 0 && n.or:
			w.text(" OR ")
		case i > 0:
			w.text(" AND ")
		}
		p.sql(w)
	}
	w.text(")")
}

// merged joins the parts over one collection into one, so that it is read once for all of them.
func (n *junction) merged(w *writer) []node {
	if w.few || w.values != nil {
		return n.parts
	}
	var out []node
	at := map[*collection]int{}
	for _, p := range n.parts {
		of := groupedBy(p)
		i, seen := at[of]
		switch {
		case of == nil:
			out = append(out, p)
		case !seen:
			at[of] = len(out)
			out = append(out, p)
		default:
			if g, ok := out[i].(*group); ok {
				out[i] = g.node
			}
			out[i] = &group{join(n.or, out[i], p)}
		}
	}
	return out
}

// group is a condition over the aggregates of one collection.
type group struct{ node }

func (n *group) sql(w *writer) { writeGrouped(w, n.node) }

func (n *junction) eval(e *env) value {
	for _, p := range n.parts {
		if truth(p.eval(e)) == n.or {
			return known(n.or)
		}
	}
	return known(!n.or)
}

func join(or bool, left, right node) node {
	n := &junction{or: or}
	for _, side := range []node{left, right} {
		if j, ok := side.(*junction); ok && j.or == or {
			n.parts = append(n.parts, j.parts...)
		} else {
			n.parts = append(n.parts, side)
		}
	}
	return n
}

// inverse is not: true for what is false and for what is not known.
type inverse struct{ of node }

func (n *inverse) kind() kind     { return boolean }
func (n *inverse) nullable() bool { return false }

func (n *inverse) sql(w *writer) {
	if c, ok := n.of.(*compare); ok {
		if one := c.quantified(w); one != nil {
			w.text("(NOT ")
			one.sql(w)
			w.text(")")
			return
		}
	}
	if groupedBy(n.of) != nil && writeGrouped(w, n) {
		return
	}
	if c, ok := n.of.(*compare); ok && c.unlike(w) {
		return
	}
	if c, ok := n.of.(condition); ok && !c.nullable() {
		w.text("(NOT ") // the planner makes an anti-join of NOT EXISTS, but not of IS NOT TRUE
		n.of.sql(w)
		w.text(")")
		return
	}
	w.text("(")
	n.of.sql(w)
	w.text(" IS NOT TRUE)")
}

func (n *inverse) eval(e *env) value { return known(!truth(n.of.eval(e))) }

// choice is condition ? yes : no.
type choice struct{ cond, yes, no node }

func (n *choice) kind() kind { return n.yes.kind() }

func (n *choice) sql(w *writer) {
	w.text("(CASE WHEN ")
	n.cond.sql(w)
	w.text(" THEN ")
	w.value(n.yes)
	w.text(" ELSE ")
	w.value(n.no)
	w.text(" END)")
}

func (n *choice) eval(e *env) value {
	if truth(n.cond.eval(e)) {
		return n.yes.eval(e)
	}
	return n.no.eval(e)
}

// fallback is ??: the left value where known, else the right one.
type fallback struct{ left, right node }

func (n *fallback) kind() kind { return n.left.kind() }

func (n *fallback) sql(w *writer) {
	w.text("COALESCE(")
	w.value(n.left)
	w.text(", ")
	w.value(n.right)
	w.text(")")
}

func (n *fallback) eval(e *env) value {
	if v := n.left.eval(e); v.known {
		return v
	}
	return n.right.eval(e)
}
