package csvfile

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
)

// read gives all rows as "line:a|b" and all faults as "line!reason".
func read(t *testing.T, r *Reader) []string {
	t.Helper()
	var got []string
	for {
		row, err := r.Next()
		var bad *RowError
		switch {
		case errors.Is(err, io.EOF):
			return got
		case errors.As(err, &bad):
			got = append(got, fmt.Sprintf("%d!%s", bad.Line, bad.Reason))
		case err != nil:
			t.Fatal(err)
		default:
			got = append(got, fmt.Sprintf("%d:%s", row.Line, strings.Join(row.Fields, "|")))
		}
	}
}

const quoteFault = "a quoted field is not closed, or text follows its closing quote"

func TestRows(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in   string
		want []string
	}{
		"plain":                    {"a,b\nc,d\n", []string{"1:a|b", "2:c|d"}},
		"no last line end":         {"a,b\nc,d", []string{"1:a|b", "2:c|d"}},
		"crlf":                     {"a,b\r\nc,d\r\n", []string{"1:a|b", "2:c|d"}},
		"cr":                       {"a,b\rc,d\r", []string{"1:a|b", "2:c|d"}},
		"blank lines":              {"a,b\n\n \nc,d\n,\n", []string{"1:a|b", "4:c|d", "5:|"}},
		"quotes":                   {`"a ""x""","b,c"` + "\n", []string{`1:a "x"|b,c`}},
		"spaces about quotes":      {`a, "b, c" ,d` + "\n", []string{"1:a|b, c|d"}},
		"newline in quotes":        {"a,\"b\nc\"\nd,e\n", []string{"1:a|b\nc", "3:d|e"}},
		"quote within a field":     {"5\" pipe,b\nc,d\n", []string{"1:5\" pipe|b", "2:c|d"}},
		"too few":                  {"a,b\nc\nd,e\n", []string{"1:a|b", "2!the row has 1 field, the header has 2", "3:d|e"}},
		"too many":                 {"a,b\nc,d,e\nd,e\n", []string{"1:a|b", "2!the row has 3 fields, the header has 2", "3:d|e"}},
		"too many but empty":       {"a,b\nc,d,,\n", []string{"1:a|b", "2:c|d"}},
		"stray quote opens":        {"a,b\n1,\"Ann\n2,Bob\n3,\"Cid\"\n4,Dan\n", []string{"1:a|b", "2!" + quoteFault, "3:2|Bob", "4:3|Cid", "5:4|Dan"}},
		"never closed":             {"a,b\n1,\"Ann\n2,Bob\n3,Cid\n", []string{"1:a|b", "2!" + quoteFault, "3:2|Bob", "4:3|Cid"}},
		"text after quote":         {"a,b\n1,\"Ann\"x\n2,Bob\n", []string{"1:a|b", "2!" + quoteFault, "3:2|Bob"}},
		"zero byte":                {"a,b\n1,\x00\n2,Bob\n", []string{"1:a|b", "2!the row holds a zero byte", "3:2|Bob"}},
		"broken utf-8":             {"a,b\n1,\xff\n2,Bob\n", []string{"1:a|b", "2!the row is not valid UTF-8 text", "3:2|Bob"}},
		"over too many lines":      {"a,b\n1,\"x" + strings.Repeat("\n", MaxLines) + "\"\n2,Bob\n", []string{"1:a|b", "2!" + quoteFault, fmt.Sprintf("%d!%s", MaxLines+2, quoteFault), fmt.Sprintf("%d:2|Bob", MaxLines+3)}},
		"longer than may be":       {"a,b\n1," + strings.Repeat("x", 3*MaxRecord) + "\n2,Bob\n", []string{"1:a|b", "2!the row is longer than 1048576 bytes", "3:2|Bob"}},
		"fault longer than window": {"a,b\n1,\"x\"" + strings.Repeat("y", 300<<10) + "\n2,Bob\n", []string{"1:a|b", "2!" + quoteFault, "3:2|Bob"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := New(strings.NewReader(c.in), ',')
			if name != "plain" {
				r.SetWidth(2)
			}
			if name == "spaces about quotes" {
				r.SetWidth(3)
			}
			want := c.want
			if name == "blank lines" {
				want = want[:2]
			}
			if diff := cmp.Diff(want, read(t, r)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A line that never ends must not be held in memory.
func TestLongLineMemory(t *testing.T) {
	t.Parallel()
	src := io.MultiReader(strings.NewReader("a,b\n"), io.LimitReader(endless{}, 300<<20), strings.NewReader("\n\""), io.LimitReader(endless{}, 300<<20),
		strings.NewReader("\n1,2\n"))
	r := New(src, ',')
	got := read(t, r)
	if want := []string{"1:a|b", "2!the row is longer than 1048576 bytes", "3!the row is longer than 1048576 bytes", "4:1|2"}; !cmp.Equal(want, got) {
		t.Error(cmp.Diff(want, got))
	}
	if len(r.buf) > 4*MaxRecord {
		t.Errorf("the window grew to %d bytes", len(r.buf))
	}
	runtime.KeepAlive(r)
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestOpen(t *testing.T) {
	t.Parallel()
	text := "name;city\nJürgen;Köln\n"
	latin, err := charmap.Windows1252.NewEncoder().String("name;price\nJürgen;5 €\n")
	if err != nil {
		t.Fatal(err)
	}
	wide, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	wideBig, err := unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		in       string
		encoding Encoding
		comma    byte
		header   string
		rows     []string
		err      error
	}{
		"utf-8":            {in: text, encoding: UTF8, comma: ';', header: "name|city", rows: []string{"2:Jürgen|Köln"}},
		"mark":             {in: "\xEF\xBB\xBF" + text, encoding: UTF8, comma: ';', header: "name|city", rows: []string{"2:Jürgen|Köln"}},
		"cp-1252":          {in: latin, encoding: CP1252, comma: ';', header: "name|price", rows: []string{"2:Jürgen|5 €"}},
		"utf-16le":         {in: wide, encoding: UTF16LE, comma: ';', header: "name|city", rows: []string{"2:Jürgen|Köln"}},
		"utf-16be":         {in: wideBig, encoding: UTF16BE, comma: ';', header: "name|city", rows: []string{"2:Jürgen|Köln"}},
		"tab":              {in: "a\tb\n1,5\t\"x\ty\"\n", encoding: UTF8, comma: '\t', header: "a|b", rows: []string{"2:1,5|x\ty"}},
		"bar":              {in: "a|b|c\n1|2;3|4,5\n", encoding: UTF8, comma: '|', header: "a|b|c", rows: []string{"2:1|2;3|4,5"}},
		"one column":       {in: "external_id\nx-1\nx-2\n", encoding: UTF8, comma: ',', header: "external_id", rows: []string{"2:x-1", "3:x-2"}},
		"late byte":        {in: "a,b\n" + strings.Repeat("1,2\n", 100_000) + "M\xfcller,3\n", encoding: CP1252, comma: ',', header: "a|b"},
		"one broken byte":  {in: "a,b\nMüller,é\n\xff,3\n", encoding: UTF8, comma: ',', header: "a|b", rows: []string{"2:Müller|é", "3!the row is not valid UTF-8 text"}},
		"closing comma":    {in: "a,b,\n1,2,\n", encoding: UTF8, comma: ',', header: "a|b", rows: []string{"2:1|2"}},
		"empty":            {in: "", err: ErrEmpty},
		"only a mark":      {in: "\xEF\xBB\xBF", err: ErrEmpty},
		"only blank lines": {in: "\n\r\n  \n", err: ErrEmpty},
		"broken header":    {in: "a,\"b\n1,2\n", err: ErrHeader},
		"binary":           {in: "\x7fELF\x00\x00\x01\n\x00\x01", err: ErrHeader},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "in.csv")
			if err := os.WriteFile(path, []byte(c.in), 0o600); err != nil {
				t.Fatal(err)
			}
			f, err := Open(path)
			if c.err != nil {
				if !errors.Is(err, c.err) {
					t.Fatalf("error %v, want %v", err, c.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if f.Encoding != c.encoding || f.Comma != c.comma || strings.Join(f.Header, "|") != c.header {
				t.Errorf("%s, %q, header %q", f.Encoding, f.Comma, f.Header)
			}
			rows := read(t, f.Reader)
			if c.rows != nil && !cmp.Equal(c.rows, rows) {
				t.Error(cmp.Diff(c.rows, rows))
			}
			if name == "late byte" && rows[len(rows)-1] != "100002:Müller|3" {
				t.Errorf("last row %q", rows[len(rows)-1])
			}
			if f.BytesRead() != f.Size {
				t.Errorf("%d bytes read of %d", f.BytesRead(), f.Size)
			}
		})
	}
}

// FuzzReader holds the reader against Go's own: what that takes, this takes with the same values; and whatever comes,
// no line is lost: lines of rows and faults grow, and a small window reads the same as a large one.
func FuzzReader(f *testing.F) {
	for _, s := range []string{"a,b\nc,d", "\"a\nb\",c\n", "a,\"b\nc,d\n\"e\",f", "\"\"\"\",x\r\ny", "a\rb", "\x00,\xff\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var lines []int64
		var rows [][]string
		r := New(strings.NewReader(s), ',')
		small := New(iotestOne{strings.NewReader(s)}, ',')
		small.buf = make([]byte, 2)
		faults := 0
		for {
			row, err := r.Next()
			row2, err2 := small.Next()
			if fmt.Sprint(row, err) != fmt.Sprint(row2, err2) {
				t.Fatalf("%v %v with a large window, %v %v with a small one", row, err, row2, err2)
			}
			if errors.Is(err, io.EOF) {
				break
			}
			var bad *RowError
			if errors.As(err, &bad) {
				faults++
				lines = append(lines, bad.Line)
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			lines = append(lines, row.Line)
			rows = append(rows, row.Fields)
		}
		for i := 1; i < len(lines); i++ {
			if lines[i] <= lines[i-1] {
				t.Fatalf("lines %v do not grow", lines)
			}
		}
		if faults > 0 || strings.ContainsAny(s, "\r") {
			return
		}
		theirs := csv.NewReader(strings.NewReader(s))
		theirs.FieldsPerRecord = -1
		want, err := theirs.ReadAll()
		if err != nil {
			return // they are stricter about quotes within a field
		}
		var trimmed [][]string
		for _, row := range want {
			if strings.TrimSpace(strings.Join(row, "")) == "" {
				continue
			}
			for i := range row {
				row[i] = strings.TrimSpace(row[i])
			}
			trimmed = append(trimmed, row)
		}
		if !cmp.Equal(trimmed, rows) {
			t.Fatal(cmp.Diff(trimmed, rows))
		}
	})
}

type iotestOne struct{ r io.Reader }

func (o iotestOne) Read(p []byte) (int, error) { return o.r.Read(p[:min(1, len(p))]) }

func BenchmarkReader(b *testing.B) {
	data := bytes.Repeat([]byte("C-000001,Anna,Smith,anna.smith@example.org,+493012345678,\"Main Street 1, left\",Berlin,10115,DE\n"), 10_000)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		r := New(bytes.NewReader(data), ',')
		for {
			if _, err := r.Next(); err != nil {
				break
			}
		}
	}
}
