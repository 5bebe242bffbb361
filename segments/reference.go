package segments

import (
	"fmt"
	"strings"
)

// Entry describes one field or function of the language.
type Entry struct {
	Name        string `json:"name"`
	Kind        string `json:"kind"`      // "field", "order field" or "function"
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
	for _, f := range orderFields {
		name := "." + f.name
		example := exampleFor(name, f.kind)
		if f.kind == skus {
			example = name + ` == "SEEDS-01"`
		}
		entries = append(entries, Entry{Name: name, Kind: "order field", Signature: name, Type: f.kind.String(), Description: f.doc,
			Example: "any(orders, " + example + ")"})
	}
	for _, f := range functions() {
		result := f.result.String()
		if f.result == nothing {
			result = "orders"
		}
		entries = append(entries, Entry{Name: f.name, Kind: "function", Signature: f.signature, Type: result, Description: f.doc, Example: f.example})
	}
	return entries
}

// Names are what an editor can offer while an expression is typed.
type Names struct {
	Reference  []Entry     `json:"reference"`
	Attributes []Attribute `json:"attributes"`
	Segments   []string    `json:"segments"`
	Lists      []string    `json:"lists"`
	Campaigns  []string    `json:"campaigns"` // codes
}

// Markdown writes the reference as the tables of docs/segments.md.
func markdownReference() string {
	var b strings.Builder
	for _, part := range []struct{ kind, title, head string }{
		{"field", "Facts of a customer", "| name | type | meaning | example |\n| --- | --- | --- | --- |\n"},
		{"order field", "Facts of an order", "| name | type | meaning | example |\n| --- | --- | --- | --- |\n"},
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
