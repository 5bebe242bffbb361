package segments

import "math/big"

// A quotient is cut off after six decimals before it is compared, so the whole number of millionths that is compared with has
// one next to it that the uncut quotient can be compared with; and that as a product, which costs a tenth of a division.

// product writes a comparison of a quotient with a literal as one of a product; false for what cannot be written twice.
func (n *compare) product(w *writer, literal *big.Rat) bool {
	if literal == nil { // text or a time is compared
		return false
	}
	op, limit, ok := uncut(n.op, literal) // first: a dividend that is written adds its arguments
	if !ok {
		return false
	}
	over, under, sign, ok := dividend(w, n.left)
	if !ok {
		return false
	}
	positive := over + " " + sqlOperators[op] + " " + under + " * " + w.arg(decimalText(knownNumber(limit)), "numeric")
	switch sign {
	case ofCounts:
		w.text(positive)
		return true
	case notNegative:
		w.text("(" + under + " > 0 AND " + positive + ")")
		return true
	}
	above, below := under+" > 0", under+" < 0"
	if f, ok := n.left.(*arithmetic).right.(*fieldNode); ok && f.field.integer {
		column := f.field.sql(w, w.alias, false)
		above, below = column+" > 0", column+" < 0"
	}
	w.text("(" + above + " AND " + positive + " OR " + below + " AND " + over + " " + sqlOperators[mirrored[op]] + " " + under + " * " +
		w.arg(decimalText(knownNumber(limit)), "numeric") + ")")
	return true
}

// divisor is what is known of one.
type divisor uint8

const (
	anySign     divisor = iota
	notNegative         // a number of items
	ofCounts            // a number of items of which there is a sum: where it is 0, the sum is not known
)

// dividend gives both sides of a quotient of columns or aggregates.
func dividend(w *writer, n node) (over, under string, sign divisor, ok bool) {
	switch n := n.(type) {
	case *aggregate:
		if parts, ok := w.means[n]; ok {
			return parts[0], parts[1], ofCounts, true
		}
	case *arithmetic:
		if n.op == "/" && leaf(w, n.left) && leaf(w, n.right) {
			if count, isAggregate := n.right.(*aggregate); isAggregate && count.fn == "count" {
				sign = notNegative
			}
			return w.capture(func() { n.left.sql(w) }), w.capture(func() { n.right.sql(w) }), sign, true
		}
	}
	return "", "", anySign, false
}

// leaf tells whether a node is written as a column or an aggregate at hand.
func leaf(w *writer, n node) bool {
	switch n := n.(type) {
	case *fieldNode:
		return n.field.name != "list"
	case *itemNode, *constant:
		return true
	case *aggregate:
		return w.values[n] != "" || n.kept != nil
	}
	return false
}

// uncut gives the comparison of the uncut quotient, of positive divisor, that means the same as op on the cut one.
func uncut(op string, literal *big.Rat) (string, *big.Rat, bool) {
	scaled := new(big.Rat).Mul(literal, new(big.Rat).SetInt(million))
	k, exact := floor(scaled), scaled.IsInt()
	one := big.NewInt(1)
	switch op { // to >= k or <= k in whole millionths
	case ">":
		k.Add(k, one)
	case ">=", "<":
		if !exact {
			k.Add(k, one)
		}
		if op == "<" {
			k.Sub(k, one)
		}
	case "<=":
	default:
		return "", nil, false
	}
	// Cutting moves towards 0: away from it the limit is k itself, on its other side everything up to the next whole number.
	up := op == ">" || op == ">="
	switch {
	case up && k.Sign() > 0:
		op = ">="
	case up:
		op = ">"
		k.Sub(k, one)
	case k.Sign() < 0:
		op = "<="
	default:
		op = "<"
		k.Add(k, one)
	}
	return op, new(big.Rat).SetFrac(k, million), true
}

func floor(r *big.Rat) *big.Int { return new(big.Int).Div(r.Num(), r.Denom()) }
