package segments

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// wordHints are what is written here for words of other languages; a word that is written in capitals is looked up in small letters, too.
var wordHints = map[string]string{
	"and": "and", "or": "or", "not": "not", "in": "in", "nicht": "not", "xor": "a != b for two conditions",
	"like": "contains, startsWith or matches", "ilike": `matches "(?i)..."`, "is": "== to compare, is_known(x) or not is_known(x)", "ist": "==",
	"between": "x >= 1 and x <= 5", "contains": "contains", "startswith": "startsWith", "endswith": "endsWith", "matches": "matches",
	"contain": "contains", "includes": "contains", "include": "contains", "has": "contains", "starts": "startsWith", "begins": "startsWith", "ends": "endsWith",
	"starts_with": "startsWith", "ends_with": "endsWith", "equals": "==", "equal": "==", "eq": "==", "ne": "!=", "nin": "not in", "NULL": "is_known(x)",
	"greater": ">", "more": ">", "over": ">", "less": "<", "fewer": "<", "under": "<", "at_least": ">=",
	"then": "condition ? a : b", "within": `x > ago("30d")`, "where": "filter(orders, condition), or the condition behind a comma",
}

// wordHint gives what to write for a word of another language, "" where it is none.
func wordHint(word string) string {
	if isOperator(word) {
		return ""
	}
	if hint := wordHints[word]; hint != "" {
		return hint
	}
	return wordHints[strings.ToLower(word)]
}

// signHints are for signs that word processors make of others.
var signHints = map[string]string{"≥": ">=", "≤": "<=", "≠": "!=", "×": "*", "÷": "/", "–": "-", "−": "-",
	"€": amount, "$": amount, "£": amount, "＞": ">", "＜": "<", "＝": "==", "，": "a comma", "（": "(", "）": ")", "＂": straight, "＇": straight,
	"“": straight, "”": straight, "„": straight, "‟": straight, "‘": straight, "’": straight, "‚": straight, "«": straight, "»": straight, "´": straight}

const amount = "the number alone, such as 12.50"

const straight = `straight quotation marks, such as "DE"`

// joint notes what is wrong with the joint itself.
func (r *recovery) joint(cut, lo, hi int) {
	switch t := r.tokens[cut]; {
	case t.text == ";" && r.listed(cut):
		r.c.failToken(t, `";" is not expected here: write a comma`)
	case t.text == ";":
		r.c.failToken(t, "several expressions (;) are not supported: join them with and")
	case t.text == "," && cut > lo && cut+1 < hi && isDigits(r.tokens[cut-1].text) && isDigits(r.tokens[cut+1].text) && len(r.tokens[cut+1].text) == 3:
		r.c.failToken(t, `"," is not expected here: thousands are written without it, as in %s%s`, r.tokens[cut-1].text, r.tokens[cut+1].text)
	case t.text == "," && cut > lo && cut+1 < hi && isDigits(r.tokens[cut-1].text) && isDigits(r.tokens[cut+1].text):
		r.c.failToken(t, `"," is not expected here: write a decimal point, as in %s.%s`, r.tokens[cut-1].text, r.tokens[cut+1].text)
	case t.text == "," && cut > lo && cut+1 < hi && isDigits(strings.ReplaceAll(r.tokens[cut-1].text, ".", "")) && isDigits(r.tokens[cut+1].text):
		r.c.failToken(t, `"," is not expected here: write a decimal point, and nothing between thousands, as in %s.%s`, strings.ReplaceAll(r.tokens[cut-1].text, ".", ""), r.tokens[cut+1].text)
	case t.text == ",":
		r.c.failToken(t, `"," is not expected here: join conditions with and, or`)
	case t.text != joint(t.text):
		r.c.failToken(t, "%q is not expected here: write %s", t.text, joint(t.text))
	}
}

// joint gives a word between conditions as it is written here.
func joint(word string) string {
	switch word = strings.ToLower(word); word {
	case "und":
		return "and"
	case "oder":
		return "or"
	}
	return word
}

// failSequence is said of what a semicolon parts.
func (c *checker) failSequence(n *ast.SequenceNode) node {
	r := &recovery{c: c, tokens: scan(c.source)}
	for i, t := range r.tokens {
		if t.text == ";" && t.from >= n.Nodes[0].Location().From {
			r.joint(i, 0, len(r.tokens))
			return nil
		}
	}
	return c.fail(n, "several expressions (;) are not supported: join them with and")
}

// listed tells whether a token stands in a list or among the arguments of a function.
func (r *recovery) listed(i int) bool {
	for from := i - 1; from >= 0; from-- {
		if m := r.tokens[from].match; m > i {
			return r.tokens[from].text == "[" || r.isCall(from, 0)
		}
	}
	return false
}

// hint notes a word or sign of another language.
func (r *recovery) hint(words []token, in place) bool {
	for i, t := range words {
		hint := wordHint(t.text)
		if strings.EqualFold(t.text, "is") || t.text == "ist" {
			hint = r.is(words[i+1:])
		}
		if t.text == "|" && (i+1 == len(words) || !isFunction(words[i+1].text)) {
			hint = "or"
		}
		if hint != "" && r.c.catalog.field(t.text) == nil {
			r.names(words[:i], in, t.from)
			r.c.failToken(t, "%q is not expected here: write %s", t.text, hint)
			return true
		}
	}
	return false
}

// is gives what to write for "is" before other words.
func (r *recovery) is(words []token) string {
	not := len(words) > 0 && strings.EqualFold(words[0].text, "not")
	if not {
		words = words[1:]
	}
	if len(words) > 0 && strings.EqualFold(words[0].text, "known") {
		return map[bool]string{true: "not is_known(x)", false: "is_known(x)"}[not]
	}
	empty := len(words) > 0 && slices.Contains(strings.Fields("null nil none empty blank missing unknown leer"), strings.ToLower(words[0].text))
	switch {
	case empty && not:
		return "is_known(x)"
	case empty:
		return "not is_known(x)"
	case not:
		return "!="
	case len(words) > 0 && wordHint(words[0].text) != "":
		return wordHint(words[0].text)
	}
	return "=="
}
