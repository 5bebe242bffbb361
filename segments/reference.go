package segments

import (
	"fmt"
	"strings"
)

// Entry describes one field or function of the language.
type Entry struct {
	Name        string `json:"name"`
	Kind        string `json:"kind"`      // "field", "order field", "line field", "response field", "touch field", "event field" or "function"
	Signature   string `json:"signature"` // as it is written in an expression
	Type        string `json:"type"`
	Description string `json:"description"`
	Example     string `json:"example"`
}

// Reference gives the whole language but the attributes, from the tables the checker itself uses.
func Reference() []Entry {
	var entries []Entry
	for _, f := range coreFields {
		entries = append(entries, Entry{Name: f.name, Kind: "field", Signature: f.name, Type: f.kind.String(), Description: f.doc, Example: exampleFor(f.name, f.kind)})
	}
	for _, of := range behaviours {
		for _, f := range of.fields {
			name := "." + f.name
			example := f.example
			if example == "" {
				example = exampleFor(name, f.kind)
			}
			entries = append(entries, Entry{Name: name, Kind: itemKind(of), Signature: f.written(), Type: f.kind.String(), Description: f.doc,
				Example: "any(" + of.name + ", " + example + ")"})
		}
	}
	for _, f := range functions() {
		result := f.result.String()
		if f.result == nothing {
			result = map[bool]string{true: "items", false: "its type"}[f.name == "filter" || f.name == "map"]
		}
		entries = append(entries, Entry{Name: f.name, Kind: "function", Signature: f.signature, Type: result, Description: f.doc, Example: f.example})
	}
	return entries
}

func itemKind(of *collection) string {
	if of == touchesOf {
		return "touch field"
	}
	return strings.TrimSuffix(of.name, "s") + " field"
}

// Names are what an editor can offer while an expression is typed.
type Names struct {
	Reference  []Entry     `json:"reference"`
	Attributes []Attribute `json:"attributes"`
	Segments   []string    `json:"segments"`
	Lists      []string    `json:"lists"`
	Campaigns  []string    `json:"campaigns"` // codes
	Events     []string    `json:"events"`    // names that there have been
}

// Markdown writes the reference as the tables of docs/segments.md.
func markdownReference() string {
	var b strings.Builder
	for _, part := range []struct{ kind, title, head string }{
		{"field", "Facts of a customer", "| name | type | meaning | example |\n| --- | --- | --- | --- |\n"},
		{itemKind(ordersOf), "Facts of an order: orders", "| name | type | meaning | example |\n| --- | --- | --- | --- |\n"},
		{itemKind(linesOf), "Facts of an order line: lines", "| name | type | meaning | example |\n| --- | --- | --- | --- |\n"},
		{itemKind(responsesOf), "Facts of a response: responses", "| name | type | meaning | example |\n| --- | --- | --- | --- |\n"},
		{itemKind(touchesOf), "Facts of a touch: touches", "| name | type | meaning | example |\n| --- | --- | --- | --- |\n"},
		{itemKind(eventsOf), "Facts of an event: events", "| name | type | meaning | example |\n| --- | --- | --- | --- |\n"},
		{"function", "Functions", "| function | gives | meaning | example |\n| --- | --- | --- | --- |\n"},
	} {
		fmt.Fprintf(&b, "\n## %s\n\n%s", part.title, part.head)
		for _, e := range Reference() {
			if e.Kind == part.kind {
				fmt.Fprintf(&b, "| `%s` | %s | %s | `%s` |\n", e.Signature, e.Type, e.Description, e.Example)
			}
		}
	}
	return b.String()
}
