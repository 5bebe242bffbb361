package csvfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Limits of one record.
const (
	MaxRecord = 1 << 20 // bytes
	MaxLines  = 100     // that a record may go over
	MaxFields = 2000
)

// RowError is a row that cannot be read. The reader carries on after it.
type RowError struct {
	Line   int64  // where the row begins, from 1
	Reason string // in words
	Text   string // the row, or its beginning
}

func (e *RowError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Reason) }

// Row is one record.
type Row struct {
	Line   int64 // where it begins, from 1
	Fields []string
	Text   string // as it stands in the file, without the end of line
}

// Reader reads records one after the other. It is made by Open or New.
type Reader struct {
	src   io.Reader
	comma byte
	width int // fields of the header; 0 takes any

	buf      []byte // window on the file
	pos, end int    // what of buf is not read yet
	line     int64  // of buf[pos]
	eof      bool
	starts   []int // of the fields within text, pairs of begin and end
	text     []byte
}

// New gives a reader of UTF-8 text parted by comma. A byte order mark is not looked for.
func New(src io.Reader, comma byte) *Reader {
	return &Reader{src: src, comma: comma, buf: make([]byte, 64<<10), line: 1}
}

// SetWidth says how many fields each further row must have.
func (r *Reader) SetWidth(n int) { r.width = n }

// fill reads more into the window; it tells whether there was more.
func (r *Reader) fill() (bool, error) {
	if r.eof {
		return false, nil
	}
	if r.pos > 0 {
		copy(r.buf, r.buf[r.pos:r.end])
		r.end -= r.pos
		r.pos = 0
	}
	if r.end == len(r.buf) {
		r.buf = append(r.buf, make([]byte, len(r.buf))...)
	}
	// Decoders hand out little at a time, and each time a record at the edge is looked at anew.
	space := r.buf[r.end:]
	n, err := io.ReadAtLeast(r.src, space, min(len(space), 32<<10))
	r.end += n
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		r.eof = true
		return n > 0, nil
	}
	return n > 0, err
}

var (
	errMore  = errors.New("more text is needed")
	errQuote = errors.New("a quoted field is not closed, or text follows its closing quote")
)

// Next gives the next row, a *RowError for one that cannot be read, or io.EOF.
func (r *Reader) Next() (Row, error) {
	for {
		if r.pos == r.end {
			if more, err := r.fill(); err != nil {
				return Row{}, err
			} else if !more {
				return Row{}, io.EOF
			}
		}
		size, lines, err := r.scan(r.buf[r.pos:r.end])
		if errors.Is(err, errMore) {
			if r.end-r.pos > MaxRecord {
				return Row{}, r.skipLine(fmt.Sprintf("the row is longer than %d bytes", MaxRecord))
			}
			more, err := r.fill()
			if err != nil {
				return Row{}, err
			}
			if more || r.eof {
				continue
			}
		}
		if size > MaxRecord {
			return Row{}, r.skipLine(fmt.Sprintf("the row is longer than %d bytes", MaxRecord))
		}
		if err != nil {
			return Row{}, r.skipLine(errQuote.Error())
		}
		row := Row{Line: r.line, Text: string(bytes.TrimRight(r.buf[r.pos:r.pos+size], "\r\n"))}
		r.pos += size
		r.line += lines
		if r.blank() {
			continue
		}
		return r.finish(row)
	}
}

// finish turns the fields found into strings and checks them.
func (r *Reader) finish(row Row) (Row, error) {
	n := len(r.starts) / 2
	all := string(r.text)
	if strings.IndexByte(all, 0) >= 0 {
		return Row{}, &RowError{Line: row.Line, Reason: "the row holds a zero byte", Text: clip(row.Text)}
	}
	if !utf8.ValidString(all) {
		return Row{}, &RowError{Line: row.Line, Reason: "the row is not valid UTF-8 text", Text: clip(row.Text)}
	}
	if n > MaxFields {
		return Row{}, &RowError{Line: row.Line, Reason: fmt.Sprintf("the row has %d fields, more than %d", n, MaxFields), Text: clip(row.Text)}
	}
	row.Fields = make([]string, n)
	for i := range row.Fields {
		row.Fields[i] = strings.TrimSpace(all[r.starts[2*i]:r.starts[2*i+1]])
	}
	if r.width == 0 || n == r.width {
		return row, nil
	}
	if n > r.width && strings.Join(row.Fields[r.width:], "") == "" {
		row.Fields = row.Fields[:r.width]
		return row, nil
	}
	return Row{}, &RowError{Line: row.Line, Reason: fmt.Sprintf("the row has %s, the header has %d", count(n), r.width), Text: clip(row.Text)}
}

func count(n int) string {
	if n == 1 {
		return "1 field"
	}
	return fmt.Sprintf("%d fields", n)
}

func (r *Reader) blank() bool {
	return len(bytes.TrimSpace(r.text)) == 0
}

// skipLine passes over one line, holding no more of it than the window, and reports it.
func (r *Reader) skipLine(reason string) error {
	size, _, _ := lineEnd(r.buf[r.pos:r.end])
	fault := &RowError{Line: r.line, Reason: reason, Text: clip(string(bytes.TrimRight(r.buf[r.pos:r.pos+min(size, maxClip)], "\r\n")))}
	r.line++
	for {
		size, ended, sure := lineEnd(r.buf[r.pos:r.end])
		if ended && (sure || r.eof) {
			r.pos += size
			return fault
		}
		r.pos += size
		if ended {
			r.pos-- // a CR at the edge of the window: its LF may follow
		}
		if more, err := r.fill(); err != nil {
			return err
		} else if !more && r.pos == r.end {
			return fault
		}
	}
}

// lineEnd gives the length of the first line with its end; sure is false for a CR at the very end of the data.
func lineEnd(data []byte) (size int, ended, sure bool) {
	i := bytes.IndexAny(data, "\r\n")
	switch {
	case i < 0:
		return len(data), false, false
	case data[i] == '\n':
		return i + 1, true, true
	case i+1 == len(data):
		return i + 1, true, false
	case data[i+1] == '\n':
		return i + 2, true, true
	}
	return i + 1, true, true
}

const maxClip = 4000

// clip keeps what is stored of a bad row short, and storable.
func clip(s string) string {
	if len(s) > maxClip {
		s = s[:maxClip]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}
