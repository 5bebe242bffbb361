package segments

import (
	"math/big"

	"github.com/expr-lang/expr/ast"
)

// orders reads the first argument of a function over orders: orders themselves or a filter over them. The condition
// is nil where every order counts.
func (c *checker) orders(f call) (cond node, dependent, ok bool) {
	switch arg := f.args[0].(type) {
	case *ast.IdentifierNode:
		if arg.Value == "orders" {
			return nil, false, true
		}
	case *ast.BuiltinNode:
		if arg.Name == "filter" && len(arg.Arguments) == 2 {
			cond, dependent, ok = c.orders(call{name: "filter", args: arg.Arguments, at: arg})
			if !ok {
				return nil, false, false
			}
			more, moreDependent, ok := c.overOrder(arg.Arguments[1], boolean)
			if !ok {
				return nil, false, false
			}
			if cond != nil {
				more = join(false, cond, more)
			}
			return more, dependent || moreDependent, true
		}
	}
	c.fail(f.args[0], "%s works on orders: write %s", f.name, functionNamed(f.name).example)
	return nil, false, false
}

// overOrder checks an expression over the facts of an order and tells whether it asks facts of the customer too.
func (c *checker) overOrder(n ast.Node, want kind) (checked node, dependent, ok bool) {
	if p, isPredicate := n.(*ast.PredicateNode); isPredicate {
		n = p.Node
	}
	c.inOrders = true
	before := c.outer
	checked = c.node(n)
	c.inOrders = false
	if checked == nil {
		return nil, false, false
	}
	if checked.kind() != want {
		c.fail(n, "%s is %s, but %s is needed here", c.name(n), checked.kind().phrase(), map[kind]string{boolean: "a condition", number: "a number"}[want])
		return nil, false, false
	}
	return checked, c.outer > before, true
}

func (c *checker) quantify(f call) node {
	if !c.arity(f, 2, 2) {
		return nil
	}
	within, dependent, ok := c.orders(f)
	cond, condDependent, okCond := c.overOrder(f.args[1], boolean)
	if !ok || !okCond {
		return nil
	}
	if f.name == "all" { // every order of the filter meets it: every order is not of the filter or meets it
		if within != nil {
			cond = join(true, &inverse{of: within}, cond)
		}
		return &quantifier{name: "all", cond: cond}
	}
	if within != nil {
		cond = join(false, within, cond)
	}
	if f.name == "one" {
		return &compare{op: "==", left: &aggregate{cond: cond, dependent: dependent || condDependent},
			right: &constant{k: number, v: knownNumber(big.NewRat(1, 1))}}
	}
	return &quantifier{name: f.name, cond: cond}
}

func (c *checker) aggregate(f call) node {
	low := 1
	if f.name == "sum" {
		low = 2
	}
	if !c.arity(f, low, 2) {
		return nil
	}
	within, dependent, ok := c.orders(f)
	a := &aggregate{cond: within, dependent: dependent}
	if len(f.args) == 2 {
		want := boolean
		if f.name == "sum" {
			want = number
		}
		over, overDependent, okOver := c.overOrder(f.args[1], want)
		ok = ok && okOver
		a.dependent = a.dependent || overDependent
		switch {
		case !ok:
		case f.name == "sum":
			a.sum = over
		case within != nil:
			a.cond = join(false, within, over)
		default:
			a.cond = over
		}
	}
	if !ok {
		return nil
	}
	return a
}

func (c *checker) filterAlone(f call) node {
	return c.fail(f.at, "filter gives orders, not a condition: use it within any, all, none, one, count or sum")
}
