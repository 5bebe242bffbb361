package match

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// peakMemory is the most memory that the process has had, in MB, or 0 where the system does not tell.
func peakMemory() float64 {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "VmHWM:" {
			kb, _ := strconv.ParseFloat(f[1], 64)
			return kb / 1024
		}
	}
	return 0
}

// BenchmarkSpool times two lists, half the rows each, from rows to clusters; ALDINE_DEDUPE_ROWS asks for other sizes.
func BenchmarkSpool(b *testing.B) {
	sizes := []int{100_000, 300_000}
	if n, err := strconv.Atoi(os.Getenv("ALDINE_DEDUPE_ROWS")); err == nil {
		sizes = []int{n}
	}
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				before := cpuSeconds(b)
				s, err := NewSpool(b.TempDir())
				if err != nil {
					b.Fatal(err)
				}
				people := make([]int32, 0, n)
				begun := time.Now()
				newWorld(1, n).records(n, func(row []string, person int) {
					if len(people)%(n/2) == 0 && len(people) < n {
						if err := s.AddFile(worldHeader, nil); err != nil {
							b.Fatal(err)
						}
					}
					if err := s.AddRow(row); err != nil {
						b.Fatal(err)
					}
					people = append(people, int32(person))
				})
				added := time.Since(begun).Seconds()
				last := time.Now()
				m, err := s.Match(context.Background(), Options{}, func(done, total int64) {
					if testing.Verbose() && time.Since(last) > 5*time.Second {
						b.Logf("%d of %d after %.0f s, %.0f MB", done, total, time.Since(begun).Seconds(), peakMemory())
						last = time.Now()
					}
				})
				if err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				b.ReportMetric(cpuSeconds(b)-before, "cpu-s")
				b.ReportMetric(added, "s-adding")
				b.ReportMetric(float64(m.Candidates), "candidates")
				b.ReportMetric(peakMemory(), "MB-peak")
				b.ReportMetric(ofClusters(b, m, people).f1, "F1")
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
				b.StartTimer()
			}
		})
	}
}

func ofClusters(t testing.TB, m *Matched, people []int32) (q quality) {
	t.Helper()
	count := map[int32]int{}
	for _, p := range people {
		q.of += count[p]
		count[p]++
	}
	if err := m.Clusters(func(rows []int) error {
		for i, a := range rows[:min(len(rows), 200)] {
			for _, b := range rows[i+1 : min(len(rows), 200)] {
				q.see(people[a] == people[b])
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	q.finish()
	return q
}
