package segments

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"

	"aldine/internal/fault"
)

// Limits of one expression. The total counts the nodes of every segment that in_segment pulls in as well.
const (
	maxSource     = 8 << 10
	maxNodes      = 500
	maxTotal      = 2000
	maxDepth      = 200 // a chain of and, or is one level a part here, though flat in SQL
	maxArithmetic = 50
	maxScans      = 100 // looks at orders, responses, touches, events or the household
	maxFaults     = 30
)

// checker turns a parsed expression into a typed tree, collecting what is wrong with it on the way. Its methods give nil
// for a part that is wrong, and say nothing about what follows from it.
type checker struct {
	catalog  *Catalog
	now      int64
	until    int64       // items from then on do not count
	asOf     bool        // within as_of
	inMember bool        // within household
	items    *collection // within a predicate over items
	ranked   bool        // it sets customers beside each other
	scans    *int        // looks at behaviour, over all segments
	source   []rune
	faults   []fault.Field
	nodes    int
	depth    int
	sums     int      // arithmetic operators
	outer    int      // facts of the customer used there
	stack    []string // segments being pulled in, outermost first
	total    *int     // nodes over all of them
	seen     map[inner]segment
	lists    map[int64]bool // named by in_list, in all of them
}

// segment is a saved one that has been checked, with the number of its nodes.
type segment struct {
	root   node
	nodes  int
	scans  int
	ranked bool
}

// inner is a segment and what its parts mean where it is pulled in.
type inner struct {
	name         string
	now          int64
	asOf, member bool
}

// check gives the typed tree of an expression, and the checker with what it noted on the way. Field faults carry the name "expression".
func check(catalog *Catalog, expression string, now time.Time) (*checker, node, error) {
	c := newChecker(catalog, now)
	root := c.expression(expression)
	if len(c.faults) > 0 {
		return nil, nil, fault.Bad("The expression is not valid", inOrder(c.faults)...)
	}
	return c, root, nil
}

func newChecker(catalog *Catalog, now time.Time) *checker {
	return &checker{catalog: catalog, now: micros(now), until: never, total: new(int), scans: new(int), seen: map[inner]segment{}, lists: map[int64]bool{}}
}

// expression parses and checks one whole expression, which must be a condition.
func (c *checker) expression(expression string) node {
	if strings.TrimSpace(expression) == "" {
		return &constant{k: boolean, v: known(true)}
	}
	if len(expression) > maxSource {
		c.faults = append(c.faults, fault.Field{Name: "expression", Line: 1, Column: 1, Length: 1,
			Message: fmt.Sprintf("the expression is longer than %d bytes: ask for many values by a list and in_list, and for many conditions by segments and in_segment", maxSource)})
		return nil
	}
	if !utf8.ValidString(expression) || strings.ContainsRune(expression, 0) {
		c.faults = append(c.faults, fault.Field{Name: "expression", Line: 1, Column: 1, Length: 1, Message: "the expression is not valid UTF-8 text"})
		return nil
	}
	c.source = []rune(expression)
	tree := c.parse(expression)
	if tree == nil {
		return nil
	}
	root := c.node(tree)
	if root == nil {
		return nil
	}
	if root.kind() != boolean {
		c.fail(tree, "%s is %s, but the expression must be a condition that holds or not, such as %s", c.name(tree), root.kind().phrase(), exampleFor(c.name(tree), root.kind()))
		return nil
	}
	return root
}

func exampleFor(name string, k kind) string {
	if name == "this part" || strings.Trim(name[:1], "\"'`0123456789-(") == "" {
		name = map[kind]string{number: "orders_count", instant: "last_order_at", text: "country", texts: "tags"}[k]
	}
	for _, f := range scores {
		if f.name == name {
			return f.example
		}
	}
	switch k {
	case number:
		return name + " > 10"
	case instant:
		return name + ` > ago("30d")`
	case text:
		return name + ` == "..."`
	case texts:
		return name + ` contains "..."`
	}
	return "orders_count > 1"
}

// parse gives the syntax tree, or nil after noting the faults.
func (c *checker) parse(expression string) ast.Node {
	tree, err := parsed(expression)
	if err != nil {
		c.recover(err)
		return nil
	}
	return tree
}

