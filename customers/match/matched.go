package match

import (
	"encoding/json"
	"errors"
	"io"
	"sync"

	"aldine/internal/fault"
)

// Matched is what Spool.Match found. It reads the spool's files, so it ends with the spool.
type Matched struct {
	Passes     []Pass
	Candidates int // pairs that were compared
	Review     int // links between the two thresholds
	Groups     int // clusters
	Largest    int // rows of the largest cluster
	Seconds    float64

	search   *search
	twins    *linkFile
	links    *linkFile
	clusters *columnFile // rows of the clusters, each cluster after its size
	of       []int32     // of each row, the first row of its cluster and one; 0 for none

	lock sync.Mutex
	desk *desk
}

// join makes a cluster of records.
func (m *Matched) join(nodes, rows []int32) {
	first := rows[nodes[0]]
	for _, n := range nodes {
		first = min(first, rows[n])
	}
	for _, n := range nodes {
		m.of[rows[n]] = first + 1
	}
}

// finish writes the clusters with all their rows in order, and the links between rows.
func (w *search) finish() (err error) {
	m := w.m
	sizes := make([]int32, w.n+1)
	first := w.first.reader()
	if err := w.each(func(row int) error {
		if w.twin.has(row) {
			f, err := first.at32(row)
			if err != nil {
				return err
			}
			m.of[row] = m.of[f]
		}
		if c := m.of[row]; c > 0 {
			sizes[c-1]++
		}
		return nil
	}); err != nil {
		return err
	}
	sum := int32(0)
	for i, n := range sizes {
		sizes[i] = sum
		sum += n
		if n > 0 {
			m.Groups++
			m.Largest = max(m.Largest, int(n))
		}
	}
	rows := make([]int32, sum)
	for row, c := range m.of {
		if c > 0 {
			rows[sizes[c-1]] = int32(row)
			sizes[c-1]++
		}
	}
	if m.clusters, err = w.s.column("clusters", 4); err != nil {
		return err
	}
	for i := 0; i < len(rows); {
		end := int(sizes[m.of[rows[i]]-1])
		if err := m.clusters.add32(uint32(end - i)); err != nil {
			return err
		}
		for ; i < end; i++ {
			if err := m.clusters.add32(uint32(rows[i])); err != nil {
				return err
			}
		}
	}
	if err := m.clusters.flush(); err != nil {
		return err
	}
	if err := w.links.each(0, w.links.n, m.twins.add); err != nil {
		return err
	}
	if err := m.twins.flush(); err != nil {
		return err
	}
	if m.links, err = m.twins.sorted(w.s.dir, "links", w.n, sortedLinks); m.links != nil {
		w.s.files = append(w.s.files, m.links.file)
	}
	if err != nil {
		return err
	}
	return w.remove(m.twins.file)
}

// Model gives what was learned, to be kept with the run.
func (m *Matched) Model() *Model { return m.search.model }

// Clusters calls each with the rows of one person, ascending, for every cluster of two rows or more, by first row; it
// stops with each's error. The slice is used again for the next.
func (m *Matched) Clusters(each func(rows []int) error) error {
	in := m.clusters.reader()
	var rows []int
	for at := 0; ; {
		n, err := in.at32(at)
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return nil
		}
		if err != nil {
			return err
		}
		rows = rows[:0]
		for i := range int(n) {
			row, err := in.at32(at + 1 + i)
			if err != nil {
				return err
			}
			rows = append(rows, int(row))
		}
		at += 1 + int(n)
		if err := each(rows); err != nil {
			return err
		}
	}
}

// Pairs calls each for the pairs of rows that were found to be alike with a probability of low or more, the review
// band included, A below B, in order; it stops with each's error. Of rows alike in every field, the first stands for
// the others and is paired with each of them. Nothing is found below the run's Options.Review.
func (m *Matched) Pairs(low float64, each func(Pair) error) error {
	return m.links.each(0, m.links.n, func(l link) error {
		if p := probability(l.bits); p >= low {
			return each(Pair{int(l.i), int(l.j), p})
		}
		return nil
	})
}

// Explain compares two rows, field by field. The error is Invalid for rows that there are not, and Unavailable where the
// disk cannot be read.
func (m *Matched) Explain(a, b int) (Explanation, error) {
	w := m.search
	if a < 0 || b < 0 || a >= w.n || b >= w.n {
		return Explanation{}, fault.New(fault.Invalid, "There is no such row")
	}
	m.lock.Lock()
	defer m.lock.Unlock()
	if m.desk == nil {
		m.desk = w.desk()
	}
	var rows [2]int32
	var written [2]cells
	raw := w.s.raw.reader()
	for i, row := range [2]int{a, b} {
		first, err := w.first.reader().at32(row)
		if err != nil {
			return Explanation{}, err
		}
		rows[i] = int32(first)
		b, err := raw.row(row)
		if err != nil {
			return Explanation{}, err
		}
		rest := string(b)
		for col := range written[i] {
			written[i][col], rest = text(rest)
		}
	}
	d := m.desk
	if err := d.load(d.places(rows[:])); err != nil {
		return Explanation{}, err
	}
	e := w.model.explain(d.Table, d.local[0], d.local[1], d.memo)
	w.s.Standard.show(&e, &written[0], &written[1])
	e.Together = a == b || m.of[a] > 0 && m.of[a] == m.of[b]
	return e, nil
}

// MarshalJSON writes what was learned: the weights of each field by level, in bits, where exact agreement is on a value that
// strangers share as often as not known before.
func (m *Model) MarshalJSON() ([]byte, error) {
	type field struct {
		Field   string             `json:"field"`
		Weights map[string]float64 `json:"weights"`
	}
	out := struct {
		Match     float64 `json:"match"`
		Household float64 `json:"household"`
		Prior     float64 `json:"prior"`
		Fields    []field `json:"fields"`
	}{m.Match, m.Household, float64(m.prior), nil}
	for f := range fields {
		w := map[string]float64{}
		for l := Alias; l <= Exact; l++ {
			w[l.String()] = float64(m.weight[f][l])
		}
		out.Fields = append(out.Fields, field{f.String(), w})
	}
	return json.Marshal(out)
}
