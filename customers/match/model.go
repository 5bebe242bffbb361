package match

import "math"

// Model is what a run has learned: how often the values of one person's two records agree at each level (M), how often
// those of two strangers do (U), and how many pairs are the same person or household.
type Model struct {
	M, U      [fields][levels]float64
	Match     float64 // share of all pairs that are one person
	Household float64 // share of all pairs that are two people of one household
	rarity    [fields]rarity
	nodes     float64

	weight [fields][256]float32 // by code, in bits
	// given that postal codes agree exactly, cities and regions of strangers mostly do, too
	together       [fields]float64
	weightTogether [fields][256]float32
	best           [fields]float32 // the largest weight of values that are not equal
	prior, home    float32         // log2 of the odds of one person, of one household
}

// rarity says how likely a stranger is to share a value that so many records have.
type rarity struct {
	strangers [256]float64 // by code: the share of pairs agreeing on such a value that are strangers
	unseen    float64      // how many further people have a value that was seen once, on average
}

// usualM is what is known before: how one person's records agree in files of people. Levels as in Level's order.
//
//	missing, alias, swapped, close, near, partial, faint, different, exact
var usualM = [fields][levels]float64{
	Given:      {0, .03, .02, .07, .03, .02, .015, .025, .79},
	Middle:     {0, .02, .01, .06, .03, .20, .02, .10, .56},
	Surname:    {0, .005, .02, .07, .03, .02, .015, .03, .81},
	Birth:      {0, .01, .001, .06, .03, .01, .009, .02, .86},
	Email:      {0, .03, .001, .07, .05, .03, .02, .069, .73},
	Phone:      {0, .01, .001, .06, .02, .01, .01, .169, .72},
	Identifier: {0, .001, .001, .07, .02, .001, .001, .046, .86},
	Number:     {0, .02, .001, .06, .001, .001, .001, .086, .83},
	Street:     {0, .01, .03, .07, .05, .03, .03, .06, .72},
	Street2:    {0, .02, .04, .07, .05, .04, .03, .13, .62},
	City:       {0, .005, .001, .07, .04, .02, .015, .069, .78},
	Region:     {0, .005, .001, .02, .01, .01, .005, .06, .89},
	Postcode:   {0, .01, .001, .06, .02, .03, .001, .068, .81},
	Company:    {0, .02, .001, .06, .05, .08, .03, .139, .62},
	Extra1:     {0, .01, .001, .04, .02, .02, .01, .08, .819},
	Extra2:     {0, .01, .001, .04, .02, .04, .02, .25, .619},
	Extra3:     {0, .01, .001, .02, .01, .02, .01, .06, .87},
	Extra4:     {0, .01, .001, .04, .02, .02, .02, .16, .729},
}

// usualU is the same for strangers.
var usualU = [fields][levels]float64{
	Given:      {0, .002, .0005, .002, .005, .02, .06, .9005, .01},
	Middle:     {0, .002, .0005, .002, .005, .06, .06, .8605, .01},
	Surname:    {0, .0001, .0005, .001, .004, .006, .06, .9264, .002},
	Birth:      {0, .0002, .00001, .0005, .006, .003, .03, .96019, .0001},
	Email:      {0, .0001, .00001, .00001, .0001, .001, .02, .97877, .00001},
	Phone:      {0, .0001, .00001, .0001, .001, .0001, .0001, .99849, .0001},
	Identifier: {0, .00001, .00001, .0001, .001, .00001, .00001, .99886, .00001},
	Number:     {0, .01, .00001, .1, .0001, .0001, .0001, .8697, .02},
	Street:     {0, .0005, .0005, .001, .005, .005, .05, .937, .001},
	Street2:    {0, .0005, .0005, .001, .005, .01, .05, .932, .001},
	City:       {0, .0005, .00001, .001, .005, .005, .05, .92849, .01},
	Region:     {0, .001, .00001, .05, .02, .01, .02, .749, .15},
	Postcode:   {0, .001, .00001, .005, .01, .05, .0001, .9329, .001},
	Company:    {0, .0005, .00001, .0005, .002, .01, .03, .95599, .001},
	Extra1:     {0, .001, .00001, .005, .005, .005, .03, .854, .1},
	Extra2:     {0, .001, .00001, .005, .005, .01, .03, .899, .05},
	Extra3:     {0, .001, .00001, .005, .005, .01, .03, .5, .44899},
	Extra4:     {0, .001, .00001, .005, .005, .01, .03, .899, .05},
}

