package segments

import (
	"strings"

	"github.com/expr-lang/expr/ast"
)

func (c *checker) identifier(n *ast.IdentifierNode) node {
	if f := c.catalog.field(n.Value); f != nil {
		if f.private && c.catalog.reader {
			return c.fail(n, "%s is private: your role may not use it", n.Value)
		}
		if c.asOf {
			return c.fail(n, "%s is known only as it is now: as_of asks orders, lines, responses, touches and events", n.Value)
		}
		if f.score != nil && f.score.limits == nil {
			return c.fail(n, noLimits)
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
	if private, ok := c.catalog.coming[n.Value]; ok && !(private && c.catalog.reader) {
		return c.fail(n, "the attribute %s is being added: it can be asked when it is there", n.Value)
	}
	if hint, ok := commonNames[n.Value]; ok && strings.Contains(hint, "(") {
		return c.fail(n, "unknown name %q: write %s", n.Value, hint)
	} else if ok {
		return c.fail(n, "unknown name %q: did you mean %q?", n.Value, hint)
	}
	if strings.HasPrefix(n.Value, "$") && isDigits(n.Value[1:]) {
		return c.fail(n, "%q is no number: write it without a sign of a currency, such as 12.50", n.Value)
	}
	return c.fail(n, "unknown name %q%s%s", shorten(n.Value), didYouMean(n.Value, c.catalog.fieldNames()), foreign(n.Value))
}

// member is a fact of the item at hand, .amount, or of the first or last one: last(orders).amount.
func (c *checker) member(n *ast.MemberNode) node {
	property, ok := n.Property.(*ast.StringNode)
	if f, isCall := n.Node.(*ast.BuiltinNode); ok && isCall && (f.Name == "first" || f.Name == "last") {
		return c.edge(call{name: f.Name, args: f.Arguments, at: f}, property, nil)
	}
	if pointer, isPointer := n.Node.(*ast.PointerNode); !ok || !isPointer || pointer.Name != "" || c.items == nil {
		if of, isName := n.Node.(*ast.IdentifierNode); isName && ok {
			if many := c.catalog.collection(of.Value); many != nil {
				return c.fail(n.Node, "%s is a list of many: write last(%s).%s or %s", of.Value, of.Value, property.Value, many.example())
			}
			return c.failParts(n, of.Value, property.Value)
		}
		return c.failForm(n)
	}
	return c.itemField(c.items, property, nil)
}

// asked is a property of the event at hand, .text("page"), or of the first or last one: last(events).text("page").
func (c *checker) asked(n *ast.CallNode) node {
	if callee, ok := n.Callee.(*ast.MemberNode); ok {
		if property, ok := callee.Property.(*ast.StringNode); ok {
			if f, isCall := callee.Node.(*ast.BuiltinNode); isCall && (f.Name == "first" || f.Name == "last") {
				return c.edge(call{name: f.Name, args: f.Arguments, at: f}, property, n)
			}
			if _, pointer := callee.Node.(*ast.PointerNode); pointer && c.items != nil {
				return c.itemField(c.items, property, n)
			}
		}
	}
	return c.fail(n, "a function cannot be called on a value: write it by itself, such as bought(\"SKU\")")
}

// itemField is a fact of an item; asked is nil where no parentheses follow it.
func (c *checker) itemField(of *collection, property *ast.StringNode, asked *ast.CallNode) node {
	f := of.field(property.Value)
	if f == nil && of == eventsOf && didYouMean("."+property.Value, of.fieldNames(c.catalog.reader)) == "" {
		return c.fail(property, "an event has no fact %q: a property is asked as .text(%q), .number(%q) or .flag(%q)", "."+property.Value, property.Value, property.Value, property.Value)
	}
	if f == nil {
		return c.fail(property, "%s has no fact %q%s", of.one, "."+property.Value, didYouMean("."+property.Value, of.fieldNames(c.catalog.reader)))
	}
	if f.private && c.catalog.reader {
		return c.fail(property, "%s is private: your role may not use it", f.name)
	}
	switch {
	case f.score != nil && f.score.limits == nil:
		return c.fail(property, noLimits)
	case f.keyed && asked == nil:
		return c.fail(property, ".%s is asked with the name of a property: write %s", f.name, f.example)
	case f.keyed:
		return c.property(f, asked)
	case asked != nil:
		return c.fail(asked, "%s is a fact, not a function: write it without parentheses", "."+f.name)
	}
	return &itemNode{field: f}
}

// operand checks what stands on the right of an operator; a name that is not known may be a text without its quotes there.
func (c *checker) operand(left node, n ast.Node) node {
	name, ok := n.(*ast.IdentifierNode)
	if !ok || left == nil || left.kind() != text && left.kind() != texts && left.kind() != skus || !c.unknown(name.Value) {
		return c.node(n)
	}
	if hint := didYouMean(name.Value, c.catalog.fieldNames()); hint != "" {
		return c.fail(n, "unknown name %q%s Or is it a text, %q?", shorten(name.Value), hint, shorten(name.Value))
	}
	return c.fail(n, "unknown name %q: write text in quotes, as %q", shorten(name.Value), shorten(name.Value))
}

// unknown tells whether nothing is called by the name, here or elsewhere.
func (c *checker) unknown(name string) bool {
	return c.catalog.field(name) == nil && !isFunction(name) && c.catalog.collection(name) == nil && commonNames[name] == "" &&
		!strings.EqualFold(name, "null") && !strings.HasPrefix(name, "$") && (c.items == nil || c.items.field(name) == nil)
}
