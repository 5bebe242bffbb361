package match

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
)

// linkFile keeps links between rows on disk.
type linkFile struct {
	file *os.File
	out  *bufio.Writer
	n    int
}

const linkSize = 12

func newLinkFile(path string) (*linkFile, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, spoolFault(err)
	}
	return &linkFile{file: f, out: bufio.NewWriterSize(f, 1<<18)}, nil
}

func (f *linkFile) add(l link) error {
	var b [linkSize]byte
	putLink(b[:], l)
	f.n++
	_, err := f.out.Write(b[:])
	return spoolFault(err)
}

func putLink(b []byte, l link) {
	binary.LittleEndian.PutUint32(b, uint32(l.i))
	binary.LittleEndian.PutUint32(b[4:], uint32(l.j))
	binary.LittleEndian.PutUint32(b[8:], math.Float32bits(l.bits))
}

func (f *linkFile) flush() error { return spoolFault(f.out.Flush()) }

// each is told of the links from..to, in turn.
func (f *linkFile) each(from, to int, do func(link) error) error {
	in := bufio.NewReaderSize(io.NewSectionReader(f.file, int64(from)*linkSize, int64(to-from)*linkSize), 1<<18)
	var b [linkSize]byte
	for range to - from {
		if _, err := io.ReadFull(in, b[:]); err != nil {
			return noEOF(err)
		}
		if err := do(link{int32(binary.LittleEndian.Uint32(b[:])), int32(binary.LittleEndian.Uint32(b[4:])),
			math.Float32frombits(binary.LittleEndian.Uint32(b[8:]))}); err != nil {
			return err
		}
	}
	return nil
}

// part writes the links to a file of their own, those of part 0 first and so on, and gives where each part ends. of
// says which part a link is in, or -1 to leave it out.
func (f *linkFile) part(path string, parts int, of func(link) int) (*linkFile, []int, error) {
	size := make([]int, parts)
	if err := f.each(0, f.n, func(l link) error {
		if p := of(l); p >= 0 {
			size[p]++
		}
		return nil
	}); err != nil {
		return nil, nil, err
	}
	out, err := newLinkFile(path)
	if err != nil {
		return nil, nil, err
	}
	ends, at, full := make([]int, parts), make([]int64, parts), make([][]byte, parts)
	for p, n := range size {
		at[p] = int64(out.n) * linkSize
		out.n += n
		ends[p] = out.n
	}
	write := func(p int) error {
		_, err := out.file.WriteAt(full[p], at[p])
		at[p] += int64(len(full[p]))
		full[p] = full[p][:0]
		return spoolFault(err)
	}
	if err := f.each(0, f.n, func(l link) error {
		p := of(l)
		if p < 0 {
			return nil
		}
		if full[p] == nil {
			full[p] = make([]byte, 0, 512*linkSize)
		}
		full[p] = full[p][:len(full[p])+linkSize]
		putLink(full[p][len(full[p])-linkSize:], l)
		if len(full[p]) == cap(full[p]) {
			return write(p)
		}
		return nil
	}); err != nil {
		return out, ends, err
	}
	for p := range full {
		if len(full[p]) > 0 {
			if err := write(p); err != nil {
				return out, ends, err
			}
		}
	}
	return out, ends, nil
}

// sorted writes the links in the order of their rows, each once, to another file. At most most of them are in memory,
// unless one row has more.
func (f *linkFile) sorted(dir, name string, rows, most int) (*linkFile, error) {
	const stretch = 1 << 10 // links are counted for so many rows at a time
	counts := make([]int, rows/stretch+1)
	if err := f.each(0, f.n, func(l link) error { counts[l.i/stretch]++; return nil }); err != nil {
		return nil, err
	}
	part, sum := 0, 0
	for i, n := range counts {
		if sum+n > most && sum > 0 {
			part, sum = part+1, 0
		}
		sum += n
		counts[i] = part
	}
	parted, ends, err := f.part(filepath.Join(dir, "parted"), part+1, func(l link) int { return counts[l.i/stretch] })
	if parted != nil {
		defer func() {
			_ = parted.file.Close()
			_ = os.Remove(parted.file.Name())
		}()
	}
	if err != nil {
		return nil, err
	}
	out, err := newLinkFile(filepath.Join(dir, name))
	if err != nil {
		return nil, err
	}
	var links []link
	from := 0
	for _, to := range ends {
		links = links[:0]
		if err := parted.each(from, to, func(l link) error { links = append(links, l); return nil }); err != nil {
			return out, err
		}
		slices.SortFunc(links, func(a, b link) int { return cmp.Or(cmp.Compare(a.i, b.i), cmp.Compare(a.j, b.j)) })
		links = slices.CompactFunc(links, func(a, b link) bool { return a.i == b.i && a.j == b.j })
		for _, l := range links {
			if err := out.add(l); err != nil {
				return out, err
			}
		}
		from = to
	}
	return out, out.flush()
}
