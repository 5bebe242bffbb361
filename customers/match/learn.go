package match

import (
	"math"
	"math/rand/v2"
)

// Sizes of the samples that the model is learned from.
const (
	maxRandom     = 300_000
	maxCandidates = 500_000
	rounds        = 15
	// fewestPairs is how many pairs a file is taken to have at least: a handful of rows do not tell how many match.
	fewestPairs = 20_000
)

// learn finds the model by expectation-maximisation without labels. Every pair belongs to one of three classes: one
// person, two people of one household, strangers. Pairs that no pass proposes are strangers.
func (t *Table) learn(all *blocking) *Model {
	m := &Model{M: usualM, U: usualU}
	rows := float64(len(t.node))
	m.nodes = rows
	n := float64(len(t.nodes))
	pairs := n * (n - 1) / 2
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
		pairs = a * b
	}
	pairs = max(pairs, fewestPairs)
	memo := newMemo()
	random := t.randomPairs(memo)
	chosen, scale := t.candidatePairs(all, memo)
	t.learnTogether(m, random, memo)

	usualMatch := 0.1 * n / pairs
	leastHome := 0.02 * n / pairs
	m.Match, m.Household = min(usualMatch, 0.3), min(max(leastHome, 0.1*n/pairs), 0.3)
	var agree [fields][256]float64 // how many pairs agree on values so common
	for f := range fields {
		for v, c := range t.counts[f] {
			if v > 0 && c > 1 {
				agree[f][t.codes[f][v]] += float64(c) * float64(c-1) / 2
			}
		}
		for c := range m.rarity[f].strangers {
			m.rarity[f].strangers[c] = 1
		}
		m.rarity[f].unseen = 0.5
	}
	t.learnU(m, random, true)
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
				sum[f][levelOf(s[f])] += p
				if s[f] >= firstExact {
					same[f][s[f]] += p
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
			for c := range r.strangers {
				r.strangers[c] = max(agree[f][c]-same[f][c]+0.5, 0.5) / (agree[f][c] + 1)
			}
			once, twice := t.seen(f)
			two := exactCode(2)
			r.unseen = min((2*twice*r.strangers[two]+0.5)/(once+twice*(1-r.strangers[two])+5), 2)
		}
		m.Match = min(max(matches, 0.005*n)/pairs, 0.5)
		m.Household = min(max(homes/pairs, leastHome), 0.3)
		t.learnU(m, random, false)
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

// seen tells how many values of a field stand in one record and in two.
func (t *Table) seen(f Field) (once, twice float64) {
	for v, c := range t.counts[f] {
		switch {
		case v == 0:
		case c == 1:
			once++
		case c == 2:
			twice++
		}
	}
	return once, twice
}

// learnU counts how strangers agree in random pairs, each weighed with the chance that it is not one person after all.
func (t *Table) learnU(m *Model, random tally, first bool) {
	var sum [fields][levels]float64
	for k := range random.of {
		s := &random.of[k]
		p := random.times[k]
		if !first {
			own, home := m.parts(s)
			p /= 1 + m.Match*math.Exp2(float64(own+home))
		}
		for f := range fields {
			sum[f][levelOf(s[f])] += p
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

// randomPairs gives pairs chosen by chance; the same table gives the same pairs.
func (t *Table) randomPairs(memo memo) tally {
	n := len(t.nodes)
	out := tally{index: map[signature]int{}}
	if n*(n-1)/2 <= maxRandom {
		for i := range int32(n) {
			for j := i + 1; j < int32(n); j++ {
				if t.counted(i, j) {
					out.add(t.sign(i, j, memo))
				}
			}
		}
		return out
	}
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	for range maxRandom {
		i, j := int32(rng.IntN(n)), int32(rng.IntN(n))
		if i != j && t.counted(i, j) {
			out.add(t.sign(i, j, memo))
		}
	}
	return out
}

// counted tells whether a pair is asked for: of two files, one record must be of each.
func (t *Table) counted(i, j int32) bool {
	return t.inB == nil || t.inA[i] && t.inB[j] || t.inA[j] && t.inB[i]
}

// candidatePairs gives a sample of the candidates and how many each of them stands for.
func (t *Table) candidatePairs(all *blocking, memo memo) (sample tally, scale float64) {
	sample.index = map[signature]int{}
	most := 0
	for _, b := range all.passes {
		most += b.most
	}
	step := uint64(most/maxCandidates + 1)
	for k := range all.passes {
		all.pairs(k, 0, 1, func(i, j int32) {
			if step > 1 && mix(uint64(i), uint64(j))>>8%step != 0 || !t.counted(i, j) {
				return
			}
			sample.add(t.sign(i, j, memo))
		})
	}
	return sample, float64(step)
}

// learnTogether finds how often strangers with one postal code have one city and one region: pairs whose names both
// differ are strangers.
func (t *Table) learnTogether(m *Model, random tally, memo memo) {
	var same, of [fields]float64
	see := func(s *signature, times float64) {
		if s[Postcode] < firstExact || levelOf(s[Given]) != Different || levelOf(s[Surname]) != Different {
			return
		}
		for _, f := range []Field{City, Region} {
			if s[f] != uint8(Missing) {
				of[f] += times
				if s[f] >= firstExact {
					same[f] += times
				}
			}
		}
	}
	for k := range random.of {
		see(&random.of[k], random.times[k])
	}
	last := make([]int32, len(t.counts[Postcode]))
	n := 0
	for i := range t.nodes {
		p := t.nodes[i][Postcode]
		if p == 0 {
			continue
		}
		if last[p] > 0 {
			s := t.sign(last[p]-1, int32(i), memo)
			see(&s, 1)
			if n++; n > 100_000 {
				break
			}
		}
		last[p] = int32(i + 1)
	}
	for _, f := range []Field{City, Region} {
		m.together[f] = (same[f] + 1) / (of[f] + 2)
		if of[f] == 0 {
			m.together[f] = usualU[f][Exact]
		}
	}
}
