package segments

import (
	"slices"
	"strings"
)

// collection is something that a customer has many of: orders, lines, responses, touches, events, and the members of the household.
type collection struct {
	name   string
	letter string // of its aliases in SQL
	fields []itemField
	shared string // the column that ties it to the customer
	table  string
	where  string // what every item meets; % stands for the alias
	joins  []joined
	at     itemSQL // the item's time; nil without one
	atNull bool    // the time may be unknown
	tie    string  // orders items of one time; % stands for the alias
	items  func(*Facts) []item
	one    string // "an order", for messages
	housed bool   // who has one is no rented name
}

// joined is a table beside the collection's own, joined only where a field of it is asked for.
type joined struct {
	name, sql string // % stands for the item's alias; its own alias is that and the name
}

// itemSQL is an expression over an item: SQL in which % stands for the alias, and the join it needs.
type itemSQL struct{ join, sql string }

func (s itemSQL) write(w *writer, alias string) {
	if s.join != "" {
		w.needs[s.join] = true
	}
	w.text(strings.ReplaceAll(s.sql, "%", alias))
}

// itemField is a fact of an item, written with a leading dot within any, all, none, one, count, sum, filter, map and the like.
type itemField struct {
	name    string
	kind    kind
	bare    itemSQL // as it is stored
	cast    string
	integer bool
	private bool
	score   *score   // of a member of the household
	keyed   bool     // of an event: a property, asked by its name
	values  []string // all that there can be; nil where anything
	doc     string
	example string
}

// item is one order, line, response, touch, event or member in memory.
type item struct {
	values   map[string]value
	at       int64    // ever where it is not known
	kind     string   // of a response; the channel of a touch; the name of an event
	campaign int64    // 0 where unknown
	skus     []string // of an order: of all its lines
}

func own(sql string) itemSQL { return itemSQL{sql: "%." + sql} }

func itemText(name string, sql itemSQL, doc string) itemField {
	return itemField{name: name, kind: text, bare: sql, doc: doc}
}

var ordersOf = &collection{
	name: "orders", letter: "o", one: "an order", shared: "customer_id", table: "orders", at: own("ordered_at"), tie: `%.order_ref COLLATE "C"`,
	items: func(f *Facts) []item { return f.orders }, housed: true,
	fields: []itemField{
		{name: "amount", kind: number, bare: own("base_amount"), doc: "Amount in the base currency; negative for a return"},
		{name: "at", kind: instant, bare: own("ordered_at"), doc: "When it was ordered"},
		{name: "quantity", kind: number, bare: own("quantity"), cast: asNumber, integer: true, doc: "Number of pieces"},
		{name: "product", kind: skus, doc: "The products ordered: .product == \"X\" holds where any line has the product X", example: `.product == "SEEDS-01"`},
		itemText("place", own("place"), "Where it was ordered, such as web, shop, phone or mail"),
		itemText("reason", own("reason"), "Why it was ordered"),
		{name: "currency", kind: text, bare: own("currency"), cast: asText, doc: "Currency the order was paid in"},
		itemText("keycode", own("keycode"), "Keycode that came with the order"),
	},
}

var linesOf = &collection{
	name: "lines", letter: "l", one: "an order line", shared: "customer_id", table: "order_lines",
	at: itemSQL{"h", "%h.ordered_at"}, tie: `%.order_ref COLLATE "C", %.line_no`,
	joins: []joined{
		{"h", " JOIN orders %h ON %h.customer_id = %.customer_id AND %h.order_ref = %.order_ref"},
		{"p", " LEFT JOIN products %p ON %p.sku = %.sku"},
	},
	items: func(f *Facts) []item { return f.lines }, housed: true,
	fields: []itemField{
		itemText("product", own("sku"), "The product's number"),
		itemText("category", itemSQL{"p", "%p.category"}, "The product's category; not known for a product that is not in the table of products"),
		{name: "quantity", kind: number, bare: own("quantity"), cast: asNumber, integer: true, doc: "Number of pieces"},
		{name: "amount", kind: number, bare: itemSQL{"h", "(%.amount * %h.rate)"}, doc: "Amount in the base currency; negative for a return"},
		{name: "at", kind: instant, bare: itemSQL{"h", "%h.ordered_at"}, doc: "When it was ordered"},
		itemText("place", itemSQL{"h", "%h.place"}, "Where it was ordered"),
	},
}

