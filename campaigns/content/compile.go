package content

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/osteele/liquid"

	"aldine/internal/fault"
)

// Compiled is a template that is ready to be rendered, by many goroutines at once.
type Compiled struct {
	template            Template
	subject, html, body layout
	delicate            bool // the filled-in HTML is checked each time
	links               []string
	targets             []*liquid.Template // of links, by the same index
	used                map[string]bool
}

// Compile checks and compiles a template. names are the customer fields it may use (customers.Service.FieldNames). An
// Invalid error has one field ("subject", "html" or "body") with its line for each fault.
func Compile(t Template, names []string) (*Compiled, error) {
	if err := CheckChannel(t.Channel); err != nil {
		return nil, err
	}
	fields := shape(t)
	used := map[string]bool{}
	own := make([]string, len(names))
	for i, n := range names {
		own[i] = strings.TrimPrefix(n, "customer.")
	}
	for _, part := range []struct{ name, source string }{{"subject", t.Subject}, {"html", t.HTML}, {"body", t.Body}} {
		c := checker{part: part.name, names: own, used: used}
		c.check(part.source)
		fields = append(fields, c.faults...)
	}
	if len(fields) == 0 {
		fields = checkHTML(mask(t.HTML))
	}
	if len(fields) > 0 {
		return nil, fault.Bad("The template has mistakes", fields...)
	}
	return compile(t, used)
}

// shape checks which parts a template of its medium needs.
func shape(t Template) []fault.Field {
	var out []fault.Field
	fail := func(name, message string) { out = append(out, fault.Field{Name: name, Message: message}) }
	if t.Channel != Email {
		if strings.TrimSpace(t.Body) == "" {
			fail("body", "Write the text")
		}
		if t.Subject != "" {
			fail("subject", "Only e-mails have a subject")
		}
		if t.HTML != "" {
			fail("html", "Only e-mails have an HTML part: write the text into body")
		}
		return out
	}
	if strings.TrimSpace(t.Subject) == "" {
		fail("subject", "An e-mail needs a subject")
	}
	if strings.ContainsAny(t.Subject, "\r\n") {
		fail("subject", "A subject is one line")
	}
	if strings.TrimSpace(t.HTML) == "" && strings.TrimSpace(t.Body) == "" {
		fail("html", "An e-mail needs an HTML part or a text")
	}
	return out
}

// compile prepares a template that was checked when it was saved.
func compile(t Template, used map[string]bool) (c *Compiled, err error) {
	defer func() { // the library panics on some syntax errors
		if p := recover(); p != nil {
			err = fault.BadField("body", "The template can't be read: %v", p)
		}
	}()
	c = &Compiled{template: t, used: used}
	htmlSource, body := t.HTML, t.Body
	if t.Channel == Email {
		htmlSource = substitute(htmlSource, htmlLinks(htmlSource), &c.links)
	}
	if t.Channel == Email || t.Channel == SMS {
		body = substitute(body, textLinks(body), &c.links)
	}
	if strings.TrimSpace(body) == "" && t.Channel == Email {
		body = textOf(htmlSource)
	}
	if c.subject, err = cutLayout(textEngine(), "subject", t.Subject, false); err != nil {
		return nil, err
	}
	if c.html, err = cutLayout(htmlEngine(), "html", htmlSource, true); err != nil {
		return nil, err
	}
	if c.body, err = cutLayout(textEngine(), "body", body, false); err != nil {
		return nil, err
	}
	c.delicate = delicate(htmlSource)
	for _, url := range c.links {
		target, err := parse(textEngine(), "body", url)
		if err != nil {
			return nil, err
		}
		c.targets = append(c.targets, target)
	}
	return c, nil
}

func parse(e *liquid.Engine, part, source string) (*liquid.Template, error) {
	t, err := e.ParseTemplateLocation([]byte(ownTags(source)), "", 1)
	if err != nil {
		return nil, fault.Bad("The template has mistakes", fault.Field{Name: part, Message: plain(err), Line: max(err.LineNumber(), 0)})
	}
	return t, nil
}

