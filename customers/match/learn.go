package match

import "math"

// Sizes of the samples that the model is learned from.
const (
	maxRandom     = 300_000
	maxCandidates = 500_000
	rounds        = 15
	// fewestPairs is how many pairs a file is taken to have at least: a handful of rows do not tell how many match.
	fewestPairs = 20_000
)

// census is what is counted over all records before learning.
type census struct {
	rows, nodes, pairs float64              // pairs that are asked for
	agree              [fields][256]float64 // how many pairs agree on values so common
	once, twice        [fields]float64      // how many values stand in one record, in two
}

// count takes note of a value of f that stands in n records.
func (c *census) count(f Field, n uint32) {
	switch n {
	case 0:
		return
	case 1:
		c.once[f]++
		return
	case 2:
		c.twice[f]++
	}
	c.agree[f][exactCode(n)] += float64(n) * float64(n-1) / 2
}

// census counts the records of the table.
func (t *Table) census() *census {
	c := &census{rows: float64(max(len(t.node), t.standFor)), nodes: float64(len(t.nodes))}
	c.pairs = c.nodes * (c.nodes - 1) / 2
	if t.inB != nil {
		var a, b float64
		for i := range t.nodes {
			if t.inA[i] {
				a++
			}
			if t.inB[i] {
				b++
			}
		}
		c.pairs = a * b
	}
	for f := range fields {
		for v, n := range t.counts[f] {
			if v > 0 {
				c.count(f, n)
			}
		}
	}
	return c
}

// samples are the pairs that the model is learned from.
type samples struct {
	random, chosen tally
	scale          float64 // how many candidates each of chosen stands for
	together       together
}

// learn finds the model of the table.
func (t *Table) learn(all *blocking) *Model {
	memo := newMemo()
	var s samples
	s.random = t.randomPairs(memo)
	s.chosen, s.scale = t.candidatePairs(all, memo)
	for k := range s.random.of {
		s.together.see(&s.random.of[k], s.random.times[k])
	}
	t.neighbours(&s.together, memo)
	return learn(t.census(), &s)
}

// learn finds the model by expectation-maximisation without labels. Every pair belongs to one of three classes: one
// person, two people of one household, strangers. Pairs that no pass proposes are strangers.
func learn(c *census, s *samples) *Model {
	m := &Model{M: usualM, U: usualU}
	// Values are counted by records. A file of a few rows many times over still says how rare they are.
	m.nodes = max(c.nodes, min(c.rows, fewestPairs))
	n := max(c.nodes, 1) // of nobody nothing is learned, and the usual chances stay chances
	pairs := max(c.pairs, fewestPairs)
	m.together = s.together.shares()
	random, chosen, scale, agree := s.random, s.chosen, s.scale, &c.agree

	usualMatch := 0.1 * n / pairs
	leastHome := 0.02 * n / pairs
	m.Match, m.Household = min(usualMatch, 0.3), min(max(leastHome, 0.1*n/pairs), 0.3)
	for f := range fields {
		for c := range m.rarity[f].strangers {
			m.rarity[f].strangers[c] = 1
		}
		m.rarity[f].unseen = 0.5
	}
	m.learnU(random, true)
	m.weigh()
	for range rounds {
		var sum [fields][levels]float64
		var same [fields][256]float64
		var matches, homes float64
		for k := range chosen.of {
			s, times := &chosen.of[k], chosen.times[k]*scale
			own, home := m.parts(s)
			match := m.Match * math.Exp2(float64(own+home))
			house := m.Household * math.Exp2(float64(home))
			whole := match + house + max(1-m.Match-m.Household, 0.1)
			p := match / whole * times
			matches += p
			homes += house / whole * times
			for f := range fields {
				sum[f][levelOf(s.at[f])] += p
				if s.at[f] >= firstExact {
					same[f][s.at[f]] += p
				}
			}
		}
		for f := range fields {
			total := 0.0
			for l := Alias; l <= Exact; l++ {
				total += sum[f][l]
			}
			for l := Alias; l <= Exact; l++ {
				m.M[f][l] = (sum[f][l] + usualPairs*usualM[f][l]) / (total + usualPairs)
			}
			limitDifferent(&m.M[f], mostDifferent[f])
			r := &m.rarity[f]
			for k := range r.strangers {
				r.strangers[k] = max(agree[f][k]-same[f][k]+0.5, 0.5) / (agree[f][k] + 1)
			}
			once, twice := c.once[f], c.twice[f]
			two := exactCode(2)
			r.unseen = min((2*twice*r.strangers[two]+0.5)/(once+twice*(1-r.strangers[two])+5), 2)
		}
		m.Match = min(max(matches, 0.005*n)/pairs, 0.5)
		m.Household = min(max(homes/pairs, leastHome), 0.3)
		m.learnU(random, false)
		m.weigh()
	}
	return m
}

// mostDifferent bounds how often the records of one person differ in what tells people apart. Without it, a file of
// families would teach that the members of one are the same person.
var mostDifferent = [fields]float64{Given: .08, Birth: .12, Email: .40, Identifier: .12}

func limitDifferent(m *[levels]float64, most float64) {
	if most == 0 || m[Different] <= most {
		return
	}
	scale := (1 - most) / (1 - m[Different])
	for l := range m {
		m[l] *= scale
	}
	m[Different] = most
}

// tally counts how often each signature came up.
type tally struct {
	of    []signature
	times []float64
	index map[signature]int
}

func (t *tally) add(s signature) {
	k, ok := t.index[s]
	if !ok {
		k = len(t.of)
		t.index[s] = k
		t.of, t.times = append(t.of, s), append(t.times, 0)
	}
	t.times[k]++
}

// learnU counts how strangers agree in random pairs, each weighed with the chance that it is not one person after all.
func (m *Model) learnU(random tally, first bool) {
	var sum [fields][levels]float64
	for k := range random.of {
		s := &random.of[k]
		p := random.times[k]
		if !first {
			own, home := m.parts(s)
			p /= 1 + m.Match*math.Exp2(float64(own+home))
		}
		for f := range fields {
			sum[f][levelOf(s.at[f])] += p
		}
	}
	for f := range fields {
		total := 0.0
		for l := Alias; l <= Exact; l++ {
			total += sum[f][l]
		}
		for l := Alias; l <= Exact; l++ {
			m.U[f][l] = (sum[f][l] + usualNodes*usualU[f][l]) / (total + usualNodes)
		}
	}
}