const joinCampaign = " LEFT JOIN campaigns %k ON %k.campaign_id = %.campaign_id"

// responseKinds are all that a response can be.
var responseKinds = []string{"open", "click", "reply", "call", "visit", "coupon", "order", "survey", "complaint", "bounce", "unsubscribe"}

var responsesOf = &collection{
	name: "responses", letter: "r", one: "a response", shared: "customer_id", table: "responses", where: "NOT %.machine",
	at: own("at"), tie: "%.response_id", joins: []joined{{"k", joinCampaign}},
	items: func(f *Facts) []item { return f.responses },
	fields: []itemField{
		{name: "kind", kind: text, bare: own("kind"), values: responseKinds, doc: "open, click, reply, call, visit, coupon, order, survey, complaint, bounce or unsubscribe", example: `.kind == "click"`},
		{name: "at", kind: instant, bare: own("at"), doc: "When it came"},
		itemText("campaign", itemSQL{"k", "%k.code"}, "Code of the campaign it answers"),
		itemText("objective", itemSQL{"k", "%k.objective"}, "Objective of that campaign, as it was entered"),
		{name: "channel", kind: text, bare: own("channel"), values: channels, doc: "The medium it answers: email, sms, post or calls", example: `.channel == "email"`},
		itemText("keycode", own("keycode"), "Keycode that came with it"),
		{name: "interest", kind: boolean, bare: itemSQL{"", "(%.kind IN ('" + strings.Join(humanKinds, "', '") + "'))"},
			doc: "Whether it shows interest, as responded() counts it", example: ".interest"},
	},
}

var touchesOf = &collection{
	name: "touches", letter: "t", one: "a touch", shared: "customer_id", table: "touches", where: "%.state = 'sent'",
	at: own("sent_at"), atNull: true, tie: "%.campaign_id, %.step_id", joins: []joined{{"k", joinCampaign}},
	items: func(f *Facts) []item { return f.touches },
	fields: []itemField{
		{name: "channel", kind: text, bare: own("channel"), values: channels, doc: "The medium: email, sms, post or calls", example: `.channel == "post"`},
		{name: "at", kind: instant, bare: own("sent_at"), doc: "When it was sent"},
		itemText("campaign", itemSQL{"k", "%k.code"}, "Code of the campaign"),
		itemText("objective", itemSQL{"k", "%k.objective"}, "Objective of the campaign, as it was entered"),
		itemText("keycode", own("keycode"), "Keycode that it carried"),
		{name: "cost", kind: number, bare: own("unit_cost"), doc: "What it cost, in the campaign's currency"},
	},
}

// behaviours are the collections of what customers did and what was done to them.
var behaviours = []*collection{ordersOf, linesOf, responsesOf, touchesOf, eventsOf}

// collection finds one by name; the household's has the facts of customers as its own.
func (c *Catalog) collection(name string) *collection {
	for _, of := range behaviours {
		if of.name == name {
			return of
		}
	}
	if name == "household" {
		return c.household()
	}
	return nil
}

// household gives the members of the household, the customer among them, as a collection.
func (c *Catalog) household() *collection {
	members := &collection{name: "household", letter: "h", one: "a member of the household", shared: "household_id", table: "customers",
		items: (*Facts).members, tie: "%.customer_id"}
	for _, f := range slices.Concat(c.core(), c.fields) {
		sql := ""
		if f.score == nil {
			sql = f.expression("%", false)
		}
		members.fields = append(members.fields, itemField{name: f.name, kind: f.kind, bare: itemSQL{sql: sql}, score: f.score, cast: f.cast, integer: f.integer, private: f.private, doc: f.doc})
	}
	return members
}

