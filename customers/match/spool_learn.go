package match

import (
	"cmp"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
)

// randomRecords is how many records the random pairs are of.
const randomRecords = 60_000

// learn finds the model from samples: random records, and candidates of all passes.
func (w *search) learn() error {
	d := w.desk()
	var s samples
	if err := d.load(w.randomRows()); err != nil {
		return err
	}
	s.random = d.randomPairs(d.memo)
	for k := range s.random.of {
		s.together.see(&s.random.of[k], s.random.times[k])
	}
	d.neighbours(&s.together, d.memo)
	pairs, scale, err := w.chosenPairs()
	if err != nil {
		return err
	}
	s.chosen, s.scale = tally{index: map[signature]int{}}, scale
	for len(pairs) > 0 {
		n := min(len(pairs), w.s.limits.part/2)
		members := make([]int32, 0, 2*n)
		for _, p := range pairs[:n] {
			members = append(members, p[0], p[1])
		}
		if err := d.load(d.places(members)); err != nil {
			return err
		}
		for i := range n {
			s.chosen.add(d.sign(d.local[2*i], d.local[2*i+1], d.memo))
		}
		pairs = pairs[n:]
	}
	w.model = learn(&w.census, &s)
	return nil
}

// randomRows chooses records by chance; the same rows give the same ones.
func (w *search) randomRows() []int32 {
	rng := rand.New(rand.NewPCG(1, uint64(w.nodes)))
	left, wanted := w.nodes, min(randomRecords, w.nodes)
	rows := make([]int32, 0, wanted)
	for row := 0; row < w.n && wanted > 0; row++ {
		if w.twin.has(row) {
			continue
		}
		if rng.IntN(left) < wanted {
			rows = append(rows, int32(row))
			wanted--
		}
		left--
	}
	return rows
}

// chosenPairs gives a sample of the candidates, in order, and how many each of them stands for.
func (w *search) chosenPairs() (pairs [][2]int32, scale float64, err error) {
	most := 0
	for _, p := range w.passes {
		most += p.most
	}
	step := uint64(most/maxCandidates + 1)
	var members []int32
	for _, p := range w.passes {
		r := p.reader()
		for n := 0; ; n++ {
			var window bool
			members, window, err = r.next(members[:0], w.s.limits.part)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, 0, err
			}
			if n&0xfff == 0 && w.ctx.Err() != nil {
				return nil, 0, w.ctx.Err()
			}
			for x, a := range members {
				last := len(members)
				if window {
					last = min(last, x+1+hugeWindow)
				}
				for _, b := range members[x+1 : last] {
					i, j := min(a, b), max(a, b)
					if i != j && mix(uint64(i), uint64(j))>>8%step == 0 {
						pairs = append(pairs, [2]int32{i, j})
					}
				}
			}
		}
	}
	slices.SortFunc(pairs, func(x, y [2]int32) int { return cmp.Or(cmp.Compare(x[0], y[0]), cmp.Compare(x[1], y[1])) })
	return slices.Compact(pairs), float64(step), nil
}
