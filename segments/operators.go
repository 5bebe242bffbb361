package segments

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/expr-lang/expr/ast"
)

func (c *checker) identifier(n *ast.IdentifierNode) node {
	if f := c.catalog.field(n.Value); f != nil {
		if f.private && c.catalog.reader {
			return c.fail(n, "%s is private: your role may not use it", n.Value)
		}
		if c.asOf {
			return c.fail(n, "%s is known only as it is now: as_of asks orders, lines, responses and touches", n.Value)
		}
		c.outer++
		return &fieldNode{field: f}
	}
	if isFunction(n.Value) {
		return c.fail(n, "%s is a function: write it with parentheses, as in %s", n.Value, functionNamed(n.Value).example)
	}
	if c.items != nil && c.items.field(n.Value) != nil {
		return c.fail(n, "unknown name %q: did you mean %q? Facts of %s begin with a dot", n.Value, "."+n.Value, c.items.one)
	}
	if of := c.catalog.collection(n.Value); of != nil {
		return c.fail(n, "%s is a list of many: ask it with any, all, none, count and the like, such as %s", n.Value, of.example())
	}
	if strings.EqualFold(n.Value, "null") {
		return c.fail(n, "there is no null: ask is_known(x) or not is_known(x)")
	}
	if hint, ok := commonNames[n.Value]; ok {
		return c.fail(n, "unknown name %q: did you mean %q?", n.Value, hint)
	}
	return c.fail(n, "unknown name %q%s", n.Value, didYouMean(n.Value, c.catalog.fieldNames()))
}

// member is a fact of the item at hand, .amount, or of the first or last one: last(orders).amount.
func (c *checker) member(n *ast.MemberNode) node {
	property, ok := n.Property.(*ast.StringNode)
	if f, isCall := n.Node.(*ast.BuiltinNode); ok && isCall && (f.Name == "first" || f.Name == "last") {
		return c.edge(call{name: f.Name, args: f.Arguments, at: f}, property)
	}
	if _, pointer := n.Node.(*ast.PointerNode); !ok || !pointer || c.items == nil {
		if of, isName := n.Node.(*ast.IdentifierNode); isName && ok {
			if many := c.catalog.collection(of.Value); many != nil {
				return c.fail(n.Node, "%s is a list of many: write last(%s).%s or %s", of.Value, of.Value, property.Value, many.example())
			}
			if c.catalog.field(of.Value) != nil || c.catalog.field(property.Value) == nil {
				return c.fail(n.Node, "%q has no parts", of.Value)
			}
			return c.fail(n.Node, "%q is not needed: write the name alone, %s", of.Value, property.Value)
		}
		return c.fail(n, "this form is not supported")
	}
	return c.itemField(c.items, property)
}

func (c *checker) itemField(of *collection, property *ast.StringNode) node {
	f := of.field(property.Value)
	if f == nil {
		return c.fail(property, "%s has no fact %q%s", of.one, "."+property.Value, didYouMean("."+property.Value, of.fieldNames(c.catalog.reader)))
	}
	if f.private && c.catalog.reader {
		return c.fail(property, "%s is private: your role may not use it", f.name)
	}
	return &itemNode{field: f}
}

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
	left, right := c.node(n.Left), c.node(n.Right)
	if left == nil || right == nil {
		return nil
	}
	switch n.Operator {
	case "and", "&&", "or", "||":
		for _, side := range []struct {
			at ast.Node
			n  node
		}{{n.Left, left}, {n.Right, right}} {
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

func (c *checker) comparisonHint(n *ast.BinaryNode, left, right node) string {
	l, _ := left.(*constant)
	r, _ := right.(*constant)
	if l != nil && r == nil { // the hint is about the literal, wherever it stands
		left, right, r = right, left, l
	}
	switch {
	case left.kind() == instant && right.kind() == text && r != nil:
		if _, ok := readTime(r.v.s); ok {
			return fmt.Sprintf(": write date(%q)", shorten(r.v.s))
		}
		if _, ok := readSpan(r.v.s); ok {
			return fmt.Sprintf(": write ago(%q)", shorten(r.v.s))
		}
		return `: write a date as date("2026-01-31")`
	case left.kind() == instant && right.kind() == number && r != nil:
		return `: write a date as date("2026-01-31")`
	case left.kind() == boolean && r != nil && right.kind() == text:
		return fmt.Sprintf(": write %s or not %s alone", c.name(n.Left), c.name(n.Left))
	case left.kind() == instant && right.kind() == span:
		return `: write ago("90d") for the time 90 days ago`
	case left.kind() == number && right.kind() == text && r != nil:
		if _, ok := new(big.Rat).SetString(r.v.s); ok && len(r.v.s) < 20 {
			return ": write the number without quotes"
		}
	case left.kind() == text && right.kind() == number:
		return ": write the value in quotes"
	case left.kind() == texts && right.kind() == text:
		return fmt.Sprintf(": write %s contains %s", c.name(n.Left), c.name(n.Right))
	}
	return ""
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
	result := &oneOf{left: left}
	products := left != nil && left.kind() == skus
	if products {
		result.left = skuNode{}
	}
	for _, choice := range choices.Nodes {
		v := c.node(choice)
		switch {
		case v == nil || left == nil:
			left = nil
		case v.kind() != result.left.kind():
			c.fail(choice, "%s is %s and cannot be compared with %s", c.name(n.Left), result.left.kind().phrase(), v.kind().phrase())
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
