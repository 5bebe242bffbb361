package builder

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"
)

const maxSource = 8 << 10

// cannot is thrown, within this file only, by what rows cannot show.
type cannot string

// Rows shows an expression as rows in one group. Where it cannot, why says so in words, for a person.
func Rows(expression string) (root Item, why string) {
	if strings.TrimSpace(expression) == "" {
		return Item{Kind: Group, Join: "and"}, ""
	}
	if len(expression) > maxSource {
		return Item{}, "the expression is too long"
	}
	defer func() {
		switch r := recover().(type) {
		case nil:
		case cannot:
			root, why = Item{}, string(r)
		default: // the parser's
			root, why = Item{}, "the expression cannot be read"
		}
	}()
	if hasNote(expression) {
		return Item{}, "it has a note, which rows have no place for"
	}
	tree, err := parser.Parse(expression)
	if err != nil {
		return Item{}, "it is not complete or has a mistake"
	}
	r := reader{source: []rune(expression)}
	return Normal(r.condition(tree.Node, false)), ""
}

type reader struct{ source []rune }

func refuse(format string, args ...any) { panic(cannot(fmt.Sprintf(format, args...))) }

// condition reads a whole condition; inside tells whether it is about one of a collection.
func (r reader) condition(n ast.Node, inside bool) Item {
	switch n := n.(type) {
	case *ast.UnaryNode:
		if n.Operator == "not" || n.Operator == "!" {
			return Item{Kind: Group, Not: true, Join: "and", Items: []Item{r.condition(n.Node, inside)}}
		}
	case *ast.BinaryNode:
		switch n.Operator {
		case "and", "&&":
			return Item{Kind: Group, Join: "and", Items: []Item{r.condition(n.Left, inside), r.condition(n.Right, inside)}}
		case "or", "||":
			return Item{Kind: Group, Join: "or", Items: []Item{r.condition(n.Left, inside), r.condition(n.Right, inside)}}
		}
		return r.test(n, inside)
	case *ast.CallNode, *ast.BuiltinNode:
		if name, args := called(n); name == "is_known" && len(args) == 1 {
			return Item{Kind: Test, Left: r.left(args[0], inside), Op: Known}
		}
		return Item{Kind: Test, Left: r.left(n, inside), Op: Holds}
	case *ast.IdentifierNode, *ast.MemberNode:
		return Item{Kind: Test, Left: r.left(n, inside), Op: Holds}
	case *ast.ConditionalNode:
		refuse("it chooses with ? and :, for which there is no row")
	case *ast.BoolNode:
		refuse("%v stands alone, for which there is no row", n.Value)
	}
	refuse("a part of it has no row")
	return Item{}
}

func (r reader) test(n *ast.BinaryNode, inside bool) Item {
	mirror, ok := operators[n.Operator]
	if !ok {
		refuse("it has %s outside of a plain comparison, for which there is no row", n.Operator)
	}
	if n.Operator == "in" {
		list, ok := n.Right.(*ast.ArrayNode)
		if !ok {
			refuse("what stands after in is not a list of values in brackets")
		}
		t := Item{Kind: Test, Left: r.left(n.Left, inside), Op: "in"}
		for _, v := range list.Nodes {
			t.Values = append(t.Values, r.literal(v))
		}
		if len(t.Values) == 0 {
			refuse("a list in brackets is empty")
		}
		return t
	}
	if _, ok := r.value(n.Right); !ok && mirror != "" {
		if v, ok := r.value(n.Left); ok {
			return Item{Kind: Test, Left: r.left(n.Right, inside), Op: mirror, Values: []Value{v}}
		}
	}
	return Item{Kind: Test, Left: r.left(n.Left, inside), Op: n.Operator, Values: []Value{r.literal(n.Right)}}
}

func called(n ast.Node) (string, []ast.Node) {
	switch n := n.(type) {
	case *ast.BuiltinNode:
		return n.Name, n.Arguments
	case *ast.CallNode:
		if callee, ok := n.Callee.(*ast.IdentifierNode); ok {
			return callee.Value, n.Arguments
		}
	}
	return "", nil
}

func (r reader) left(n ast.Node, inside bool) *Left {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return &Left{Field: n.Value}
	case *ast.MemberNode:
		if field := dotted(n); field != "" && inside {
			return &Left{Field: field}
		}
	case *ast.CallNode, *ast.BuiltinNode:
		name, args := called(n)
		switch {
		case name == "" && inside:
			return property(n)
		case name == "":
		case counted[name] || asked[name] || measured[name]:
			return r.over(name, args)
		default:
			l := &Left{Call: name}
			for _, a := range args {
				v, ok := r.value(a)
				if !ok {
					refuse("%s has an argument that is no plain value", name)
				}
				l.Args = append(l.Args, v)
			}
			return l
		}
	}
	refuse("a part of it is computed, for which there is no row")
	return nil
}

