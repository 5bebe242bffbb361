package segments

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/expr-lang/expr/ast"
)

// elsewhere says how to ask here what other languages have functions for; their names are in small letters.
var elsewhere = func() map[string]string {
	hints := map[string]string{}
	for names, hint := range map[string]string{
		"avg average mittelwert median":             "write mean(map(orders, .amount)) for an average",
		"countif countifs anzahl zählenwenn counta": "write count(orders, .amount > 20)",
		"sumif sumifs summewenn summe total":        `write sum(filter(orders, .place == "web"), .amount)`,
		"len length size":                           "write count(orders) for a number of items; the length of a text cannot be asked",
		"exists some has":                           "write any(orders, .amount > 20)",
		"every":                                     "write all(orders, .amount > 20)",
		"find findlast reduce sort sortby groupby distinct uniq keys values": "ask the items with any, count, sum, first, last and the like",
		"upper lower ucase lcase toupper tolower groß klein fold casefold":   `capital and small letters are alike in matches "(?i)^san "`,
		"trim substr substring left right mid split replace indexof search":  "ask for parts of a text with startsWith, endsWith, contains or matches",
		"concat concatenate join":                                    "join texts by +",
		"isnull is_null isblank is_blank isempty is_empty ismissing": "write not is_known(email)",
		"notnull is_not_null isset defined known exists_value":       "write is_known(email)",
		"coalesce ifnull nvl":                                        `write (city ?? "nowhere")`,
		"if iif wenn case":                                           "write condition ? a : b",
		"and und":                                                    "write it between two conditions: a and b",
		"or oder":                                                    "write it between two conditions: a or b",
		"not nicht":                                                  "write not (a)",
		"today current_date getdate heute sysdate current_timestamp": "write now()",
		"days days_ago daysago dateadd date_add date_sub interval":   `write ago("30d") for the time 30 days ago`,
		"datediff datedif days_between dayssince days_since":         `write now() - last_order_at > duration("30d")`,
		"age alter": `write now() - birthday >= duration("18y")`,
		"int float string number text value cast tostring tonumber": "numbers and texts are not turned into each other",
		"abs":                    "write (x < 0 ? -x : x)",
		"round floor ceil trunc": "numbers are exact: write a range, such as 1 <= x < 2",
		"rand random sample":     `write bucket("seed", 0, 20) for a share of 20 in 100`,
		"purchased ordered":      `write bought("SEEDS-01", "90d")`,
		"sent mailed":            `write contacted("spring-2026", "90d")`,
	} {
		for _, name := range strings.Fields(names) {
			hints[name] = hint
		}
	}
	return hints
}()

// unknownFunction says that there is none of the name, and what there is.
func (c *checker) unknownFunction(name string) string {
	if of := c.catalog.collection(name); of != nil {
		return fmt.Sprintf("%s is a list of many, not a function: write %s", name, of.example())
	}
	if f := c.catalog.field(name); f != nil {
		return fmt.Sprintf("%s is no function: write %s", name, exampleFor(name, f.kind))
	}
	if hint := elsewhere[strings.ToLower(name)]; hint != "" && !isFunction(strings.ToLower(name)) {
		return fmt.Sprintf("unknown function %q: %s", shorten(name), hint)
	}
	var names []string
	for _, f := range functions() {
		names = append(names, f.name)
	}
	return fmt.Sprintf("unknown function %q%s", shorten(name), didYouMean(name, names))
}

// foreign tells of letters that look like others.
func foreign(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool { return r > 127 && unicode.In(r, unicode.Cyrillic, unicode.Greek) }) {
		return " It has letters of another alphabet"
	}
	return ""
}

// failParts is said of a name with a dot behind it.
func (c *checker) failParts(n *ast.MemberNode, name, property string) node {
	f := functionNamed(property)
	switch {
	case c.catalog.field(name) == nil && c.catalog.field(property) != nil:
		return c.fail(n.Node, "%q is not needed: write the name alone, %s", name, property)
	case c.catalog.field(name) == nil:
		var names []string
		for _, of := range append(slices.Clone(behaviours), c.catalog.household()) {
			names = append(names, of.name)
		}
		if hint := didYouMean(name, names); hint != "" {
			return c.fail(n.Node, "unknown name %q%s", shorten(name), hint)
		}
	case f != nil && len(f.signature) > len(property)+2:
		return c.fail(n.Node, "%q has no parts: write %s(%s)", name, property, name)
	}
	return c.fail(n.Node, "%q has no parts", shorten(name))
}

