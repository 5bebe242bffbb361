package segments

import (
	"errors"
	"slices"
	"strings"
	"unicode"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
)

// An expression that cannot be parsed as a whole is taken apart where its parts can stand alone: at and, or, commas and
// brackets. Every part is parsed and checked by itself, so that a marketer sees all that is wrong at once.

// token is a word, sign or text of an expression that may be faulty.
type token struct {
	from, to int
	text     string
	match    int // of a bracket: the index of its other half, -1 without one
}

const opening, closing = "([{", ")]}"

// scan cuts an expression into tokens; it never fails.
func scan(source []rune) (tokens []token) {
	word := func(r rune) bool {
		return r == '_' || r == '$' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r > 127 && unicode.IsLetter(r)
	}
	at := func(i int) rune {
		if i < len(source) {
			return source[i]
		}
		return 0
	}
	var open []int
	for i := 0; i < len(source); {
		from := i
		switch r := source[i]; {
		case r == ' ' || r == '\t' || r == '\n' || r == '\r' || r == '\u00a0':
			i++
			continue
		case r == '/' && at(i+1) == '/':
			for i < len(source) && source[i] != '\n' {
				i++
			}
			continue
		case r == '/' && at(i+1) == '*':
			for i += 2; i < len(source) && (source[i] != '*' || at(i+1) != '/'); {
				i++
			}
			i += 2
			continue
		case r == '"' || r == '\'' || r == '`':
			for i++; i < len(source) && source[i] != r; i++ {
				if source[i] == '\\' && r != '`' {
					i++
				}
			}
			i = min(i+1, len(source))
		case word(r):
			for i < len(source) && (word(source[i]) || source[i] == '.' && source[from] <= '9' && source[from] >= '0') {
				i++
			}
		default:
			i++
			if strings.ContainsRune("=!<>&|?", r) && strings.ContainsRune("=&|?>", at(i)) {
				i++
			}
		}
		t := token{from: from, to: i, text: string(source[from:min(i, len(source))]), match: -1}
		if kind := strings.Index(closing, t.text); kind >= 0 && len(t.text) == 1 {
			if n := len(open); n > 0 && tokens[open[n-1]].text == opening[kind:kind+1] {
				t.match = open[n-1]
				tokens[t.match].match = len(tokens)
				open = open[:n-1]
			}
		} else if len(t.text) == 1 && strings.Contains(opening, t.text) {
			open = append(open, len(tokens))
		}
		tokens = append(tokens, t)
	}
	return tokens
}

// recovery takes a faulty expression apart.
type recovery struct {
	c        *checker
	tokens   []token
	unclosed bool // a bracket is, and it was said
	read     int  // characters parsed again: a text of nothing but faults is not looked at for long
}

const maxRead = 40 * maxSource

// place is what a part stands in: the items whose facts it can name, and whether it must be a condition.
type place struct {
	within *collection
	facts  bool // a fact with a dot can stand here
	blind  bool // of what is not known: parsed, but not checked
	member bool // within household
	asOf   bool // within as_of
	joined string
}

// recover notes what is wrong with the parts of an expression that the parser refused for the reason err.
func (c *checker) recover(err error) {
	r := &recovery{c: c, tokens: scan(c.source)}
	before := len(c.faults)
	if len(r.tokens) == 0 && !strings.Contains(err.Error(), "unclosed") {
		c.failAt(file.Location{To: len(c.source)}, "there is nothing but a note: write a condition")
		return
	}
	r.part(0, len(r.tokens), place{})
	if len(c.faults) == before { // parts are fine, the whole is not
		c.failParse(err)
	}
}

