package content

import (
	"errors"
	"strings"
	"testing"
	"time"

	"aldine/internal/fault"
)

var fieldNames = []string{"id", "first_name", "last_name", "email", "orders_count", "tags", "city"}

func vars() map[string]any {
	return Vars{
		Customer: map[string]any{"id": int64(7), "first_name": `Ann <b>"O'Hara"</b>`, "last_name": "", "email": "a+b@example.org",
			"orders_count": 3, "tags": []string{"garden", "roses"}, "city": "javascript:alert(1)"},
		CampaignName: "Spring & Co", CampaignCode: "spring", Keycode: "K7", CompanyName: "Aldine", CompanyAddress: "Rialto 1",
		UnsubscribeURL: "https://t.example/t/u/x", Today: time.Date(2026, 11, 5, 0, 0, 0, 0, time.UTC),
	}.Map()
}

func email(subject, html, body string) Template {
	return Template{Name: "t", Channel: Email, Subject: subject, HTML: html, Body: body}
}

// faults gives the fields of an Invalid error.
func faults(t *testing.T, err error) []fault.Field {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Invalid {
		t.Fatalf("want an Invalid error, got %v", err)
	}
	return f.Fields
}

func TestRenderEscapesInHTMLOnly(t *testing.T) {
	t.Parallel()
	c, err := Compile(email("Hello {{ customer.first_name }}", `<p title="{{ customer.first_name }}">Dear {{ customer.first_name }}, {{ customer.last_name | default: "friend" }}, {{ campaign.name }}, {{ today | date: "%d %B %Y" }}</p>`, ""), fieldNames)
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.Render(vars(), nil)
	if err != nil {
		t.Fatal(err)
	}
	name := `Ann &lt;b&gt;&#34;O&#39;Hara&#34;&lt;/b&gt;`
	if want := `<p title="` + name + `">Dear ` + name + `, friend, Spring &amp; Co, 05 November 2026</p>`; out.HTML != want {
		t.Errorf("HTML\n got %s\nwant %s", out.HTML, want)
	}
	if want := `Hello Ann <b>"O'Hara"</b>`; out.Subject != want {
		t.Errorf("subject %q, want %q", out.Subject, want)
	}
	if !strings.Contains(out.Text, `Dear Ann <b>"O'Hara"</b>, friend, Spring & Co`) {
		t.Errorf("text made from HTML: %q", out.Text)
	}
}

func TestCompileNamesFaultsWithLines(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		template Template
		field    string
		line     int
		message  string
	}{
		"unknown field":        {email("s", "<p>\n{{ customer.frist_name }}</p>", ""), "html", 2, "did you mean first_name?"},
		"unknown root":         {email("{{ costumer.id }}", "x", ""), "subject", 1, `Unknown variable "costumer"`},
		"field without root":   {email("s", "{{ first_name }}", ""), "html", 1, "did you mean customer.first_name?"},
		"in a condition":       {email("s", "\n\n{% if customer.vip and customer.id %}x{% endif %}", ""), "html", 3, "customer.vip"},
		"in a filter argument": {email("s", `{{ customer.id | append: nobody }}`, ""), "html", 1, `"nobody"`},
		"by index":             {email("s", `{{ customer["secret"] }}`, ""), "html", 1, "customer.secret"},
		"in an index":          {email("s", `{{ customer.tags[nobody] }}`, ""), "html", 1, `"nobody"`},
		"unclosed if":          {email("s", "a\n{% if customer.id %}b\nc", ""), "html", 2, "{% endif %}"},
		"unclosed object":      {email("s", "a\nb {{ customer.id \nc", ""), "html", 2, "not closed"},
		"unclosed tag":         {email("s", "a\n\n{% if customer.id\nc", ""), "html", 3, "not closed"},
		"crossed":              {email("s", "{% if customer.id %}\n{% for x in customer.tags %}{% endif %}{% endfor %}", ""), "html", 2, "endfor"},
		"else outside":         {email("s", "{% else %}", ""), "html", 1, "outside"},
		"include":              {email("s", "x\n{% include '/etc/passwd' %}", ""), "html", 2, "can't read files"},
		"render":               {email("s", "{% render 'x' %}", ""), "html", 1, "can't read files"},
		"unknown tag":          {email("s", "{% system 'x' %}", ""), "html", 1, "not a tag"},
		"unknown filter":       {email("s", "{{ customer.id | upcas }}", ""), "html", 1, "did you mean upcase?"},
		"safe":                 {email("s", "{{ customer.first_name | safe }}", ""), "html", 1, "Unknown filter"},
		"long range":           {email("s", "{% for i in (1..1000000) %}x{% endfor %}", ""), "html", 1, "too long"},
		"open range":           {email("s", "{% for i in (1..customer.orders_count) %}x{% endfor %}", ""), "html", 1, "numbers as its ends"},
		"range elsewhere":      {email("s", "{% assign x = (1..100000000) %}", ""), "html", 1, "only be used by"},
		"loops in loops":       {email("s", strings.Repeat("{% for i in (1..200) %}", 2)+strings.Repeat("{% endfor %}", 2), ""), "html", 1, "more than 10000 times"},
		"deep":                 {email("s", strings.Repeat("{% if customer.id %}", 11)+strings.Repeat("{% endif %}", 11), ""), "html", 1, "nested"},
		"bad expression":       {email("s", "ok\n{{ customer.id = 3 }}", ""), "html", 2, ""},
		"javascript":           {email("s", "x\n<a href=\"javascript:alert(1)\">x</a>", ""), "html", 2, "javascript"},
		"javascript in parts":  {email("s", "<a href=' java\nscript:alert(1)'>x</a>", ""), "html", 1, "javascript"},
		"javascript entity":    {email("s", "<a href='&#106;avascript:alert(1)'>x</a>", ""), "html", 1, "javascript"},
		"script":               {email("s", "x<script>alert(1)</script>", ""), "html", 1, "<script>"},
		"handler":              {email("s", "<img src='https://x.org/a.png' onerror='x()'>", ""), "html", 1, "onerror"},
		"no subject":           {email(" ", "x", ""), "subject", 0, "needs a subject"},
		"subject of two lines": {email("s\nBcc: x@example.org", "x", ""), "subject", 0, "one line"},
		"no words":             {email("s", "", " "), "html", 0, "HTML part or a text"},
		"sms without text":     {Template{Channel: SMS}, "body", 0, "Write the text"},
		"sms with html":        {Template{Channel: SMS, Body: "x", HTML: "x"}, "html", 0, "Only e-mails"},
		"medium":               {Template{Channel: "fax", Body: "x"}, "channel", 0, "not a medium"},
		"too long":             {email("s", strings.Repeat("x", maxSource+1), ""), "html", 0, "too long"},
		"given name":           {email("s", "{% assign customer = 3 %}", ""), "html", 1, "choose another"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Compile(c.template, fieldNames)
			for _, f := range faults(t, err) {
				if f.Name == c.field && f.Line == c.line && strings.Contains(f.Message, c.message) {
					return
				}
			}
			t.Fatalf("want %s line %d with %q, got %v", c.field, c.line, c.message, err)
		})
	}
}