// failForm is said of what the parser knows and the language does not.
func (c *checker) failForm(n *ast.MemberNode) node {
	if n.Optional {
		return c.fail(n, `"?." is not needed: write a dot; what is not known is never an error`)
	}
	if _, numbered := n.Property.(*ast.StringNode); !numbered {
		if of, ok := n.Node.(*ast.IdentifierNode); ok && c.catalog.collection(of.Value) != nil {
			return c.fail(n, "items have no numbers: write first(%s) or last(%s) and a fact", of.Value, of.Value)
		}
		return c.fail(n, "parts have no numbers: ask a text with startsWith, endsWith, contains or matches, and a list with contains")
	}
	if _, item := n.Node.(*ast.PointerNode); item {
		return c.fail(n, "name a fact by its dot alone, such as .amount")
	}
	if inner, ok := n.Node.(*ast.MemberNode); ok {
		return c.member(inner)
	}
	return c.fail(n, "a value has no parts: a function is written around it, such as year(created_at)")
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
		if year, ok := n.Right.(*ast.IntegerNode); ok && year.Value > 1800 && year.Value < 2200 {
			return fmt.Sprintf(": write year(%s)", c.name(n.Left))
		}
		return `: write a date as date("2026-01-31"), or a time so long ago as ago("90d")`
	case left.kind() == span && r != nil && (right.kind() == number || right.kind() == text):
		return `: write a length of time as duration("30d")`
	case left.kind() == number && right.kind() == text && isCalendarPart(left):
		return ": months and days of the week are numbers, from 1 for January and Monday"
	case left.kind() == boolean && r != nil && right.kind() == number && isQuestion(left):
		return ": it asks whether, not how often; write count(orders, .amount > 20) >= 2"
	case left.kind() == boolean && r != nil && (right.kind() == text || right.kind() == number):
		return fmt.Sprintf(": write %s or not %s alone", c.name(n.Left), c.name(n.Left))
	case left.kind() == instant && right.kind() == span:
		return `: write ago("90d") for the time 90 days ago`
	case left.kind() == number && right.kind() == text && r != nil:
		if r.v.s != "" && strings.Trim(r.v.s[:1], "-0123456789.") == "" {
			return ": write the number without quotes, and nothing behind it"
		}
	case left.kind() == text && right.kind() == number:
		return ": write the value in quotes"
	case left.kind() == texts && right.kind() == text:
		return fmt.Sprintf(": write %s contains %s", c.name(n.Left), c.name(n.Right))
	}
	return ""
}

func isCalendarPart(n node) bool {
	_, ok := n.(*calendarPart)
	return ok
}

func isQuestion(n node) bool {
	_, ok := n.(*quantifier)
	return ok
}

// itemsExample asks a list of text for two items.
func (c *checker) itemsExample(list ast.Node) string {
	name := c.name(list)
	return fmt.Sprintf(`%s contains "a" or %s contains "b"`, name, name)
}

// written gives a part as it was written, where that is short. A node's own place is its sign or name, so those of all within
// are taken together, and what brackets they are in.
func (c *checker) written(n ast.Node) string {
	from, to := n.Location().From, n.Location().To
	ast.Walk(&n, visit(func(part *ast.Node) {
		from, to = min(from, (*part).Location().From), max(to, (*part).Location().To)
	}))
	tokens := scan(c.source)
	for i := 0; i < len(tokens) && from >= 0; i++ {
		t := tokens[i]
		call := t.to == to && i+1 < len(tokens) && tokens[i+1].text == "(" // with nothing in its brackets
		switch {
		case t.from < from || t.to > to:
		case t.match > i && tokens[t.match].to > to:
			to = tokens[t.match].to
		case t.match >= 0 && tokens[t.match].from < from:
			from = tokens[t.match].from
		case call && isWord(t.text) && !isOperator(t.text):
			to = tokens[i+1].to
			i--
		}
	}
	if from < 0 || from >= to || to > len(c.source) || to-from > 40 || strings.ContainsRune(string(c.source[from:to]), '\n') {
		return "this part"
	}
	return string(c.source[from:to])
}

// possible tells whether a fact of which all values are known can be a literal that it is compared with.
func (c *checker) possible(fact node, at ast.Node, with node) bool {
	if of, isAggregate := fact.(*aggregate); isAggregate && of.of != nil {
		fact = of.of // of the first or last item
	}
	item, ok := fact.(*itemNode)
	literal, isLiteral := with.(*constant)
	if !ok || !isLiteral || item.field.values == nil || slices.Contains(item.field.values, literal.v.s) {
		return true
	}
	hint := didYouMean(literal.v.s, item.field.values)
	if hint == "" {
		hint = ": it is one of " + strings.Join(item.field.values, ", ")
	}
	c.fail(at, "there is no .%s %q%s", item.field.name, shorten(literal.v.s), hint)
	return false
}
