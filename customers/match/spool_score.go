package match

import (
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"sync"
)

// desk is what a worker has in memory: some records, and what comparing them needs.
type desk struct {
	*Table
	w     *search
	rows  []int32 // of each record
	of    []uint32
	found []link
	memo  memo
	local []int32
	sort  []keyed
}

func (w *search) desk() *desk { return &desk{Table: NewTable(), w: w, memo: newMemo()} }

// load puts the records of rows, which ascend, into the table, in that order.
func (d *desk) load(rows []int32) error {
	d.forget()
	clear(d.memo)
	d.nodes, d.rows = d.nodes[:0], append(d.rows[:0], rows...)
	values, facts := d.w.s.rows.reader(), d.w.facts.reader()
	passes := len(d.w.passes)
	codes := make([][fields]uint8, len(rows))
	d.of = slices.Grow(d.of[:0], passes*len(rows))
	for i, row := range rows {
		if i&0xfff == 0 {
			if err := d.w.ctx.Err(); err != nil {
				return err
			}
		}
		b, err := values.row(int(row))
		if err != nil {
			return err
		}
		d.nodes = append(d.nodes, d.read(b))
		f, err := facts.at(int(row))
		if err != nil {
			return err
		}
		copy(codes[i][:], f)
		for k := range passes {
			d.of = append(d.of, binary.LittleEndian.Uint32(f[int(fields)+4*k:]))
		}
	}
	for i, s := range d.stores {
		s.prepare(Field(firstOf(i)), false)
	}
	for f := range fields {
		d.codes[f] = slices.Grow(d.codes[f][:0], len(d.stores[storeOf[f]].of))[:len(d.stores[storeOf[f]].of)]
		for i := range d.nodes {
			d.codes[f][d.nodes[i][f]] = codes[i][f]
		}
	}
	return nil
}

// places turns rows into places in rows sorted without repetition.
func (d *desk) places(members []int32) (rows []int32) {
	d.sort = d.sort[:0]
	for i, row := range members {
		d.sort = append(d.sort, keyed{uint64(i), row})
	}
	sortNodes(d.sort, make([]keyed, len(d.sort)))
	d.local = slices.Grow(d.local[:0], len(members))[:len(members)]
	for _, k := range d.sort {
		if len(rows) == 0 || rows[len(rows)-1] != k.node {
			rows = append(rows, k.node)
		}
		d.local[k.key] = int32(len(rows) - 1)
	}
	return rows
}

// portion is some blocks of a pass.
type portion struct {
	members []int32
	ends    []int
	window  []bool
}

// portion reads blocks until they have enough members; io.EOF ends the pass.
func (r *blockReader) portion(most int) (p portion, err error) {
	for len(p.members) < most {
		var window bool
		p.members, window, err = r.next(p.members, most)
		if errors.Is(err, io.EOF) && len(p.members) > 0 {
			return p, nil
		}
		if err != nil {
			return p, err
		}
		p.ends = append(p.ends, len(p.members))
		p.window = append(p.window, window)
	}
	return p, nil
}

// score compares the candidates of all passes.
func (w *search) score() error {
	total, done := int64(0), int64(0)
	for _, p := range w.passes {
		total += p.members
	}
	desks := [workerCount]*desk{}
	for i := range desks {
		desks[i] = w.desk()
	}
	for k, p := range w.passes {
		reader := p.reader()
		var lock sync.Mutex
		compared := 0
		for err := range workers(func(i int) error {
			for {
				lock.Lock()
				part, err := reader.portion(w.s.limits.part)
				lock.Unlock()
				if errors.Is(err, io.EOF) {
					return nil
				}
				if err != nil {
					return err
				}
				n, err := desks[i].score(k, part)
				if err != nil {
					return err
				}
				lock.Lock()
				compared += n
				done += int64(len(part.members))
				w.report(0.4 + 0.5*float64(done)/float64(total))
				for _, l := range desks[i].found {
					if err = w.links.add(l); err != nil {
						break
					}
				}
				lock.Unlock()
				if err != nil {
					return err
				}
			}
		}) {
			if err != nil {
				return err
			}
		}
		w.m.Passes = append(w.m.Passes, Pass{p.name, compared})
		w.m.Candidates += compared
		if err := w.remove(p.file); err != nil {
			return err
		}
	}
	return nil
}

// score compares the candidates in a portion of pass k that no earlier pass has found.
func (d *desk) score(k int, p portion) (compared int, err error) {
	rows := d.places(p.members)
	if err := d.load(rows); err != nil {
		return 0, err
	}
	d.found = d.found[:0]
	width, from := len(d.w.passes), 0
	for n, to := range p.ends {
		run := d.local[from:to]
		from = to
		if n&0xff == 0 && d.w.ctx.Err() != nil {
			return 0, d.w.ctx.Err()
		}
		for x, i := range run {
			last := len(run)
			if p.window[n] {
				last = min(last, x+1+hugeWindow)
			}
			mine := d.of[int(i)*width:][:k]
		next:
			for _, j := range run[x+1 : last] {
				theirs := d.of[int(j)*width:][:k]
				for e, block := range mine {
					if block == theirs[e] && block != 0 {
						continue next
					}
				}
				compared++
				if bits := d.w.model.score(d.Table, i, j, d.w.low, d.memo); bits >= d.w.low {
					a, b := d.rows[i], d.rows[j]
					d.found = append(d.found, link{min(a, b), max(a, b), bits})
				}
			}
		}
	}
	return compared, nil
}
