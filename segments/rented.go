package segments

import "slices"

// admit writes the rule of rented names: customers of the house, and rented names of a list that the expression names.
func (w *writer) admit() {
	w.text("(NOT " + w.alias + ".rented")
	if len(w.lists) > 0 {
		m := w.newAlias("m")
		w.text(" OR EXISTS (SELECT 1 FROM list_members " + m + " WHERE " + m + ".customer_id = " + w.alias + ".customer_id AND ")
		w.within(m)
		w.text(m + ".list_id = ANY(" + w.arg(w.lists, "bigint[]") + "))")
	}
	w.text(")")
}

// admits is admit in memory.
func (c *Compiled) admits(f *Facts) bool {
	return c.chosen || !f.rented || slices.ContainsFunc(c.lists, func(list int64) bool { return slices.Contains(f.lists, list) })
}

// onTheirList tells whether an expression takes nobody but members of the one list that it names: the rule holds then by itself.
func (c *Compiled) onTheirList() bool {
	if len(c.lists) != 1 {
		return false
	}
	outermost := []node{c.root}
	if all, ok := c.root.(*junction); ok && !all.or {
		outermost = all.parts
	}
	return slices.ContainsFunc(outermost, func(n node) bool {
		_, ok := n.(*onList)
		return ok
	})
}
