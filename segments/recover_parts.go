package segments

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
)

// joints are where an expression can be taken apart, what binds least first.
var joints = [][]string{{";"}, {"?", ":"}, {"or", "||", "OR", "Or", "oder", "Oder", "ODER"}, {"and", "&&", "AND", "And", "und", "Und", "UND"}, {","}}

func isOperator(word string) bool {
	return slices.Contains(strings.Fields("and or not in && || ! == != <= >= < > + - * / % ?? contains startsWith endsWith matches , ; ? :"), word)
}

func isWord(text string) bool {
	return text[0] == '_' || text[0] >= 'a' && text[0] <= 'z' || text[0] >= 'A' && text[0] <= 'Z'
}

// split takes tokens apart at the joints that stand in no bracket.
func (r *recovery) split(lo, hi int, in place) bool {
	for _, words := range joints {
		cuts := r.cuts(lo, hi, words)
		if len(cuts) == 0 || words[0] == "?" && r.tokens[cuts[0]].text == ":" {
			continue
		}
		if words[0] == "?" && len(r.cuts(lo, hi, words[:1])) > len(r.cuts(lo, hi, words[1:])) {
			r.c.failToken(r.tokens[cuts[0]], `"?" needs two results: write condition ? a : b`)
		}
		inner := in
		if inner.joined = ""; words[0] == "and" || words[0] == "or" {
			inner.joined = joint(r.tokens[cuts[0]].text)
		}
		from := lo
		for _, cut := range append(cuts, hi) {
			switch {
			case from < cut:
				r.part(from, cut, inner)
			case cut < hi:
				r.c.failToken(r.tokens[cut], "something is missing before %q", r.tokens[cut].text)
			case words[0] != ";":
				r.c.failToken(r.tokens[from-1], "something is missing after %q", r.tokens[from-1].text)
			}
			if cut < hi {
				r.joint(cut, lo, hi)
			}
			from = cut + 1
		}
		return true
	}
	return false
}

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// cuts gives the tokens that are one of the words and stand in no bracket.
func (r *recovery) cuts(lo, hi int, words []string) (cuts []int) {
	for i := lo; i < hi; i++ {
		if m := r.tokens[i].match; m > i {
			i = m
			continue
		}
		called := i == lo && i+1 < hi && r.tokens[i+1].text == "(" && r.tokens[i].text != joint(r.tokens[i].text) // AND(a; b)
		if slices.Contains(words, r.tokens[i].text) && !called {
			cuts = append(cuts, i)
		}
	}
	return cuts
}

func (r *recovery) isCall(bracket, lo int) bool {
	if bracket <= lo || r.tokens[bracket].text != "(" {
		return false
	}
	name := r.tokens[bracket-1].text
	return isWord(name) && !isOperator(name) && (wordHint(name) == "" || elsewhere[strings.ToLower(name)] != "")
}

