package segments

import (
	"slices"
	"strings"
)

// field is a fact of a customer: its name and type in expressions, and where it stands in table customers.
type field struct {
	name    string
	kind    kind
	column  string // of customers; "" where sql is set
	cast    string // makes the column's type the kind's: "::numeric" for an integer
	integer bool   // whole numbers of four bytes
	private bool
	score   *score // of a fact that follows from others
	doc     string
	example string
}

// sql gives what stands for the field at an alias of customers, cast to its kind or bare.
func (f *field) sql(w *writer, alias string, cast bool) string {
	if f.score == nil {
		return f.expression(alias, cast)
	}
	sql := f.score.sql(w, alias)
	if cast {
		return "(" + sql + f.cast + ")"
	}
	return sql
}

// expression gives the SQL of a field that is stored; without cast it is the bare column, which indexes and statistics know.
func (f *field) expression(alias string, cast bool) string {
	if f.name == "list" {
		return "(SELECT l.name FROM lists l WHERE l.list_id = " + alias + ".list_id)"
	}
	return column(alias, f.column, f.cast, cast)
}

func column(alias, name, castTo string, cast bool) string {
	if !cast || castTo == "" {
		return alias + "." + name
	}
	return "(" + alias + "." + name + castTo + ")"
}

const (
	asNumber = "::numeric"
	asTime   = "::timestamp AT TIME ZONE 'UTC'" // of a date
	asText   = "::text"
)

func textField(name, doc string) field { return field{name: name, kind: text, column: name, doc: doc} }

// coreFields are the facts that every customer has.
var coreFields = append([]field{
	textField("external_id", "Number or code of the customer in another system"),
	textField("title", "Form of address, such as Dr."),
	textField("first_name", "First name"),
	textField("last_name", "Last name"),
	textField("suffix", "What follows the name, such as Jr."),
	textField("company", "Company"),
	textField("email", "E-mail address"),
	textField("phone", "Telephone number in international form, such as +4930123456"),
	textField("street", "Street with house number"),
	textField("address2", "Second address line"),
	textField("city", "City"),
	textField("region", "State, province or region"),
	textField("postal_code", "Postal code"),
	textField("country", "Country as two letters, such as DE"),
	textField("language", "Language, such as de or en-GB"),
	textField("time_zone", "Time zone, such as Europe/Berlin"),
	{name: "list", kind: text, doc: "Name of the list the customer came from; in_list asks for any list"},
	{name: "created_at", kind: instant, column: "created_at", doc: "When the customer was first stored"},
	{name: "orders_count", kind: number, column: "orders_count", cast: asNumber, integer: true, doc: "Number of orders"},
	{name: "total_spent", kind: number, column: "total_spent", doc: "Sum of all orders in the base currency"},
	{name: "first_order_at", kind: instant, column: "first_order_at", doc: "Time of the first order"},
	{name: "last_order_at", kind: instant, column: "last_order_at", doc: "Time of the latest order"},
}, scores...)

// field finds a fact of the customer by name.
func (c *Catalog) field(name string) *field {
	core := c.core()
	if i := slices.IndexFunc(core, func(f field) bool { return f.name == name }); i >= 0 {
		return &core[i]
	}
	return c.attribute(name)
}

// attribute finds a field that a marketer defined by name.
func (c *Catalog) attribute(name string) *field {
	if i, ok := slices.BinarySearchFunc(c.fields, name, func(f field, name string) int { return strings.Compare(f.name, name) }); ok {
		return &c.fields[i]
	}
	return nil
}

// fieldNames are the names that can stand alone in an expression.
func (c *Catalog) fieldNames() []string {
	var names []string
	for _, f := range c.core() {
		names = append(names, f.name)
	}
	for _, f := range c.fields {
		if !f.private || !c.reader {
			names = append(names, f.name)
		}
	}
	return names
}

// isStored tells whether a fact of the name is stored with every customer.
func isStored(name string) bool {
	return slices.ContainsFunc(coreFields, func(f field) bool { return f.name == name && f.score == nil })
}
