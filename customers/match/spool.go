package match

import (
	"cmp"
	"context"
	"encoding/json"
	"os"
	"slices"
)

// Spool holds the rows of any number of lists, standardised, in files of a folder of its own, so that memory stays
// bounded however many there are. Rows are numbered from 0 over all lists and matched within each and between all.
type Spool struct {
	dir   string
	table *Table
}

// NewSpool begins a spool in a folder inside dir ("" is the system's folder for temporary files). Close removes it.
func NewSpool(dir string) (*Spool, error) {
	own, err := os.MkdirTemp(dir, "match-")
	if err != nil {
		return nil, err
	}
	t := NewTable()
	t.lists = true
	return &Spool{dir: own, table: t}, nil
}

// AddFile begins a list, as Table.AddFile does.
func (s *Spool) AddFile(header []string, mapping map[string]string) error {
	return s.table.AddFile(header, mapping)
}

// AddRow adds a row to the list begun last, as Table.AddRow does.
func (s *Spool) AddRow(cells []string) error { return s.table.AddRow(cells) }

// AddUnreadable counts a row that could not be read. It matches nothing.
func (s *Spool) AddUnreadable() error { return s.table.AddUnreadable() }

// Rows tells how many rows have been added.
func (s *Spool) Rows() int {
	if n := len(s.table.files); n > 0 {
		return s.table.files[n-1].first + s.table.files[n-1].rows
	}
	return 0
}

// Close removes the files.
func (s *Spool) Close() error { return os.RemoveAll(s.dir) }

// Match finds who is one person. progress, which may be nil, is told how much of the work is done, in rows. No more rows can be
// added afterwards. The error is that of ctx, or of the disk.
func (s *Spool) Match(ctx context.Context, o Options, progress func(done, total int64)) (*Matched, error) {
	if progress == nil {
		progress = func(int64, int64) {}
	}
	total := int64(s.Rows())
	progress(0, total)
	if len(s.table.files) == 0 {
		return &Matched{model: &Model{}}, nil
	}
	r, err := Run(ctx, s.table, o)
	if err != nil {
		return nil, err
	}
	progress(total, total)
	return &Matched{spool: s, model: r.Model, result: r}, nil
}

// Matched is what Spool.Match found. It reads the spool's files, so it ends with the spool.
type Matched struct {
	spool  *Spool
	model  *Model
	result *Result
}

// Model gives what was learned, to be kept with the run.
func (m *Matched) Model() *Model { return m.model }

// Clusters calls each with the rows of one person, ascending, for every cluster of two rows or more, by first row; it
// stops with each's error.
func (m *Matched) Clusters(each func(rows []int) error) error {
	if m.result == nil {
		return nil
	}
	lists := m.result.table.rowLists(m.result.clusters)
	slices.SortFunc(lists, func(a, b []int) int { return cmp.Compare(a[0], b[0]) })
	for _, rows := range lists {
		if err := each(rows); err != nil {
			return err
		}
	}
	return nil
}

// Pairs calls each for the pairs of rows that were found to be alike with a probability of low or more, the review
// band included, A below B, in order; it stops with each's error. Of rows alike in every field, the first stands
// for the others and is paired with each of them. Nothing is found below the run's Options.Review.
func (m *Matched) Pairs(low float64, each func(Pair) error) error {
	if m.result == nil {
		return nil
	}
	r := m.result
	t := r.table
	var pairs []Pair
	first := make([]int, len(t.nodes))
	for row := len(t.node) - 1; row >= 0; row-- {
		first[t.node[row]] = row
	}
	for row, n := range t.node {
		if first[n] == row {
			continue
		}
		if p := probability(r.Model.prior + r.Model.full(t, n, n, r.memo)); p >= low {
			pairs = append(pairs, Pair{first[n], row, p})
		}
	}
	for _, l := range r.links {
		if p := probability(l.bits); p >= low {
			a, b := first[l.i], first[l.j]
			pairs = append(pairs, Pair{min(a, b), max(a, b), p})
		}
	}
	slices.SortFunc(pairs, func(x, y Pair) int { return cmp.Or(cmp.Compare(x.A, y.A), cmp.Compare(x.B, y.B)) })
	for _, p := range pairs {
		if err := each(p); err != nil {
			return err
		}
	}
	return nil
}

// Explain compares two rows, field by field. The error is that of the disk.
func (m *Matched) Explain(a, b int) (Explanation, error) { return m.result.Explain(a, b), nil }

// MarshalJSON writes the weights that were learned, by field and level, in bits.
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
