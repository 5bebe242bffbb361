package builder

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"aldine/internal/fault"
)

const (
	maxDepth = 40
	lineLong = 90 // a longer expression gets a line for each of its outermost conditions
)

// Text writes rows as an expression. It fails with Invalid, naming the row, where a row is not complete.
func Text(root Item) (text string, err error) {
	w := writer{}
	root = Normal(root)
	w.group(root, 0, false)
	if w.fault != "" {
		return "", fault.BadField("rows", "%s", w.fault)
	}
	text = w.b.String()
	if utf8.RuneCountInString(text) > lineLong && !root.Not && len(root.Items) > 1 {
		w.b.Reset()
		w.apart = "\n" + root.Join + " "
		w.group(root, 0, false)
		text = w.b.String()
	}
	if len(text) > maxSource {
		return "", fault.BadField("rows", "the rows make an expression of more than %d bytes", maxSource)
	}
	return text, nil
}

type writer struct {
	b     strings.Builder
	apart string // between the outermost conditions, where they stand on lines
	row   int
	fault string
}

func (w *writer) fail(format string, args ...any) {
	if w.fault == "" {
		w.fault = fmt.Sprintf("row %d: ", w.row) + fmt.Sprintf(format, args...)
	}
}

func (w *writer) put(s string) { w.b.WriteString(s) }

// group writes the parts of a group joined; not (...) around them where it is turned round.
func (w *writer) group(g Item, depth int, inside bool) {
	if depth > maxDepth {
		w.fail("groups within groups go too deep")
		return
	}
	if g.Join != "and" && g.Join != "or" {
		w.fail("conditions are joined by and or by or")
	}
	if g.Not {
		w.put("not (")
	}
	for i, part := range g.Items {
		if i > 0 && depth == 0 && w.apart != "" {
			w.put(w.apart)
		} else if i > 0 {
			w.put(" " + g.Join + " ")
		}
		w.item(part, depth+1, inside, len(g.Items) > 1)
	}
	if g.Not {
		w.put(")")
	}
}

func (w *writer) item(i Item, depth int, inside, among bool) {
	switch {
	case i.Kind == Group && !i.Not && among:
		w.put("(")
		w.group(i, depth, inside)
		w.put(")")
	case i.Kind == Group:
		w.group(i, depth, inside)
	case i.Kind == Test:
		if !inside {
			w.row++
		}
		w.test(i, depth, inside)
	default:
		w.fail("%q is no kind of row", i.Kind)
	}
}

func (w *writer) test(t Item, depth int, inside bool) {
	if t.Left == nil {
		w.fail("choose what it asks")
		return
	}
	switch t.Op {
	case Holds:
		if t.Not {
			w.put("not ")
		}
		w.left(*t.Left, depth, inside)
	case Known:
		if t.Not {
			w.put("not ")
		}
		w.put("is_known(")
		w.left(*t.Left, depth, inside)
		w.put(")")
	case "in":
		w.left(*t.Left, depth, inside)
		if t.Not {
			w.put(" not")
		}
		w.put(" in [")
		w.values(t.Values)
		w.put("]")
		if len(t.Values) == 0 {
			w.fail("enter at least one value")
		}
	default:
		if _, known := operators[t.Op]; !known {
			w.fail("choose a comparison")
			return
		}
		if len(t.Values) != 1 {
			w.fail("enter a value")
			return
		}
		if t.Not {
			w.put("not (")
		}
		w.left(*t.Left, depth, inside)
		w.put(" " + t.Op + " ")
		w.values(t.Values)
		if t.Not {
			w.put(")")
		}
	}
}

func (w *writer) left(l Left, depth int, inside bool) {
	switch {
	case l.Field != "":
		bare, dot := strings.CutPrefix(l.Field, ".")
		if !name.MatchString(bare) || slices.Contains(reserved, bare) || dot && !inside {
			w.fail("%q is not a name", l.Field)
		}
		w.put(l.Field)
		if l.Args != nil {
			if !dot || len(l.Args) != 1 || l.Args[0].Type != "text" || l.Args[0].Text == "" {
				w.fail("enter the name of the property")
			}
			w.put("(")
			w.values(l.Args)
			w.put(")")
		}
	case !name.MatchString(l.Call) || slices.Contains(reserved, l.Call):
		w.fail("choose what it asks")
	case l.Of == "":
		if counted[l.Call] || asked[l.Call] || measured[l.Call] || l.Where != nil {
			w.fail("choose what %s looks at", l.Call)
		}
		w.put(l.Call + "(")
		w.values(l.Args)
		w.put(")")
	default:
		w.over(l, depth)
	}
}

func (w *writer) over(l Left, depth int) {
	if !name.MatchString(l.Of) || slices.Contains(reserved, l.Of) {
		w.fail("%q is not a name", l.Of)
	}
	where := l.Where != nil && len(l.Where.Items) > 0
	condition := func() { w.group(*l.Where, depth+1, true) }
	switch {
	case measured[l.Call]:
		if bare, dot := strings.CutPrefix(l.Measure, "."); !dot || !name.MatchString(bare) {
			w.fail("choose what is added up")
		}
		if where {
			w.put(l.Call + "(filter(" + l.Of + ", ")
			condition()
			w.put("), " + l.Measure + ")")
		} else {
			w.put(l.Call + "(" + l.Of + ", " + l.Measure + ")")
		}
	case counted[l.Call] && !where:
		w.put(l.Call + "(" + l.Of + ")")
	case counted[l.Call] || asked[l.Call] && where:
		w.put(l.Call + "(" + l.Of + ", ")
		condition()
		w.put(")")
	case asked[l.Call]:
		w.fail("%s needs a condition", l.Call)
	default:
		w.fail("%s cannot look at %s", l.Call, l.Of)
	}
}

func (w *writer) values(values []Value) {
	for i, v := range values {
		if i > 0 {
			w.put(", ")
		}
		w.value(v)
	}
}

func (w *writer) value(v Value) {
	switch v.Type {
	case "text":
		w.put(strconv.Quote(v.Text))
	case "number":
		if !digits.MatchString(v.Text) {
			w.fail("enter a number, such as 12 or 12.50")
		}
		w.put(v.Text)
	case "bool":
		if v.Text != "true" && v.Text != "false" {
			w.fail("choose yes or no")
		}
		w.put(v.Text)
	case "date", "ago", "duration":
		if v.Text == "" {
			w.fail("enter %s", map[string]string{"date": "a date", "ago": "how long ago, such as 90d", "duration": "a length of time, such as 90d"}[v.Type])
		}
		w.put(v.Type + "(" + strconv.Quote(v.Text) + ")")
	case "now":
		w.put("now()")
	default:
		w.fail("enter a value")
	}
}

// reserved words mean something to the parser.
var reserved = []string{"and", "or", "not", "in", "contains", "startsWith", "endsWith", "matches", "true", "false", "nil", "let", "if", "else"}
