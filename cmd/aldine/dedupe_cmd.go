package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"aldine/customers/csvfile"
	"aldine/customers/match"
	"aldine/internal/fault"
)

type dedupeCmd struct {
	A         string            `arg:"" type:"existingfile" help:"CSV file; encoding, delimiter and columns are found out."`
	B         string            `arg:"" optional:"" type:"existingfile" help:"Second file: match A with B instead of A with itself."`
	Map       map[string]string `mapsep:"," placeholder:"FIELD=COLUMN" help:"Column that a field is read from, or nothing to leave the field out; in both files where they have it. The others are recognised by their headers."`
	Threshold float64           `default:"0.5" placeholder:"P" help:"Probability from which two rows are one person, above 0 and below 1 (default 0.5)."`
	Pairs     string            `placeholder:"FILE" help:"Write id_a,id_b,score of the rows that are one person to this CSV file; a dash writes to standard output."`
	Explain   string            `placeholder:"ID_A,ID_B" help:"Print what speaks for and against two rows, field by field."`
	Review    string            `placeholder:"FILE" help:"Write id_a,id_b,score of the pairs below the threshold that a person may look at to this CSV file."`
	Model     string            `placeholder:"FILE" help:"Write the weights that were learned to this JSON file."`
	Labels    string            `placeholder:"COLUMN" help:"Column that tells who is who, to print how many of the pairs are right; it is not used to find them."`
	Country   string            `placeholder:"CC" help:"Two-letter country of telephone numbers without a country code, where they are shown."`
	KeepTags  bool              `help:"Take anna+shop@ and anna@ for two addresses."`
	KeepDots  bool              `help:"Take a.nna@gmail.com and anna@gmail.com for two addresses."`
}

func (c dedupeCmd) Run(ctx context.Context, std streams) error {
	if c.Threshold <= 0 || c.Threshold >= 1 {
		return fault.BadField("threshold", "must be above 0 and below 1")
	}
	if c.Pairs == "" && c.Explain == "" && c.Review == "" && c.Model == "" && c.Labels == "" {
		return fault.BadField("pairs", "say where the pairs go (--pairs FILE), or which two rows to explain (--explain ID_A,ID_B)")
	}
	report := std.out
	if c.Pairs == "-" {
		report = std.err
	}
	begun := time.Now()
	table := match.NewTable()
	table.Standard = match.Standard{Country: c.Country, KeepTags: c.KeepTags, KeepDots: c.KeepDots}
	var truth labels
	files := []string{c.A}
	if c.B != "" {
		files = append(files, c.B)
	}
	mapped := map[string]bool{}
	for _, file := range files {
		if err := c.load(ctx, table, file, mapped, &truth, std); err != nil {
			return err
		}
	}
	for field, column := range c.Map {
		if !mapped[field] {
			return fault.BadField("map."+field, "neither file has a column %q", column)
		}
	}
	loaded := time.Since(begun).Seconds()
	for n, file := range files {
		used, id, unused := table.Columns(n)
		fmt.Fprintf(report, "%s: %s\n", file, usedColumns(used, id, unused))
	}
	result, err := match.Run(ctx, table, match.Options{Threshold: c.Threshold})
	if err != nil {
		return err
	}
	if c.Model != "" {
		if err := writeModel(c.Model, result.Model); err != nil {
			return err
		}
	}
	if c.Review != "" {
		if _, err := writePairs(c.Review, table, result.Doubtful, std); err != nil {
			return err
		}
	}
	if c.Labels != "" {
		if err := truth.report(result, table, report); err != nil {
			return err
		}
	}
	if c.Explain != "" {
		if err := c.explain(files, table, result, report); err != nil {
			return err
		}
	}
	if c.Pairs == "" {
		return nil
	}
	written, err := writePairs(c.Pairs, table, result.Pairs, std)
	if err != nil {
		return err
	}
	clusters, largest := result.Clusters()
	fmt.Fprintf(report, "%d rows read in %.1f s; %d candidate pairs scored in %.1f s\n", table.Rows(), loaded, result.Candidates, result.Seconds)
	fmt.Fprintf(report, "%d pairs in %d clusters, the largest of %d rows; %d links below the threshold are for review\n", written, clusters, largest, result.Review)
	if largest > match.AllPairs {
		fmt.Fprintf(report, "In clusters of more than %d rows, each row is paired with the first only\n", match.AllPairs)
	}
	return nil
}

func usedColumns(used map[string]string, id string, unused []string) string {
	var b strings.Builder
	names := make([]string, 0, len(used))
	for field, column := range used {
		if field == column {
			names = append(names, field)
		} else {
			names = append(names, field+"="+column)
		}
	}
	slices.Sort(names)
	b.WriteString("compared by " + strings.Join(names, ", "))
	if id == "" {
		b.WriteString("; rows are named by their number")
	} else {
		b.WriteString("; rows are named by " + id)
	}
	if len(unused) > 0 {
		b.WriteString("; not used: " + strings.Join(unused, ", "))
	}
	return b.String()
}

// shownFaults is how many rows that cannot be read are printed.
const shownFaults = 10