// parsed parses. The parser is another's and the text a stranger's: a panic in it is a faulty expression, not a crash.
func parsed(text string) (root ast.Node, err error) {
	defer func() {
		if recover() != nil {
			root, err = nil, errors.New("unreadable")
		}
	}()
	tree, err := parser.Parse(text)
	if err != nil {
		return nil, err
	}
	return tree.Node, nil
}

// node checks one part. This switch is the whole language; everything else the parser knows is refused.
func (c *checker) node(n ast.Node) node {
	c.nodes++
	c.depth++
	*c.total++
	defer func() { c.depth-- }()
	if c.nodes > maxNodes || c.depth > maxDepth || *c.total > maxTotal {
		c.failTooLarge(n)
		return nil
	}
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return c.identifier(n)
	case *ast.MemberNode:
		return c.member(n)
	case *ast.IntegerNode:
		return c.number(n, fmt.Sprint(n.Value))
	case *ast.FloatNode:
		return c.number(n, "")
	case *ast.BoolNode:
		return &constant{k: boolean, v: known(n.Value)}
	case *ast.StringNode:
		return c.literal(n)
	case *ast.UnaryNode:
		return c.unary(n)
	case *ast.BinaryNode:
		return c.binary(n)
	case *ast.ConditionalNode:
		return c.conditional(n)
	case *ast.CallNode:
		if callee, ok := n.Callee.(*ast.IdentifierNode); ok {
			return c.call(call{name: callee.Value, args: n.Arguments, at: n})
		}
		return c.asked(n)
	case *ast.BuiltinNode:
		return c.call(call{name: n.Name, args: n.Arguments, at: n})
	case *ast.NilNode:
		return c.fail(n, "there is no nil: ask is_known(x) or not is_known(x)")
	case *ast.ArrayNode:
		return c.fail(n, `a list in brackets can only stand after in, as in country in ["DE", "AT"]`)
	case *ast.PointerNode:
		return c.fail(n, "name a fact, such as .amount")
	case *ast.VariableDeclaratorNode:
		return c.fail(n, "variables (let) are not supported: write the value where it is needed")
	case *ast.SequenceNode:
		return c.failSequence(n)
	case *ast.SliceNode:
		return c.fail(n, "parts have no numbers: ask a text with startsWith, endsWith, contains or matches")
	case *ast.ChainNode:
		return c.fail(n, `"?." is not needed: write a dot; what is not known is never an error`)
	case *ast.MapNode:
		return c.fail(n, "a map in braces is not supported")
	case *ast.BytesNode:
		return c.fail(n, "bytes are not supported: write text in quotes")
	}
	return c.fail(n, "this form is not supported")
}

func (c *checker) conditional(n *ast.ConditionalNode) node {
	cond, yes, no := c.node(n.Cond), c.node(n.Exp1), c.node(n.Exp2)
	if cond == nil || yes == nil || no == nil {
		return nil
	}
	if cond.kind() != boolean {
		return c.fail(n.Cond, "%s is %s, but a condition must stand before the question mark", c.name(n.Cond), cond.kind().phrase())
	}
	if !c.alike(n.Exp1, yes, n.Exp2, no, "both results of ? : must be of one type") {
		return nil
	}
	return &choice{cond: cond, yes: yes, no: no}
}

// alike demands two single values of one kind.
func (c *checker) alike(l ast.Node, left node, r ast.Node, right node, why string) bool {
	if left.kind() == texts || left.kind() == skus {
		c.fail(l, "%s is a list, which cannot be used here", c.name(l))
		return false
	}
	for _, side := range []struct {
		at ast.Node
		n  node
	}{{l, left}, {r, right}} {
		if monthly(side.n) {
			c.fail(side.at, "a duration in months or years has no fixed length here: write it in days")
			return false
		}
	}
	if left.kind() != right.kind() {
		c.fail(r, "%s is %s and %s is %s: %s", c.name(l), left.kind().phrase(), c.name(r), right.kind().phrase(), why)
		return false
	}
	return true
}
