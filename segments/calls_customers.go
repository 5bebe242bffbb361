package segments

import "github.com/expr-lang/expr/ast"

// Functions that ask about customers as they are: what is known, lists, households and parts of all customers.

func (c *checker) isKnown(f call) node {
	if !c.arity(f, 1, 1) {
		return nil
	}
	of := c.node(f.args[0])
	if of == nil {
		return nil
	}
	if literal, ok := f.args[0].(*ast.StringNode); ok && c.catalog.field(literal.Value) != nil {
		return c.fail(literal, "%q in quotes is a text, which is always known: write the name without them", literal.Value)
	}
	if of.kind() == skus {
		return c.fail(f.args[0], "an order can have several products: ask about one, such as .product == \"X\"")
	}
	return &isKnown{of: of}
}

func (c *checker) inList(f call) node {
	if !c.arity(f, 1, 1) {
		return nil
	}
	name, ok := c.quoted(f, 0, "a list's name")
	if !ok {
		return nil
	}
	id, ok := c.catalog.lists[name]
	if c.asOf {
		return c.fail(f.at, "lists are known only as they are now: as_of asks orders, lines, responses, touches and events")
	}
	if !ok {
		return c.fail(f.args[0], "there is no list %q%s", shorten(name), didYouMean(name, c.catalog.Lists))
	}
	c.lists[id] = true
	return &onList{list: id}
}

// household asks an expression of every member.
func (c *checker) householdCall(f call) node {
	if !c.arity(f, 1, 1) {
		return nil
	}
	switch {
	case c.asOf:
		return c.fail(f.at, "the household is known only as it is now: as_of asks orders, lines, responses, touches and events")
	case c.inMember:
		return c.fail(f.at, "a household cannot be asked within a household")
	}
	if !c.look(f.at) {
		return nil
	}
	c.inMember = true
	n := c.node(f.args[0])
	c.inMember = false
	if n == nil {
		return nil
	}
	if n.kind() != boolean {
		return c.fail(f.args[0], "%s is %s, but household needs a condition, such as %s", c.name(f.args[0]), n.kind().phrase(), functionNamed("household").example)
	}
	return &anyMember{cond: n}
}

func (c *checker) top(f call) node {
	if !c.arity(f, 2, 3) {
		return nil
	}
	if c.asOf || c.inMember {
		return c.fail(f.at, "top compares all customers as they are now: it cannot stand within as_of or household")
	}
	if !c.look(f.at) {
		return nil
	}
	c.ranked = true
	n, ok := c.whole(f, 0, 1, 10_000_000)
	score := c.node(f.args[1])
	var among node
	if len(f.args) == 3 {
		if among = c.node(f.args[2]); among == nil {
			return nil
		}
	}
	switch {
	case !ok || score == nil:
		return nil
	case score.kind() != number && score.kind() != instant:
		return c.fail(f.args[1], "%s is %s, but top needs a number or a time to rank by", c.name(f.args[1]), score.kind().phrase())
	case among != nil && among.kind() != boolean:
		return c.fail(f.args[2], "%s is %s, but top needs a condition here", c.name(f.args[2]), among.kind().phrase())
	}
	return &top{n: n, score: score, among: among}
}

func (c *checker) bucket(f call) node {
	if !c.arity(f, 3, 3) {
		return nil
	}
	seed, ok := c.quoted(f, 0, "a seed")
	from, okFrom := c.whole(f, 1, 0, 100)
	to, okTo := c.whole(f, 2, 0, 100)
	if !ok || !okFrom || !okTo {
		return nil
	}
	if from >= to {
		return c.fail(f.args[2], "bucket goes from the lower number to the higher one: this is nobody")
	}
	return &bucket{seed: seed, from: from, to: to}
}

func (c *checker) nth(f call) node {
	if !c.arity(f, 1, 1) {
		return nil
	}
	n, ok := c.whole(f, 0, 1, 1_000_000_000)
	if !ok {
		return nil
	}
	return &nth{of: n}
}

// whole demands a literal whole number as argument i.
func (c *checker) whole(f call, i int, low, high int64) (int64, bool) {
	literal, ok := f.args[i].(*ast.IntegerNode)
	if !ok || int64(literal.Value) < low || int64(literal.Value) > high {
		c.fail(f.args[i], "%s needs a whole number from %d to %d here", f.name, low, high)
		return 0, false
	}
	return int64(literal.Value), true
}
