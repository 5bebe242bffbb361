package segments

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"
	"github.com/jackc/pgx/v5"
)

// eventsOf are what customers did elsewhere, by names that whoever reports them gives. Their properties are asked by name:
// .text("page"), .number("seconds"), .flag("app").
var eventsOf = &collection{
	name: "events", letter: "v", one: "an event", shared: "customer_id", table: "events", at: own("at"), tie: "%.event_id",
	items: func(f *Facts) []item { return f.events },
	fields: []itemField{
		itemText("name", own("name"), "What the customer did, as whoever reports it calls it"),
		{name: "at", kind: instant, bare: own("at"), doc: "When it was done"},
		{name: "value", kind: number, bare: own("value"), doc: "What it was worth, how many or how long: what the sender means by it"},
		{name: "text", kind: text, keyed: true, doc: "A property that is text, by its name; not known where it is missing or something else", example: `.text("page") == "/roses"`},
		{name: "number", kind: number, keyed: true, doc: "A property that is a number", example: `.number("seconds") > 30`},
		{name: "flag", kind: boolean, keyed: true, doc: "A property that is yes or no", example: `.flag("app")`},
	},
}

// written is how a fact is written in an expression.
func (f *itemField) written() string {
	if f.keyed {
		return "." + f.name + "(property)"
	}
	return "." + f.name
}

// propertyNode is a property of the event at hand.
type propertyNode struct {
	field *itemField
	key   string
}

// jsonTypes are what PostgreSQL calls the types of properties, and how a value of each is read.
var jsonTypes = map[kind]struct{ name, read, cast string }{
	text: {"string", " ->> ", ""}, number: {"number", " ->> ", asNumber}, boolean: {"boolean", " -> ", "::boolean"},
}

func (n *propertyNode) kind() kind { return n.field.kind }
func (n *propertyNode) sql(w *writer) {
	of, key, as := w.item+".properties", w.arg(n.key, "text"), jsonTypes[n.field.kind]
	w.text("(CASE jsonb_typeof(" + of + " -> " + key + ") WHEN '" + as.name + "' THEN (" + of + as.read + key + ")" + as.cast + " END)")
}
func (n *propertyNode) eval(e *env) value { return e.item.values[propertyKey(n.field.kind, n.key)] }

// propertyKey is where an item keeps a property: under a name that no fact has.
func propertyKey(k kind, name string) string { return k.String() + " " + name }

// property checks the name of a property in parentheses.
func (c *checker) property(f *itemField, call *ast.CallNode) node {
	if len(call.Arguments) == 1 {
		if key, ok := call.Arguments[0].(*ast.StringNode); ok {
			if c.literal(key) == nil {
				return nil
			}
			return &propertyNode{field: f, key: key.Value}
		}
	}
	return c.fail(call, ".%s needs the name of a property in quotes, as in %s", f.name, f.example)
}

// isDone is the condition of did on an event.
type isDone struct {
	event string // "" is any
	since int64
}

func (n *isDone) kind() kind     { return boolean }
func (n *isDone) nullable() bool { return true }

func (n *isDone) sql(w *writer) {
	w.text("(TRUE")
	if n.event != "" {
		w.text(" AND " + w.item + ".name = " + w.arg(n.event, "text"))
	}
	eventsOf.since(w, n.since)
	w.text(")")
}

func (n *isDone) eval(e *env) value {
	return known((n.event == "" || e.item.kind == n.event) && e.item.at >= n.since)
}

// did is an event of a name.
func (c *checker) did(f call) node {
	if !c.arity(f, 0, 2) {
		return nil
	}
	name, ok := "", true
	if len(f.args) > 0 {
		name, ok = c.quoted(f, 0, "an event's name")
		if ok && name != "" && !contains(c.catalog.Events, name) {
			c.fail(f.args[0], "there has been no event %q%s", shorten(name), didYouMean(name, c.catalog.Events))
			ok = false
		}
	}
	since, okSince := c.since(f)
	if !ok || !okSince || !c.look(f.at) {
		return nil
	}
	return &quantifier{name: "any", over: &over{of: eventsOf, until: c.until, cond: &isDone{event: name, since: since}}}
}

func loadEvents(ctx context.Context, q Querier, ids []int64, into map[int64]*Facts) error {
	rows, err := q.Query(ctx, `SELECT customer_id, name, at, value::text, properties::text FROM events WHERE customer_id = ANY($1) ORDER BY customer_id, at, event_id`, ids)
	if err != nil {
		return err
	}
	var id int64
	var name, properties string
	var at time.Time
	var amount *string
	_, err = pgx.ForEachRow(rows, []any{&id, &name, &at, &amount, &properties}, func() error {
		f := into[id]
		if f == nil {
			return nil
		}
		it := item{at: micros(at), kind: name, values: map[string]value{"name": knownText(name), "at": knownTime(micros(at))}}
		if amount != nil {
			it.values["value"] = numberFrom(*amount)
		}
		decoder := json.NewDecoder(strings.NewReader(properties))
		decoder.UseNumber()
		var read map[string]any
		if err := decoder.Decode(&read); err != nil {
			return err
		}
		for key, v := range read {
			switch v := v.(type) {
			case string:
				it.values[propertyKey(text, key)] = knownText(v)
			case json.Number:
				it.values[propertyKey(number, key)] = numberFrom(v.String())
			case bool:
				it.values[propertyKey(boolean, key)] = known(v)
			}
		}
		f.events = append(f.events, it)
		return nil
	})
	return err
}
