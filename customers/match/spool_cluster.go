package match

import (
	"cmp"
	"math"
	"path/filepath"
	"slices"
)

// sortedLinks is how many links are sorted at once.
const sortedLinks = 3_000_000

// sortLinks puts the links in order, each once, and counts those for review.
func (w *search) sortLinks() error {
	if err := w.links.flush(); err != nil {
		return err
	}
	sorted, err := w.links.sorted(w.s.dir, "between", w.n, sortedLinks)
	if sorted != nil {
		w.s.files = append(w.s.files, sorted.file)
	}
	if err != nil {
		return err
	}
	if err := w.remove(w.links.file); err != nil {
		return err
	}
	w.links = sorted
	return sorted.each(0, sorted.n, func(l link) error {
		if l.bits < w.threshold {
			w.m.Review++
		}
		return nil
	})
}

// forest joins rows into trees, none of more rows than most.
type forest struct {
	parent, size []int32
	most         int32
}

func (f *forest) root(i int32) int32 {
	for f.parent[i] != i {
		f.parent[i] = f.parent[f.parent[i]]
		i = f.parent[i]
	}
	return i
}

func (f *forest) join(i, j int32) {
	a, b := f.root(i), f.root(j)
	if a == b || f.size[a]+f.size[b] > f.most {
		return
	}
	a, b = min(a, b), max(a, b)
	f.parent[b] = a
	f.size[a] += f.size[b]
}

// bands are the strengths of links, in bits above the threshold, in which they are joined, strongest first: should links
// hold more rows together than can be in memory, the weakest are left out.
var bands = []float32{64, 32, 16, 8, 4, 0}

// cluster clusters the records that links hold together, as many such groups at a time as can be in memory.
func (w *search) cluster() error {
	f := &forest{parent: make([]int32, w.n), size: make([]int32, w.n), most: int32(w.s.limits.part)}
	for i := range f.parent {
		f.parent[i], f.size[i] = int32(i), 1
	}
	upper := float32(math.Inf(1))
	for _, band := range bands {
		lower := w.threshold + band
		if err := w.links.each(0, w.links.n, func(l link) error {
			if l.bits >= lower && l.bits < upper {
				f.join(l.i, l.j)
			}
			return nil
		}); err != nil {
			return err
		}
		upper = lower
	}
	batches, err := w.batches(f)
	if err != nil {
		return err
	}
	parted, ends, err := w.links.part(filepath.Join(w.s.dir, "batches"), batches, func(l link) int {
		if l.bits < w.threshold || f.parent[l.i] != f.parent[l.j] {
			return -1
		}
		return int(f.size[f.parent[l.i]]) - 1
	})
	if parted != nil {
		w.s.files = append(w.s.files, parted.file)
	}
	if err != nil {
		return err
	}
	members := make([][]int32, 1)
	d := w.desk()
	// The rows of a batch are found by its number, those of a few batches in one go.
	const atOnce = 16
	from := 0
	for batch := range batches {
		if batch%atOnce == 0 {
			members = make([][]int32, atOnce)
			if err := w.each(func(row int) error {
				if b := int(f.size[f.parent[row]]) - 1; b >= batch && b < batch+atOnce && !w.twin.has(row) {
					members[b-batch] = append(members[b-batch], int32(row))
				}
				return nil
			}); err != nil {
				return err
			}
		}
		if err := w.clusterBatch(d, members[batch%atOnce], parted, from, ends[batch]); err != nil {
			return err
		}
		from = ends[batch]
		w.report(0.92 + 0.06*float64(batch)/float64(batches))
	}
	return w.remove(parted.file)
}

// batches numbers batches of trees, from 1, in the size of their roots, 0 for rows that stand alone. Afterwards parent
// is the root itself.
func (w *search) batches(f *forest) (int, error) {
	batches, rows := 0, int32(0)
	err := w.each(func(row int) error {
		i := int32(row)
		if f.parent[i] = f.root(i); f.parent[i] != i {
			return nil
		}
		size := f.size[i]
		if f.size[i] = 0; size == 1 && !w.has.has(row) {
			return nil
		}
		if batches == 0 || rows+size > f.most {
			batches, rows = batches+1, 0
		}
		rows += size
		f.size[i] = int32(batches)
		return nil
	})
	return batches, err
}

// clusterBatch clusters some records by their links.
func (w *search) clusterBatch(d *desk, rows []int32, links *linkFile, from, to int) error {
	if err := d.load(rows); err != nil {
		return err
	}
	d.rowsOf = slices.Grow(d.rowsOf[:0], len(rows))[:len(rows)]
	for i, row := range rows {
		d.rowsOf[i] = 1
		if w.has.has(int(row)) {
			d.rowsOf[i] = 2
		}
	}
	place := func(row int32) int32 {
		i, _ := slices.BinarySearch(rows, row)
		return int32(i)
	}
	r := &Result{table: d.Table, Model: w.model, threshold: w.threshold, memo: d.memo}
	if err := links.each(from, to, func(l link) error {
		r.links = append(r.links, link{place(l.i), place(l.j), l.bits})
		return nil
	}); err != nil {
		return err
	}
	slices.SortFunc(r.links, func(a, b link) int {
		return cmp.Or(cmp.Compare(b.bits, a.bits), cmp.Compare(a.i, b.i), cmp.Compare(a.j, b.j))
	})
	r.cluster()
	for _, nodes := range r.clusters {
		w.m.join(nodes, rows)
	}
	return w.twinLinks(r, rows)
}

// twinLinks adds links between rows that are alike in every field, of the records at rows.
func (w *search) twinLinks(r *Result, rows []int32) error {
	type self struct {
		row  int32
		bits float32
	}
	var of []self
	for i, row := range rows {
		if !w.has.has(int(row)) {
			continue
		}
		if bits := w.model.prior + w.model.full(r.table, int32(i), int32(i), r.memo); bits >= w.low {
			of = append(of, self{row, bits})
		}
	}
	if len(of) == 0 {
		return nil
	}
	first := w.first.reader()
	return w.each(func(row int) error {
		if !w.twin.has(row) {
			return nil
		}
		f, err := first.at32(row)
		if err != nil {
			return err
		}
		if i, ok := slices.BinarySearchFunc(of, int32(f), func(s self, row int32) int { return cmp.Compare(s.row, row) }); ok {
			return w.m.twins.add(link{int32(f), int32(row), of[i].bits})
		}
		return nil
	})
}
