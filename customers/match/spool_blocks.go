package match

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// passFile keeps the blocks of one pass on disk: of each its size, with the highest bit where only neighbours are
// compared, then its members.
type passFile struct {
	name    string
	file    *os.File
	out     *bufio.Writer
	of      *columnFile // of each row, its block from 1; 0 for none or where only neighbours are compared
	blocks  uint32
	most    int // pairs at most
	members int64
}

const onlyNeighbours = 1 << 31

func (p *passFile) add(b *blocks, of []uint32) error {
	from := int32(0)
	var word [4]byte
	for n, to := range b.ends {
		p.blocks++
		size := int(to - from)
		head := uint32(size)
		if b.window[n] {
			head |= onlyNeighbours
			p.most += size * hugeWindow
		} else {
			p.most += size * (size - 1) / 2
		}
		binary.LittleEndian.PutUint32(word[:], head)
		if _, err := p.out.Write(word[:]); err != nil {
			return spoolFault(err)
		}
		for _, row := range b.members[from:to] {
			if !b.window[n] {
				of[row] = p.blocks
			}
			binary.LittleEndian.PutUint32(word[:], uint32(row))
			if _, err := p.out.Write(word[:]); err != nil {
				return spoolFault(err)
			}
		}
		p.members += int64(size)
		from = to
	}
	return nil
}

// blockReader reads the blocks of a pass in turn.
type blockReader struct {
	in   *bufio.Reader
	rest int // members of a block begun
	tail []int32
}

func (p *passFile) reader() *blockReader {
	return &blockReader{in: bufio.NewReaderSize(io.NewSectionReader(p.file, 0, 1<<62), 1<<16)}
}

// next appends the members of a block to members; window tells whether only neighbours are compared. A block of
// neighbours longer than most comes in pieces, each beginning with the last few of the one before. io.EOF ends it.
func (r *blockReader) next(members []int32, most int) (_ []int32, window bool, err error) {
	window = r.rest > 0
	if window {
		members = append(members, r.tail...)
	} else {
		head, err := r.word()
		if err != nil {
			return members, false, err
		}
		window = head&onlyNeighbours != 0
		r.rest = int(head &^ onlyNeighbours)
	}
	size := r.rest
	if window {
		size = min(size, most)
	}
	for range size {
		row, err := r.word()
		if err != nil {
			return members, false, noEOF(err)
		}
		members = append(members, int32(row))
	}
	if r.rest -= size; r.rest > 0 {
		r.tail = append(r.tail[:0], members[len(members)-min(hugeWindow, size):]...)
	}
	return members, window, nil
}

func (r *blockReader) word() (uint32, error) {
	var b [4]byte
	if _, err := io.ReadFull(r.in, b[:]); err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(b[:]), nil
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return spoolFault(err)
}

// block carries out all passes.
func (w *search) block() error {
	of := make([]uint32, w.n)
	size := min(w.n, w.s.limits.sorted+w.s.limits.sorted/8)
	all, scratch := make([]keyed, 0, size), make([]keyed, size)
	for k, p := range passes {
		clear(of)
		f, err := os.Create(filepath.Join(w.s.dir, fmt.Sprint("blocks", k)))
		if err != nil {
			return spoolFault(err)
		}
		w.s.files = append(w.s.files, f)
		file := &passFile{name: p.name, file: f, out: bufio.NewWriterSize(f, 1<<16)}
		parts := w.n/w.s.limits.sorted + 1
		for part := range parts {
			if all, err = w.keys(all[:0], p.keys, part, parts); err != nil {
				return err
			}
			if len(scratch) < len(all) {
				scratch = make([]keyed, cap(all))
			}
			b := &blocks{}
			budget := max(pairsPerNode*w.nodes, leastPairs) / parts
			if err := b.part(all, scratch, budget, len(p.finer), func(step int, all []keyed) error {
				return w.finer(all, scratch, p.finer[step])
			}, func(all []keyed) error { return w.nearest(all, scratch) }); err != nil {
				return err
			}
			if err := file.add(b, of); err != nil {
				return err
			}
		}
		if err := file.out.Flush(); err != nil {
			return spoolFault(err)
		}
		if file.blocks == 0 {
			continue
		}
		if file.of, err = w.s.column(fmt.Sprint("of", k), 4); err != nil {
			return err
		}
		for _, b := range of {
			if err := file.of.add32(b); err != nil {
				return err
			}
		}
		if err := file.of.flush(); err != nil {
			return err
		}
		w.passes = append(w.passes, file)
		w.report(0.15 + 0.2*float64(k)/float64(len(passes)))
	}
	return w.writeFacts()
}

