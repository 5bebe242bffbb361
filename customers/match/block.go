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
	b := &blocks{name: p.name}
	all := make([]keyed, 0, len(t.nodes))
	for i := range t.nodes {
		if k := keyOf(t, &t.nodes[i], p.keys); k != 0 {
			all = append(all, keyed{k, int32(i)})
		}
	}
	if len(all) < 2 {
		return nil
	}
	budget := max(perNode*len(t.nodes), least)
	for step := 0; ; step++ {
		sortKeyed(all)
		limit := t.largestBlock(all, budget)
		rest := all[:0]
		for from := 0; from < len(all); {
			to := from + 1
			for to < len(all) && all[to].key == all[from].key {
				to++
			}
			if to-from <= limit {
				budget -= b.take(all[from:to])
			} else {
				rest = append(rest, all[from:to]...)
			}
			from = to
		}
		all = rest
		if len(all) == 0 {
			break
		}
		if step == len(p.finer) {
			b.takeNeighbours(t, all)
			break
		}
		budget = max(budget, 2*len(all))
		kept := all[:0]
		for _, k := range all {
			// What lacks the finer key stays together.
			k.key = mix(k.key, p.finer[step](t, &t.nodes[k.node]))
			kept = append(kept, k)
		}
		all = kept
	}
	if len(b.ends) == 0 {
		return nil
	}
	return b
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

func keyOf(t *Table, r *record, atoms []atom) uint64 {
	key := uint64(0)
	for _, a := range atoms {
		v := a(t, r)
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

func sortKeyed(all []keyed) {
	slices.SortFunc(all, func(a, b keyed) int {
		if c := cmp.Compare(a.key, b.key); c != 0 {
			return c
		}
		return cmp.Compare(a.node, b.node)
	})
}

// largestBlock gives the size up to which all blocks together stay within the budget of pairs.
func (t *Table) largestBlock(all []keyed, budget int) int {
	sizes := map[int]int{}
	for from := 0; from < len(all); {
		to := from + 1
		for to < len(all) && all[to].key == all[from].key {
			to++
		}
		sizes[to-from]++
		from = to
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

// takeNeighbours handles records that agree in every key there is and are too many: they are put in the order of their
// values, so that those most alike stand together.
func (b *blocks) takeNeighbours(t *Table, all []keyed) {
	for from := 0; from < len(all); {
		to := from + 1
		for to < len(all) && all[to].key == all[from].key {
			to++
		}
		run := all[from:to]
		slices.SortFunc(run, func(x, y keyed) int {
			r, s := &t.nodes[x.node], &t.nodes[y.node]
			for _, f := range order {
				if c := cmp.Compare(r[f], s[f]); c != 0 {
					return c
				}
			}
			return cmp.Compare(x.node, y.node)
		})
		if b.take(run) > 0 {
			b.window[len(b.window)-1] = true
		}
		from = to
	}
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
