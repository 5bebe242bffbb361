package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"aldine/customers/csvfile"
	"aldine/customers/match"
	"aldine/internal/fault"
)

// labels tell who is behind each row, for the report alone.
type labels struct {
	of    []int32 // of each row, the number of its label; 0 for none
	index map[string]int32
}

// column finds the column of labels in a file's header, or -1 where none is asked for.
func (l *labels) column(name string, header []string) (int, error) {
	if name == "" {
		return -1, nil
	}
	if i := slices.Index(header, name); i >= 0 {
		return i, nil
	}
	return -1, fault.BadField("labels", "the file has no column %q", name)
}

func (l *labels) add(column int, row []string) {
	if column < 0 {
		return
	}
	if l.index == nil {
		l.index = map[string]int32{}
	}
	n := int32(0)
	if column < len(row) && row[column] != "" {
		if n = l.index[row[column]]; n == 0 {
			n = int32(len(l.index) + 1)
			l.index[row[column]] = n
		}
	}
	l.of = append(l.of, n)
}

// report prints how many of the pairs are right and how many of the true ones were found.
func (l *labels) report(result *match.Result, table *match.Table, out io.Writer) error {
	var of, found, right int
	counts := [2]map[int32]int{{}, {}}
	for row, label := range l.of {
		if label == 0 {
			continue
		}
		file, _ := table.Place(row)
		counts[file][label]++
	}
	for label, n := range counts[0] {
		if table.Files() == 2 {
			of += n * counts[1][label]
		} else {
			of += n * (n - 1) / 2
		}
	}
	if err := result.Pairs(func(p match.Pair) error {
		found++
		if l.of[p.A] != 0 && l.of[p.A] == l.of[p.B] {
			right++
		}
		return nil
	}); err != nil {
		return err
	}
	precision, recall := float64(right)/float64(max(found, 1)), float64(right)/float64(max(of, 1))
	_, err := fmt.Fprintf(out, "by the labels, %d of %d pairs are right and %d were to be found: precision %.4f, recall %.4f, F1 %.4f\n", right, found, of,
		precision, recall, 2*precision*recall/max(precision+recall, 1e-9))
	return err
}

func writeModel(path string, model *match.Model) error {
	b, err := json.MarshalIndent(model, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}

// rowOf reads one row of a file again; nil for one that cannot be read.
func rowOf(path string, number int) ([]string, error) {
	file, err := csvfile.Open(path)
	if err != nil {
		return nil, fault.BadField("file", "%s: %s", path, err)
	}
	defer file.Close()
	for n := 0; ; n++ {
		row, err := file.Next()
		var bad *csvfile.RowError
		if err != nil && !errors.As(err, &bad) {
			return nil, err
		}
		if n == number {
			return row.Fields, nil
		}
	}
}
