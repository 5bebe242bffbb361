package match

// Limits of clusters.
const (
	// AllPairs is the largest cluster of which every pair is given; of a larger one, each row is paired with the first.
	AllPairs = 100
	// looks is how many pairs between two clusters are looked at before they are joined.
	looks = 64
	// agreement is how much the pairs between two clusters must speak for one person on average, as a share of what
	// would make that as likely as not.
	agreement = 0.75
)

// cluster joins linked nodes, strongest links first. Two clusters are joined by a link only if the pairs between them
// speak for it on the whole, so that a chain of weak links cannot make one of many.
func (r *Result) cluster() {
	t := r.table
	of := make([]int32, len(t.nodes))
	for i := range of {
		of[i] = int32(i)
	}
	members := map[int32][]int32{}
	list := func(c int32) []int32 {
		if m := members[c]; m != nil {
			return m
		}
		return []int32{c}
	}
	for _, l := range r.links {
		if l.bits < r.threshold {
			break
		}
		a, b := of[l.i], of[l.j]
		if a == b {
			continue
		}
		x, y := list(a), list(b)
		if len(x)*len(y) > 1 && !r.belong(x, y) {
			continue
		}
		if len(x) < len(y) {
			a, b, x, y = b, a, y, x
		}
		for _, n := range y {
			of[n] = a
		}
		members[a] = append(x, y...)
		delete(members, b)
	}
	r.clusters = r.clusters[:0]
	for i := range of {
		if m := members[int32(i)]; m != nil && of[i] == int32(i) {
			r.clusters = append(r.clusters, m)
		}
	}
	for i := range of {
		if t.rowsOf[i] > 1 && members[of[i]] == nil && r.selfMatch(int32(i)) {
			r.clusters = append(r.clusters, []int32{int32(i)})
		}
	}
}

// selfMatch tells whether rows that are alike in every field are one person: not where too little is known of them.
func (r *Result) selfMatch(i int32) bool {
	return r.Model.prior+r.Model.full(r.table, i, i, r.memo) >= r.threshold
}

// belong weighs the pairs between two clusters.
func (r *Result) belong(x, y []int32) bool {
	n, sum := 0, float32(0)
	step := max(1, len(x)*len(y)/looks)
	for k := 0; k < len(x)*len(y); k += step {
		w := r.Model.full(r.table, x[k/len(y)], y[k%len(y)], r.memo)
		sum += min(max(w, -20), 20)
		n++
	}
	return sum/float32(n) >= -agreement*r.Model.prior
}
