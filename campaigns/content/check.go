package content

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/osteele/liquid/parser"

	"aldine/internal/fault"
)

// roots are the variables that every template has; customer's fields are checked by name.
var roots = map[string][]string{
	"customer": nil,
	"campaign": {"name", "code"},
	"company":  {"name", "address"},
	"keycode":  nil, "unsubscribe_url": nil, "today": nil, "forloop": nil,
}

var words = []string{"and", "or", "contains", "in", "true", "false", "nil", "null", "empty", "blank", "reversed"}

// filters are those that templates may use. "safe" is not among them: what customers typed must not become HTML.
var filters = strings.Fields(`default compact concat join reverse sort first last uniq size date abs ceil floor modulo minus plus
	times divided_by round at_least at_most append capitalize downcase escape escape_once newline_to_br prepend remove
	remove_first remove_last replace replace_first replace_last slice split strip_html strip_newlines strip lstrip rstrip
	truncate truncatewords upcase url_encode url_decode`)

// blocks and the tags that may stand in them.
var blocks = map[string][]string{
	"if": {"elsif", "else"}, "unless": {"elsif", "else"}, "case": {"when", "else"}, "for": {"else"}, "capture": nil, "comment": nil,
}

var singles = []string{"assign", "cycle", "break", "continue"}

// checker walks the tags of one part of a template and collects its faults.
type checker struct {
	part   string // field's name: subject, html, body
	names  []string
	locals []string
	open   []openBlock
	rounds int  // of the loops around the present place
	inFor  bool // the expression is the list of a loop
	faults []fault.Field
	used   map[string]bool // "customer.email", "keycode"
}

type openBlock struct {
	tag    string
	line   int
	rounds int
}

func (c *checker) fail(line int, format string, args ...any) {
	c.faults = append(c.faults, fault.Field{Name: c.part, Message: fmt.Sprintf(format, args...), Line: line})
}

// check reports what is wrong with a part. It goes on after a fault, so that all are seen at once.
func (c *checker) check(source string) {
	if len(source) > maxSource {
		c.fail(0, "The template is too long: %d KB, at most %d KB are allowed", len(source)>>10, maxSource>>10)
		return
	}
	c.rounds = 1
	for _, tok := range parser.Scan(source, parser.SourceLoc{LineNo: 1}, nil) {
		comment := len(c.open) > 0 && c.open[len(c.open)-1].tag == "comment"
		switch {
		case comment && !(tok.Type == parser.TagTokenType && tok.Name == "endcomment"):
		case tok.Type == parser.TextTokenType:
			c.text(tok.Source, tok.SourceLoc.LineNo)
		case tok.Type == parser.ObjTokenType:
			c.expression(lex(tok.Args), tok.SourceLoc.LineNo)
		case tok.Type == parser.TagTokenType:
			c.tag(tok.Name, tok.Args, tok.SourceLoc.LineNo)
		}
	}
	for _, o := range c.open {
		c.fail(o.line, "{%% %s %%} is not closed: add {%% end%s %%}", o.tag, o.tag)
	}
}

// text finds braces that were opened and never closed; the library takes them for text.
func (c *checker) text(s string, line int) {
	for _, b := range []struct{ open, close string }{{"{{", "}}"}, {"{%", "%}"}} {
		if i := strings.Index(s, b.open); i >= 0 {
			at := line + strings.Count(s[:i], "\n")
			tag, _, _ := strings.Cut(s[i:], "\n")
			c.fail(at, "%q is not closed: add %s on the same line", cut(tag, 40), b.close)
			return
		}
	}
}

func (c *checker) tag(name, args string, line int) {
	if tag, ok := strings.CutPrefix(name, "end"); ok {
		if len(c.open) == 0 || c.open[len(c.open)-1].tag != tag {
			if len(c.open) > 0 {
				o := c.open[len(c.open)-1]
				c.fail(line, "{%% %s %%} comes before {%% end%s %%}, which closes line %d", name, o.tag, o.line)
				return
			}
			c.fail(line, "{%% %s %%} closes nothing", name)
			return
		}
		c.rounds = c.open[len(c.open)-1].rounds
		c.open = c.open[:len(c.open)-1]
		return
	}
	if _, ok := blocks[name]; ok {
		c.open = append(c.open, openBlock{name, line, c.rounds})
		if len(c.open) == maxDepth+1 {
			c.fail(line, "Blocks are nested more than %d deep", maxDepth)
		}
	} else if !slices.Contains(singles, name) && !c.clause(name, line) {
		return
	}
	switch xs := lex(args); name {
	case "capture":
		c.local(strings.TrimSpace(args), line)
	case "assign":
		if len(xs) < 3 || xs[0].kind != 'i' || xs[1].text != "=" {
			c.fail(line, "{%% assign %%} needs a name, = and a value: {%% assign greeting = \"Dear\" %%}")
			return
		}
		c.expression(xs[2:], line)
		c.local(xs[0].text, line)
	case "for":
		if len(xs) < 3 || xs[0].kind != 'i' || xs[1].text != "in" {
			c.fail(line, "{%% for %%} needs a name, in and a list: {%% for tag in customer.tags %%}")
			return
		}
		c.loop(xs[2:], line)
		c.local(xs[0].text, line)
	case "if", "unless", "elsif", "case", "when":
		if len(xs) == 0 {
			c.fail(line, "{%% %s %%} needs a condition", name)
		}
		c.expression(xs, line)
	}
}

