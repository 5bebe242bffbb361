package content

import (
	"strings"
	"testing"
	"time"
)

// What a template cut into fixed text and values gives is what the library makes of it as a whole.
func TestLayoutMeansTheSame(t *testing.T) {
	t.Parallel()
	vars := Vars{
		Customer: map[string]any{"first_name": "Anna <b>", "last_name": "O'Hara & Sons", "city": nil, "orders_count": 7, "total_spent": 12.5,
			"tags": []any{"rose", "tulip"}, "vip": true, "email": "anna@example.org"},
		CampaignName: "Spring", CampaignCode: "spring", Keycode: "K1", CompanyName: "C", CompanyAddress: "A\nB", UnsubscribeURL: "https://x/u",
		Today: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
	}.Map()
	for _, source := range []string{
		"", "plain", "{{ customer.first_name }}", "a{{customer.first_name}}b{{ customer.last_name }}c", "{{ customer.city }}-{{ customer.unknown }}.",
		"{{ customer.orders_count }} {{ customer.total_spent }} {{ customer.vip }} {{ customer.tags }}", "{{ customer.tags.size }} {{ customer.tags.first }}",
		"{{ customer.first_name | upcase }} {{ customer.city | default: 'home' }}", "{{ today | date: '%d %B %Y' }} {{ today }}",
		"{% if customer.vip %}Dear {{ customer.first_name }}{% else %}Hello{% endif %}, {{ keycode }}",
		"{% for tag in customer.tags %}{% if tag == 'rose' %}{{ tag }}!{% endif %}{{ forloop.index }}{% endfor %} end",
		"{% assign x = customer.first_name %}{{ x }} {{ customer.last_name }}", "{% capture y %}<i>{{ customer.first_name }}</i>{% endcapture %}{{ y }}",
		"a  {{- customer.first_name -}}  b", "a  {%- if customer.vip -%}  b  {%- endif %} c", "{% comment %}{{ customer.first_name }}{% endcomment %}x",
		"{% case customer.orders_count %}{% when 7 %}seven{% else %}other{% endcase %}", "{{ 'text' }} {{ 12 }} {{ true }} {{ nil }}", "{{ campaign.name }} {{ company.address }}",
		"{% unless customer.vip %}no{% endunless %}", "}} {{ customer['first_name'] }}",
	} {
		for _, escape := range []bool{false, true} {
			engine := textEngine()
			if escape {
				engine = htmlEngine()
			}
			whole, err := parse(engine, "body", source)
			if err != nil {
				t.Fatalf("%q: %v", source, err)
			}
			want, err := execute(whole, "body", vars)
			if err != nil {
				t.Fatalf("%q: %v", source, err)
			}
			l, err := cutLayout(engine, "body", source, escape)
			if err != nil {
				t.Fatalf("%q: %v", source, err)
			}
			values, err := l.fill(vars)
			if err != nil {
				t.Fatalf("%q: %v", source, err)
			}
			if got := l.join(values); got != want {
				t.Errorf("%q, escape %v: %q, want %q", source, escape, got, want)
			}
			if len(l.fixed) != len(values)+1 {
				t.Errorf("%q: %d stretches, %d values", source, len(l.fixed), len(values))
			}
		}
	}
}

func TestDelicate(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]bool{
		"<p>Dear {{ customer.first_name }}</p>":                                  false,
		`<a href="{{ link__0 }}">x</a> <a href="{{ unsubscribe_url }}">y</a>`:    false,
		`<a href="{{ customer.email }}">x</a>`:                                   true,
		`<a {% if customer.vip %}href="{{ customer.email }}"{% endif %}>x</a>`:   true,
		"<style>p { color: {{ customer.city }} }</style>":                        true,
		"<!-- {{ customer.city }} -->":                                           true,
		"{% if customer.vip %}<b>{{ customer.city }}</b>{% endif %}":             false,
		`{% assign x = customer.city %}<p>{{ x }}</p>`:                           true,
		"<style>p { color: red }</style><p>{{ customer.city }}</p>":              false,
		`<img alt="{{ customer.first_name }}" src="https://x.example/logo.png">`: true,
	} {
		if got := delicate(source); got != want {
			t.Errorf("%s: %v", source, got)
		}
	}
}

func BenchmarkFill(b *testing.B) {
	c, err := Compile(Template{Channel: Email, Subject: "Hello {{ customer.first_name }}", HTML: "<html><body>" + strings.Repeat("<p>A paragraph of text that never changes.</p>\n", 90) +
		`<p>Dear {{ customer.first_name }} {{ customer.last_name }}, <a href="https://shop.example/a">one</a> <a href="https://shop.example/b">two</a></p></body></html>`},
		[]string{"first_name", "last_name"})
	if err != nil {
		b.Fatal(err)
	}
	vars := Vars{Customer: map[string]any{"first_name": "Anna", "last_name": "Smith"}}.Map()
	for b.Loop() {
		if _, err := c.Fill(vars, func(string) string { return "https://t.example/t/c/abcdef" }); err != nil {
			b.Fatal(err)
		}
	}
}
