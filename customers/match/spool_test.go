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
