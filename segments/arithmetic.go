package segments

import "math/big"

// arithmetic is + - * / % on numbers. Numbers are exact decimals; a quotient is cut off after six decimals, so that both
// evaluators give the same digits, and division by zero is not known.
type arithmetic struct {
	op          string
	left, right node
}

func (n *arithmetic) kind() kind { return number }

func (n *arithmetic) sql(w *writer) {
	switch n.op {
	case "/":
		w.text("(")
		n.millionths(w)
		w.text(" * 0.000001)")
	case "%":
		w.text("mod(")
		n.left.sql(w)
		w.text(", NULLIF(")
		n.right.sql(w)
		w.text(", 0))")
	default:
		w.text("(")
		n.left.sql(w)
		w.text(" " + n.op + " ")
		n.right.sql(w)
		w.text(")")
	}
}

// millionths writes a quotient times a million, a whole number.
func (n *arithmetic) millionths(w *writer) {
	w.text("div(")
	n.left.sql(w)
	w.text(" * 1000000::numeric, NULLIF(")
	n.right.sql(w)
	w.text(", 0))")
}

var million = big.NewInt(1_000_000)

func (n *arithmetic) eval(e *env) value {
	l, r := n.left.eval(e), n.right.eval(e)
	if !l.known || !r.known {
		return value{}
	}
	switch n.op {
	case "+":
		return knownNumber(new(big.Rat).Add(l.n, r.n))
	case "-":
		return knownNumber(new(big.Rat).Sub(l.n, r.n))
	case "*":
		return knownNumber(new(big.Rat).Mul(l.n, r.n))
	}
	if r.n.Sign() == 0 {
		return value{}
	}
	if n.op == "/" {
		scaled := new(big.Rat).Mul(l.n, new(big.Rat).SetInt(million))
		return knownNumber(new(big.Rat).SetFrac(quotient(scaled, r.n), million))
	}
	whole := new(big.Rat).SetInt(quotient(l.n, r.n))
	return knownNumber(new(big.Rat).Sub(l.n, whole.Mul(whole, r.n)))
}

// quotient divides and drops the fraction.
func quotient(a, b *big.Rat) *big.Int {
	x := new(big.Int).Mul(a.Num(), b.Denom())
	return x.Quo(x, new(big.Int).Mul(a.Denom(), b.Num()))
}

// shift is a time plus a constant duration; months are those of the calendar, in UTC.
type shift struct {
	left node
	by   value
}

func (n *shift) kind() kind { return instant }

func (n *shift) sql(w *writer) { writeMoved(w, func() { n.left.sql(w) }, n.by) }

// writeMoved writes a time moved by a span, whatever the time zone of the session.
func writeMoved(w *writer, at func(), by value) {
	zone := ""
	if by.months != 0 {
		zone = " AT TIME ZONE 'UTC'"
	}
	w.text("(")
	if zone != "" {
		w.text("(")
	}
	at()
	w.text(zone + " + ")
	w.constant(span, by)
	if zone != "" {
		w.text(")" + zone)
	}
	w.text(")")
}

func (n *shift) eval(e *env) value {
	v := n.left.eval(e)
	if !v.known {
		return v
	}
	return knownTime(plus(v.i, n.by))
}

// distance is the duration between two times.
type distance struct{ left, right node }

func (n *distance) kind() kind { return span }

func (n *distance) sql(w *writer) {
	w.text("(")
	n.left.sql(w)
	w.text(" - ")
	n.right.sql(w)
	w.text(")")
}

func (n *distance) eval(e *env) value {
	l, r := n.left.eval(e), n.right.eval(e)
	if !l.known || !r.known {
		return value{}
	}
	return knownTime(l.i - r.i)
}

// concat is + on text.
type concat struct{ left, right node }

func (n *concat) kind() kind { return text }

func (n *concat) sql(w *writer) {
	w.text("(")
	n.left.sql(w)
	w.text(" || ")
	n.right.sql(w)
	w.text(")")
}

func (n *concat) eval(e *env) value {
	l, r := n.left.eval(e), n.right.eval(e)
	if !l.known || !r.known {
		return value{}
	}
	return knownText(l.s + r.s)
}
