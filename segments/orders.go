package segments

import "math/big"

// quantifier is any, all or none over the customer's orders.
type quantifier struct {
	name string
	cond node // nil where every order counts
}

func (n *quantifier) kind() kind     { return boolean }
func (n *quantifier) nullable() bool { return false }

func (n *quantifier) sql(w *writer) {
	outer := w.order
	w.order = w.newAlias("o")
	if n.name == "any" {
		w.text("EXISTS (")
	} else {
		w.text("(NOT EXISTS (")
	}
	w.text("SELECT 1 FROM orders " + w.order + " WHERE " + w.order + ".customer_id = " + w.alias + ".customer_id AND ")
	w.within(w.order)
	if n.name == "all" {
		(&inverse{of: n.cond}).sql(w)
	} else {
		n.cond.sql(w)
	}
	if n.name == "any" {
		w.text(")")
	} else {
		w.text("))")
	}
	w.order = outer
}

func (n *quantifier) eval(e *env) value {
	for i := range e.facts.orders {
		met := truth(n.cond.eval(&env{facts: e.facts, order: &e.facts.orders[i]}))
		if n.name == "all" && !met {
			return known(false)
		}
		if n.name != "all" && met {
			return known(n.name == "any")
		}
	}
	return known(n.name != "any")
}

// aggregate is count or sum over the customer's orders that meet cond; without any it is 0.
type aggregate struct {
	cond      node // nil where every order counts
	sum       node // nil for count; orders without a known value do not count
	dependent bool // cond or sum ask facts of the customer too
}

func (n *aggregate) kind() kind { return number }

// sql asks per customer; a comparison with a literal is done for all customers at once instead, see overOrders.
func (n *aggregate) sql(w *writer) {
	outer := w.order
	w.order = w.newAlias("o")
	from := " FROM orders " + w.order + " WHERE " + w.order + ".customer_id = " + w.alias + ".customer_id"
	if n.sum == nil {
		w.text("(SELECT count(*)::numeric" + from)
	} else {
		// Summed in a query around it: a sum of nothing but facts of the customer would count as the outer query's.
		w.text("(SELECT COALESCE(sum(x), 0) FROM (SELECT ")
		n.sum.sql(w)
		w.text(" AS x" + from)
	}
	n.filter(w, " AND ")
	if n.sum != nil {
		w.text(") x")
	}
	w.text(")")
	w.order = outer
}

func (n *aggregate) function(w *writer) {
	if n.sum == nil {
		w.text("count(*)::numeric")
		return
	}
	w.text("COALESCE(sum(")
	n.sum.sql(w)
	w.text("), 0)")
}

func (n *aggregate) filter(w *writer, and string) {
	if n.cond != nil {
		w.text(and)
		n.cond.sql(w)
	}
}

func (n *aggregate) eval(e *env) value {
	total := new(big.Rat)
	one := big.NewRat(1, 1)
	for i := range e.facts.orders {
		inner := &env{facts: e.facts, order: &e.facts.orders[i]}
		if n.cond != nil && !truth(n.cond.eval(inner)) {
			continue
		}
		add := value{known: true, n: one}
		if n.sum != nil {
			add = n.sum.eval(inner)
		}
		if add.known {
			total.Add(total, add.n)
		}
	}
	return knownNumber(total)
}

// groupTest compares an aggregate with a literal for all customers at once: one pass over orders gives those who meet
// it, which PostgreSQL joins by hash, where the plain form would look up every customer's orders one by one.
type groupTest struct {
	of   *aggregate
	op   string
	with *constant
}

// overOrders gives the comparison as a groupTest where it is one.
func (n *compare) overOrders() (*groupTest, bool) {
	a, ok := n.left.(*aggregate)
	if !ok || a.dependent {
		return nil, false
	}
	c, ok := n.right.(*constant)
	return &groupTest{of: a, op: n.op, with: c}, ok
}

var mirrored = map[string]string{"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

func (n *groupTest) sql(w *writer) {
	// Customers without orders have no group. Where 0 meets the test, ask for the groups that fail it.
	zero := holds(new(big.Rat).Cmp(n.with.v.n), n.op)
	outer := w.order
	w.order = w.newAlias("o")
	groups := w.newAlias("g")
	if zero {
		w.text("(NOT ")
	}
	w.text("EXISTS (SELECT 1 FROM (SELECT " + w.order + ".customer_id FROM orders " + w.order + " WHERE ")
	w.within(w.order)
	if n.of.cond == nil {
		w.text("TRUE")
	}
	n.of.filter(w, "")
	w.text(" GROUP BY " + w.order + ".customer_id HAVING ")
	if zero {
		w.text("NOT ")
	}
	w.text("(")
	n.of.function(w)
	w.text(" " + sqlOperators[n.op] + " ")
	n.with.sql(w)
	w.text(")) " + groups + " WHERE " + groups + ".customer_id = " + w.alias + ".customer_id)")
	if zero {
		w.text(")")
	}
	w.order = outer
}