// parse parses the tokens from lo to hi as they stand, all else and what hide names left out.
func (r *recovery) parse(lo, hi int, in place, hide func(text []rune)) (ast.Node, *file.Error) {
	const before = "any(x, "
	from, to := r.tokens[lo].from, r.tokens[hi-1].to
	r.read += to - from + 50
	text := slices.Clone(r.c.source[from:min(to, len(r.c.source))])
	if hide != nil {
		hide(text)
	}
	move := from
	written := string(text)
	if in.facts {
		written, move = before+written+")", from-len(before)
	}
	tree, err := parsed(written)
	if err != nil {
		var e *file.Error
		if !errors.As(err, &e) {
			e = &file.Error{Message: "unreadable"}
		}
		at := *e
		at.From, at.To = min(max(e.From+move, from), to), min(max(e.To+move, from), to)
		if !strings.Contains(at.Message, "not terminated") && at.From >= to || strings.Contains(at.Message, "token EOF") {
			at.From, at.To, at.Message = r.tokens[hi-1].from, to, "unexpected end of expression"
		}
		return nil, &at
	}
	if in.facts {
		call, ok := tree.(*ast.BuiltinNode)
		if !ok || len(call.Arguments) != 2 {
			return nil, &file.Error{Location: file.Location{From: from, To: from + 1}, Message: "unreadable"}
		}
		tree = call.Arguments[1]
		if p, ok := tree.(*ast.PredicateNode); ok {
			tree = p.Node
		}
	}
	ast.Walk(&tree, visit(func(n *ast.Node) {
		loc := (*n).Location()
		(*n).SetLocation(file.Location{From: loc.From + move, To: loc.To + move})
	}))
	return tree, nil
}

// part checks the tokens from lo to hi, or takes them apart further.
func (r *recovery) part(lo, hi int, in place) {
	if lo >= hi || r.read > maxRead || len(r.c.faults) >= maxFaults {
		return
	}
	tree, failed := r.parse(lo, hi, in, nil)
	if failed == nil {
		r.check(tree, in)
		return
	}
	if r.stray(lo, hi, in) || r.whole(lo, hi, failed) || r.split(lo, hi, in) {
		return
	}
	if text := r.tokens[lo].text; (text == "not" || text == "!" || text == "NOT" || text == "Not") && hi > lo+1 {
		if text == "NOT" || text == "Not" {
			r.c.failToken(r.tokens[lo], "%q is not expected here: write not", text)
		}
		in.joined = "not"
		r.part(lo+1, hi, in)
		return
	}
	r.brackets(lo, hi, in, failed)
}

// check checks a part that could be parsed.
func (r *recovery) check(tree ast.Node, in place) {
	if in.blind {
		return
	}
	c := r.c
	outer := *c
	c.items, c.inMember, c.asOf = in.within, in.member, in.asOf
	n := c.node(tree)
	c.items, c.inMember, c.asOf = outer.items, outer.inMember, outer.asOf
	if n != nil && in.joined != "" && n.kind() != boolean {
		c.fail(tree, "%s is %s, but %s joins conditions, such as %s", c.name(tree), n.kind().phrase(), in.joined, exampleFor(c.name(tree), n.kind()))
	}
}

// stray notes a bracket without its other half, and looks at what stands on both sides of it.
func (r *recovery) stray(lo, hi int, in place) bool {
	for i := lo; i < hi; i++ {
		t := r.tokens[i]
		if len(t.text) != 1 || !strings.Contains(opening+closing, t.text) || t.match >= lo && t.match < hi {
			continue
		}
		if strings.Contains(closing, t.text) {
			r.c.failToken(t, "%q has no opening bracket before it", t.text)
			r.part(lo, i, in)
			in.joined = ""
			for i+1 < hi && isOperator(r.tokens[i+1].text) {
				i++
			}
			r.part(i+1, hi, in)
			return true
		}
		if !r.unclosed { // said once: mostly one is missing, and which one nobody can tell
			r.unclosed = true
			r.c.failToken(t, "%q is never closed: %q is missing", t.text, closing[strings.Index(opening, t.text):][:1])
		}
		r.arguments(i, hi, lo, in)
		last := i - 1
		if r.isCall(i, lo) {
			last--
		}
		for last >= lo && isOperator(r.tokens[last].text) {
			last--
		}
		in.joined = ""
		r.part(lo, last+1, in)
		return true
	}
	return false
}

// whole notes a fault that spoils what stands on both sides of an and, too.
func (r *recovery) whole(lo, hi int, failed *file.Error) bool {
	if r.tokens[lo].text == "let" {
		r.c.failToken(r.tokens[lo], "variables (let) are not supported: write the value where it is needed")
		return true
	}
	for i := lo; i < hi; i++ {
		if strings.EqualFold(r.tokens[i].text, "between") {
			r.c.failToken(r.tokens[i], "%q is not expected here: write %s", r.tokens[i].text, wordHints["between"])
			return true
		}
	}
	return strings.Contains(failed.Message, "maximum allowed nodes") && r.note(failed)
}

func (r *recovery) note(e *file.Error) bool {
	r.c.failParse(e)
	return true
}