func (of *collection) field(name string) *itemField {
	for i := range of.fields {
		if of.fields[i].name == name {
			return &of.fields[i]
		}
	}
	return nil
}

// fieldNames are the facts that can be named, by a reader without the private ones.
func (of *collection) fieldNames(reader bool) []string {
	var names []string
	for _, f := range of.fields {
		if !f.private || !reader {
			names = append(names, "."+f.name)
		}
	}
	return names
}

// example gives a use of the collection for messages.
func (of *collection) example() string {
	return map[string]string{"orders": "any(orders, .amount > 20)", "lines": `any(lines, .product == "SEEDS-01")`, "responses": `any(responses, .kind == "click")`,
		"touches": `count(touches, .channel == "post") <= 2`, "events": `any(events, .name == "viewed")`, "household": `any(household, .orders_count > 1)`}[of.name]
}

// itemNode is a fact of the item at hand.
type itemNode struct{ field *itemField }

func (n *itemNode) kind() kind { return n.field.kind }
func (n *itemNode) sql(w *writer) {
	if n.field.cast == "" {
		n.field.write(w, w.item)
		return
	}
	w.text("(")
	n.field.write(w, w.item)
	w.text(n.field.cast + ")")
}
func (n *itemNode) eval(e *env) value {
	if n.field.score != nil {
		return n.field.score.of(e.item.values)
	}
	return e.item.values[n.field.name]
}

// over is the items of a collection that meet a condition.
type over struct {
	of        *collection
	cond      node // nil where every item counts
	until     int64
	part      memberPart // which members of the household
	dependent bool       // cond, or what is asked of the items, names facts of the customer too
}

// never is no time: a collection without an end.
const never = int64(1<<63 - 1)

// subquery writes SELECT columns FROM the collection WHERE an item meets it all, and gives the alias of the items. Linked, the
// items are those of the customer at hand only.
func (o *over) subquery(w *writer, columns func(alias string), linked bool) string {
	outer, needs := w.item, w.needs
	w.item, w.needs = w.newAlias(o.of.letter), map[string]bool{}
	alias := w.item
	cols := w.capture(func() { columns(alias) })
	where := w.capture(func() {
		and := ""
		part := func(write func()) {
			w.text(and)
			write()
			and = " AND "
		}
		switch {
		case o.of.shared == "household_id":
			part(func() { w.text(o.part.link(alias, w.alias)) })
		case linked:
			part(func() { w.text(alias + ".customer_id = " + w.alias + ".customer_id") })
		}
		if w.first != "" && o.of.shared == "customer_id" {
			part(func() { w.text(alias + ".customer_id BETWEEN " + w.first + " AND " + w.last) })
		}
		if o.of.where != "" {
			part(func() { w.text(strings.ReplaceAll(o.of.where, "%", alias)) })
		}
		if o.until != never {
			part(func() {
				o.of.at.write(w, alias)
				w.text(" < ")
				w.constant(instant, knownTime(o.until))
			})
		}
		if o.cond != nil {
			part(func() { o.cond.sql(w) })
		}
		if and == "" {
			w.text("TRUE")
		}
	})
	w.text("SELECT " + cols + " FROM " + o.of.table + " " + alias)
	for _, j := range o.of.joins {
		if w.needs[j.name] {
			w.text(strings.ReplaceAll(j.sql, "%", alias))
		}
	}
	w.text(" WHERE " + where)
	w.item, w.needs = outer, needs
	return alias
}

// each calls do for the items that count, in the order of time, until it says stop.
func (o *over) each(e *env, do func(*env) (more bool)) {
	items := o.of.items(e.facts)
	for i := range items {
		if items[i].at >= o.until || o.until != never && items[i].at == ever {
			continue
		}
		inner := &env{facts: e.facts, item: &items[i]}
		if o.cond != nil && !truth(o.cond.eval(inner)) {
			continue
		}
		if !do(inner) {
			return
		}
	}
}