func (c dedupeCmd) load(ctx context.Context, table *match.Table, path string, mapped map[string]bool, truth *labels, std streams) error {
	file, err := csvfile.Open(path)
	if err != nil {
		return fault.BadField("file", "%s: %s", path, err)
	}
	defer file.Close()
	if err := table.AddFile(file.Header, c.mapping(file.Header, mapped)); err != nil {
		return err
	}
	label, err := truth.column(c.Labels, file.Header)
	if err != nil {
		return err
	}
	// One goroutine reads, this one standardises.
	read := make(chan batch, 4)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go readBatches(ctx, file.Reader, read)
	bad := 0
	for b := range read {
		for _, row := range b.rows {
			truth.add(label, row.fields)
			if row.err == nil {
				err = table.AddRow(row.fields)
			} else {
				if bad++; bad <= shownFaults {
					fmt.Fprintf(std.err, "%s: %s; the row is left out\n", path, row.err)
				}
				err = table.AddUnreadable()
			}
			if err != nil {
				return err
			}
		}
		if b.err != nil {
			return b.err
		}
	}
	if bad > shownFaults {
		fmt.Fprintf(std.err, "%s: %d rows more cannot be read\n", path, bad-shownFaults)
	}
	return ctx.Err()
}

// batch is some rows of a file; err is what ended the reading, nil at the file's end.
type batch struct {
	rows []readRow
	err  error
}

type readRow struct {
	fields []string
	err    *csvfile.RowError
}

const batchSize = 512

func readBatches(ctx context.Context, r *csvfile.Reader, out chan<- batch) {
	defer close(out)
	for {
		b := batch{rows: make([]readRow, 0, batchSize)}
		end := false
		for len(b.rows) < batchSize && !end {
			row, err := r.Next()
			var fault *csvfile.RowError
			switch {
			case err == nil:
				b.rows = append(b.rows, readRow{fields: row.Fields})
			case errors.As(err, &fault):
				b.rows = append(b.rows, readRow{err: fault})
			default:
				if end = true; !errors.Is(err, io.EOF) {
					b.err = err
				}
			}
		}
		select {
		case out <- b:
		case <-ctx.Done():
			return
		}
		if end {
			return
		}
	}
}

// mapping gives the part of --map that a file is concerned with, since of two files one may lack a column, and notes it
// in mapped.
func (c dedupeCmd) mapping(header []string, mapped map[string]bool) map[string]string {
	m := map[string]string{}
	for field, column := range c.Map {
		if c.B == "" || column == "" || column == "-" || slices.Contains(header, column) {
			m[field] = column
			mapped[field] = true
		}
	}
	return m
}

// writePairs writes pairs to a file, or to standard output where path is a dash.
func writePairs(path string, table *match.Table, pairs func(func(match.Pair) error) error, std streams) (written int, err error) {
	out := std.out
	if path != "-" {
		file, err := os.Create(path)
		if err != nil {
			return 0, err
		}
		defer func() {
			if e := file.Close(); err == nil {
				err = e
			}
		}()
		out = file
	}
	buffer := bufio.NewWriterSize(out, 1<<20)
	w := csv.NewWriter(buffer)
	if err := w.Write([]string{"id_a", "id_b", "score"}); err != nil {
		return 0, err
	}
	line := make([]string, 3)
	if err := pairs(func(p match.Pair) error {
		written++
		line[0], line[1], line[2] = table.ID(p.A), table.ID(p.B), strconv.FormatFloat(p.Score, 'f', 6, 64)
		return w.Write(line)
	}); err != nil {
		return written, err
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return written, err
	}
	return written, buffer.Flush()
}

func (c dedupeCmd) explain(files []string, table *match.Table, result *match.Result, out io.Writer) error {
	first, second, ok := cutIDs(table, c.Explain, c.B != "")
	if !ok {
		return fault.BadField("explain", "there are no two rows named %s; give two ids with a comma between them", strconv.Quote(c.Explain))
	}
	var rows [2][]string
	for i, row := range [2]int{first, second} {
		n, number := table.Place(row)
		var err error
		if rows[i], err = rowOf(files[n], number); err != nil {
			return err
		}
	}
	e := result.ExplainWritten(first, second, rows[0], rows[1])
	t := newTable(out, "FIELD", "A AS WRITTEN", "B AS WRITTEN", "A", "B", "LEVEL", "WEIGHT")
	t.row("(prior)", "", "", "", "", "", fmt.Sprintf("%+.2f", e.Prior))
	for _, v := range e.Evidence {
		t.row(v.Field, v.WrittenA, v.WrittenB, v.A, v.B, v.Level, fmt.Sprintf("%+.2f", v.Weight))
	}
	if e.Household > 0.005 {
		t.row("(household)", "", "", "", "", "", fmt.Sprintf("%+.2f", -e.Household))
	}
	t.row("total", "", "", "", "", "", fmt.Sprintf("%+.2f", e.Bits))
	if err := t.flush(); err != nil {
		return err
	}
	verdict := "not taken for one person"
	if e.Together {
		verdict = "taken for one person"
	}
	_, err := fmt.Fprintf(out, "probability %.6f; the two rows are %s\n", e.Score, verdict)
	return err
}

// cutIDs finds the two rows that are named; an id may itself hold commas.
func cutIDs(table *match.Table, ids string, two bool) (a, b int, ok bool) {
	other := 0
	if two {
		other = 1
	}
	for i, r := range ids {
		if r != ',' {
			continue
		}
		a, b = table.Find(0, strings.TrimSpace(ids[:i])), table.Find(other, strings.TrimSpace(ids[i+1:]))
		if a >= 0 && b >= 0 {
			return a, b, true
		}
	}
	return 0, 0, false
}
