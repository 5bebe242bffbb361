package duplicates

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// row is one row of a table as PostgreSQL writes it in JSON: every column, also those that marketers define, survives
// the way out and back unchanged.
type row map[string]json.RawMessage

var jsonNull = json.RawMessage("null")

// known tells whether a column has a value.
func (r row) known(column string) bool {
	v, ok := r[column]
	return ok && !bytes.Equal(v, jsonNull)
}

// same tells whether a column has the same value in both.
func (r row) same(other row, column string) bool {
	a, b := r[column], other[column]
	if !r.known(column) || !other.known(column) {
		return r.known(column) == other.known(column)
	}
	return bytes.Equal(a, b)
}

// text gives a column's value as shown, "" where it is not known.
func (r row) text(column string) string {
	if !r.known(column) {
		return ""
	}
	var s string
	if json.Unmarshal(r[column], &s) == nil {
		return s
	}
	var list []string
	if json.Unmarshal(r[column], &list) == nil {
		return strings.Join(list, ", ")
	}
	return string(r[column])
}

// time gives a column's moment, the zero time where it is not known.
func (r row) time(column string) time.Time {
	var t time.Time
	if r.known(column) {
		_ = json.Unmarshal(r[column], &t) // the zero time is the oldest
	}
	return t
}

func (r row) number(column string) int64 {
	var n int64
	if r.known(column) {
		_ = json.Unmarshal(r[column], &n)
	}
	return n
}

func (r row) bool(column string) bool {
	var b bool
	if r.known(column) {
		_ = json.Unmarshal(r[column], &b)
	}
	return b
}

func (r row) clone() row { return maps.Clone(r) }

// set gives a column the JSON of a value that cannot fail to have one.
func (r row) set(column string, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		b = jsonNull
	}
	r[column] = b
}

// columns gives the columns of a row, quoted and in a fixed order.
func (r row) columns() []string {
	names := slices.Sorted(maps.Keys(r))
	for i, n := range names {
		names[i] = quoted(n)
	}
	return names
}

func quoted(name string) string { return pgx.Identifier{name}.Sanitize() }

// only leaves those columns of rows that the table has: one may have been taken away since they were written down.
func only(rows []row, columns []string) []row {
	out := make([]row, len(rows))
	for i, r := range rows {
		out[i] = row{}
		for _, c := range columns {
			if v, ok := r[c]; ok {
				out[i][c] = v
			}
		}
	}
	return out
}

// into reads a column into a variable; false where it cannot.
func (r row) into(column string, to any) bool {
	return r.known(column) && json.Unmarshal(r[column], to) == nil
}
