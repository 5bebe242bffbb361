package segments

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"
)

// tally counts which parts of the language were drawn.
type tally struct {
	mu          sync.Mutex
	of          map[string]int
	expressions int
}

func (c *tally) add(t testing.TB, catalog *Catalog, expression string) {
	tree, err := parser.Parse(expression)
	if err != nil {
		t.Errorf("%s: %v", expression, err)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[string]int{}
	}
	c.expressions++
	c.walk(catalog, tree.Node, "")
}

func (c *tally) walk(catalog *Catalog, n ast.Node, of string) {
	count := func(what string) { c.of[what]++ }
	call := func(name string, args []ast.Node) {
		count("function " + name)
		inner := of
		if len(args) > 0 {
			if base := collectionIn(args[0]); base != "" {
				count("collection " + base)
				inner = base
			}
		}
		for i, arg := range args {
			if i == 0 {
				c.walk(catalog, arg, of)
			} else {
				c.walk(catalog, arg, inner)
			}
		}
	}
	switch n := n.(type) {
	case *ast.IdentifierNode:
		if f := catalog.field(n.Value); f != nil {
			if slices.ContainsFunc(coreFields, func(core field) bool { return core.name == f.name }) {
				count("field " + f.name)
			} else {
				count("attribute of type " + f.kind.String())
			}
		}
	case *ast.MemberNode:
		base := of
		if f, ok := n.Node.(*ast.BuiltinNode); ok {
			base = collectionIn(f.Arguments[0])
			call(f.Name, f.Arguments)
			count("fact of an edge")
		}
		if p, ok := n.Property.(*ast.StringNode); ok {
			count(base + " ." + p.Value)
			if many := catalog.collection(base); many != nil && many.field(p.Value) != nil {
				count(base + " fact of type " + many.field(p.Value).kind.String())
			}
		}
	case *ast.UnaryNode:
		if inner, ok := n.Node.(*ast.BinaryNode); ok && n.Operator == "not" && slices.Contains([]string{"in", "contains", "startsWith", "endsWith", "matches"}, inner.Operator) {
			count("operator not " + inner.Operator)
		}
		count("operator " + n.Operator + " before a value")
		c.walk(catalog, n.Node, of)
	case *ast.BinaryNode:
		count("operator " + n.Operator)
		c.walk(catalog, n.Left, of)
		c.walk(catalog, n.Right, of)
	case *ast.ConditionalNode:
		count("operator ?:")
		for _, part := range []ast.Node{n.Cond, n.Exp1, n.Exp2} {
			c.walk(catalog, part, of)
		}
	case *ast.PredicateNode:
		c.walk(catalog, n.Node, of)
	case *ast.ArrayNode:
		for _, part := range n.Nodes {
			c.walk(catalog, part, of)
		}
	case *ast.CallNode:
		switch callee := n.Callee.(type) {
		case *ast.IdentifierNode:
			call(callee.Value, n.Arguments)
		case *ast.MemberNode:
			c.walk(catalog, callee, of)
		}
	case *ast.BuiltinNode:
		call(n.Name, n.Arguments)
	}
}

// collectionIn gives the collection that an argument is over.
func collectionIn(n ast.Node) string {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		if slices.Contains([]string{"orders", "lines", "responses", "touches", "events", "household"}, n.Value) {
			return n.Value
		}
	case *ast.BuiltinNode:
		if n.Name == "filter" || n.Name == "map" {
			return collectionIn(n.Arguments[0])
		}
	}
	return ""
}

// missing tells what of the language was drawn less often than it should be; of households, which have the facts of customers,
// only many expressions have every one.
func (c *tally) missing(least int, many bool) (missing []string) {
	want := []string{"operator ?:", "operator - before a value", "operator + before a value", "operator not before a value", "operator ! before a value", "fact of an edge"}
	for _, op := range strings.Fields("== != < <= > >= and && or || in contains startsWith endsWith matches + - * / % ??") {
		want = append(want, "operator "+op)
	}
	for _, op := range strings.Fields("in contains startsWith endsWith matches") {
		want = append(want, "operator not "+op)
	}
	for _, of := range strings.Fields("orders lines responses touches events household") {
		want = append(want, "collection "+of)
	}
	for _, k := range []kind{text, number, boolean, instant, texts} {
		want = append(want, "attribute of type "+k.String(), "household fact of type "+k.String())
	}
	for _, e := range Reference() {
		switch e.Kind {
		case "function":
			want = append(want, "function "+e.Name)
		case "field":
			want = append(want, "field "+e.Name)
			if many {
				want = append(want, "household ."+e.Name)
			}
		default:
			for _, of := range behaviours {
				if itemKind(of) == e.Kind {
					want = append(want, of.name+" "+e.Name)
				}
			}
		}
	}
	slices.SortStableFunc(want, func(a, b string) int { return c.of[a] - c.of[b] })
	for _, what := range want {
		if c.of[what] < least {
			missing = append(missing, fmt.Sprintf("%s %d", what, c.of[what]))
		}
	}
	return missing
}
