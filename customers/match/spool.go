package match

import (
	"errors"
	"hash/maphash"
	"os"

	"aldine/internal/fault"
)

// Spool holds the rows of any number of lists, standardised, in files of a folder of its own, so that memory stays
// bounded however many there are. Rows are numbered from 0 over all lists and matched within each and between all.
type Spool struct {
	Standard Standard // as of a Table

	dir    string
	table  *Table      // standardises; it forgets what it has seen now and then
	rows   *rowFile    // standardised values by field
	raw    *rowFile    // values as written, by column
	hashes *columnFile // of the standardised row: alike rows have the same
	seed   maphash.Seed
	files  []*os.File
	ended  bool
	limits limits
}

// limits say how much is in memory at once; tests make them small.
type limits struct {
	whole  int // records up to which all of them are
	part   int // records of which pairs are compared
	sorted int // keys that are sorted
	values int // values that the standardising remembers
}

var usualLimits = limits{whole: 50_000, part: 80_000, sorted: 2_500_000, values: 200_000}

// NewSpool begins a spool in a new folder inside dir ("" is the system's folder for temporary files). Close removes it.
// The error is Unavailable.
func NewSpool(dir string) (*Spool, error) {
	own, err := os.MkdirTemp(dir, "match-")
	if err != nil {
		return nil, spoolFault(err)
	}
	s := &Spool{dir: own, table: NewTable(), seed: maphash.MakeSeed(), limits: usualLimits}
	s.table.lists, s.table.sink = true, s.add
	if s.rows, err = newRowFile(own, "rows"); err == nil {
		s.files = append(s.files, s.rows.file)
		if s.raw, err = newRowFile(own, "written"); err == nil {
			s.files = append(s.files, s.raw.file)
			s.hashes, err = s.column("hashes", 8)
		}
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Spool) column(name string, width int) (*columnFile, error) {
	c, err := newColumn(s.dir, name, width)
	if err == nil {
		s.files = append(s.files, c.file)
	}
	return c, err
}

// AddFile begins a list, as Table.AddFile does, but any number of times. The error is Invalid, or Unavailable.
func (s *Spool) AddFile(header []string, mapping map[string]string) error {
	if s.ended {
		return fault.New(fault.Conflict, "The rows have been matched already")
	}
	s.table.Standard = s.Standard
	return s.table.AddFile(header, mapping)
}

// AddRow adds a row to the list begun last, as Table.AddRow does. The error is Invalid, or Unavailable where the disk is
// full.
func (s *Spool) AddRow(cells []string) error {
	if s.ended || len(s.table.files) == 0 {
		return fault.New(fault.Conflict, "No list has been begun")
	}
	return s.table.AddRow(cells)
}

// AddUnreadable counts a row that could not be read. It matches nothing.
func (s *Spool) AddUnreadable() error { return s.AddRow(nil) }

// Rows tells how many rows have been added.
func (s *Spool) Rows() int { return s.table.Rows() }

// Close removes the files. What was matched cannot be read any more.
func (s *Spool) Close() error {
	for _, f := range s.files {
		_ = f.Close() // a column that is not needed any more is closed already
	}
	s.files = nil
	return spoolFault(os.RemoveAll(s.dir))
}

// add takes a row from the table.
func (s *Spool) add(f *file, cells []string) error {
	t := s.table
	r := t.standardise(f, cells)
	var texts [fields]string
	for i := range fields {
		texts[i] = t.at(i, r[i]).text
	}
	row, err := s.rows.add(texts[:])
	if err != nil {
		return err
	}
	if err := s.hashes.add64(maphash.Bytes(s.seed, row)); err != nil {
		return err
	}
	written := f.layout.cellsOf(cells)
	if _, err := s.raw.add(written[:]); err != nil {
		return err
	}
	values := 0
	for _, v := range t.stores {
		values += len(v.of)
	}
	if values > s.limits.values {
		t.forget()
	}
	return nil
}

// forget empties what the table remembers of values.
func (t *Table) forget() {
	for i := range t.stores {
		t.stores[i].reset()
	}
	for f := range t.raw {
		clear(t.raw[f])
	}
}

// read puts a row's values into the table's stores.
func (t *Table) read(row []byte) (r record) {
	rest := string(row)
	for f := range fields {
		var value string
		value, rest = text(rest)
		r[f] = t.stores[storeOf[f]].keep(value)
	}
	return r
}
