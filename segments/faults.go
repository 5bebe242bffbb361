package segments

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

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
	if strings.Contains(e.Message, "literal") && !strings.Contains(e.Message, "terminated") || strings.HasPrefix(e.Message, "bad number") {
		c.failNumber(e)
		return
	}
	c.failAt(e.Location, "%s", c.plain(e))
}

// failNumber is said of a number that cannot be read, the whole of it: the parser stops within it or behind it.
func (c *checker) failNumber(e *file.Error) {
	part := func(i int) bool {
		r := c.at(i)
		return r == '.' || r == '_' || r == '$' || r > ' ' && r < 127 && isWord(string(r)) || r >= '0' && r <= '9'
	}
	from := min(e.From, len(c.source)-1)
	for from > 0 && (!part(from) || !part(from-1) && !strings.ContainsRune("0123456789", c.at(from))) {
		from--
	}
	to := from + 1
	for part(from - 1) {
		from--
	}
	for part(to) {
		to++
	}
	number, at := string(c.source[from:to]), file.Location{From: from, To: to}
	switch _, isSpan := readSpan(number); {
	case isSpan:
		c.failAt(at, "%q is a length of time: write duration(%q), or ago(%q) for the time so long ago", number, number, number)
	case strings.Contains(e.Message, "too large") || strings.Contains(e.Message, "out of range") || isDigits(number) && len(number) > 15:
		c.failAt(at, "the number is too large")
	default:
		c.failAt(at, "%q is no number: write digits and a decimal point, such as 12.50", shorten(number))
	}
}

var comparing = []string{"==", "!=", "<", "<=", ">", ">=", "contains", "startsWith", "endsWith", "matches", "in"}

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
	before := strings.TrimRight(string(c.source[:min(e.From, len(c.source))]), " \t\n")
	switch {
	case strings.Contains(message, "token EOF") || strings.Contains(message, "end of expression"):
		switch {
		case strings.TrimSpace(token) == "":
			return "something is missing at the end"
		case token == "%":
			return `something is missing after "%", which gives the rest of a division: 10 per cent are 0.1`
		case token == "\"" || token == "'" || token == "`" || strings.HasSuffix(token, "\\"):
			return "the text has no closing quotation mark"
		}
		return "something is missing after " + quote(token)
	case strings.Contains(message, "unclosed comment"):
		return `the note has no end: "*/" is missing`
	case strings.Contains(message, "invalid char escape"):
		return `a backslash in a text must be doubled: write "\\"; a quotation mark within double ones is written \"`
	case strings.Contains(message, "coalesce expressions"):
		return `put what belongs to ?? in parentheses, as in (city ?? "nowhere") == "nowhere"`
	case message == "expected name":
		return "the name of a fact is missing after the dot"
	case token == "*" && strings.HasSuffix(before, "("):
		return `"*" is not expected here: write count(orders) for a number of items`
	case token == "#":
		return `"#" is not expected here: a note begins with //`
	case token == "{" && strings.Contains(before, "if "), token == "{" && strings.HasPrefix(before, "if"):
		return `"{" is not expected here: write condition ? a : b, or if condition { a } else { b }`
	case token == "!" && c.at(e.From+1) == 'i', token == "!" && strings.HasPrefix(strings.TrimLeft(string(c.source[min(e.To, len(c.source)):]), " "), "in "):
		return `"!" is not expected here: write not in`
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
	case token == "." && strings.HasSuffix(before, "household("):
		return `household asks a whole expression, without dots: write any(household, .city == "Rome") for a fact with a dot`
	case token == "." || strings.Contains(message, "pointer accessor outside"):
		return "a fact with a dot belongs to an item, within any, all, count, filter or map: write max(map(orders, .amount)) or last(orders).amount"
	case strings.HasPrefix(message, "unexpected token"):
		if hint := wordHint(token); hint != "" {
			return fmt.Sprintf("%q is not expected here: write %s", token, hint)
		}
		switch {
		case token == "":
			return "this is not expected here"
		case token == ")" && c.at(e.From-1) == '(', token == "]" && c.at(e.From-1) == '[':
			return "nothing stands in these brackets"
		case (token == "==" || token == "=") && strings.HasSuffix(before, "not"):
			return quote(token) + " is not expected here: write !="
		case slices.Contains(comparing, token):
			return quote(token) + " is not expected here: what is compared is missing before it, as in x >= 1 and x <= 5"
		case strings.Contains("\"'", token[:1]) && (c.at(e.From-1) == rune(token[0])), isWord(token) && strings.ContainsRune("\"'", c.at(e.From-1)):
			return quote(token) + ` is not expected here: a quotation mark within a text is written \" or \'`
		case isWord(token) && !isOperator(token), strings.ContainsAny(token[:1], "\"'`0123456789"):
			return quote(token) + " is not expected here: something is missing before it, such as == or and or a comma"
		}
		return quote(token) + " is not expected here"
	case strings.HasPrefix(message, "unrecognized character"):
		if hint, ok := signHints[token]; ok {
			return quote(token) + " is not expected here: write " + hint
		}
		if r := []rune(token); len(r) == 1 && unicode.In(r[0], unicode.Cf, unicode.Zs) {
			return fmt.Sprintf("a character stands here that cannot be seen (U+%04X): delete it", r[0])
		}
		return fmt.Sprintf("the character %q has no meaning here", token)
	case strings.Contains(message, "exceeds maximum allowed nodes"):
		return "the expression is too large"
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
		if callee, ok := n.Callee.(*ast.MemberNode); ok {
			return c.name(callee) + "(...)"
		}
	case *ast.BuiltinNode:
		return n.Name + "(...)"
	case *ast.UnaryNode, *ast.BinaryNode:
		return c.written(n)
	}
	return "this part"
}

func shorten(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "..."
	}
	return s
}