// plain gives the library's message without its frame.
func plain(err liquid.SourceError) string {
	var e error = err
	if cause := err.Cause(); cause != nil {
		e = cause
	}
	s := strings.TrimPrefix(e.Error(), "Liquid error: ")
	return cut(strings.ReplaceAll(s, "\n", " "), 200)
}

// Template gives what was compiled.
func (c *Compiled) Template() Template { return c.template }

// Links gives the distinct URLs that can be tracked, as written in the template.
func (c *Compiled) Links() []string { return slices.Clone(c.links) }

// Uses tells whether the template prints a variable: Uses("unsubscribe_url").
func (c *Compiled) Uses(variable string) bool { return c.used[variable] }

// Render fills in the template. rewrite gets each trackable URL as written in the template and gives the one to print;
// nil prints the URLs filled in but otherwise as they are; they join the vars. An Invalid error says what a customer's data broke.
func (c *Compiled) Render(vars map[string]any, rewrite func(url string) string) (Rendered, error) {
	v, err := c.Fill(vars, rewrite)
	if err != nil {
		return Rendered{}, err
	}
	return Rendered{Subject: oneLine(c.subject.join(v.Subject)), HTML: c.html.join(v.HTML), Text: c.body.join(v.Text)}, nil
}

// Fill is Render for those who keep the layout's fixed text: it gives only what stands between. The addresses of links join the vars.
func (c *Compiled) Fill(vars map[string]any, rewrite func(url string) string) (Values, error) {
	for i, url := range c.links {
		if rewrite != nil {
			vars[placeholder(i)] = rewrite(url)
			continue
		}
		target, err := execute(c.targets[i], "html", vars)
		if err != nil {
			return Values{}, err
		}
		vars[placeholder(i)] = tidyURL(target)
	}
	var out Values
	var err error
	if out.Subject, err = c.subject.fill(vars); err != nil {
		return Values{}, err
	}
	if out.HTML, err = c.html.fill(vars); err != nil {
		return Values{}, err
	}
	if c.delicate {
		if faults := checkHTML(c.html.join(out.HTML)); len(faults) > 0 {
			return Values{}, fault.Bad("The filled-in template is not safe to send", faults...)
		}
	}
	out.Text, err = c.body.fill(vars)
	return out, err
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func execute(t *liquid.Template, part string, vars map[string]any) (s string, err error) {
	defer func() { // a filter of the library given a value it does not expect
		if p := recover(); p != nil {
			err = fault.BadField(part, "The template can't be filled in: %v", p)
		}
	}()
	w := limitWriter{left: maxOutput}
	if e := t.FRender(&w, vars); e != nil {
		message := plain(e)
		if errors.Is(e, errTooLong) {
			return "", tooLong(part, max(e.LineNumber(), 0))
		}
		return "", fault.Bad("The template can't be filled in", fault.Field{Name: part, Message: message, Line: max(e.LineNumber(), 0)})
	}
	return w.b.String(), nil
}

func tooLong(part string, line int) error {
	return fault.Bad("The template can't be filled in",
		fault.Field{Name: part, Message: fmt.Sprintf("The filled-in text grows too long: at most %d KB", maxOutput>>10), Line: line})
}

// RenderURL fills in the tags of a link's target, at the click. Fails with Invalid.
func RenderURL(url string, vars map[string]any) (string, error) {
	if !strings.Contains(url, "{{") {
		return url, nil
	}
	if !trackable(url) {
		return "", fault.BadField("url", "The link's target has no fixed host")
	}
	t, err := parse(textEngine(), "url", url)
	if err != nil {
		return "", err
	}
	s, err := execute(t, "url", vars)
	return tidyURL(s), err
}

// tidyURL encodes what a URL can't hold and customers' data may bring.
func tidyURL(s string) string {
	var b strings.Builder
	for _, c := range []byte(strings.TrimSpace(s)) {
		if c <= ' ' || c == 0x7f || strings.IndexByte("\"<>\\^`{|}'", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

// text prints a value as Liquid does.
func text(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}