// keys gives the keys of all rows, or of one part of them.
func (w *search) keys(all []keyed, atoms []atom, part, parts int) ([]keyed, error) {
	from := make([]*columnReader, len(atoms))
	for i, a := range atoms {
		if !w.columns[a].used {
			return all, nil
		}
		from[i] = w.columns[a].reader()
	}
	err := w.each(func(row int) error {
		key := uint64(0)
		for _, column := range from {
			v, err := column.at32(row)
			if v == 0 || err != nil {
				return err
			}
			key = mix(key, uint64(v))
		}
		if parts == 1 || key>>40%uint64(parts) == uint64(part) {
			all = append(all, keyed{key, int32(row)})
		}
		return nil
	})
	return all, err
}

// finer mixes a further atom into the keys.
func (w *search) finer(all, scratch []keyed, a atom) error {
	if !w.columns[a].used {
		return w.ctx.Err()
	}
	sortNodes(all, scratch)
	column := w.columns[a].reader()
	for i := range all {
		v, err := column.at32(int(all[i].node))
		if err != nil {
			return err
		}
		all[i].key = mix(all[i].key, uint64(v))
	}
	return w.ctx.Err()
}

// nearest sorts by key, then by the values of all fields, so that those most alike stand together.
func (w *search) nearest(all, scratch []keyed) error {
	sortNodes(all, scratch)
	sorted := make([]keyed, len(all)) // node is the place in all
	for i := range sorted {
		sorted[i].node = int32(i)
	}
	values := make([]uint32, len(all))
	for i := len(order) - 1; i >= 0; i-- {
		c := w.columns[order[i]]
		if !c.used {
			continue
		}
		column := c.reader()
		for i := range all {
			v, err := column.at32(int(all[i].node))
			if err != nil {
				return err
			}
			values[i] = v
		}
		for i := range sorted {
			sorted[i].key = uint64(values[sorted[i].node])
		}
		radix(sorted, scratch[:len(sorted)], 32, func(k *keyed) uint64 { return k.key })
		if err := w.ctx.Err(); err != nil {
			return err
		}
	}
	for i := range sorted {
		sorted[i].key = all[sorted[i].node].key
	}
	radix(sorted, scratch[:len(sorted)], keyBits, func(k *keyed) uint64 { return k.key })
	for i := range sorted {
		sorted[i].node = all[sorted[i].node].node
	}
	copy(all, sorted)
	return nil
}

// writeFacts puts what comparing needs to know of each row beside its values together.
func (w *search) writeFacts() (err error) {
	width := int(fields) + 4*len(w.passes)
	if w.facts, err = w.s.column("facts", width); err != nil {
		return err
	}
	var codes [fields]*columnReader
	for f, c := range w.codes {
		if c.used {
			codes[f] = c.reader()
		}
	}
	of := make([]*columnReader, len(w.passes))
	for k, p := range w.passes {
		of[k] = p.of.reader()
	}
	facts := make([]byte, width)
	if err := w.each(func(row int) error {
		for f, c := range codes {
			if c == nil {
				continue
			}
			b, err := c.at(row)
			if err != nil {
				return err
			}
			facts[f] = b[0]
		}
		for k, c := range of {
			b, err := c.at(row)
			if err != nil {
				return err
			}
			copy(facts[int(fields)+4*k:], b)
		}
		_, err := w.facts.out.Write(facts)
		return spoolFault(err)
	}); err != nil {
		return err
	}
	if err := w.facts.flush(); err != nil {
		return err
	}
	for _, p := range w.passes {
		if err := p.of.remove(); err != nil {
			return err
		}
	}
	for _, c := range append(w.codes[:], w.columns[:]...) {
		if err := c.remove(); err != nil {
			return err
		}
	}
	return nil
}
