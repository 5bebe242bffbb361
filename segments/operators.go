package segments

import "github.com/expr-lang/expr/ast"

func (c *checker) unary(n *ast.UnaryNode) node {
	of := c.node(n.Node)
	if of == nil {
		return nil
	}
	if n.Operator == "not" || n.Operator == "!" {
		if of.kind() != boolean {
			return c.fail(n, "%s needs a condition, and %s is %s: put what it applies to in parentheses, as in not (%s)",
				n.Operator, c.name(n.Node), of.kind().phrase(), exampleFor(c.name(n.Node), of.kind()))
		}
		return &inverse{of: of}
	}
	switch k, literal := of.(*constant); {
	case of.kind() != number && !(literal && of.kind() == span):
		return c.fail(n, "%s is %s and has no sign", c.name(n.Node), of.kind().phrase())
	case n.Operator == "+":
		return of
	case of.kind() == span:
		return &constant{k: span, v: minus(k.v)}
	case literal:
		return &constant{k: number, v: (&negated{of: of}).eval(nil)}
	}
	return &negated{of: of}
}

func (c *checker) binary(n *ast.BinaryNode) node {
	switch n.Operator {
	case "in":
		return c.in(n)
	case "matches":
		return c.matches(n)
	case "..":
		return c.fail(n, "ranges are not supported: write x >= 1 and x <= 5")
	case "**", "^":
		return c.fail(n, "powers are not supported")
	}
	left := c.node(n.Left)
	if _, list := n.Right.(*ast.ArrayNode); list && left != nil && left.kind() == texts {
		return c.fail(n.Right, "ask for one item after the other: %s", c.itemsExample(n.Left))
	}
	right := c.operand(left, n.Right)
	if left == nil || right == nil {
		return nil
	}
	switch n.Operator {
	case "and", "&&", "or", "||":
		for _, side := range []struct {
			at ast.Node
			n  node
		}{{n.Left, left}, {n.Right, right}} {
			if literal, ok := side.n.(*constant); ok && literal.k != boolean {
				return c.fail(side.at, `%s is %s, but %s joins conditions: repeat the comparison, as in country == "DE" or country == "AT", or write country in ["DE", "AT"]`,
					c.name(side.at), side.n.kind().phrase(), n.Operator)
			}
			if side.n.kind() != boolean {
				return c.fail(side.at, "%s is %s, but %s joins conditions, such as %s", c.name(side.at), side.n.kind().phrase(), n.Operator,
					exampleFor(c.name(side.at), side.n.kind()))
			}
		}
		return join(n.Operator == "or" || n.Operator == "||", left, right)
	case "==", "!=", "<", "<=", ">", ">=":
		return c.compare(n, left, right)
	case "contains", "startsWith", "endsWith":
		return c.textTest(n, left, right)
	case "??":
		if !c.alike(n.Left, left, n.Right, right, "both sides of ?? must be of one type") {
			return nil
		}
		return &fallback{left: left, right: right}
	case "+", "-", "*", "/", "%":
		return c.arithmetic(n, left, right)
	}
	return c.fail(n, "the operator %s is not supported", n.Operator)
}

func (c *checker) compare(n *ast.BinaryNode, left, right node) node {
	if right.kind() == skus && left.kind() != skus {
		n.Left, n.Right, n.Operator = n.Right, n.Left, mirrored[n.Operator]
		left, right = right, left
	}
	if left.kind() == skus {
		if n.Operator == "!=" {
			return c.fail(n, `an order can have several products: write not (.product == "X")`)
		}
		if right.kind() != text || n.Operator != "==" {
			return c.fail(n, `.product can be asked with ==, in, contains, startsWith, endsWith and matches`)
		}
		return &anyLine{cond: &compare{op: "==", left: skuNode{}, right: right}}
	}
	if left.kind() != right.kind() {
		return c.fail(n.Left, "%s is %s and cannot be compared with %s%s", c.name(n.Left), left.kind().phrase(), right.kind().phrase(),
			c.comparisonHint(n, left, right))
	}
	if (n.Operator == "==" || n.Operator == "!=") && !(c.possible(left, n.Right, right) && c.possible(right, n.Left, left)) {
		return nil
	}
	if of, literal := left.(*constant); literal && left.kind() == text {
		if _, both := right.(*constant); both && c.catalog.field(of.v.s) != nil {
			return c.fail(n.Left, "%q in quotes is a text: write the name without them", of.v.s)
		}
	}
	switch left.kind() {
	case texts:
		return c.fail(n, `%s is a list: write %s contains "..."`, c.name(n.Left), c.name(n.Left))
	case boolean:
		if n.Operator != "==" && n.Operator != "!=" {
			return c.fail(n, "%s is yes/no, which has no order: use == or !=", c.name(n.Left))
		}
	}
	op := n.Operator
	if _, literal := left.(*constant); literal { // literals stand on the right: fewer forms to know
		left, right, op = right, left, mirrored[op]
	}
	if monthly(left) {
		left, right, op = right, left, mirrored[op]
	}
	if monthly(right) {
		// A month has no length of its own: the time between is more than a month where the later one is after the other plus a month.
		between, ok := left.(*distance)
		if literal, isLiteral := left.(*constant); isLiteral && literal.between != nil {
			between, ok = literal.between, true
		}
		if !ok {
			return c.fail(n, "a duration in months or years has no fixed length here: write it in days")
		}
		later := c.moved(n, between.right, right.(*constant).v)
		if later == nil {
			return nil
		}
		return &compare{op: op, left: between.left, right: later}
	}
	return &compare{op: op, left: left, right: right}
}