// property reads .text("page").
func property(n ast.Node) *Left {
	if call, ok := n.(*ast.CallNode); ok && len(call.Arguments) == 1 {
		key, isText := call.Arguments[0].(*ast.StringNode)
		if field := dotted(call.Callee); field != "" && isText && key.Value != "" {
			return &Left{Field: field, Args: []Value{{"text", key.Value}}}
		}
	}
	refuse("a part of it is computed, for which there is no row")
	return nil
}

// over reads count(orders, ...), any(orders, ...), sum(orders, .amount) and sum(filter(orders, ...), .amount).
func (r reader) over(name string, args []ast.Node) *Left {
	l := &Left{Call: name}
	if len(args) == 0 {
		refuse("%s is not complete", name)
	}
	where := func(n ast.Node) {
		p, ok := n.(*ast.PredicateNode)
		if !ok {
			refuse("%s is not complete", name)
		}
		w := Normal(r.condition(p.Node, true))
		l.Where = &w
	}
	of := args[0]
	if filter, inner := called(of); filter == "filter" && measured[name] && len(inner) == 2 {
		of = inner[0]
		where(inner[1])
	}
	collection, ok := of.(*ast.IdentifierNode)
	if !ok {
		refuse("%s looks at something that is itself computed", name)
	}
	l.Of = collection.Value
	switch {
	case measured[name] && len(args) == 2:
		p, _ := args[1].(*ast.PredicateNode)
		if p != nil {
			l.Measure = dotted(p.Node)
		}
		if l.Measure == "" {
			refuse("%s adds up something computed", name)
		}
	case !measured[name] && len(args) == 2:
		where(args[1])
	case !counted[name] || len(args) != 1:
		refuse("%s is not complete", name)
	}
	return l
}

func dotted(n ast.Node) string {
	m, ok := n.(*ast.MemberNode)
	if !ok || m.Optional {
		return ""
	}
	pointer, ok := m.Node.(*ast.PointerNode)
	property, isName := m.Property.(*ast.StringNode)
	if !ok || !isName || pointer.Name != "" || !name.MatchString(property.Value) {
		return ""
	}
	return "." + property.Value
}

func (r reader) literal(n ast.Node) Value {
	v, ok := r.value(n)
	if !ok {
		refuse("it compares with something that is no plain value")
	}
	return v
}

var (
	digits = regexp.MustCompile(`^-?[0-9]{1,20}(\.[0-9]{1,20})?$`)
	name   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

func (r reader) value(n ast.Node) (Value, bool) {
	switch n := n.(type) {
	case *ast.StringNode:
		return Value{"text", n.Value}, true
	case *ast.BoolNode:
		return Value{"bool", strconv.FormatBool(n.Value)}, true
	case *ast.IntegerNode:
		return Value{"number", strconv.Itoa(n.Value)}, n.Value >= 0
	case *ast.FloatNode:
		// As it is written: numbers are exact in the language, and a float is not.
		at := n.Location()
		if at.From < 0 || at.To > len(r.source) || at.From >= at.To {
			return Value{}, false
		}
		text := strings.ReplaceAll(string(r.source[at.From:at.To]), "_", "")
		if strings.HasPrefix(text, ".") {
			text = "0" + text
		}
		return Value{"number", text}, digits.MatchString(text)
	case *ast.UnaryNode:
		v, ok := r.value(n.Node)
		if !ok || n.Operator != "-" || v.Type != "number" || v.Text[0] == '-' {
			return Value{}, false
		}
		return Value{"number", "-" + v.Text}, true
	case *ast.CallNode, *ast.BuiltinNode:
		name, args := called(n)
		switch {
		case name == "now" && len(args) == 0:
			return Value{Type: "now"}, true
		case (name == "date" || name == "ago" || name == "duration") && len(args) == 1:
			if text, ok := args[0].(*ast.StringNode); ok {
				return Value{name, text.Value}, true
			}
		}
	}
	return Value{}, false
}

// hasNote finds // or /* outside of quotes.
func hasNote(s string) bool {
	var quote byte
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quote != 0 && quote != '`' && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'' || c == '`':
			quote = c
		case c == '/' && i+1 < len(s) && (s[i+1] == '/' || s[i+1] == '*'):
			return true
		}
	}
	return false
}
