package match

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"

	"aldine/internal/fault"
)

// rowFile keeps rows of texts on disk: of each its length, then its texts, each after its own length. Every sixteenth
// row's place is remembered, so that any row is found at once and memory grows by half a byte a row.
type rowFile struct {
	file  *os.File
	out   *bufio.Writer
	size  int64
	rows  int
	index []int64
	row   []byte
}

const indexed = 16 // rows from one remembered place to the next

func newRowFile(dir, name string) (*rowFile, error) {
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return nil, spoolFault(err)
	}
	return &rowFile{file: f, out: bufio.NewWriterSize(f, 1<<18)}, nil
}

// spoolFault says what is wrong with the disk.
func spoolFault(err error) error {
	var path *os.PathError
	if err == nil || !errors.As(err, &path) {
		return err
	}
	return fault.New(fault.Unavailable, "The folder for the matcher's files cannot be used: %v", path.Err)
}

// add appends a row and gives what was written of it.
func (r *rowFile) add(texts []string) ([]byte, error) {
	b := r.row[:0]
	for _, s := range texts {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	r.row = b
	if r.rows%indexed == 0 {
		r.index = append(r.index, r.size)
	}
	r.rows++
	var length [binary.MaxVarintLen64]byte
	n := binary.PutUvarint(length[:], uint64(len(b)))
	r.size += int64(n + len(b))
	if _, err := r.out.Write(length[:n]); err != nil {
		return nil, spoolFault(err)
	}
	_, err := r.out.Write(b)
	return b, spoolFault(err)
}

func (r *rowFile) flush() error { return spoolFault(r.out.Flush()) }

// rowReader reads rows, faster where they come in order. Each worker has its own.
type rowReader struct {
	of     *rowFile
	window []byte
	from   int64 // where the window begins in the file
	next   int   // the row at
	at     int   // in the window
}

func (r *rowFile) reader() *rowReader { return &rowReader{of: r, next: -1} }

const (
	readAhead = 1 << 16 // bytes read at once where rows come in order
	readNear  = 1 << 12 // bytes read at once where they do not
)

// row gives what add has written. The text is good until the next call.
func (r *rowReader) row(n int) ([]byte, error) {
	ahead := readAhead
	if n < r.next || n/indexed != r.next/indexed || r.next < 0 {
		place := r.of.index[n/indexed]
		if r.next < 0 || place < r.from || place > r.from+int64(len(r.window)) {
			if place < r.from || place > r.from+int64(len(r.window))+readAhead {
				ahead = readNear
			}
			r.from, r.window = place, r.window[:0]
		}
		r.next, r.at = n-n%indexed, int(place-r.from)
	}
	for {
		length, k := binary.Uvarint(r.window[min(r.at, len(r.window)):])
		if k <= 0 || r.at+k+int(length) > len(r.window) {
			if err := r.fill(ahead); err != nil {
				return nil, err
			}
			ahead = readAhead
			continue
		}
		row := r.window[r.at+k : r.at+k+int(length)]
		r.at += k + int(length)
		r.next++
		if r.next > n {
			return row, nil
		}
	}
}

// fill reads on from the row at.
func (r *rowReader) fill(bytes int) error {
	kept := copy(r.window, r.window[min(r.at, len(r.window)):])
	r.from += int64(r.at)
	r.at = 0
	if cap(r.window) < kept+bytes {
		r.window = append(make([]byte, 0, 2*(kept+bytes)), r.window[:kept]...)
	}
	r.window = r.window[:kept+bytes]
	n, err := r.of.file.ReadAt(r.window[kept:], r.from+int64(kept))
	r.window = r.window[:kept+n]
	if n > 0 || err == nil {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return spoolFault(err)
}

// text takes the first text of a row off it.
func text[T string | []byte](row T) (first, rest T) {
	var length uint64
	for i := 0; i < len(row); i++ {
		length |= uint64(row[i]&0x7f) << (7 * i)
		if row[i] < 0x80 {
			return row[i+1 : i+1+int(length)], row[i+1+int(length):]
		}
	}
	return row, row
}
