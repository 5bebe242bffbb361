package segments

import (
	"math/big"
	"time"
)

// kind is the type of a node's value.
type kind uint8

const (
	nothing kind = iota
	text
	number
	boolean
	instant // a point in time; a date is its midnight in UTC
	span    // a length of time
	texts   // a list of text
	skus    // the products of an order: a comparison with it holds where it holds for any line
)

// String gives the kind as messages and the reference call it.
func (k kind) String() string {
	switch k {
	case text:
		return "text"
	case number:
		return "number"
	case boolean:
		return "yes/no"
	case instant:
		return "time"
	case span:
		return "duration"
	case texts:
		return "list of text"
	case skus:
		return "list of products"
	}
	return "nothing"
}

// phrase gives the kind with its article.
func (k kind) phrase() string {
	switch k {
	case text:
		return "text"
	case boolean:
		return "yes/no"
	}
	return "a " + k.String()
}

// value is what a node has for one customer. The zero value is the unknown one.
type value struct {
	known bool
	b     bool
	s     string
	n     *big.Rat
	i     int64 // microseconds: since 1970 for an instant, of length for a span

	months int32 // of a span written with mo or y
	l      []string
}

func known(b bool) value           { return value{known: true, b: b} }
func knownText(s string) value     { return value{known: true, s: s} }
func knownNumber(n *big.Rat) value { return value{known: true, n: n} }
func knownTime(i int64) value      { return value{known: true, i: i} }

// truth reads a value as a condition: what is not known does not hold.
func truth(v value) bool { return v.known && v.b }

// compareValues orders two known values of one kind.
func compareValues(k kind, a, b value) int {
	switch k {
	case text:
		switch {
		case a.s < b.s:
			return -1
		case a.s > b.s:
			return 1
		}
		return 0
	case number:
		return a.n.Cmp(b.n)
	case boolean:
		if a.b == b.b {
			return 0
		}
		if b.b {
			return -1
		}
		return 1
	}
	switch {
	case a.i < b.i:
		return -1
	case a.i > b.i:
		return 1
	}
	return 0
}

// Microseconds in a day, and the instant of a time: PostgreSQL's own resolution.
const day = int64(24 * time.Hour / time.Microsecond)

func micros(t time.Time) int64 { return t.UnixMicro() }
