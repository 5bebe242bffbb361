package match

import (
	"context"
	"os"
	"testing"
)

// spoolOf fills a spool with lists of rows, each with its header first.
func spoolOf(t testing.TB, lists ...[][]string) *Spool {
	t.Helper()
	s, err := NewSpool(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(s.dir); !os.IsNotExist(err) {
			t.Errorf("the folder is still there: %v", err)
		}
	})
	for _, rows := range lists {
		if err := s.AddFile(rows[0], nil); err != nil {
			t.Fatal(err)
		}
		for _, row := range rows[1:] {
			if err := s.AddRow(row); err != nil {
				t.Fatal(err)
			}
		}
	}
	return s
}

func TestSpoolMatchesWithinAndBetweenLists(t *testing.T) {
	t.Parallel()
	a := [][]string{{"first_name", "surname", "dob", "email"}, {"Anna", "Smith", "1980-02-03", "anna@smith.example"}, {"Anna", "Smith", "1980-02-03", "anna@smith.example"}, {"Bob", "Jones", "1971-12-13", "bob@jones.example"}}
	b := [][]string{{"name", "mail"}, {"Robert Jones", "bob@jones.example"}, {"Carla Weber", "carla@weber.example"}}
	c := [][]string{{"name", "mail", "birthdate"}, {"Smith, Anna", "anna@smith.example", "3.2.1980"}}
	s := spoolOf(t, a, b, c)
	if s.Rows() != 6 {
		t.Fatalf("%d rows", s.Rows())
	}
	m, err := s.Match(context.Background(), Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var clusters [][]int
	if err := m.Clusters(func(rows []int) error { clusters = append(clusters, rows); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(clusters) != 2 || len(clusters[0]) != 3 || len(clusters[1]) != 2 || clusters[0][2] != 5 || clusters[1][0] != 2 || clusters[1][1] != 3 {
		t.Errorf("clusters: %v", clusters)
	}
	last := Pair{A: -1}
	if err := m.Pairs(0.5, func(p Pair) error {
		if p.A >= p.B || p.A < last.A || p.Score < 0.5 {
			t.Errorf("pair %v after %v", p, last)
		}
		last = p
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if last.A != 2 {
		t.Errorf("the last pair is %v", last)
	}
}

// small are limits under which a few thousand rows come in many parts.
var small = limits{whole: 100, part: 700, sorted: 2000, values: 500}

// spoolPairs gives all pairs within the clusters that a spool finds.
func spoolPairs(t testing.TB, s *Spool, o Options) (*Matched, map[[2]int]bool) {
	t.Helper()
	last := int64(-1)
	m, err := s.Match(context.Background(), o, func(done, total int64) {
		if done < last || total != int64(s.Rows()) || done > total {
			t.Errorf("%d of %d after %d", done, total, last)
		}
		last = done
	})
	if err != nil {
		t.Fatal(err)
	}
	if last != int64(s.Rows()) {
		t.Errorf("the work ended at %d of %d", last, s.Rows())
	}
	pairs := map[[2]int]bool{}
	if err := m.Clusters(func(rows []int) error {
		for i, a := range rows {
			for _, b := range rows[i+1:] {
				pairs[[2]int{a, b}] = true
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return m, pairs
}

// apart counts the pairs that only one of two runs has found.
func differing(a, b map[[2]int]bool) (n int) {
	for p := range a {
		if !b[p] {
			n++
		}
	}
	for p := range b {
		if !a[p] {
			n++
		}
	}
	return n
}

// What does not fit into memory is matched as well as what does.
func TestSpoolReachesTheMark(t *testing.T) {
	t.Parallel()
	for _, set := range sets {
		for _, limit := range []limits{usualLimits, small} {
			rows := readAll(t, set.file)
			s := spoolOf(t, rows)
			s.limits = limit
			m, pairs := spoolPairs(t, s, Options{})
			var q quality
			count := map[string]int{}
			for _, row := range rows[1:] {
				q.of += count[set.entity(row)]
				count[set.entity(row)]++
			}
			for p := range pairs {
				q.see(set.entity(rows[p[0]+1]) == set.entity(rows[p[1]+1]))
			}
			q.finish()
			t.Logf("%-10s in memory %5d, %6d candidates; %s", set.name, limit.whole, m.Candidates, q)
			if q.f1 < set.f1 {
				t.Errorf("%s: F1 is %.4f, not %.2f", set.name, q.f1, set.f1)
			}
		}
	}
}

func TestSpoolFindsWhatRunFinds(t *testing.T) {
	t.Parallel()
	table, people := generated(t, 12_000)
	r, err := Run(context.Background(), table, Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[[2]int]bool{}
	if err := r.Pairs(func(p Pair) error { want[[2]int{p.A, p.B}] = true; return nil }); err != nil {
		t.Fatal(err)
	}
	for _, limit := range []limits{usualLimits, {whole: 100, part: 3000, sorted: 1 << 20, values: 10_000}, {whole: 100, part: 3000, sorted: 6000, values: 10_000}} {
		s := spoolOf(t)
		s.limits = limit
		if err := s.AddFile(worldHeader, nil); err != nil {
			t.Fatal(err)
		}
		newWorld(1, 12_000).records(12_000, func(row []string, _ int) {
			if err := s.AddRow(row); err != nil {
				t.Fatal(err)
			}
		})
		m, pairs := spoolPairs(t, s, Options{})
		var q quality
		count := map[int]int{}
		for _, p := range people {
			q.of += count[p]
			count[p]++
		}
		for p := range pairs {
			q.see(people[p[0]] == people[p[1]])
		}
		q.finish()
		n := differing(want, pairs)
		t.Logf("%d candidates (%d in memory), %d pairs of %d differ; %s", m.Candidates, r.Candidates, n, len(want), q)
		if n > len(want)/100 {
			t.Errorf("%d of %d pairs differ", n, len(want))
		}
		e, err := m.Explain(0, 1)
		if err != nil || len(e.Evidence) == 0 {
			t.Fatalf("%v %v", e, err)
		}
	}
}