const (
	usualPairs = 30 // how many pairs the usual M weighs as much as
	usualNodes = 50 // how many records the usual U of exact agreement weighs as much as
	leastU     = 2e-6
)

// stranger gives the chance that a stranger shares the value that an exact agreement with this code is about.
func (m *Model) stranger(f Field, code uint8) float64 {
	r := &m.rarity[f]
	others := max(countOf(code)-2, 0)*r.strangers[code] + r.unseen
	return min((others+usualNodes*usualU[f][Exact])/(m.nodes+usualNodes), 1)
}

// weigh turns the chances into weights.
func (m *Model) weigh() {
	for f := range fields {
		m.best[f] = -1000
		for l := Alias; l <= Different; l++ {
			u := m.U[f][l]
			if l == Swapped { // that a value stands elsewhere by chance is as likely as that it agrees
				u = m.U[f][Exact]
			}
			w := float32(math.Log2(m.M[f][l] / max(u, leastU)))
			if l == Different {
				w = min(w, -1)
			}
			m.weight[f][l] = w
			m.weightTogether[f][l] = w
			m.best[f] = max(m.best[f], w)
		}
		for c := int(firstExact); c < 256; c++ {
			u := m.stranger(f, uint8(c))
			m.weight[f][c] = float32(math.Log2(m.M[f][Exact] / u))
			m.weightTogether[f][c] = float32(math.Log2(m.M[f][Exact] / max(u, m.together[f])))
		}
	}
	m.prior = float32(math.Log2(m.Match / (1 - m.Match)))
	m.home = float32(math.Log2(m.Household))
}

// parts sums the weights of a signature: those that tell people apart, and those that a household shares.
func (m *Model) parts(s *signature) (own, home float32) {
	for f := range fields {
		w := m.weightIn(s, f)
		if shared[f] || f == Company && s.named() {
			home += w
		} else {
			own += w
		}
	}
	return own, home
}

// namesakeEmail is what alike e-mail addresses may weigh where the surname is the same, which is mostly part of them.
const namesakeEmail = 2

// weightIn gives the weight of one field in the light of the others.
func (m *Model) weightIn(s *signature, f Field) float32 {
	switch {
	case (f == City || f == Region) && s.at[Postcode] >= firstExact:
		return min(m.plain(s, f), m.weightTogether[f][s.at[f]])
	case f == Email && (s.at[f] == uint8(Near) || s.at[f] == uint8(Partial)) && s.at[Surname] >= firstExact:
		return min(m.plain(s, f), namesakeEmail)
	}
	return m.plain(s, f)
}

// plain gives the weight of one field. Values that are alike but not equal weigh at most what both being the commoner one
// would: whoever is near a common value mostly means it, and shares it with all who have it.
func (m *Model) plain(s *signature, f Field) float32 {
	w := m.weight[f][s.at[f]]
	if c := s.common[f]; c > 0 && w > 0 {
		return min(w, max(m.weight[f][c], 0))
	}
	return w
}

// homeDoubt is what the chance of another person of the same household takes off, in bits.
func (m *Model) homeDoubt(home float32) float32 {
	x := home + m.home
	switch {
	case x < -8:
		return 0
	case x > 20:
		return x
	}
	return float32(math.Log2(1 + math.Exp2(float64(x))))
}

// evidence gives the weight of a signature without the prior, in bits.
func (m *Model) evidence(s *signature) float32 {
	own, home := m.parts(s)
	return own + home - m.homeDoubt(home)
}

// probability turns log odds in bits into a probability.
func probability(bits float32) float64 { return 1 / (1 + math.Exp2(-float64(bits))) }
