package match

import (
	"cmp"
	"slices"
)

// Limits of blocking.
const (
	smallFile    = 1500      // nodes: all pairs are compared
	pairsPerNode = 4         // candidates of one pass, on average over all nodes
	leastPairs   = 1_000_000 // but never fewer than that may be looked at
	hugeWindow   = 4         // where no finer key helps, each record is compared with that many neighbours
)

// blocks are the candidates of one pass: runs of members.
type blocks struct {
	name    string
	members []int32
	ends    []int32 // of each block in members
	window  []bool  // whether only neighbours are compared
	most    int     // pairs in them at most
}

// blocking is the candidates of all passes.
type blocking struct {
	passes []*blocks
	// of gives for each node its block of each pass, in turn; 0 for none or where only neighbours are compared. It tells
	// whether an earlier pass has found a pair.
	of []uint32
}

type keyed struct {
	key  uint64
	node int32
}

// makeBlocks carries out one pass.
func (t *Table) makeBlocks(p pass, perNode, least int) *blocks {
	all := make([]keyed, 0, len(t.nodes))
	for i := range t.nodes {
		if k := t.keyOf(&t.nodes[i], p.keys); k != 0 {
			all = append(all, keyed{k, int32(i)})
		}
	}
	b := &blocks{name: p.name}
	budget := max(perNode*len(t.nodes), least)
	// No step of this can fail, since the values are in memory.
	_ = b.part(all, make([]keyed, len(all)), budget, len(p.finer), func(step int, all []keyed) error {
		for i := range all {
			all[i].key = mix(all[i].key, t.atom(p.finer[step], &t.nodes[all[i].node]))
		}
		return nil
	}, func(all []keyed) error {
		slices.SortFunc(all, func(x, y keyed) int {
			if c := cmp.Compare(x.key, y.key); c != 0 {
				return c
			}
			r, s := &t.nodes[x.node], &t.nodes[y.node]
			for _, f := range order {
				if c := cmp.Compare(r[f], s[f]); c != 0 {
					return c
				}
			}
			return cmp.Compare(x.node, y.node)
		})
		return nil
	})
	if len(b.ends) == 0 {
		return nil
	}
	return b
}

// part makes blocks of records that have the same key, as long as they are small enough for the budget of pairs. The
// larger ones are parted by the next of the finer keys, which finer mixes in; what lacks that stays together. Those
// that agree in every key there is and are too many are put in the order of their values by nearest, so that those most alike
// stand together. scratch is as long as all. The error is that of finer or nearest.
func (b *blocks) part(all, scratch []keyed, budget, steps int, finer func(step int, all []keyed) error, nearest func(all []keyed) error) error {
	if len(all) < 2 {
		return nil
	}
	for step := 0; ; step++ {
		sortKeyed(all, scratch)
		limit := largestBlock(all, budget)
		rest := all[:0]
		for run := range runs(all) {
			if len(run) <= limit {
				budget -= b.take(run)
			} else {
				rest = append(rest, run...)
			}
		}
		all = rest
		if len(all) == 0 {
			return nil
		}
		if step == steps {
			break
		}
		budget = max(budget, 2*len(all))
		if err := finer(step, all); err != nil {
			return err
		}
	}
	if err := nearest(all); err != nil {
		return err
	}
	for run := range runs(all) {
		if b.take(run) > 0 {
			b.window[len(b.window)-1] = true
		}
	}
	return nil
}

// runs gives the stretches of equal keys.
func runs(all []keyed) func(yield func([]keyed) bool) {
	return func(yield func([]keyed) bool) {
		for from := 0; from < len(all); {
			to := from + 1
			for to < len(all) && all[to].key == all[from].key {
				to++
			}
			if !yield(all[from:to]) {
				return
			}
			from = to
		}
	}
}

// join numbers the blocks of all passes.
func (t *Table) join(passes []*blocks) *blocking {
	all := &blocking{passes: passes, of: make([]uint32, len(passes)*len(t.nodes))}
	for k, b := range passes {
		from := int32(0)
		for n, to := range b.ends {
			size := int(to - from)
			if b.window[n] {
				b.most += size * hugeWindow
			} else {
				b.most += size * (size - 1) / 2
				for _, i := range b.members[from:to] {
					all.of[int(i)*len(passes)+k] = uint32(n + 1)
				}
			}
			from = to
		}
	}
	return all
}

func (t *Table) keyOf(r *record, atoms []atom) uint64 {
	key := uint64(0)
	for _, a := range atoms {
		v := t.atom(a, r)
		if v == 0 {
			return 0
		}
		key = mix(key, v)
	}
	return key
}

func mix(a, b uint64) uint64 {
	h := (a ^ b*0x9E3779B97F4A7C15) * 0xBF58476D1CE4E5B9
	h ^= h >> 31
	return h | 1
}

// largestBlock gives the size up to which all blocks together stay within the budget of pairs.
func largestBlock(all []keyed, budget int) int {
	sizes := map[int]int{}
	for run := range runs(all) {
		sizes[len(run)]++
	}
	order := make([]int, 0, len(sizes))
	for s := range sizes {
		order = append(order, s)
	}
	slices.Sort(order)
	limit := 1
	for _, s := range order {
		if budget -= sizes[s] * s * (s - 1) / 2; budget < 0 {
			break
		}
		limit = s
	}
	return limit
}

func (b *blocks) take(run []keyed) (pairs int) {
	if len(run) < 2 {
		return 0
	}
	for _, k := range run {
		b.members = append(b.members, k.node)
	}
	b.ends = append(b.ends, int32(len(b.members)))
	b.window = append(b.window, false)
	return len(run) * (len(run) - 1) / 2
}

// pairs calls each for the candidates of pass k, in its blocks from, from+step, ..., that no earlier pass has found.
func (all *blocking) pairs(k, from, step int, each func(i, j int32)) {
	b, width := all.passes[k], len(all.passes)
	for n := from; n < len(b.ends); n += step {
		begin := int32(0)
		if n > 0 {
			begin = b.ends[n-1]
		}
		run := b.members[begin:b.ends[n]]
		for x, i := range run {
			last := len(run)
			if b.window[n] {
				last = min(last, x+1+hugeWindow)
			}
			mine := all.of[int(i)*width:][:k]
		next:
			for _, j := range run[x+1 : last] {
				theirs := all.of[int(j)*width:][:k]
				for e, block := range mine {
					if block == theirs[e] && block != 0 {
						continue next
					}
				}
				each(min(i, j), max(i, j))
			}
		}
	}
}

// everything is the pass of small files: every pair is a candidate.
func (t *Table) everything() *blocks {
	all := make([]keyed, len(t.nodes))
	for i := range all {
		all[i].node = int32(i)
	}
	b := &blocks{name: "all pairs"}
	b.take(all)
	return b
}
