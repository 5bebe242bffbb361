package match

import (
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"strings"
	"testing"

	"aldine/internal/testdata"
)

// labelled is a data set that tells which rows are one person, and the mark that must be reached on it.
type labelled struct {
	name, file string
	entity     func(row []string) string
	f1         float64
}

var sets = []labelled{
	{"febrl1", "febrl1/dataset1.csv", func(row []string) string { return strings.Join(strings.Split(row[0], "-")[:2], "-") }, 0.97},
	{"fake-1000", "fake-1000/fake_1000.csv", func(row []string) string { return row[6] }, 0.86},
	{"rldata-500", "rldata-500/RLdata500.csv", func(row []string) string { return row[8] }, 0.95},
}

// quality counts pairs found, right ones among them, and true ones.
type quality struct {
	found, right, of      int
	precision, recall, f1 float64
}

func (q *quality) see(right bool) {
	q.found++
	if right {
		q.right++
	}
}

func (q *quality) finish() {
	q.precision = float64(q.right) / float64(max(q.found, 1))
	q.recall = float64(q.right) / float64(max(q.of, 1))
	q.f1 = 2 * q.precision * q.recall / max(q.precision+q.recall, 1e-9)
}

func (q quality) String() string {
	return fmt.Sprintf("%d pairs, %d right of %d: precision %.4f, recall %.4f, F1 %.4f", q.found, q.right, q.of, q.precision, q.recall, q.f1)
}

func readAll(t testing.TB, name string) [][]string {
	t.Helper()
	file, err := os.Open(testdata.Path(t, name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r := csv.NewReader(file)
	r.TrimLeadingSpace = true
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func tableOf(t testing.TB, rows [][]string) *Table {
	t.Helper()
	table := NewTable()
	if err := table.AddFile(rows[0], nil); err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		if err := table.AddRow(row); err != nil {
			t.Fatal(err)
		}
	}
	return table
}

func runSet(t testing.TB, s labelled, o Options) (quality, *Result) {
	t.Helper()
	rows := readAll(t, s.file)
	result, err := Run(context.Background(), tableOf(t, rows), o)
	if err != nil {
		t.Fatal(err)
	}
	var q quality
	count := map[string]int{}
	for _, row := range rows[1:] {
		q.of += count[s.entity(row)]
		count[s.entity(row)]++
	}
	if err := result.Pairs(func(p Pair) error {
		q.see(s.entity(rows[p.A+1]) == s.entity(rows[p.B+1]))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	q.finish()
	return q, result
}

// One setting for all sets, with all pairs compared as small files are, and with blocking as large ones need it.
func TestReachesTheMark(t *testing.T) {
	t.Parallel()
	for _, s := range sets {
		for _, block := range []bool{false, true} {
			q, r := runSet(t, s, Options{Block: block})
			t.Logf("%-10s blocking %-5v %6d candidates; %s", s.name, block, r.Candidates, q)
			if q.f1 < s.f1 {
				t.Errorf("%s: F1 is %.4f, not %.2f", s.name, q.f1, s.f1)
			}
		}
	}
}
