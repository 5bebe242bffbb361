package segments

// node is one part of a checked expression.
type node interface {
	kind() kind
	// sql writes the node's value; of a condition it may write null for false.
	sql(w *writer)
	// eval gives the node's value for one customer.
	eval(e *env) value
}

// condition is a node that is true or false for every customer, never unknown.
type condition interface {
	node
	// nullable tells whether the SQL may be null instead of false.
	nullable() bool
}

// env is where a node is evaluated: a customer, within a predicate over items one item, and there one product.
type env struct {
	facts *Facts
	item  *item
	sku   string
	tops  map[*top]map[int64]bool // who is in
}

// constant is a literal, or what could be computed when the expression was compiled.
type constant struct {
	k       kind
	v       value
	between *distance // of a duration that is the time between two constants
}

func (n *constant) kind() kind      { return n.k }
func (n *constant) eval(*env) value { return n.v }
func (n *constant) sql(w *writer) {
	if n.k == boolean {
		if n.v.b {
			w.text("TRUE")
		} else {
			w.text("FALSE")
		}
		return
	}
	w.constant(n.k, n.v)
}

// fieldNode is a fact of the customer.
type fieldNode struct{ field *field }

func (n *fieldNode) kind() kind    { return n.field.kind }
func (n *fieldNode) sql(w *writer) { w.text(n.field.sql(w, w.alias, true)) }
func (n *fieldNode) eval(e *env) value {
	if n.field.score != nil {
		return n.field.score.of(e.facts.fields)
	}
	return e.facts.fields[n.field.name]
}

// skuNode is the product of the order line at hand.
type skuNode struct{}

func (skuNode) kind() kind        { return text }
func (skuNode) sql(w *writer)     { w.text(w.line + ".sku") }
func (skuNode) eval(e *env) value { return knownText(e.sku) }

// anyLine holds where cond holds for the product of any line of the order at hand.
type anyLine struct{ cond node }

func (n *anyLine) kind() kind     { return boolean }
func (n *anyLine) nullable() bool { return false }
func (n *anyLine) sql(w *writer) {
	outer := w.line
	w.line = w.newAlias("l")
	w.text("EXISTS (SELECT 1 FROM order_lines " + w.line + " WHERE " + w.line + ".customer_id = " + w.item + ".customer_id AND " +
		w.line + ".order_ref = " + w.item + ".order_ref AND ")
	w.within(w.line)
	n.cond.sql(w)
	w.text(")")
	w.line = outer
}

func (n *anyLine) eval(e *env) value {
	for _, sku := range e.item.skus {
		if truth(n.cond.eval(&env{facts: e.facts, item: e.item, sku: sku})) {
			return known(true)
		}
	}
	return known(false)
}