func TestCompileReportsAllFaultsAtOnce(t *testing.T) {
	t.Parallel()
	_, err := Compile(email("{{ nobody }}", "{{ customer.x1 }}\n{{ customer.x2 }}", "{% if %}"), fieldNames)
	if n := len(faults(t, err)); n != 5 {
		t.Fatalf("%d faults, want 5: %v", n, err)
	}
}

func TestLinksAreRewrittenAsWritten(t *testing.T) {
	t.Parallel()
	c, err := Compile(email("s", `<a href="https://shop.example/?a=1&amp;c={{ customer.email | url_encode }}">x</a>
		<a class="y" href='https://shop.example/roses'>y</a> <a href="{{ unsubscribe_url }}">off</a> <a href="mailto:a@b.org">m</a>
		<a href="https://{{ customer.city }}.example/">z</a> <a href="https://shop.example/roses">again</a>`,
		"Buy at https://shop.example/roses, or https://shop.example/{{ customer.id }}/x. {{ unsubscribe_url }}"), fieldNames)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"https://shop.example/?a=1&c={{ customer.email | url_encode }}", "https://shop.example/roses", "https://shop.example/{{ customer.id }}/x"}
	if got := c.Links(); strings.Join(got, " ") != strings.Join(want, " ") {
		t.Fatalf("links %q, want %q", got, want)
	}
	out, err := c.Render(vars(), func(url string) string {
		return "https://t.example/?u=" + url[len("https://shop.example"):len("https://shop.example")+2] + "&x"
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{`href="https://t.example/?u=/?&amp;x"`, `href='https://t.example/?u=/r&amp;x'`, `href="https://t.example/t/u/x"`} {
		if !strings.Contains(out.HTML, s) {
			t.Errorf("HTML lacks %s:\n%s", s, out.HTML)
		}
	}
	if want := "Buy at https://t.example/?u=/r&x, or https://t.example/?u=/{&x. https://t.example/t/u/x"; out.Text != want {
		t.Errorf("text %q, want %q", out.Text, want)
	}
	out, err = c.Render(vars(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.HTML, `href="https://shop.example/?a=1&amp;c=a%2Bb%40example.org"`) || !strings.Contains(out.Text, "https://shop.example/7/x.") {
		t.Errorf("links without rewriting:\n%s\n%s", out.HTML, out.Text)
	}
	if !c.Uses("unsubscribe_url") || !c.Uses("customer.id") || c.Uses("keycode") {
		t.Error("Uses does not tell what is used")
	}
}

func TestRenderedLinksAreCheckedAgain(t *testing.T) {
	t.Parallel()
	c, err := Compile(email("s", `<a href="{{ customer.city }}">x</a>`, ""), fieldNames)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = c.Render(vars(), nil); err == nil || !strings.Contains(err.Error(), "javascript") {
		t.Fatalf("a customer's city became a script link: %v", err)
	}
}

func TestGrowingValuesAreStopped(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"append":  `{% assign x = "0123456789" %}` + strings.Repeat(`{% assign x = x | append: x %}`, 40) + "{{ x }}",
		"capture": `{% assign x = "0123456789" %}` + strings.Repeat(`{% capture x %}{{ x }}{{ x }}{% endcapture %}`, 40) + "{{ x }}",
		"replace": `{% assign x = "aaaaaaaaaa" %}` + strings.Repeat(`{% assign x = x | replace: "a", x %}`, 10) + "{{ x }}",
		"join":    `{% assign x = "aaaaaaaaaa" %}` + strings.Repeat(`{% assign x = x | split: "" | join: x %}`, 10) + "{{ x }}",
		"output":  `{% assign x = "0123456789" %}` + strings.Repeat(`{% assign x = x | append: x %}`, 13) + strings.Repeat("{{ x }}", 20),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := Compile(Template{Channel: Post, Body: body}, fieldNames)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Render(vars(), nil); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "too long") {
				t.Fatalf("got %v", err)
			}
		})
	}
}

