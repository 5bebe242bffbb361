// Command benchtable reads what go test -bench prints and prints it as one table: of each benchmark its figures, and beside those that
// were measured together with a floor (the bare work that no program could do without) the floor and the ratio. What is no
// result of a benchmark passes through to the standard error.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

func main() {
	rows := read(os.Stdin, os.Stderr)
	if err := write(os.Stdout, rows); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type row struct{ name, figures, floor, ratio string }

// read takes the results out of the lines; the others go to rest.
func read(in io.Reader, rest io.Writer) []row {
	var rows []row
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if r, ok := parse(lines.Text()); ok {
			rows = append(rows, r)
		} else {
			fmt.Fprintln(rest, lines.Text())
		}
	}
	return rows
}

// parse reads one line: name, number of runs, then values with their units.
func parse(line string) (r row, ok bool) {
	f := strings.Fields(line)
	if len(f) < 4 || !strings.HasPrefix(f[0], "Benchmark") {
		return row{}, false
	}
	if _, err := strconv.Atoi(f[1]); err != nil {
		return row{}, false
	}
	r.name = strings.TrimPrefix(f[0], "Benchmark")
	if at := strings.LastIndexByte(r.name, '-'); at > 0 { // the number of processors
		r.name = r.name[:at]
	}
	var figures, time []string
	for i := 2; i+1 < len(f); i += 2 {
		value, unit := f[i], f[i+1]
		floor, isFloor := strings.CutPrefix(unit, "floor-")
		switch {
		case unit == "ns/op":
			time = append(time, spoken(value))
		case isFloor:
			r.floor = value + " " + floor
		case unit == "ratio":
			r.ratio = value
		default:
			figures = append(figures, value+" "+unit)
		}
	}
	if len(figures) == 0 { // the time of one run says the most where nothing else does
		figures = time
	}
	r.figures = strings.Join(figures, ", ")
	return r, true
}

// spoken gives nanoseconds in a unit that is easy to read.
func spoken(nanoseconds string) string {
	n, err := strconv.ParseFloat(nanoseconds, 64)
	switch {
	case err != nil || n < 1e3:
		return nanoseconds + " ns"
	case n < 1e6:
		return strconv.FormatFloat(n/1e3, 'f', 1, 64) + " µs"
	case n < 1e9:
		return strconv.FormatFloat(n/1e6, 'f', 1, 64) + " ms"
	}
	return strconv.FormatFloat(n/1e9, 'f', 1, 64) + " s"
}

func write(out io.Writer, rows []row) error {
	head := row{"Benchmark", "Figures", "Floor in the same run", "Ratio"}
	var width [3]int
	for _, r := range append(rows, head) {
		width[0], width[1], width[2] = max(width[0], length(r.name)), max(width[1], length(r.figures)), max(width[2], length(r.floor))
	}
	line := func(name, figures, floor, ratio string) error {
		_, err := fmt.Fprintf(out, "| %s | %s | %s | %5s |\n", pad(name, width[0]), pad(figures, width[1]), pad(floor, width[2]), ratio)
		return err
	}
	if err := line(head.name, head.figures, head.floor, head.ratio); err != nil {
		return err
	}
	if err := line(strings.Repeat("-", width[0]), strings.Repeat("-", width[1]), strings.Repeat("-", width[2]), "----:"); err != nil {
		return err
	}
	for _, r := range rows {
		if err := line(r.name, r.figures, r.floor, r.ratio); err != nil {
			return err
		}
	}
	return nil
}

func length(s string) int { return len([]rune(s)) }

func pad(s string, width int) string { return s + strings.Repeat(" ", width-length(s)) }
