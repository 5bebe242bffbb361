package builder

// The kinds of items.
const (
	Group = "group" // Items joined by Join; Not turns the whole round
	Test  = "test"  // Left Op Values
)

// Operators besides those of the language.
const (
	Holds = "holds" // Left is itself a condition: vip, bought("X")
	Known = "known" // is_known(Left)
)

// Item is a row or a group of rows.
type Item struct {
	Kind   string  `json:"kind"`
	Not    bool    `json:"not,omitempty"`
	Join   string  `json:"join,omitempty"` // and, or
	Items  []Item  `json:"items,omitempty"`
	Left   *Left   `json:"left,omitempty"`
	Op     string  `json:"op,omitempty"`     // == != < <= > >= in contains startsWith endsWith matches holds known
	Values []Value `json:"values,omitempty"` // one, or any number for in
}

// Left is what a row asks about: a fact (Field), a property of an event (Field .text and the like, Args its name), a function of given values (Call, Args), or what happened (Call over the
// collection Of, such as count of orders).
type Left struct {
	Field   string  `json:"field,omitempty"` // with a leading dot within Where
	Call    string  `json:"call,omitempty"`
	Args    []Value `json:"args,omitempty"`
	Of      string  `json:"of,omitempty"`      // orders, ...
	Where   *Item   `json:"where,omitempty"`   // a group of rows about one of them
	Measure string  `json:"measure,omitempty"` // of sum and its like: .amount
}

// Value is a literal. A date, ago, duration or now is written as that function.
type Value struct {
	Type string `json:"type"` // text, number, bool, date, ago, duration, now
	Text string `json:"text,omitempty"`
}

// counted are the functions over a collection whose condition is optional, asked the conditions themselves, measured
// those that need a measure.
var (
	counted  = map[string]bool{"count": true}
	asked    = map[string]bool{"any": true, "all": true, "none": true, "one": true}
	measured = map[string]bool{"sum": true}
)

// operators are the language's own that a row may have, with its mirror image.
var operators = map[string]string{"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<=",
	"in": "", "contains": "", "startsWith": "", "endsWith": "", "matches": ""}

// Normal gives the item as Rows would: groups that say nothing of their own are dissolved, and the whole is one group.
func Normal(root Item) Item {
	n, ok := normal(root)
	if !ok {
		return Item{Kind: Group, Join: "and"}
	}
	if n.Kind != Group {
		return Item{Kind: Group, Join: "and", Items: []Item{n}}
	}
	return n
}

// normal gives an item in its simplest form; false for an empty group, which says nothing.
func normal(i Item) (Item, bool) {
	if i.Kind != Group {
		if i.Left != nil && i.Left.Where != nil {
			left := *i.Left
			where := Normal(*left.Where)
			if left.Where = &where; len(where.Items) == 0 {
				left.Where = nil
			}
			i.Left = &left
		}
		return i, true
	}
	out := Item{Kind: Group, Not: i.Not, Join: i.Join}
	for _, part := range i.Items {
		n, ok := normal(part)
		switch {
		case !ok:
		case n.Kind == Group && !n.Not && n.Join == out.Join:
			out.Items = append(out.Items, n.Items...)
		default:
			out.Items = append(out.Items, n)
		}
	}
	switch {
	case len(out.Items) == 0:
		return out, false
	case len(out.Items) == 1 && !out.Not:
		return out.Items[0], true
	case len(out.Items) == 1 && !out.Items[0].Not:
		only := out.Items[0]
		only.Not = true
		return only, true
	case len(out.Items) == 1: // not not: stays as it is, with one way to write it
		out.Join = "and"
	}
	return out, true
}
