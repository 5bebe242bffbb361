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

// env is where a node is evaluated: a customer, within a predicate over orders one order, and there one product.
type env struct {
	facts *Facts
	order *order
	sku   string
}

// constant is a literal, or what could be computed when the expression was compiled.
type constant struct {
	k kind
	v value
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

func (n *fieldNode) kind() kind        { return n.field.kind }
func (n *fieldNode) sql(w *writer)     { w.text(n.field.expression(w.alias, true)) }
func (n *fieldNode) eval(e *env) value { return e.facts.fields[n.field.name] }

// orderNode is a fact of the order at hand.
type orderNode struct{ field *orderField }

func (n *orderNode) kind() kind        { return n.field.kind }
func (n *orderNode) sql(w *writer)     { w.text(n.field.expression(w.order, true)) }
func (n *orderNode) eval(e *env) value { return n.field.get(e.order) }

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
	w.text("EXISTS (SELECT 1 FROM order_lines " + w.line + " WHERE " + w.line + ".customer_id = " + w.order + ".customer_id AND " +
		w.line + ".order_ref = " + w.order + ".order_ref AND ")
	w.within(w.line)
	n.cond.sql(w)
	w.text(")")
	w.line = outer
}

func (n *anyLine) eval(e *env) value {
	for _, sku := range e.order.skus {
		if truth(n.cond.eval(&env{facts: e.facts, order: e.order, sku: sku})) {
			return known(true)
		}
	}
	return known(false)
}
