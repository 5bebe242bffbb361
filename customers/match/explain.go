package match

// Evidence is what one field says of a pair.
type Evidence struct {
	Field              string
	A, B               string // the standardised values, "" where not known
	WrittenA, WrittenB string // the values as they stand in the file, where they are at hand
	Level              Level
	Weight             float64 // in bits: positive speaks for one person
}

// Explanation says why two rows are one person, or why not. The weights and Prior add up to Bits, and Score is their
// probability.
type Explanation struct {
	Evidence  []Evidence
	Prior     float64 // log odds of any two rows
	Household float64 // what another member of the household would explain as well; taken off
	Bits      float64
	Score     float64
	Together  bool // whether both are in one cluster
}

// Explain compares two rows, field by field.
func (r *Result) Explain(a, b int) Explanation {
	t, m := r.table, r.Model
	i, j := t.node[a], t.node[b]
	x, y := &t.nodes[i], &t.nodes[j]
	s := t.sign(i, j, r.memo)
	e := Explanation{Prior: float64(m.prior)}
	sum := float32(0)
	for f := range fields {
		if x[f] == 0 && y[f] == 0 && s[f] == 0 {
			continue
		}
		w := m.weightIn(&s, f)
		sum += w
		of := t.stores[storeOf[f]].of
		e.Evidence = append(e.Evidence, Evidence{Field: f.String(), A: of[x[f]].text, B: of[y[f]].text, Level: levelOf(s[f]), Weight: float64(w)})
	}
	_, home := m.parts(&s)
	e.Household = float64(m.homeDoubt(home))
	bits := m.prior + m.evidence(&s)
	e.Bits, e.Score = float64(bits), probability(bits)
	for _, nodes := range r.clusters {
		inA, inB := false, false
		for _, n := range nodes {
			inA, inB = inA || n == i, inB || n == j
		}
		e.Together = e.Together || inA && inB
	}
	return e
}

// Clusters tells how many clusters of two rows or more there are, and how many rows the largest has.
func (r *Result) Clusters() (n, largest int) {
	for _, nodes := range r.clusters {
		rows := 0
		for _, i := range nodes {
			rows += int(r.table.rowsOf[i])
		}
		if rows > 1 {
			n++
			largest = max(largest, rows)
		}
	}
	return n, largest
}
