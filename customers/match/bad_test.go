package match

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

// found runs a table and gives its pairs as "id-id".
func found(t *testing.T, table *Table) map[string]float64 {
	t.Helper()
	r, err := Run(context.Background(), table, Options{})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	if err := r.Pairs(func(p Pair) error {
		got[table.ID(p.A)+"-"+table.ID(p.B)] = p.Score
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return got
}

func tableFrom(t *testing.T, header string, rows ...string) *Table {
	t.Helper()
	all := [][]string{strings.Split(header, ",")}
	for _, r := range rows {
		all = append(all, strings.Split(r, ","))
	}
	return tableOf(t, all)
}

// A million rows alike give a million pairs, not half a billion: each with the first.
func TestMillionIdenticalRows(t *testing.T) {
	t.Parallel()
	const n = 1_000_000
	table := NewTable()
	if err := table.AddFile([]string{"first_name", "surname", "dob", "email"}, nil); err != nil {
		t.Fatal(err)
	}
	row := []string{"Anna", "Smith", "1980-02-01", "anna@example.org"}
	for range n {
		if err := table.AddRow(row); err != nil {
			t.Fatal(err)
		}
	}
	r, err := Run(context.Background(), table, Options{})
	if err != nil {
		t.Fatal(err)
	}
	pairs := 0
	if err := r.Pairs(func(p Pair) error {
		if pairs++; p.A != 0 || p.B != pairs {
			return fmt.Errorf("pair %d is %v", pairs, p)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if pairs != n-1 {
		t.Errorf("%d pairs", pairs)
	}
}

// A house of a hundred thousand people of one name is not one person, and costs no more than other people do.
func TestHouseOfThousands(t *testing.T) {
	t.Parallel()
	const n = 100_000
	w := newWorld(3, n)
	table := NewTable()
	if err := table.AddFile([]string{"first_name", "surname", "dob", "street", "city", "zip"}, nil); err != nil {
		t.Fatal(err)
	}
	for range n {
		row := []string{w.word(4), "Smith", fmt.Sprintf("%d-%02d-%02d", 1920+w.rng.IntN(90), 1+w.rng.IntN(12), 1+w.rng.IntN(28)), "1 Long Street", "Springfield", "12345"}
		if err := table.AddRow(row); err != nil {
			t.Fatal(err)
		}
	}
	begun := cpuSeconds(t)
	r, err := Run(context.Background(), table, Options{})
	if err != nil {
		t.Fatal(err)
	}
	pairs := 0
	if err := r.Pairs(func(Pair) error { pairs++; return nil }); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d candidates, %d pairs, %.1f s of processor time for all tests meanwhile", r.Candidates, pairs, cpuSeconds(t)-begun)
	if r.Candidates > 200*n {
		t.Errorf("%d candidates", r.Candidates)
	}
	if pairs > n/100 {
		t.Errorf("%d pairs among people who share only surname and address", pairs)
	}
}

func TestRowsThatSayNothing(t *testing.T) {
	t.Parallel()
	table := tableFrom(t, "first_name,surname,dob,email", ",,,", ",,,", "NA,NULL,?,-", ",,,", "Anna,,,", "Anna,,,")
	if got := found(t, table); len(got) != 0 {
		t.Errorf("pairs %v", got)
	}
}

func TestTextOfAllKinds(t *testing.T) {
	t.Parallel()
	table := tableFrom(t, "id,first_name,surname,dob,city",
		"latin,Anna,Petrov,1980-02-01,Moskva",
		"lookalike,Аnnа,Реtrоv,1980-02-01,Moskva", // with Cyrillic а, Р, е, о
		"cyrillic,Анна,Петров,1980-02-01,Москва",
		"hebrew,יוסף,כהן,1975-05-05,ירושלים",
		"hebrew2,\u202Bיוסף\u202C,כהן,1975-05-05,ירושלים",
		"umlaut,Jürgen,Größler,1966-07-08,Köln",
		"umlaut2,Juergen,Groessler,1966-07-08,Koeln",
		"umlaut3,Ju\u0308rgen,Gro\u0308ßler,1966-07-08,KÖLN",
		"wide,Ｊｏｈｎ,Ｂｒｏｗｎ,1950-10-11,York",
		"narrow,John,Brown,1950-10-11,York",
		"zero,Pa\x00ul,Gre\x00en,1940-12-12,Leeds",
		"huge,"+strings.Repeat("x", 1<<20)+","+strings.Repeat("y ", 1<<19)+",1941-12-12,Leeds")
	got := found(t, table)
	for _, want := range []string{"latin-lookalike", "latin-cyrillic", "hebrew-hebrew2", "umlaut-umlaut2", "umlaut-umlaut3", "wide-narrow"} {
		if got[want] == 0 {
			t.Errorf("%s is not found", want)
		}
	}
	if len(got) != 8 { // with lookalike-cyrillic and umlaut2-umlaut3
		t.Errorf("pairs %v", got)
	}
}

func TestHugeFieldsCostLittle(t *testing.T) {
	t.Parallel()
	rows := make([]string, 300)
	for i := range rows {
		rows[i] = fmt.Sprintf("%d,%s,%s,%s", i, strings.Repeat("ab", 1<<17), strings.Repeat("é ", 1<<17), strings.Repeat("a@", 1<<17))
	}
	begun := time.Now()
	table := tableFrom(t, "id,surname,street,email", rows...)
	if _, err := Run(context.Background(), table, Options{}); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begun); took > 30*time.Second {
		t.Errorf("took %s", took)
	}
}

func TestStopsWhenAsked(t *testing.T) {
	t.Parallel()
	table, _ := generated(t, 3000)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Run(ctx, table, Options{}); err == nil {
		t.Error("an ended context is not noticed")
	}
}

func TestRunsAreAlike(t *testing.T) {
	t.Parallel()
	a, _ := generated(t, 3000)
	b, _ := generated(t, 3000)
	x, y := found(t, a), found(t, b)
	if len(x) == 0 || len(x) != len(y) {
		t.Fatalf("%d and %d pairs", len(x), len(y))
	}
	for k, v := range x {
		if y[k] != v {
			t.Errorf("%s scores %v and %v", k, v, y[k])
		}
	}
}

// Two files are matched with each other only: no pair lies within one.
func TestTwoFiles(t *testing.T) {
	t.Parallel()
	var rows [2][][]string
	var people [2][]int
	n := 0
	newWorld(5, 8000).records(8000, func(row []string, person int) {
		k := n % 2
		n++
		rows[k], people[k] = append(rows[k], row), append(people[k], person)
	})
	table := NewTable()
	var all []int
	for k := range rows {
		if err := table.AddFile(worldHeader, nil); err != nil {
			t.Fatal(err)
		}
		for _, r := range rows[k] {
			if err := table.AddRow(r); err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, people[k]...)
	}
	r, err := Run(context.Background(), table, Options{})
	if err != nil {
		t.Fatal(err)
	}
	q, at := quality{}, len(rows[0])
	count := map[int]int{}
	for _, p := range people[0] {
		count[p]++
	}
	for _, p := range people[1] {
		q.of += count[p]
	}
	if err := r.Pairs(func(p Pair) error {
		if p.A >= at || p.B < at {
			return fmt.Errorf("%v lies within one file", p)
		}
		q.see(all[p.A] == all[p.B])
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	q.finish()
	t.Logf("two files: %s", q)
	if q.f1 < 0.95 {
		t.Errorf("F1 is %.4f", q.f1)
	}
}
