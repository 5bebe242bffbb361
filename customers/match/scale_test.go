package match

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"testing"
)

func sortStrings(s []string) { slices.Sort(s) }

// generated fills a table with about n rows of an uneven world and tells who is behind each row.
func generated(t testing.TB, n int) (*Table, []int) {
	t.Helper()
	table := NewTable()
	if err := table.AddFile(worldHeader, nil); err != nil {
		t.Fatal(err)
	}
	var people []int
	newWorld(1, n).records(n, func(row []string, person int) {
		if err := table.AddRow(row); err != nil {
			t.Fatal(err)
		}
		people = append(people, person)
	})
	return table, people
}

func ofPeople(t testing.TB, r *Result, people []int) (q quality) {
	t.Helper()
	count := map[int]int{}
	for _, p := range people {
		q.of += count[p]
		count[p]++
	}
	if err := r.Pairs(func(p Pair) error {
		q.see(people[p.A] == people[p.B])
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	q.finish()
	return q
}

// In a file of families the members of one share surname, address and telephone, and are not one person.
func TestFamiliesAreNotOnePerson(t *testing.T) {
	t.Parallel()
	table, people := generated(t, 10_000)
	r, err := Run(context.Background(), table, Options{})
	if err != nil {
		t.Fatal(err)
	}
	q := ofPeople(t, r, people)
	t.Logf("families: %s", q)
	if q.f1 < 0.95 {
		t.Errorf("F1 is %.4f", q.f1)
	}
}

// cpuSeconds is the processor time used so far: on a machine shared with others it says more than the clock.
func cpuSeconds(t testing.TB) float64 {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return float64(u.Utime.Sec) + float64(u.Utime.Usec)/1e6 + float64(u.Stime.Sec) + float64(u.Stime.Usec)/1e6
}

// BenchmarkDedupe times a run from rows in memory to pairs; ALDINE_DEDUPE_ROWS asks for other sizes.
func BenchmarkDedupe(b *testing.B) {
	sizes := []int{100_000, 300_000}
	if n, err := strconv.Atoi(os.Getenv("ALDINE_DEDUPE_ROWS")); err == nil {
		sizes = []int{n}
	}
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				before := cpuSeconds(b)
				table, people := generated(b, n)
				r, err := Run(context.Background(), table, Options{})
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				b.ReportMetric(cpuSeconds(b)-before, "cpu-s")
				var memory runtime.MemStats
				runtime.ReadMemStats(&memory)
				if testing.Verbose() {
					for _, p := range r.Passes {
						b.Logf("%-30s %d", p.Name, p.Candidates)
					}
				}
				b.ReportMetric(float64(r.Candidates), "candidates")
				b.ReportMetric(float64(memory.Sys>>20), "MB")
				b.ReportMetric(ofPeople(b, r, people).f1, "F1")
				b.StartTimer()
			}
		})
	}
}
