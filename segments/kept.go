package segments

// Some of what an expression counts over orders is kept with each customer, up to date with every order: then nothing is counted.
// And a condition that one item decides asks whether there is such an item, in place of counting or comparing them all.

// keep marks an aggregate over all orders whose value is kept.
func (n *aggregate) keep() *aggregate {
	if n.over.of != ordersOf || n.over.cond != nil || n.over.until != never {
		return n
	}
	fact := ""
	if f, ok := n.of.(*itemNode); ok {
		fact = f.field.name
	}
	switch {
	case n.fn == "count":
		n.kept = kept("orders_count")
	case n.fn == "sum" && fact == "amount":
		n.kept = kept("total_spent")
	case n.fn == "mean" && fact == "amount":
		n.kept = &arithmetic{op: "/", left: kept("total_spent"), right: kept("orders_count")}
	case n.fn == "min" && fact == "at":
		n.kept = kept("first_order_at")
	case n.fn == "max" && fact == "at":
		n.kept = kept("last_order_at")
	}
	return n
}

func kept(name string) node { return &fieldNode{field: (*Catalog)(nil).field(name)} }

// plain is what stands for a node in SQL: a kept fact for an aggregate that was not computed beside others.
func (w *writer) plain(n node) node {
	if a, ok := n.(*aggregate); ok && a.kept != nil && w.values[a] == "" {
		return a.kept
	}
	return n
}

// quantified gives a comparison that one item decides as any or none; nil where more are needed.
func (n *compare) quantified(w *writer) *quantifier {
	a, aggregated := n.left.(*aggregate)
	c, literal := n.right.(*constant)
	if w.values != nil || !aggregated || !literal || a.kept != nil {
		return nil
	}
	switch {
	case a.fn == "count" && c.v.n.IsInt() && c.v.n.Num().IsInt64():
		switch number := c.v.n.Num().Int64(); {
		case number == 0 && (n.op == ">" || n.op == "!="), number == 1 && n.op == ">=":
			return &quantifier{name: "any", over: a.over}
		case number == 0 && (n.op == "==" || n.op == "<="), number == 1 && n.op == "<":
			return &quantifier{name: "none", over: a.over}
		}
	case a.fn == "max" && (n.op == ">" || n.op == ">="), a.fn == "min" && (n.op == "<" || n.op == "<="):
		items := *a.over
		items.meet(&compare{op: n.op, left: a.of, right: c})
		return &quantifier{name: "any", over: &items}
	}
	return nil
}
