package segments

import (
	"regexp"
	"strings"
)

// textTest is contains, startsWith or endsWith; case counts.
type textTest struct {
	op          string
	left, right node
}

func (n *textTest) kind() kind     { return boolean }
func (n *textTest) nullable() bool { return true }

func (n *textTest) sql(w *writer) {
	if writeGrouped(w, n) {
		return
	}
	switch n.op {
	case "contains":
		w.text("(strpos(")
		n.left.sql(w)
		w.text(", ")
		n.right.sql(w)
		w.text(") > 0)")
	case "startsWith":
		w.text("starts_with(")
		n.left.sql(w)
		w.text(", ")
		n.right.sql(w)
		w.text(")")
	default:
		if literal, ok := n.right.(*constant); ok {
			w.text("(")
			n.left.sql(w)
			w.text(" LIKE " + w.arg("%"+likeEscape.Replace(literal.v.s), "text") + ")")
			return
		}
		w.text("starts_with(reverse(")
		n.left.sql(w)
		w.text("), reverse(")
		n.right.sql(w)
		w.text("))")
	}
}

var likeEscape = strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`)

func (n *textTest) eval(e *env) value {
	l, r := n.left.eval(e), n.right.eval(e)
	if !l.known || !r.known {
		return known(false)
	}
	switch n.op {
	case "contains":
		return known(strings.Contains(l.s, r.s))
	case "startsWith":
		return known(strings.HasPrefix(l.s, r.s))
	}
	return known(strings.HasSuffix(l.s, r.s))
}

// match is matches: pattern says to PostgreSQL what re says to Go.
type match struct {
	left    node
	re      *regexp.Regexp
	pattern string
}

func (n *match) kind() kind     { return boolean }
func (n *match) nullable() bool { return true }

func (n *match) sql(w *writer) {
	if writeGrouped(w, n) {
		return
	}
	w.text("(")
	n.left.sql(w)
	w.text(" ~ " + w.arg(n.pattern, "text") + ")")
}

func (n *match) eval(e *env) value {
	v := n.left.eval(e)
	return known(v.known && n.re.MatchString(v.s))
}
