package match

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"aldine/internal/fault"
)

// Match finds who is one person. progress, which may be nil, is told how much of the work is done, in rows. No more rows
// can be added afterwards. The error is that of ctx, or Unavailable where the disk is full.
func (s *Spool) Match(ctx context.Context, o Options, progress func(done, total int64)) (*Matched, error) {
	begun := time.Now()
	if s.ended {
		return nil, fault.New(fault.Conflict, "The rows have been matched already")
	}
	if err := s.table.endFile(); err != nil {
		return nil, err
	}
	s.ended = true
	s.table.forget()
	o = o.usual()
	w := &search{s: s, ctx: ctx, n: s.rows.rows, low: logit(o.Review), threshold: logit(o.Threshold), progress: progress}
	w.report(0)
	m, err := w.all(o)
	if err != nil {
		return nil, err
	}
	m.Seconds = time.Since(begun).Seconds()
	w.report(1)
	return m, nil
}

// search is a run over a spool. Rows that are alike in every field are one record: the first of them.
type search struct {
	s              *Spool
	ctx            context.Context
	progress       func(done, total int64)
	done           int64
	n              int // rows
	nodes          int // records
	low, threshold float32

	first   *columnFile // of each row, the row that it is alike
	twin    bitset      // rows that are like an earlier one
	has     bitset      // records that others are like
	columns [atoms]*columnFile
	codes   [fields]*columnFile
	census  census
	passes  []*passFile
	facts   *columnFile // of each record, the codes of its values and its block of each pass
	model   *Model
	links   *linkFile
	m       *Matched
}

type bitset []uint64

func newBitset(n int) bitset { return make(bitset, n/64+1) }

func (b bitset) has(i int) bool { return b[i/64]>>(i%64)&1 != 0 }
func (b bitset) set(i int)      { b[i/64] |= 1 << (i % 64) }

// report says how much is done, as a share of the whole.
func (w *search) report(share float64) {
	if done := int64(share * float64(w.n)); w.progress != nil && (done > w.done || share == 0) {
		w.done = done
		w.progress(done, int64(w.n))
	}
}

// each is told of every row, in order, until ctx ends.
func (w *search) each(do func(row int) error) error {
	for row := range w.n {
		if row&0x3fff == 0 {
			if err := w.ctx.Err(); err != nil {
				return err
			}
		}
		if err := do(row); err != nil {
			return err
		}
	}
	return nil
}

func (w *search) all(o Options) (*Matched, error) {
	if err := w.s.rows.flush(); err != nil {
		return nil, err
	}
	if err := w.s.raw.flush(); err != nil {
		return nil, err
	}
	links, err := newLinkFile(filepath.Join(w.s.dir, "found"))
	if err != nil {
		return nil, err
	}
	w.s.files = append(w.s.files, links.file)
	w.links = links
	twins, err := newLinkFile(filepath.Join(w.s.dir, "twins"))
	if err != nil {
		return nil, err
	}
	w.s.files = append(w.s.files, twins.file)
	w.m = &Matched{search: w, twins: twins, of: make([]int32, w.n)}
	if err := w.collapse(); err != nil {
		return nil, err
	}
	if w.nodes <= w.s.limits.whole {
		err = w.whole(o)
	} else {
		err = w.inParts()
	}
	if err != nil {
		return nil, err
	}
	if err := w.finish(); err != nil {
		return nil, err
	}
	w.ctx = context.Background() // what comes now is only reading
	return w.m, nil
}

// whole matches records that are few enough to be in memory.
func (w *search) whole(o Options) error {
	t := NewTable()
	rows := make([]int32, 0, w.nodes)
	in := w.s.rows.reader()
	if err := w.each(func(row int) error {
		if w.twin.has(row) {
			return nil
		}
		b, err := in.row(row)
		if err != nil {
			return err
		}
		t.addRecord(t.read(b))
		rows = append(rows, int32(row))
		if w.has.has(row) {
			t.rowsOf[len(rows)-1] = 2
		}
		return nil
	}); err != nil {
		return err
	}
	t.standFor = w.n
	r, err := Run(w.ctx, t, o)
	if err != nil {
		return err
	}
	w.model, w.m.Passes, w.m.Candidates = r.Model, r.Passes, r.Candidates
	if err := w.keepCodes(t, rows); err != nil {
		return err
	}
	for _, l := range r.links {
		if err := w.links.add(link{min(rows[l.i], rows[l.j]), max(rows[l.i], rows[l.j]), l.bits}); err != nil {
			return err
		}
	}
	if err := w.sortLinks(); err != nil {
		return err
	}
	for _, nodes := range r.clusters {
		w.m.join(nodes, rows)
	}
	return w.twinLinks(r, rows)
}

// keepCodes writes, of each row, the codes of its values.
func (w *search) keepCodes(t *Table, rows []int32) (err error) {
	if w.facts, err = w.s.column("facts", int(fields)); err != nil {
		return err
	}
	next := 0
	if err := w.each(func(row int) error {
		var codes [fields]uint8
		if next < len(rows) && int(rows[next]) == row {
			for f, v := range t.nodes[next] {
				codes[f] = t.codes[f][v]
			}
			next++
		}
		_, err := w.facts.out.Write(codes[:])
		return spoolFault(err)
	}); err != nil {
		return err
	}
	return w.facts.flush()
}

// inParts matches records of which a part is in memory at once.
func (w *search) inParts() error {
	for _, step := range []struct {
		do   func() error
		till float64
	}{{w.makeColumns, 0.1}, {w.count, 0.15}, {w.block, 0.35}, {w.learn, 0.4}, {w.score, 0.9}, {w.sortLinks, 0.92}, {w.cluster, 0.98}} {
		if err := step.do(); err != nil {
			return err
		}
		w.report(step.till)
	}
	return nil
}

// remove removes a file of the spool that is not needed any more.
func (w *search) remove(f *os.File) error {
	if err := f.Close(); err != nil {
		return spoolFault(err)
	}
	return spoolFault(os.Remove(f.Name()))
}
