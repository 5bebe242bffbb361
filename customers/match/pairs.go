package match

import "slices"

// Pair is two rows that are one person, and how probable that is.
type Pair struct {
	A, B  int // rows of the table, from 0
	Score float64
}

// Pairs calls each for every pair of rows within a cluster, or, where two files are matched, for every pair with one
// row of each; it stops with each's error. In a cluster of more than 100 rows each row is paired with the
// first only (with the first of the other file), so that a million rows alike give a million pairs.
func (r *Result) Pairs(each func(Pair) error) error {
	t := r.table
	rows := t.rowLists(r.clusters)
	direct := make(map[[2]int32]float32, len(r.links))
	for _, l := range r.links {
		direct[[2]int32{l.i, l.j}] = l.bits
	}
	for c := range r.clusters {
		score := func(a, b int) float64 { return r.scoreOf(direct, t.node[a], t.node[b]) }
		if err := t.pairsOf(rows[c], score, each); err != nil {
			return err
		}
	}
	return nil
}

// scoreOf gives the probability of two nodes of one cluster; where they are not linked themselves, others link them, and
// the weakest link that holds the cluster together counts: at least the threshold.
func (r *Result) scoreOf(direct map[[2]int32]float32, a, b int32) float64 {
	if a == b {
		return probability(max(r.Model.prior+r.Model.full(r.table, a, a, r.memo), r.threshold))
	}
	bits, ok := direct[[2]int32{min(a, b), max(a, b)}]
	if !ok {
		bits = r.threshold
	}
	return probability(max(bits, r.threshold))
}

// Doubtful calls each for the pairs that are linked with a probability below the threshold, the review band, the likeliest
// first; it stops with each's error. Of rows alike in every field, the first stands for the others.
func (r *Result) Doubtful(each func(Pair) error) error {
	t := r.table
	first := [2][]int{make([]int, len(t.nodes)), make([]int, len(t.nodes))}
	for row := len(t.node) - 1; row >= 0; row-- {
		of := 0
		if t.inB != nil && row >= t.files[1].first {
			of = 1
		}
		first[of][t.node[row]] = row
	}
	cluster := make([]int32, len(t.nodes))
	for c, nodes := range r.clusters {
		for _, n := range nodes {
			cluster[n] = int32(c + 1)
		}
	}
	for _, l := range r.links {
		if l.bits >= r.threshold || cluster[l.i] > 0 && cluster[l.i] == cluster[l.j] {
			continue
		}
		p := Pair{first[0][l.i], first[0][l.j], probability(l.bits)}
		switch {
		case t.inB == nil:
		case t.inA[l.i] && t.inB[l.j]:
			p.B = first[1][l.j]
		default:
			p.A, p.B = first[0][l.j], first[1][l.i]
		}
		p.A, p.B = min(p.A, p.B), max(p.A, p.B)
		if err := each(p); err != nil {
			return err
		}
	}
	return nil
}

func (t *Table) rowLists(clusters [][]int32) [][]int {
	of := make([]int32, len(t.nodes))
	for c, nodes := range clusters {
		for _, n := range nodes {
			of[n] = int32(c + 1)
		}
	}
	lists := make([][]int, len(clusters))
	for row, n := range t.node {
		if c := of[n]; c > 0 {
			lists[c-1] = append(lists[c-1], row)
		}
	}
	return lists
}

func (t *Table) pairsOf(rows []int, score func(a, b int) float64, each func(Pair) error) error {
	slices.Sort(rows)
	first, second := rows, rows
	if t.inB != nil {
		at, _ := slices.BinarySearch(rows, t.files[1].first)
		first, second = rows[:at], rows[at:]
	}
	if len(first) == 0 || len(second) == 0 {
		return nil
	}
	star := len(rows) > AllPairs
	for x, a := range first {
		for y, b := range second {
			if t.inB == nil && a >= b || star && x > 0 && y > 0 {
				if star && x > 0 {
					break
				}
				continue
			}
			if err := each(Pair{a, b, score(a, b)}); err != nil {
				return err
			}
		}
	}
	return nil
}