func monthly(n node) bool {
	literal, ok := n.(*constant)
	return ok && literal.v.months != 0
}

func (c *checker) textTest(n *ast.BinaryNode, left, right node) node {
	if right.kind() != text {
		return c.fail(n.Right, "%s is %s, but %s needs text", c.name(n.Right), right.kind().phrase(), n.Operator)
	}
	switch {
	case left.kind() == texts && n.Operator == "contains":
		return &member{item: right, list: left}
	case left.kind() == skus:
		return &anyLine{cond: &textTest{op: n.Operator, left: skuNode{}, right: right}}
	case left.kind() != text:
		return c.fail(n.Left, "%s is %s, and %s asks about text", c.name(n.Left), left.kind().phrase(), n.Operator)
	}
	return &textTest{op: n.Operator, left: left, right: right}
}

func (c *checker) matches(n *ast.BinaryNode) node {
	left := c.node(n.Left)
	literal, ok := n.Right.(*ast.StringNode)
	if !ok {
		return c.fail(n.Right, "matches needs a pattern in quotes")
	}
	re, pattern, err := translatePattern(literal.Value)
	if err != nil {
		return c.fail(literal, "%v", err)
	}
	if left == nil {
		return nil
	}
	switch left.kind() {
	case text:
		return &match{left: left, re: re, pattern: pattern}
	case skus:
		return &anyLine{cond: &match{left: skuNode{}, re: re, pattern: pattern}}
	}
	return c.fail(n.Left, "%s is %s, and matches asks about text", c.name(n.Left), left.kind().phrase())
}

func (c *checker) in(n *ast.BinaryNode) node {
	left := c.node(n.Left)
	choices, ok := n.Right.(*ast.ArrayNode)
	if !ok {
		right := c.node(n.Right)
		if left == nil || right == nil {
			return nil
		}
		switch {
		case right.kind() == texts && left.kind() == text:
			return &member{item: left, list: right}
		case right.kind() == skus && left.kind() == text:
			return &anyLine{cond: &compare{op: "==", left: skuNode{}, right: left}}
		}
		return c.fail(n.Right, `in needs a list in brackets, such as country in ["DE", "AT"]`)
	}
	if len(choices.Nodes) == 0 {
		return c.fail(choices, "the list is empty")
	}
	if len(choices.Nodes) > maxNodes-50 {
		return c.fail(choices, "%d values are too many for an expression: import them as a list and ask in_list(name)", len(choices.Nodes))
	}
	result := &oneOf{left: left}
	products := left != nil && left.kind() == skus
	if products {
		result.left = skuNode{}
	}
	if left != nil && left.kind() == texts {
		return c.fail(n.Left, "%s is a list itself: write %s", c.name(n.Left), c.itemsExample(n.Left))
	}
	for _, choice := range choices.Nodes {
		v := c.operand(left, choice)
		switch {
		case v == nil || left == nil:
			left = nil
		case v.kind() != result.left.kind():
			c.fail(choice, "%s is %s and cannot be compared with %s", c.name(n.Left), result.left.kind().phrase(), v.kind().phrase())
			left = nil
		case !c.possible(result.left, choice, v):
			left = nil
		default:
			if literal, ok := v.(*constant); ok {
				result.literals = append(result.literals, literal.v)
			} else {
				result.others = append(result.others, v)
			}
		}
	}
	if left == nil {
		return nil
	}
	if products {
		return &anyLine{cond: result}
	}
	switch left.kind() {
	case text, number, instant:
		return result
	}
	return c.fail(n.Left, "%s is %s, which cannot be looked up with in", c.name(n.Left), left.kind().phrase())
}
