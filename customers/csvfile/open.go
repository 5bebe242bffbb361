package csvfile

import (
	"errors"
	"io"
	"os"
	"strings"
	"sync/atomic"
)

// File is a CSV file with its header read.
type File struct {
	*Reader
	Encoding Encoding
	Comma    byte
	Header   []string // trimmed
	Size     int64    // bytes

	file *os.File
	read atomic.Int64
}

// Errors of Open.
var (
	ErrEmpty  = errors.New("the file is empty")
	ErrHeader = errors.New("the first line cannot be read as a header")
)

// commas are the delimiters that are looked for.
var commas = []byte{',', ';', '\t', '|'}

// sample is how many rows are read to find the delimiter.
const sample = 30

// Open opens a file, finds encoding and delimiter, and reads the header. The next row is the first of data. ErrEmpty and
// ErrHeader are the faults of the file.
func Open(path string) (*File, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	f := &File{file: file}
	if err := f.open(); err != nil {
		file.Close()
		return nil, err
	}
	return f, nil
}

func (f *File) open() error {
	info, err := f.file.Stat()
	if err != nil {
		return err
	}
	f.Size = info.Size()
	if f.Size == 0 {
		return ErrEmpty
	}
	encoding, mark, err := Detect(f.file)
	if err != nil {
		return err
	}
	f.Encoding = encoding
	best := -1
	for _, comma := range commas {
		if err := f.rewind(mark, comma); err != nil {
			return err
		}
		if score := f.score(); score > best {
			best, f.Comma = score, comma
		}
	}
	if err := f.rewind(mark, f.Comma); err != nil {
		return err
	}
	row, err := f.Next()
	var bad *RowError
	switch {
	case errors.Is(err, io.EOF):
		return ErrEmpty
	case errors.As(err, &bad):
		return ErrHeader
	case err != nil:
		return err
	}
	for len(row.Fields) > 1 && row.Fields[len(row.Fields)-1] == "" { // a delimiter at the end of the line
		row.Fields = row.Fields[:len(row.Fields)-1]
	}
	f.Header = row.Fields
	f.SetWidth(len(row.Fields))
	return nil
}

func (f *File) rewind(mark int, comma byte) error {
	if _, err := f.file.Seek(int64(mark), io.SeekStart); err != nil {
		return err
	}
	f.read.Store(int64(mark))
	f.Reader = New(decode(&counted{f}, f.Encoding), comma)
	return nil
}

// score tells how well the present delimiter fits: rows that have as many fields as the header, times the fields.
func (f *File) score() int {
	header, err := f.Next()
	if err != nil || len(header.Fields) == 1 {
		return 0
	}
	same := 1
	for range sample {
		row, err := f.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil && len(row.Fields) == len(header.Fields) {
			same++
		}
	}
	return same*MaxFields + min(len(header.Fields), MaxFields-1)
}

// BytesRead tells how much of the file has been read, for progress; the reader is a window ahead of the rows.
func (f *File) BytesRead() int64 { return f.read.Load() }

// Close closes the file.
func (f *File) Close() error { return f.file.Close() }

type counted struct{ f *File }

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.f.file.Read(p)
	c.f.read.Add(int64(n))
	return n, err
}

// CommaName gives the delimiter's name to show.
func (f *File) CommaName() string {
	return strings.NewReplacer(",", "comma", ";", "semicolon", "\t", "tab", "|", "bar").Replace(string(f.Comma))
}
