package match

import (
	"encoding/binary"
	"fmt"
)

// collapse finds the rows that are alike in every field.
func (w *search) collapse() (err error) {
	if err := w.s.hashes.flush(); err != nil {
		return err
	}
	w.twin, w.has = newBitset(w.n), newBitset(w.n)
	first := w.m.of // used for clusters later
	parts := w.n/w.s.limits.sorted + 1
	in := make([]keyed, 0, min(w.n, w.s.limits.sorted+w.s.limits.sorted/8))
	var scratch []keyed
	for part := range parts {
		in = in[:0]
		column := w.s.hashes.reader()
		if err := w.each(func(row int) error {
			b, err := column.at(row)
			if err != nil {
				return err
			}
			if h := binary.LittleEndian.Uint64(b); parts == 1 || h>>40%uint64(parts) == uint64(part) {
				in = append(in, keyed{h, int32(row)})
			}
			return nil
		}); err != nil {
			return err
		}
		if len(scratch) < len(in) {
			scratch = make([]keyed, cap(in))
		}
		sortKeyed(in, scratch)
		for run := range runs(in) {
			for i, k := range run {
				first[k.node] = run[0].node
				if i > 0 {
					w.twin.set(int(k.node))
					w.has.set(int(run[0].node))
				}
			}
			w.nodes++
		}
	}
	if w.first, err = w.s.column("first", 4); err != nil {
		return err
	}
	if err := w.each(func(row int) error {
		f := first[row]
		first[row] = 0
		return w.first.add32(uint32(f))
	}); err != nil {
		return err
	}
	if err := w.first.flush(); err != nil {
		return err
	}
	return w.remove(w.s.hashes.file)
}

// perBatch is how many rows are read into a table at once where their order is all that matters.
const perBatch = 1 << 15

// makeColumns writes what the keys of blocks are made from, a column for each atom. Rows that are like an earlier one have none.
func (w *search) makeColumns() (err error) {
	for a := range atoms {
		if w.columns[a], err = w.s.column(fmt.Sprint("atom", a), 4); err != nil {
			return err
		}
	}
	t := NewTable()
	records := make([]record, 0, perBatch)
	write := func() error {
		for i, s := range t.stores {
			s.prepare(Field(firstOf(i)), true)
		}
		for i := range records {
			for a := range atoms {
				v := uint32(0)
				switch x := t.atom(a, &records[i]); {
				case x == 0:
				case a == byBirth:
					v = uint32(t.at(Birth, records[i][Birth]).number)
				case a < atom(fields):
					v = max(hash32(t.at(Field(a), records[i][a]).text), 1)
				default:
					v = uint32(mix(x, 1)>>20) | 1
				}
				if err := w.columns[a].add32(v); err != nil {
					return err
				}
			}
		}
		t.forget()
		records = records[:0]
		return nil
	}
	in := w.s.rows.reader()
	if err := w.each(func(row int) error {
		if w.twin.has(row) {
			records = append(records, record{})
		} else {
			b, err := in.row(row)
			if err != nil {
				return err
			}
			records = append(records, t.read(b))
		}
		if len(records) < perBatch {
			return nil
		}
		w.report(0.1 * float64(row) / float64(w.n))
		return write()
	}); err != nil {
		return err
	}
	if err := write(); err != nil {
		return err
	}
	for _, c := range w.columns {
		if err := c.flush(); err != nil {
			return err
		}
	}
	return nil
}

func firstOf(store int) int {
	for f, s := range storeOf {
		if s == store {
			return f
		}
	}
	return 0
}

// count counts how many records have each value, and writes the codes that stand for the counts.
func (w *search) count() (err error) {
	codes := make([]uint8, w.n)
	in := make([]keyed, 0, min(w.n, w.s.limits.sorted+w.s.limits.sorted/8))
	var scratch []keyed
	for f := range fields {
		if w.codes[f], err = w.s.column(fmt.Sprint("codes", f), 1); err != nil {
			return err
		}
		if !w.columns[f].used {
			continue
		}
		clear(codes)
		parts := w.n/w.s.limits.sorted + 1
		for part := range parts {
			in = in[:0]
			column := w.columns[f].reader()
			if err := w.each(func(row int) error {
				v, err := column.at32(row)
				if err != nil {
					return err
				}
				if v != 0 && (parts == 1 || mix(uint64(v), 2)>>40%uint64(parts) == uint64(part)) {
					in = append(in, keyed{uint64(v), int32(row)})
				}
				return nil
			}); err != nil {
				return err
			}
			if len(scratch) < len(in) {
				scratch = make([]keyed, cap(in))
			}
			radix(in, scratch[:len(in)], 32, func(k *keyed) uint64 { return k.key })
			for run := range runs(in) {
				w.census.count(f, uint32(len(run)))
				code := exactCode(uint32(len(run)))
				for _, k := range run {
					codes[k.node] = code
				}
			}
		}
		w.codes[f].used = true
		if _, err := w.codes[f].out.Write(codes); err != nil {
			return spoolFault(err)
		}
		if err := w.codes[f].flush(); err != nil {
			return err
		}
		w.report(0.1 + 0.05*float64(f)/float64(fields))
	}
	w.census.rows, w.census.nodes = float64(w.n), float64(w.nodes)
	w.census.pairs = w.census.nodes * (w.census.nodes - 1) / 2
	return nil
}