// brackets looks into the brackets of a part that has no joints, and at what is around them.
func (r *recovery) brackets(lo, hi int, in place, failed *file.Error) {
	before, listed := len(r.c.faults), false
	hidden := map[int]bool{} // runes
	zeros := map[int]bool{}
	words := []token{}
	for i := lo; i < hi; i++ {
		t := r.tokens[i]
		if t.match <= i {
			words = append(words, t)
			continue
		}
		from, call := i, r.isCall(i, lo)
		if call {
			from, words = i-1, words[:len(words)-1]
		}
		tree, wrong := (ast.Node)(nil), failed
		dotted := call && from > lo && r.tokens[from-1].text == "."
		if f := eventsOf.field(r.tokens[from].text); dotted && f != nil && f.keyed { // .text("page")
			from, words = from-1, words[:len(words)-1]
		} else if call && (dotted || !isFunction(r.tokens[from].text)) {
			if name := r.tokens[from]; dotted {
				r.c.failToken(name, "a function is not written behind a dot, but around what it asks, as in any(orders, .amount > 20)")
			} else {
				r.c.failToken(name, "%s", r.c.unknownFunction(name.text))
			}
			if dotted {
				from--
			}
			for at := r.tokens[from].from; at < r.tokens[t.match].to; at++ {
				hidden[at] = true
			}
			zeros[r.tokens[from].from] = !dotted
			i = t.match
			continue
		}
		if from != lo || t.match+1 != hi {
			tree, wrong = r.parse(from, t.match+1, in, nil)
		}
		inner := in
		inner.joined = ""
		switch {
		case wrong == nil && t.text != "[":
			r.check(tree, inner)
		case i > lo && strings.EqualFold(r.tokens[i-1].text, "in") && t.text != "[":
			r.c.failToken(t, `in needs a list in square brackets, such as country in ["DE", "AT"]`)
			listed = true
		default:
			r.arguments(i, t.match, lo, inner)
		}
		for at := t.from; at < r.tokens[t.match].to; at++ {
			hidden[at] = true
		}
		zeros[t.from] = !call
		i = t.match
	}
	if len(hidden) > 0 && len(words) > 0 {
		from := r.tokens[lo].from
		_, failed = r.parse(lo, hi, in, func(text []rune) {
			for i := range text {
				if zeros[from+i] {
					text[i] = '0'
				} else if hidden[from+i] {
					text[i] = ' '
				}
			}
		})
	}
	if failed != nil && hidden[failed.From] && len(r.c.faults) > before {
		failed = nil
	}
	if r.hint(words, in) || failed == nil || len(words) == 0 && len(r.c.faults) > before {
		return
	}
	if name := r.tokens[lo]; strings.Contains(failed.Message, "expected at least") && isFunction(name.text) {
		if f := functionNamed(name.text); len(r.c.faults) == before {
			r.c.failToken(name, "%s lacks an argument: write it as %s, such as %s", f.name, f.signature, f.example)
		}
		return
	}
	r.names(words, in, failed.From)
	if !listed || len(r.c.faults) == before {
		r.c.failParse(failed)
	}
}

// names checks the names that stand before a fault.
func (r *recovery) names(words []token, in place, fault int) {
	for i, t := range words {
		if in.blind || t.from >= fault || !isWord(t.text) || isOperator(t.text) || i > 0 && words[i-1].text == "." {
			continue
		}
		if word := strings.ToLower(t.text); word == "true" || word == "false" || word == "nil" || word == "if" || word == "else" || word == "let" {
			continue
		}
		name := &ast.IdentifierNode{Value: t.text}
		name.SetLocation(file.Location{From: t.from, To: t.to})
		r.check(name, place{within: in.within, member: in.member, asOf: in.asOf})
	}
}

// arguments looks at what stands after a bracket and before hi, argument by argument.
func (r *recovery) arguments(bracket, hi, lo int, in place) {
	in.joined = ""
	from := bracket + 1
	if !r.isCall(bracket, lo) && r.tokens[bracket].text == "(" {
		r.part(from, hi, in)
		return
	}
	items := false // the first argument is what the others are about
	if r.isCall(bracket, lo) {
		switch r.tokens[bracket-1].text {
		case "any", "all", "none", "one", "count", "sum", "filter", "map":
			items, in.facts = true, true
			if in.within = r.c.catalog.collection(r.base(from)); in.within == nil {
				in.blind = true
			}
		case "household":
			in.member = true
		case "as_of":
			in.asOf = true
		}
	}
	cuts := append(r.cuts(from, hi, []string{","}), hi)
	if items && len(cuts) > 2 {
		r.c.failToken(r.tokens[cuts[1]], `"," is not expected here: join conditions with and, or`)
	}
	for i, cut := range cuts {
		switch inner := in; {
		case cut == from+1 && r.c.catalog.collection(r.tokens[from].text) != nil: // which function can ask it is another question
		case from < cut:
			if i == 0 && items {
				inner = place{blind: true}
			}
			r.part(from, cut, inner)
		case cut < hi:
			r.c.failToken(r.tokens[cut], "something is missing before %q", r.tokens[cut].text)
		case i > 0:
			r.c.failToken(r.tokens[from-1], "something is missing after %q", r.tokens[from-1].text)
		}
		from = cut + 1
	}
}

// base gives the name of the collection that an argument beginning at a token is over.
func (r *recovery) base(i int) string {
	for i+2 < len(r.tokens) && (r.tokens[i].text == "filter" || r.tokens[i].text == "map") && r.tokens[i+1].text == "(" {
		i += 2
	}
	if i < len(r.tokens) {
		return r.tokens[i].text
	}
	return ""
}