// clause tells whether a tag that is neither a block nor single may stand here, such as else.
func (c *checker) clause(name string, line int) bool {
	if len(c.open) > 0 && slices.Contains(blocks[c.open[len(c.open)-1].tag], name) {
		return true
	}
	switch name {
	case "else", "elsif", "when":
		c.fail(line, "{%% %s %%} stands outside its block", name)
	case "include", "render":
		c.fail(line, "{%% %s %%} is not available: a template can't read files or other templates", name)
	default:
		c.fail(line, "{%% %s %%} is not a tag that templates know; use if, unless, case, for, assign, capture, cycle or comment", name)
	}
	return false
}

func (c *checker) local(name string, line int) {
	if _, taken := roots[name]; taken {
		c.fail(line, "%s is the name of a given value: choose another", name)
		return
	}
	if n := nameLen(name); n == 0 || n != len(name) {
		c.fail(line, "%q is not a name: use letters, digits and _", cut(name, 40))
		return
	}
	c.locals = append(c.locals, name)
}

// loop bounds the work: a range needs numbers as its ends, and loops within loops multiply.
func (c *checker) loop(xs []lexeme, line int) {
	rounds := 100 // a list of a customer, such as tags
	if xs[0].kind != 'i' || slices.Contains(c.locals, xs[0].text) || slices.ContainsFunc(xs, func(x lexeme) bool { return x.text == "|" }) {
		rounds = maxItems // a list that the template makes
	}
	if len(xs) >= 5 && xs[0].text == "(" && xs[2].text == ".." {
		from, err1 := strconv.Atoi(xs[1].text)
		to, err2 := strconv.Atoi(xs[3].text)
		if err1 != nil || err2 != nil {
			c.fail(line, "A range needs numbers as its ends: (1..10)")
			return
		}
		if rounds = to - from + 1; rounds > maxItems || to > 1<<40 || from < -1<<40 {
			c.fail(line, "The range (%d..%d) is too long: at most %d rounds", from, to, maxItems)
			return
		}
	}
	if c.rounds *= max(rounds, 1); c.rounds > maxRounds {
		c.fail(line, "These loops within loops could run more than %d times", maxRounds)
		c.rounds = maxRounds
	}
	c.inFor = true
	c.expression(xs, line)
	c.inFor = false
}

// expression checks the variables and filters that a tag uses.
func (c *checker) expression(xs []lexeme, line int) {
	for i := 0; i < len(xs); i++ {
		x := xs[i]
		switch {
		case x.text == "|" && x.kind == 'o' && i+1 < len(xs):
			i++
			if !slices.Contains(filters, xs[i].text) {
				c.fail(line+xs[i].line, "Unknown filter %q%s", cut(xs[i].text, 40), suggest(xs[i].text, filters))
			}
		case x.text == ".." && x.kind == 'o' && !c.inFor:
			c.fail(line+x.line, "A range can only be used by {%% for %%}")
		case x.kind == 'i' && !slices.Contains(words, x.text):
			path := []lexeme{x}
			for i+1 < len(xs) {
				if xs[i+1].kind == 'p' {
					path = append(path, xs[i+1])
					i++
				} else if i+3 < len(xs) && xs[i+1].text == "[" && xs[i+2].kind == 's' && xs[i+3].text == "]" {
					path = append(path, xs[i+2])
					i += 3
				} else {
					break
				}
			}
			c.variable(path, line+x.line)
		}
	}
}

func (c *checker) variable(path []lexeme, line int) {
	root := path[0].text
	if slices.Contains(c.locals, root) {
		return
	}
	fields, known := roots[root]
	switch {
	case !known:
		all := slices.Clone(c.locals)
		for name := range roots {
			all = append(all, name)
		}
		slices.Sort(all)
		hint := suggest(root, all)
		if slices.Contains(c.names, root) {
			hint = ": did you mean customer." + root + "?"
		}
		c.fail(line, "Unknown variable %q%s", cut(root, 60), hint)
		return
	case root == "customer":
		fields = c.names
	case fields == nil:
		c.used[root] = true
		return
	}
	if len(path) < 2 {
		c.fail(line, "%s needs a field: %s.name", root, root)
		return
	}
	field := path[1].text
	c.used[root+"."+field] = true
	if c.names != nil || root != "customer" {
		if !slices.Contains(fields, field) {
			c.fail(line, "Unknown variable %q%s", cut(root+"."+field, 60), suggest(field, fields))
		}
	}
}
