package reports

import (
	"math"
	"sort"
)

// Interval is an estimate with its 95 % limits.
type Interval struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

const (
	z95         = 1.959963984540054
	fewAnswers  = 10 // below this in a cell the simple limits are too narrow
	significant = 0.05
)

// clear tells whether zero lies outside the limits. Test and interval are computed in different ways, and near the edge
// one may say yes and the other no; a result counts as proven only where both do.
func (i *Interval) clear() bool { return i != nil && (i.Low > 0 || i.High < 0) }

// Lift gives the difference of two rates, x1 of n1 against x2 of n2, with its 95 % interval, and the probability of
// so great a difference if there were none. The limits are those of Wald, or of Newcombe (1998, method 10) where
// either cell has fewer than ten; nil where a cell is empty.
func Lift(x1, n1, x2, n2 int64) (*Interval, float64) {
	if n1 <= 0 || n2 <= 0 {
		return nil, 1
	}
	p1, p2 := float64(x1)/float64(n1), float64(x2)/float64(n2)
	d := p1 - p2
	iv := &Interval{Value: d}
	if min(x1, x2, n1-x1, n2-x2) < fewAnswers {
		l1, u1 := wilson(x1, n1)
		l2, u2 := wilson(x2, n2)
		iv.Low = d - math.Hypot(p1-l1, u2-p2)
		iv.High = d + math.Hypot(u1-p1, p2-l2)
	} else {
		se := math.Sqrt(p1*(1-p1)/float64(n1) + p2*(1-p2)/float64(n2))
		iv.Low, iv.High = d-z95*se, d+z95*se
	}
	pooled := float64(x1+x2) / float64(n1+n2)
	se := math.Sqrt(pooled * (1 - pooled) * (1/float64(n1) + 1/float64(n2)))
	if se == 0 {
		return iv, 1
	}
	return iv, math.Erfc(math.Abs(d) / se / math.Sqrt2)
}

// wilson gives the score limits of one rate.
func wilson(x, n int64) (low, high float64) {
	p, m := float64(x)/float64(n), float64(n)
	centre := p + z95*z95/(2*m)
	half := z95 * math.Sqrt(p*(1-p)/m+z95*z95/(4*m*m))
	below := 1 + z95*z95/m
	return max((centre-half)/below, 0), min((centre+half)/below, 1)
}

// spend is the money of a group: the mean and the variance over all assigned customers, those with zero included.
type spend struct {
	n        int64
	mean     float64
	variance float64
}

// meanLift gives the difference of two means with its 95 % interval; nil where a group has fewer than two customers.
func meanLift(a, b spend) *Interval {
	if a.n < 2 || b.n < 2 {
		return nil
	}
	d := a.mean - b.mean
	se := math.Sqrt(a.variance/float64(a.n) + b.variance/float64(b.n))
	return &Interval{Value: d, Low: d - z95*se, High: d + z95*se}
}

// holm gives for each p-value whether it is significant among them all (Holm 1979).
func holm(p []float64) []bool {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(i, j int) bool { return p[order[i]] < p[order[j]] })
	proven := make([]bool, len(p))
	for rank, i := range order {
		if p[i] > significant/float64(len(p)-rank) {
			break
		}
		proven[i] = true
	}
	return proven
}