func TestLoopsOverMadeListsAreBounded(t *testing.T) {
	t.Parallel()
	const over = `{% for a in customer.city | split: "" %}`
	_, err := Compile(Template{Channel: Post, Body: over + over + "{% endfor %}{% endfor %}"}, fieldNames)
	if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "loops within loops") {
		t.Errorf("nested loops over split text: %v", err)
	}
	c, err := Compile(Template{Channel: Post, Body: over + "{{ a }}{% endfor %}"}, fieldNames)
	if err != nil {
		t.Fatal(err)
	}
	v := vars()
	fields := v["customer"].(map[string]any)
	for city, want := range map[string]string{"Linz": "Linz", strings.Repeat("a", maxItems): strings.Repeat("a", maxItems), strings.Repeat("a", maxItems+1): ""} {
		fields["city"] = city
		if out, err := c.Render(v, nil); out.Text != want || (err == nil) != (want != "") {
			t.Errorf("%d letters: %q, %v", len(city), out.Text, err)
		}
	}
}

func TestAssignCaptureAndLoops(t *testing.T) {
	t.Parallel()
	c, err := Compile(Template{Channel: Post, Body: `{% assign n = customer.orders_count | plus: 1 %}{% capture g %}Dear {{ campaign.code }}{% endcapture %}{{ g }} {{ n }}{% for t in customer.tags %} {{ forloop.index }}{{ t | upcase }}{% endfor %}{% case customer.orders_count %}{% when 3 %} three{% else %} other{% endcase %}{% comment %}{{ nobody }}{% if %}{% endcomment %} {{ customer.tags | join: "-" }}`}, fieldNames)
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.Render(vars(), nil)
	if want := "Dear spring 4 1GARDEN 2ROSES three garden-roses"; err != nil || out.Text != want {
		t.Fatalf("%q, %v; want %q", out.Text, err, want)
	}
}

func TestRenderURLKeepsTheHost(t *testing.T) {
	t.Parallel()
	got, err := RenderURL("https://shop.example/{{ customer.first_name }}", vars())
	if want := "https://shop.example/Ann%20%3Cb%3E%22O%27Hara%22%3C/b%3E"; err != nil || got != want {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
	if _, err := RenderURL("https://{{ customer.city }}", vars()); !fault.Is(err, fault.Invalid) {
		t.Errorf("a host from customer's data: %v", err)
	}
}

func FuzzCompile(f *testing.F) {
	for _, s := range []string{"{{ customer.id }}", "{% if a %}", `<a href="https://x.org/{{ customer.id }}">`, "{% for i in (1..3) %}{{ i }}{% endfor %}", "{{ 'a' | split: '' | join }}", "{{", "{% case %}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := Compile(email("s", s, s), fieldNames)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		out, err := c.Render(vars(), func(string) string { return "https://t.example/" })
		if err == nil && strings.Contains(out.HTML, `<b>"O'Hara"`) {
			t.Fatalf("%q let a customer's markup through: %q", s, out.HTML)
		}
	})
}

func BenchmarkRender(b *testing.B) {
	c, err := Compile(email("Hello {{ customer.first_name }}", strings.Repeat(`<p>Dear {{ customer.first_name }}, <a href="https://shop.example/roses">roses</a> for {{ customer.city }}</p>`, 30), ""), fieldNames)
	if err != nil {
		b.Fatal(err)
	}
	v := vars()
	for b.Loop() {
		if _, err := c.Render(v, func(string) string { return "https://t.example/t/c/abcdefgh" }); err != nil {
			b.Fatal(err)
		}
	}
}
