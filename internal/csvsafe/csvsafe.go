// Package csvsafe writes CSV that spreadsheets open without running what is in it. A cell that begins like a formula
// gets an apostrophe in front, as OWASP advises; a plain number keeps its sign.
package csvsafe

import (
	"encoding/csv"
	"io"
	"strings"
)

// Cell gives the text as it may stand in a cell. Text that begins with =, +, -, @, a tab or a line end (also after
// spaces) would be read as a formula and gets an apostrophe in front; "-12.50" and "+3" are numbers and stay.
func Cell(s string) string {
	t := strings.TrimLeft(s, " \u00a0")
	if t == "" {
		return s
	}
	switch t[0] {
	case '=', '@', '\t', '\r', '\n', '+', '-':
	default:
		// Some programs fold full-width signs into the ASCII ones.
		if !strings.HasPrefix(t, "＝") && !strings.HasPrefix(t, "＋") && !strings.HasPrefix(t, "－") && !strings.HasPrefix(t, "＠") {
			return s
		}
	}
	if number(t) {
		return s
	}
	return "'" + s
}

// number tells whether s is a sign, digits, and at most one dot within.
func number(s string) bool {
	if s[0] != '+' && s[0] != '-' {
		return false
	}
	s = s[1:]
	whole, part, dot := strings.Cut(s, ".")
	return digits(whole) && (!dot || digits(part)) && len(s) <= 30
}

func digits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// Writer writes rows with every cell made safe.
type Writer struct {
	csv *csv.Writer
	row []string
}

// NewWriter gives a writer of comma-separated UTF-8 rows.
func NewWriter(w io.Writer) *Writer { return &Writer{csv: csv.NewWriter(w)} }

// Write writes one row; errors of the destination may show only in Flush.
func (w *Writer) Write(cells ...string) error {
	w.row = w.row[:0]
	for _, c := range cells {
		w.row = append(w.row, Cell(c))
	}
	return w.csv.Write(w.row)
}

// Flush writes what is buffered and gives the first error of all writing.
func (w *Writer) Flush() error {
	w.csv.Flush()
	return w.csv.Error()
}
