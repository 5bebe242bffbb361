package segments

import (
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// writer collects the SQL of a tree and its arguments. What it writes comes from this package's own texts only; every
// literal of an expression becomes an argument.
type writer struct {
	b           *strings.Builder
	args        pgx.NamedArgs
	prefix      string
	alias       string                   // of customers
	item, line  string                   // of the item and the order line at hand
	needs       map[string]bool          // joins that the facts of the item need
	values      map[*aggregate]string    // aggregates that were computed already
	means       map[*aggregate][2]string // of them, the means as dividend and divisor
	lists       []int64                  // whose rented names take part
	aliases     int
	zones       string // placeholder of the time zones; "" until used
	first, last string // placeholders of the slice; "" without one
	ranks       ranks
	few         bool    // only a few customers are looked at: look up each one's orders
	joins       *string // of the statement, beside its customers; nil for a condition by itself
	house       bool    // no rented names take part
	outermost   []node  // conditions that are joined with the customers
	grouped     bool    // items of all customers are put into groups
}

func (c *Compiled) where(alias, prefix string, slice *[2]int64) (string, pgx.NamedArgs) {
	return c.write(&writer{b: &strings.Builder{}, args: pgx.NamedArgs{}, prefix: prefix, alias: alias}, slice)
}

// whereSampled is Where for a statement that looks at a few customers only; ranks says what is asked where those few cannot be ranked.
func (c *Compiled) whereSampled(alias, prefix string, ranks ranks) (string, pgx.NamedArgs) {
	return c.write(&writer{b: &strings.Builder{}, args: pgx.NamedArgs{}, prefix: prefix, alias: alias, few: true, ranks: ranks}, nil)
}

func (c *Compiled) write(w *writer, slice *[2]int64) (string, pgx.NamedArgs) {
	w.lists, w.house, w.outermost = c.lists, !c.chosen && len(c.lists) == 0, outermost(c.root)
	w.slice(slice)
	w.text("(")
	w.within(w.alias)
	if !c.chosen && !c.onTheirList() {
		w.admit()
		w.text(" AND ")
	}
	w.text("(")
	c.root.sql(w)
	w.text("))")
	return w.b.String(), w.args
}

// slice limits what is written from here on to some customers; nil to none.
func (w *writer) slice(slice *[2]int64) {
	if slice != nil {
		w.first, w.last = w.arg(slice[0], "bigint"), w.arg(slice[1], "bigint")
	}
}

func (w *writer) text(s string) { w.b.WriteString(s) }

// capture gives what do writes, for a later place.
func (w *writer) capture(do func()) string {
	outer := w.b
	w.b = &strings.Builder{}
	do()
	s := w.b.String()
	w.b = outer
	return s
}

// arg adds an argument and gives its placeholder, cast so that PostgreSQL never guesses a type.
func (w *writer) arg(v any, pgType string) string {
	name := w.prefix + strconv.Itoa(len(w.args)+1)
	w.args[name] = v
	return "@" + name + "::" + pgType
}

func (w *writer) newAlias(letter string) string {
	w.aliases++
	// The customers' alias leads, so that a caller's own short aliases are not shadowed.
	return w.alias + "_" + letter + strconv.Itoa(w.aliases)
}

// within limits a table to the slice, if there is one.
func (w *writer) within(alias string) {
	if w.first != "" {
		w.text(alias + ".customer_id BETWEEN " + w.first + " AND " + w.last + " AND ")
	}
}

func (w *writer) constant(k kind, v value) {
	switch k {
	case text:
		w.text(w.arg(v.s, "text"))
	case number:
		w.text(w.arg(decimalText(v), "numeric"))
	case instant:
		w.text(w.arg(time.UnixMicro(v.i).UTC(), "timestamptz"))
	case span:
		w.text(w.arg(pgtype.Interval{Months: v.months, Microseconds: v.i, Valid: true}, "interval"))
	}
}

// array writes constants of one kind as one argument.
func (w *writer) array(k kind, values []value) {
	switch k {
	case text, number:
		list := make([]string, len(values))
		for i, v := range values {
			if list[i] = v.s; k == number {
				list[i] = decimalText(v)
			}
		}
		w.text(w.arg(list, "text[]"))
		if k == number {
			w.text("::numeric[]")
		}
	case instant:
		list := make([]time.Time, len(values))
		for i, v := range values {
			list[i] = time.UnixMicro(v.i).UTC()
		}
		w.text(w.arg(list, "timestamptz[]"))
	}
}

// value writes a node so that a condition is true or false, never null.
func (w *writer) value(n node) {
	if c, ok := n.(condition); ok && c.nullable() {
		w.text("(")
		n.sql(w)
		w.text(" IS TRUE)")
		return
	}
	n.sql(w)
}

// decimalText gives a number's exact decimal digits; constants are always finite decimals.
func decimalText(v value) string {
	digits, _ := v.n.FloatPrec()
	return v.n.FloatString(digits)
}
