package match

import "slices"

// Evidence is what one field says of a pair.
type Evidence struct {
	Field              string
	A, B               string // the standardised values, "" where not known
	WrittenA, WrittenB string // the values as they stand in the file, where they are at hand
	Level              Level
	Weight             float64 // in bits: positive speaks for one person
	of                 Field
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
	i, j := r.table.node[a], r.table.node[b]
	e := r.Model.explain(r.table, i, j, r.memo)
	for _, nodes := range r.clusters {
		e.Together = e.Together || slices.Contains(nodes, i) && slices.Contains(nodes, j)
	}
	return e
}

// ExplainWritten is Explain that shows the values as written, which the two rows of the files have.
func (r *Result) ExplainWritten(a, b int, rowA, rowB []string) Explanation {
	e := r.Explain(a, b)
	x, y := r.table.fileOf(a).layout.cellsOf(rowA), r.table.fileOf(b).layout.cellsOf(rowB)
	r.table.Standard.show(&e, &x, &y)
	return e
}

func (m *Model) explain(t *Table, i, j int32, memo memo) Explanation {
	x, y := &t.nodes[i], &t.nodes[j]
	s := t.sign(i, j, memo)
	e := Explanation{Prior: float64(m.prior)}
	for f := range fields {
		if x[f] == 0 && y[f] == 0 && s.at[f] == 0 {
			continue
		}
		w := m.weightIn(&s, f)
		of := t.stores[storeOf[f]].of
		e.Evidence = append(e.Evidence, Evidence{Field: f.String(), A: of[x[f]].text, B: of[y[f]].text, Level: levelOf(s.at[f]), Weight: float64(w), of: f})
	}
	_, home := m.parts(&s)
	e.Household = float64(m.homeDoubt(home))
	bits := m.prior + m.evidence(&s)
	e.Bits, e.Score = float64(bits), probability(bits)
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
