package match

import (
	"encoding/binary"
	"hash/maphash"
	"slices"
	"strconv"
	"strings"

	"aldine/internal/fault"
)

// MaxRows is how many rows all files of a run may have together.
const MaxRows = 50_000_000

// record is what is known of one row: for each field the number of the value in the field's store.
type record [fields]uint32

// Table holds the rows to be matched, standardised. Rows that are alike in every field share one node.
type Table struct {
	Standard Standard

	files    []*file
	stores   [stores]*store
	nodes    []record
	rowsOf   []int32 // how many rows a node stands for
	inA      []bool  // whether a node has a row of the first file; nil for one file
	inB      []bool
	node     []int32 // of each row, the files one after the other
	codes    [fields][]uint8
	counts   [fields][]uint32
	index    map[uint64][]int32
	seed     maphash.Seed
	raw      [fields]map[string]uint32   // values as written, to what they were standardised
	sink     func(*file, []string) error // takes the rows instead of the table; nil unless the table serves a spool
	standFor int                         // how many rows the nodes stand for, where the table has not all of them
	lists    bool                        // any number of files, matched within each and between all
}

type file struct {
	header     []string
	layout     layout
	monthFirst bool
	first      int        // its first row
	rows       int        // how many
	ids        [][]string // by candidate column
	id         int        // the chosen candidate, or -1 for row numbers
	waiting    [][]string // rows seen before the order of day and month is known
}

// waitRows is how many rows are looked at to see whether dates are written month first.
const waitRows = 2000

// NewTable gives an empty table.
func NewTable() *Table {
	t := &Table{index: map[uint64][]int32{}, seed: maphash.MakeSeed()}
	for i := range t.stores {
		t.stores[i] = newStore()
	}
	for i := range t.raw {
		t.raw[i] = map[string]uint32{}
	}
	return t
}

// AddFile begins a file; mapping names the columns of fields (see FieldNames) where their headers do not tell. A table
// takes one file, to be matched against itself, or two, to be matched with each other. The error is Invalid.
func (t *Table) AddFile(header []string, mapping map[string]string) error {
	if len(t.files) == 2 && !t.lists {
		return fault.New(fault.Invalid, "At most two files can be matched")
	}
	l, err := chooseLayout(header, mapping)
	if err != nil {
		return err
	}
	if err := t.endFile(); err != nil {
		return err
	}
	t.files = append(t.files, &file{header: header, layout: l, first: t.Rows(), ids: make([][]string, len(l.ids)), id: -1})
	return nil
}

// AddRow adds a row to the file begun last; missing cells are not known, further ones are not looked at. The Invalid
// error says that there are too many rows.
func (t *Table) AddRow(cells []string) error {
	f := t.files[len(t.files)-1]
	if f.waiting != nil || f.rows == 0 && (f.layout.at[colBirth] >= 0 || f.layout.doubtful) {
		f.waiting = append(f.waiting, slices.Clone(cells)) // the caller may use its slice again
		f.rows++
		if len(f.waiting) >= waitRows {
			return t.flush(f)
		}
		return nil
	}
	if t.Rows() >= MaxRows {
		return fault.New(fault.Invalid, "There are more than %d rows; match them in parts", MaxRows)
	}
	f.rows++
	return t.add(f, cells)
}

func (t *Table) flush(f *file) error {
	at := f.layout.at[colBirth]
	day, month := 0, 0
	for _, cells := range f.waiting {
		if at < 0 || at >= len(cells) {
			continue
		}
		a, rest, ok := strings.Cut(cells[at], "/")
		b, _, _ := strings.Cut(rest, "/")
		if !ok || len(a) > 2 || len(b) > 2 {
			continue
		}
		if number(a) > 12 {
			day++
		}
		if number(b) > 12 {
			month++
		}
	}
	f.monthFirst = month > day
	if l := &f.layout; l.doubtful && businesses(f.waiting, l.at[colFull]) {
		l.at[colCompany], l.at[colFull] = l.at[colFull], -1
	}
	waiting := f.waiting
	f.waiting = nil
	for _, cells := range waiting {
		if err := t.add(f, cells); err != nil {
			return err
		}
	}
	return nil
}

// AddUnreadable counts a row that could not be read, so that the numbers of those after it are right. It matches nothing.
func (t *Table) AddUnreadable() error { return t.AddRow(nil) }

// endFile ends the file begun last and chooses its id: the first candidate whose values are all different.
func (t *Table) endFile() error {
	if len(t.files) == 0 {
		return nil
	}
	f := t.files[len(t.files)-1]
	if err := t.flush(f); err != nil {
		return err
	}
	for i, values := range f.ids {
		if f.id < 0 && (f.layout.at[colID] >= 0 || allDifferent(values)) && len(values) > 0 {
			f.id = i
		} else {
			f.ids[i] = nil
		}
	}
	return nil
}

