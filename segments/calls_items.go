package segments

import (
	"math/big"

	"github.com/expr-lang/expr/ast"
)

// Functions over a customer's items: any, all, none, one, count, sum and the like.

// itemsOf reads the first argument of a function over items: a collection, a filter over one, or with mapped also a map over
// them, whose value is given as x.
func (c *checker) itemsOf(f call, mapped bool) (o *over, x node, ok bool) {
	switch arg := f.args[0].(type) {
	case *ast.IdentifierNode:
		if of := c.catalog.collection(arg.Value); of != nil {
			return c.everything(f, of)
		}
		if f := c.catalog.field(arg.Value); f != nil && f.kind == texts {
			c.fail(arg, `%s is a list of text: ask for one item after the other, as in %s contains "a"`, arg.Value, arg.Value)
			return nil, nil, false
		}
		var names []string
		for _, of := range behaviours {
			names = append(names, of.name)
		}
		c.fail(arg, "%s works on orders, lines, responses, touches, events or household, as in %s%s", f.name, functionNamed(f.name).example,
			didYouMean(arg.Value, append(names, "household")))
		return nil, nil, false
	case *ast.BuiltinNode:
		switch {
		case arg.Name == "filter" && len(arg.Arguments) == 2:
			o, _, ok = c.itemsOf(call{name: "filter", args: arg.Arguments, at: arg}, false)
			if !ok {
				c.overItem(nil, arg.Arguments[1], boolean)
				return nil, nil, false
			}
			cond, ok := c.overItem(o, arg.Arguments[1], boolean)
			if !ok {
				return nil, nil, false
			}
			o.meet(cond)
			return o, nil, true
		case arg.Name == "map" && len(arg.Arguments) == 2 && mapped:
			o, _, ok = c.itemsOf(call{name: "map", args: arg.Arguments, at: arg}, false)
			if !ok {
				return nil, nil, false
			}
			x, ok = c.overItem(o, arg.Arguments[1], nothing)
			return o, x, ok
		}
	}
	c.fail(f.args[0], "%s works on orders, lines, responses, touches, events or household: write %s", f.name, functionNamed(f.name).example)
	return nil, nil, false
}

// everything gives all items of a collection, where it may be asked.
func (c *checker) everything(f call, of *collection) (*over, node, bool) {
	if of.shared == "household_id" {
		switch {
		case c.asOf:
			c.fail(f.args[0], "the household is known only as it is now: as_of asks orders, lines, responses, touches and events")
			return nil, nil, false
		case c.inMember:
			c.fail(f.args[0], "a household cannot be asked within a household")
			return nil, nil, false
		}
	}
	if !c.look(f.at) {
		return nil, nil, false
	}
	return &over{of: of, until: c.until}, nil, true
}

// look counts a look at behaviour.
func (c *checker) look(at ast.Node) bool {
	if *c.scans++; *c.scans <= maxScans {
		return true
	}
	if *c.scans == maxScans+1 {
		c.fail(at, "the expression asks too much: at most %d looks at orders, lines, responses, touches, events or the household", maxScans)
	}
	return false
}

// meet adds a condition.
func (o *over) meet(cond node) {
	if o.cond != nil {
		cond = join(false, o.cond, cond)
	}
	o.cond = cond
}

// overItem checks an expression over the facts of an item; want is nothing for any single value.
func (c *checker) overItem(o *over, n ast.Node, want kind) (node, bool) {
	if o == nil {
		return nil, false // what it is over is wrong already
	}
	if p, isPredicate := n.(*ast.PredicateNode); isPredicate {
		n = p.Node
	}
	c.items = o.of
	before := c.outer
	checked := c.node(n)
	c.items = nil
	if checked == nil {
		return nil, false
	}
	o.dependent = o.dependent || c.outer > before
	switch k := checked.kind(); {
	case want == nothing && (k == texts || k == skus || k == span):
		c.fail(n, "%s is %s, which cannot be used here", c.name(n), k.phrase())
		return nil, false
	case want != nothing && k != want:
		c.fail(n, "%s is %s, but %s is needed here", c.name(n), k.phrase(), map[kind]string{boolean: "a condition", number: "a number"}[want])
		return nil, false
	}
	return checked, true
}

func (c *checker) quantify(f call) node {
	if !c.arity(f, 2, 2) {
		return nil
	}
	o, _, ok := c.itemsOf(f, false)
	cond, okCond := c.overItem(o, f.args[1], boolean)
	if !ok || !okCond {
		return nil
	}
	if f.name == "all" { // every item of the filter meets it: every item is not of the filter or meets it
		if o.cond != nil {
			cond = join(true, &inverse{of: o.cond}, cond)
		}
		o.cond = cond
		return &quantifier{name: "all", over: o}
	}
	o.meet(cond)
	if f.name == "one" {
		return &compare{op: "==", left: &aggregate{fn: "count", over: o}, right: &constant{k: number, v: knownNumber(big.NewRat(1, 1))}}
	}
	return &quantifier{name: f.name, over: o}
}

func (c *checker) aggregate(f call) node {
	high := 2
	if f.name != "count" && f.name != "sum" {
		high = 1
	}
	if !c.arity(f, 1, high) {
		return nil
	}
	o, x, ok := c.itemsOf(f, f.name != "count" && len(f.args) == 1)
	if !ok {
		if len(f.args) == 2 {
			c.overItem(nil, f.args[1], boolean)
		}
		return nil
	}
	switch {
	case f.name == "count" && len(f.args) == 2:
		cond, ok := c.overItem(o, f.args[1], boolean)
		if !ok {
			return nil
		}
		o.meet(cond)
	case f.name == "sum" && len(f.args) == 2:
		if x, ok = c.overItem(o, f.args[1], nothing); !ok {
			return nil
		}
	}
	if f.name == "count" {
		return (&aggregate{fn: "count", over: o}).keep()
	}
	if x == nil {
		example := functionNamed(f.name).example
		return c.fail(f.args[0], "%s needs to know which fact: write %s", f.name, example)
	}
	switch k := x.kind(); {
	case (f.name == "sum" || f.name == "mean") && k != number:
		return c.fail(f.args[len(f.args)-1], "%s needs a number, not %s", f.name, k)
	case (f.name == "min" || f.name == "max") && k != number && k != instant:
		return c.fail(f.args[0], "%s needs a number or a time, not %s", f.name, k)
	}
	return (&aggregate{fn: f.name, over: o, of: x}).keep()
}

// edge is first(orders).amount and last(orders).amount; of a property there is a call.
func (c *checker) edge(f call, property *ast.StringNode, asked *ast.CallNode) node {
	if c.items != nil {
		return c.fail(f.at, "%s cannot be used on the facts of an item: move it out of the condition", f.name)
	}
	if !c.arity(f, 1, 1) {
		return nil
	}
	o, _, ok := c.itemsOf(f, false)
	if !ok {
		return nil
	}
	x := c.itemField(o.of, property, asked)
	if x == nil {
		return nil
	}
	if x.kind() == skus || x.kind() == texts {
		return c.fail(property, "%s is %s, which cannot be used here", "."+property.Value, x.kind().phrase())
	}
	fn := f.name
	if property.Value == "at" && !o.of.atNull && o.of.at.sql != "" { // the same, and cheaper to group
		fn = map[string]string{"first": "min", "last": "max"}[fn]
	}
	return (&aggregate{fn: fn, over: o, of: x}).keep()
}

func (c *checker) filterAlone(f call) node {
	return c.fail(f.at, "%s gives a list, not a condition: use it within any, all, none, count, sum and the like, such as %s", f.name, functionNamed(f.name).example)
}
