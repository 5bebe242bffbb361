package content

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/k3a/html2text"
	"github.com/osteele/liquid"
	"github.com/osteele/liquid/parser"
	"github.com/osteele/liquid/render"
	nethtml "golang.org/x/net/html"
)

// Layout is what a template's parts have in common for all customers: of each part the stretches of fixed text, one more
// than the values that stand between them.
type Layout struct{ Subject, HTML, Text []string }

// Values are what Fill puts between the stretches of a layout.
type Values struct{ Subject, HTML, Text []string }

// Layout gives the fixed text of the parts. The slices belong to the template.
func (c *Compiled) Layout() Layout {
	return Layout{c.subject.fixed, c.html.fixed, c.body.fixed}
}

// HTML puts the HTML part together.
func (c *Compiled) HTML(v Values) string { return c.html.join(v.HTML) }

// layout is one part cut into fixed text and values.
type layout struct {
	part   string
	fixed  []string
	values []value
}

// value is one place that is filled in: plainly where it is a single variable, otherwise by the library.
type value struct {
	path     []string // "customer", "first_name"
	escape   bool
	template *liquid.Template // fills in where path is nil or its value is no text
}

var plainVariable = regexp.MustCompile(`^\s*([a-z_][a-z0-9_]*)(?:\.([a-z_][a-z0-9_]*))?\s*$`)

// cutLayout takes a part apart. Blocks from {% if %} to {% endif %} are values as wholes. A part whose tags hand something on
// to later ones, or trim the white space around them, is one value.
func cutLayout(e *liquid.Engine, part, source string, escape bool) (layout, error) {
	l := layout{part: part, fixed: []string{""}}
	add := func(source string, path []string) error {
		t, err := parse(e, part, source)
		if err != nil {
			return err
		}
		l.values = append(l.values, value{path, escape, t})
		l.fixed = append(l.fixed, "")
		return nil
	}
	if _, err := parse(e, part, source); err != nil { // mistakes are named with the lines of the whole
		return l, err
	}
	tokens := parser.Scan(source, parser.SourceLoc{LineNo: 1}, nil)
	if slices.ContainsFunc(tokens, joined) {
		return l, add(source, nil)
	}
	var block strings.Builder
	depth := 0
	for _, t := range tokens {
		if t.Type == parser.TagTokenType {
			if _, opens := blocks[t.Name]; opens {
				depth++
			}
		}
		switch {
		case depth > 0:
			block.WriteString(t.Source)
			if t.Type == parser.TagTokenType && strings.HasPrefix(t.Name, "end") {
				if depth--; depth == 0 {
					if err := add(block.String(), nil); err != nil {
						return l, err
					}
					block.Reset()
				}
			}
		case t.Type == parser.TextTokenType:
			l.fixed[len(l.fixed)-1] += t.Source
		default:
			var path []string
			if m := plainVariable.FindStringSubmatch(t.Args); m != nil && t.Type == parser.ObjTokenType && !slices.Contains(words, m[1]) {
				path = []string{m[1]}
				if m[2] != "" && m[2] != "size" && m[2] != "first" && m[2] != "last" {
					path = append(path, m[2])
				} else if m[2] != "" {
					path = nil
				}
			}
			if err := add(t.Source, path); err != nil {
				return l, err
			}
		}
	}
	if depth > 0 {
		return l, add(block.String(), nil)
	}
	return l, nil
}

// joined tells whether a tag works beyond its own place.
func joined(t parser.Token) bool {
	switch {
	case t.Type == parser.TrimLeftTokenType, t.Type == parser.TrimRightTokenType:
		return true
	case t.Type != parser.TagTokenType:
		return false
	}
	return t.Name == "assign" || t.Name == "capture" || t.Name == "cycle" || t.Name == "comment"
}

// fill gives the values for one customer.
func (l *layout) fill(vars map[string]any) ([]string, error) {
	out := make([]string, len(l.values))
	size := 0
	for i := range l.values {
		v := &l.values[i]
		text, ok := v.plain(vars)
		if !ok {
			var err error
			if text, err = execute(v.template, l.part, vars); err != nil {
				return nil, err
			}
		}
		if size += len(text); size > maxOutput {
			return nil, tooLong(l.part, 0)
		}
		out[i] = text
	}
	return out, nil
}

// plain looks a variable up; false where the library has to print it.
func (v *value) plain(vars map[string]any) (string, bool) {
	if v.path == nil {
		return "", false
	}
	found, known := vars[v.path[0]]
	if len(v.path) == 2 {
		fields, ok := found.(map[string]any)
		if !ok {
			return "", false
		}
		found, known = fields[v.path[1]]
	}
	if !known || found == nil {
		return "", true
	}
	text, ok := found.(string)
	if ok && v.escape {
		text = render.HtmlEscaper.Replace(text)
	}
	return text, ok
}

// join puts a part together.
func (l *layout) join(values []string) string {
	if len(values) == 0 {
		return l.fixed[0]
	}
	var b strings.Builder
	for i, f := range l.fixed {
		b.WriteString(f)
		if i < len(values) {
			b.WriteString(values[i])
		}
	}
	return b.String()
}

// textOf makes the text part from an HTML part, both with their tags: what the library fills in is no HTML there.
func textOf(source string) string {
	var kept []string
	var b strings.Builder
	for _, t := range parser.Scan(source, parser.SourceLoc{LineNo: 1}, nil) {
		switch t.Type {
		case parser.TextTokenType:
			b.WriteString(t.Source)
		case parser.ObjTokenType, parser.TagTokenType:
			b.WriteString("\ue000" + strconv.Itoa(len(kept)) + "\ue001")
			kept = append(kept, t.Source)
		}
	}
	text := html2text.HTML2TextWithOptions(b.String(), html2text.WithUnixLineBreaks())
	return stand.ReplaceAllStringFunc(text, func(m string) string {
		n, err := strconv.Atoi(strings.Trim(m, "\ue000\ue001"))
		if err != nil || n >= len(kept) {
			return ""
		}
		return kept[n]
	})
}

var stand = regexp.MustCompile("\ue000[0-9]+\ue001")

// delicate tells whether what a customer's data brings could do harm in a page although it is escaped: within a tag, as
// part of a link, or in a style. Such pages are checked each time they are filled in.
func delicate(source string) bool {
	tokens := parser.Scan(source, parser.SourceLoc{LineNo: 1}, nil)
	if slices.ContainsFunc(tokens, joined) {
		return true
	}
	var b strings.Builder
	for _, t := range tokens {
		switch {
		case t.Type == parser.TextTokenType:
			b.WriteString(t.Source)
		case t.Type == parser.ObjTokenType && !ours.MatchString(t.Args):
			b.WriteString("\ue000")
		}
	}
	z := nethtml.NewTokenizer(strings.NewReader(b.String()))
	raw := ""
	for {
		kind := z.Next()
		if kind == nethtml.ErrorToken {
			return false
		}
		if strings.Contains(string(z.Raw()), "\ue000") && (kind != nethtml.TextToken || raw != "") {
			return true
		}
		if kind == nethtml.StartTagToken || kind == nethtml.EndTagToken {
			name, _ := z.TagName()
			raw = ""
			if kind == nethtml.StartTagToken && slices.Contains([]string{"style", "script", "textarea", "xmp", "iframe", "noembed", "noframes", "noscript", "plaintext"}, string(name)) {
				raw = string(name)
			}
		}
	}
}

// ours are values that no customer brings.
var ours = regexp.MustCompile(`^\s*(link__[0-9]+|unsubscribe_url)\s*$`)