// allDifferent tells whether values name rows; some may be blank, but not many.
func allDifferent(values []string) bool {
	seen := make(map[string]struct{}, len(values))
	blank := 0
	for _, v := range values {
		if v == "" {
			blank++
			continue
		}
		if _, twice := seen[v]; twice {
			return false
		}
		seen[v] = struct{}{}
	}
	return blank <= len(values)/100+1
}

func (t *Table) add(f *file, cells []string) error {
	if t.sink != nil {
		return t.sink(f, cells)
	}
	for i, at := range f.layout.ids {
		v := ""
		if at < len(cells) {
			v = cells[at]
		}
		if len(v) > maxValue {
			v = strings.ToValidUTF8(v[:maxValue], "")
		}
		f.ids[i] = append(f.ids[i], strings.Clone(v))
	}
	t.addRecord(t.standardise(f, cells))
	return nil
}

func (t *Table) addRecord(r record) {
	n := t.nodeOf(r)
	t.node = append(t.node, n)
	t.rowsOf[n]++
	if len(t.files) == 1 || t.lists {
		t.inA[n] = true
	} else {
		t.inB[n] = true
	}
}

func (t *Table) nodeOf(r record) int32 {
	var key [4 * fields]byte
	for i, v := range r {
		binary.LittleEndian.PutUint32(key[4*i:], v)
	}
	h := maphash.Bytes(t.seed, key[:])
	for _, n := range t.index[h] {
		if t.nodes[n] == r {
			return n
		}
	}
	n := int32(len(t.nodes))
	t.index[h] = append(t.index[h], n)
	t.nodes = append(t.nodes, r)
	t.rowsOf = append(t.rowsOf, 0)
	t.inA = append(t.inA, false)
	t.inB = append(t.inB, false)
	return n
}

// seal ends the filling: it counts how many nodes have each value.
func (t *Table) seal() {
	if t.index == nil {
		return
	}
	_ = t.endFile() // only a sink can fail, and a table that has one is not sealed
	t.index = nil
	t.raw = [fields]map[string]uint32{}
	if len(t.files) < 2 || t.lists {
		t.inA, t.inB = nil, nil
	}
	for i, s := range t.stores {
		s.seal(Field(slices.Index(storeOf[:], i)))
	}
	for f := range fields {
		t.counts[f] = make([]uint32, len(t.stores[storeOf[f]].of))
	}
	for i := range t.nodes {
		for f, v := range t.nodes[i] {
			t.counts[f][v]++
		}
	}
	for f := range fields {
		t.codes[f] = make([]uint8, len(t.counts[f]))
		for v, c := range t.counts[f] {
			t.codes[f][v] = exactCode(c)
		}
	}
}

// Rows tells how many rows the table has.
func (t *Table) Rows() int {
	if len(t.files) == 0 {
		return 0
	}
	f := t.files[len(t.files)-1]
	return f.first + f.rows
}

// ID gives the name of a row: what its file's id column says, or its number within the file, from 1.
func (t *Table) ID(row int) string {
	f := t.fileOf(row)
	if f.id >= 0 && f.ids[f.id][row-f.first] != "" {
		return f.ids[f.id][row-f.first]
	}
	return strconv.Itoa(row - f.first + 1)
}

// fileOf gives the file of a row.
func (t *Table) fileOf(row int) *file {
	i := len(t.files) - 1
	for i > 0 && row < t.files[i].first {
		i--
	}
	return t.files[i]
}

// Place tells which file a row is of, and its number in that, both from 0.
func (t *Table) Place(row int) (file, number int) {
	f := t.fileOf(row)
	return slices.Index(t.files, f), row - f.first
}

// Find gives the row of file 0 or 1 that ID names so, or -1.
func (t *Table) Find(n int, id string) int {
	f := t.files[n]
	for row := f.first; row < f.first+f.rows; row++ {
		if t.ID(row) == id {
			return row
		}
	}
	return -1
}

// Columns tells, for file 0 or 1, which column each field is read from and which column gives the id ("" for row
// numbers), and which columns are not used.
func (t *Table) Columns(n int) (used map[string]string, id string, unused []string) {
	t.seal()
	f := t.files[n]
	used = map[string]string{}
	mark := map[int]bool{}
	for col := colGiven; col < columns; col++ {
		if at := f.layout.at[col]; at >= 0 {
			used[columnNames[col]] = f.header[at]
			mark[at] = true
		}
	}
	if f.id >= 0 {
		id = f.header[f.layout.ids[f.id]]
		mark[f.layout.ids[f.id]] = true
	}
	for i, h := range f.header {
		if !mark[i] {
			unused = append(unused, h)
		}
	}
	return used, id, unused
}

// Files tells how many files the table has.
func (t *Table) Files() int { return len(t.files) }
