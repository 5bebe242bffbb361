package match

import "math/rand/v2"

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

// together counts how often strangers with one postal code have one city and one region: pairs whose names both differ
// are strangers.
type together struct{ same, of [fields]float64 }

func (g *together) see(s *signature, times float64) {
	if s.at[Postcode] < firstExact || levelOf(s.at[Given]) != Different || levelOf(s.at[Surname]) != Different {
		return
	}
	for _, f := range []Field{City, Region} {
		if s.at[f] != uint8(Missing) {
			g.of[f] += times
			if s.at[f] >= firstExact {
				g.same[f] += times
			}
		}
	}
}

func (g *together) shares() (share [fields]float64) {
	for _, f := range []Field{City, Region} {
		share[f] = (g.same[f] + 1) / (g.of[f] + 2)
		if g.of[f] == 0 {
			share[f] = usualU[f][Exact]
		}
	}
	return share
}

// mostNeighbours is how many pairs of one postal code are looked at.
const mostNeighbours = 100_000

// neighbours looks at records of one postal code.
func (t *Table) neighbours(g *together, memo memo) {
	last := make([]int32, len(t.stores[storeOf[Postcode]].of))
	n := 0
	for i := range t.nodes {
		p := t.nodes[i][Postcode]
		if p == 0 {
			continue
		}
		if last[p] > 0 {
			s := t.sign(last[p]-1, int32(i), memo)
			g.see(&s, 1)
			if n++; n > mostNeighbours {
				break
			}
		}
		last[p] = int32(i + 1)
	}
}
