package reports

import (
	"github.com/govalues/decimal"
)

// Money is an exact amount; its currency stands beside it in the report.
type Money = decimal.Decimal

// The rounding of figures that divide: money to a hundredth of a cent.
const moneyScale = 4

// sums adds up amounts and keeps the first error, so that a report checks once.
type arithmetic struct{ err error }

func (a *arithmetic) keep(m Money, err error) Money {
	if err != nil && a.err == nil {
		a.err = err
	}
	return m
}

func (a *arithmetic) add(x, y Money) Money { return tidy(a.keep(x.Add(y))) }
func (a *arithmetic) sub(x, y Money) Money { return tidy(a.keep(x.Sub(y))) }
func (a *arithmetic) mul(x, y Money) Money { return tidy(a.keep(x.Mul(y))) }

// per divides; nil where the divisor is zero.
func (a *arithmetic) per(x, y Money) *Money {
	if y.IsZero() {
		return nil
	}
	q := tidy(a.keep(x.Quo(y)))
	return &q
}

// tidy rounds to money and shows two places where two are enough: 12.50, 0.0125.
func tidy(m Money) Money { return m.Round(moneyScale).Trim(2).Pad(2) }

func tidied(m *Money) *Money {
	if m == nil {
		return nil
	}
	t := tidy(*m)
	return &t
}

func count(n int64) Money { return decimal.MustNew(n, 0) }

// ratio is a share such as a rate or a return; nil where the divisor is zero.
func ratio(x, y Money) *float64 {
	if y.IsZero() {
		return nil
	}
	q, err := x.Quo(y)
	if err != nil {
		return nil
	}
	f, _ := q.Round(9).Float64()
	return &f
}

func rate(x, y int64) *float64 { return ratio(count(x), count(y)) }
