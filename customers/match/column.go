package match

import (
	"bufio"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
)

// columnFile keeps a number of fixed width for each row on disk.
type columnFile struct {
	file  *os.File
	out   *bufio.Writer
	width int
	used  bool // whether any number is not 0
}

func newColumn(dir, name string, width int) (*columnFile, error) {
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return nil, spoolFault(err)
	}
	return &columnFile{file: f, out: bufio.NewWriterSize(f, 1<<16), width: width}, nil
}

func (c *columnFile) add32(v uint32) error {
	var b [4]byte
	binary.LittleEndian.PutUint32(b[:], v)
	c.used = c.used || v != 0
	_, err := c.out.Write(b[:])
	return spoolFault(err)
}

func (c *columnFile) add64(v uint64) error {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], v)
	_, err := c.out.Write(b[:])
	return spoolFault(err)
}

func (c *columnFile) flush() error { return spoolFault(c.out.Flush()) }

// remove ends the column where it is not needed any more.
func (c *columnFile) remove() error {
	if err := c.file.Close(); err != nil {
		return spoolFault(err)
	}
	return spoolFault(os.Remove(c.file.Name()))
}

// columnReader reads the numbers of rows that come in order.
type columnReader struct {
	of     *columnFile
	window []byte
	from   int64
}

func (c *columnFile) reader() *columnReader { return &columnReader{of: c} }

// at gives a row's number as bytes, good until the next call.
func (r *columnReader) at(row int) ([]byte, error) {
	w := int64(r.of.width)
	place := int64(row) * w
	if place < r.from || place+w > r.from+int64(len(r.window)) {
		size := int64(1 << 16)
		if place > r.from+int64(len(r.window))+1<<14 {
			size = max(1<<10, w) // rows are far apart
		}
		if r.window == nil {
			r.window = make([]byte, 1<<16+w)
		}
		r.window = r.window[:size/w*w]
		n, err := r.of.file.ReadAt(r.window, place)
		r.window, r.from = r.window[:n], place
		if int64(n) < w {
			r.window = r.window[:0]
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, spoolFault(err)
		}
	}
	return r.window[place-r.from : place-r.from+w], nil
}

func (r *columnReader) at32(row int) (uint32, error) {
	b, err := r.at(row)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(b), nil
}
