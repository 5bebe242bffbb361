package segments

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"

	"aldine/internal/fault"
)

// fail notes a fault at a part of the expression. It always gives nil, the checker's word for a wrong part.
func (c *checker) fail(at ast.Node, format string, args ...any) node {
	c.failAt(at.Location(), format, args...)
	return nil
}

func (c *checker) failToken(t token, format string, args ...any) {
	c.failAt(file.Location{From: t.from, To: t.to}, format, args...)
}

func (c *checker) failAt(at file.Location, format string, args ...any) {
	if len(c.faults) >= maxFaults {
		return
	}
	line, column := 1, 1
	for _, r := range c.source[:min(at.From, len(c.source))] {
		if column++; r == '\n' {
			line, column = line+1, 1
		}
	}
	c.faults = append(c.faults, fault.Field{Name: "expression", Message: fmt.Sprintf(format, args...), Line: line, Column: column,
		Length: max(1, min(at.To, len(c.source))-at.From)})
}

// inOrder sorts faults by where they are, and leaves out what is said twice.
func inOrder(faults []fault.Field) []fault.Field {
	slices.SortStableFunc(faults, func(a, b fault.Field) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.Compact(faults)
}

// failTooLarge is said once, however often the limit is met.
func (c *checker) failTooLarge(at ast.Node) {
	message := fmt.Sprintf("the expression is too large: at most %d parts, nested at most %d deep", maxNodes, maxDepth)
	if *c.total > maxTotal {
		message = fmt.Sprintf("the expression is too large: with the segments it uses it has more than %d parts", maxTotal)
	}
	for _, f := range c.faults {
		if f.Message == message {
			return
		}
	}
	c.fail(at, "%s", message)
}

// failParse puts the parser's message into words that help.
func (c *checker) failParse(err error) {
	var e *file.Error
	if !errors.As(err, &e) {
		c.failAt(file.Location{}, "the expression cannot be read")
		return
	}
	c.failAt(e.Location, "%s", c.plain(e))
}

var wordHints = map[string]string{
	"AND": "and", "OR": "or", "NOT": "not", "IN": "in", "And": "and", "Or": "or", "LIKE": "contains, startsWith or matches",
	"like": "contains, startsWith or matches", "is": "is_known(x)", "IS": "is_known(x)", "between": "x >= 1 and x <= 5",
	"BETWEEN": "x >= 1 and x <= 5", "Contains": "contains", "startswith": "startsWith", "endswith": "endsWith", "Matches": "matches",
	"starts_with": "startsWith", "ends_with": "endsWith", "equals": "==", "eq": "==", "NULL": "is_known(x)", "then": "condition ? a : b", "THEN": "condition ? a : b",
}

// signHints are for signs that word processors make of others.
var signHints = map[string]string{"≥": ">=", "≤": "<=", "≠": "!=", "×": "*", "÷": "/", "–": "-", "−": "-",
	"“": straight, "”": straight, "„": straight, "‟": straight, "‘": straight, "’": straight, "‚": straight, "«": straight, "»": straight, "´": straight}

const straight = `straight quotation marks, such as "DE"`

// at gives a character of the source, 0 outside of it.
func (c *checker) at(i int) rune {
	if i < 0 || i >= len(c.source) {
		return 0
	}
	return c.source[i]
}

// quote puts a part of the expression into quotation marks, as long as it has none of its own.
func quote(token string) string {
	if token != "" && strings.Contains("\"'`", token[:1]) {
		return shorten(token)
	}
	return strconv.Quote(shorten(token))
}

func (c *checker) plain(e *file.Error) string {
	token := ""
	if from, to := min(e.From, len(c.source)), min(e.To, len(c.source)); from < to {
		token = string(c.source[from:to])
	}
	message := e.Message
	switch {
	case strings.Contains(message, "token EOF") || strings.Contains(message, "end of expression"):
		return "something is missing after " + quote(token)
	case strings.Contains(message, "literal not terminated"):
		return "the text has no closing quotation mark"
	case token == "=" && c.at(e.From+1) == '>', token == "=" && c.at(e.From+1) == '<':
		return fmt.Sprintf("\"=%c\" is not an operator: write %c=", c.at(e.From+1), c.at(e.From+1))
	case token == "=":
		return `"=" is not an operator: write == to compare`
	case strings.HasPrefix(token, ".") && isDigits(token[1:]) && len(token) > 1:
		return quote(token) + ` is not expected here: a date is written as date("2026-01-31")`
	case token == ">" && c.at(e.From-1) == '<':
		return `"<>" is not an operator: write !=`
	case token == "&" || token == "|":
		return fmt.Sprintf("%q is not an operator: write and, or", token)
	case token == "." || strings.Contains(message, "pointer accessor outside"):
		return "a fact with a dot belongs to an item, within any, all, count, filter or map: write max(map(orders, .amount)) or last(orders).amount"
	case strings.HasPrefix(message, "unexpected token"):
		if hint, ok := wordHints[token]; ok {
			return fmt.Sprintf("%q is not expected here: write %s", token, hint)
		}
		switch {
		case token == "":
			return "this is not expected here"
		case token == ")" && c.at(e.From-1) == '(', token == "]" && c.at(e.From-1) == '[':
			return "nothing stands in these brackets"
		case isWord(token) && !isOperator(token), strings.ContainsAny(token[:1], "\"'`0123456789"):
			return quote(token) + " is not expected here: something is missing before it, such as == or and or a comma"
		}
		return quote(token) + " is not expected here"
	case strings.HasPrefix(message, "unrecognized character"):
		if hint, ok := signHints[token]; ok {
			return quote(token) + " is not expected here: write " + hint
		}
		return fmt.Sprintf("the character %q has no meaning here", token)
	case strings.Contains(message, "exceeds maximum allowed nodes"):
		return "the expression is too large"
	case strings.HasPrefix(message, "invalid integer literal"), strings.HasPrefix(message, "invalid float literal"), strings.Contains(message, "literal is too large"):
		return "the number is too large"
	}
	return strings.ToLower(message[:1]) + message[1:]
}

// name gives a part of the expression as a message calls it.
func (c *checker) name(n ast.Node) string {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return n.Value
	case *ast.MemberNode:
		if p, ok := n.Property.(*ast.StringNode); ok {
			return "." + p.Value
		}
	case *ast.StringNode:
		return fmt.Sprintf("%q", shorten(n.Value))
	case *ast.IntegerNode:
		return fmt.Sprint(n.Value)
	case *ast.FloatNode:
		return fmt.Sprint(n.Value)
	case *ast.BoolNode:
		return fmt.Sprint(n.Value)
	case *ast.CallNode:
		if callee, ok := n.Callee.(*ast.IdentifierNode); ok {
			return callee.Value + "(...)"
		}
	case *ast.BuiltinNode:
		return n.Name + "(...)"
	}
	return "this part"
}

func shorten(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "..."
	}
	return s
}
