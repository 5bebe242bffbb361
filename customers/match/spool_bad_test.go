package match

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"aldine/internal/fault"
)

// A million rows alike and a house of thousands cost a spool no more than other rows do.
func TestSpoolOfManyAlike(t *testing.T) {
	t.Parallel()
	const alike, house = 200_000, 20_000
	s := spoolOf(t)
	s.limits = limits{whole: 1000, part: 8000, sorted: 1 << 20, values: 10_000}
	if err := s.AddFile([]string{"first_name", "surname", "dob", "street", "city", "zip"}, nil); err != nil {
		t.Fatal(err)
	}
	w := newWorld(3, house)
	for i := range alike + house {
		row := []string{"Anna", "Miller", "1980-02-01", "2 Short Street", "Springfield", "12345"}
		if i >= alike {
			row = []string{w.word(4), "Smith", fmt.Sprintf("%d-%02d-%02d", 1920+w.rng.IntN(90), 1+w.rng.IntN(12), 1+w.rng.IntN(28)), "1 Long Street", "Springfield", "12345"}
		}
		if err := s.AddRow(row); err != nil {
			t.Fatal(err)
		}
	}
	m, err := s.Match(context.Background(), Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if m.Candidates > 200*house {
		t.Errorf("%d candidates", m.Candidates)
	}
	if m.Largest != alike {
		t.Errorf("the largest cluster has %d rows", m.Largest)
	}
	if m.Groups > house/100 {
		t.Errorf("%d clusters among people who share only surname and address", m.Groups)
	}
	twins := 0
	if err := m.Pairs(0.5, func(p Pair) error {
		if p.A == 0 && p.B < alike {
			twins++
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if twins != alike-1 {
		t.Errorf("%d rows are paired with the first", twins)
	}
}

func TestSpoolStopsWhenItIsCancelled(t *testing.T) {
	t.Parallel()
	for _, share := range []float64{0, 0.12, 0.3, 0.6} {
		s := spoolOf(t)
		s.limits = small
		if err := s.AddFile(worldHeader, nil); err != nil {
			t.Fatal(err)
		}
		newWorld(1, 3000).records(3000, func(row []string, _ int) {
			if err := s.AddRow(row); err != nil {
				t.Fatal(err)
			}
		})
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		if _, err := s.Match(ctx, Options{}, func(done, total int64) {
			if float64(done) >= share*float64(total) {
				cancel()
			}
		}); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled at %.2f: %v", share, err)
		}
	}
}

func TestSpoolSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	if _, err := NewSpool(t.TempDir() + "/none"); fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "folder") {
		t.Errorf("no folder: %v", err)
	}
	s := spoolOf(t)
	if err := s.AddRow([]string{"a"}); fault.KindOf(err) != fault.Conflict {
		t.Errorf("a row without a list: %v", err)
	}
	if err := s.AddFile([]string{"colour"}, nil); fault.KindOf(err) != fault.Invalid {
		t.Errorf("no column is known: %v", err)
	}
	m, err := s.Match(context.Background(), Options{}, nil)
	if err != nil {
		t.Fatalf("nothing: %v", err)
	}
	if err := m.Clusters(func([]int) error { return errors.New("a cluster of nothing") }); err != nil {
		t.Error(err)
	}
	if _, err := m.Explain(0, 0); fault.KindOf(err) != fault.Invalid {
		t.Errorf("no such row: %v", err)
	}
	if _, err := s.Match(context.Background(), Options{}, nil); fault.KindOf(err) != fault.Conflict {
		t.Errorf("again: %v", err)
	}
}

// A disk that is full is said so, and leaves nothing behind.
func TestSpoolOnAFullDisk(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	s := spoolOf(t)
	s.rows.file, s.files[0] = full, full
	s.rows.out.Reset(full)
	if err := s.AddFile([]string{"name", "email"}, nil); err != nil {
		t.Fatal(err)
	}
	for i := range 100_000 {
		if err = s.AddRow([]string{"Anna Smith", fmt.Sprintf("anna%d@example.org", i)}); err != nil {
			break
		}
	}
	if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("%v", err)
	}
}

func TestSpoolExplainsWhatWasWritten(t *testing.T) {
	t.Parallel()
	for _, limit := range []limits{usualLimits, {whole: 0, part: 10, sorted: 10, values: 1}} {
		s := spoolOf(t)
		s.limits = limit
		s.Standard = Standard{Country: "DE", KeepTags: true}
		for _, rows := range [][][]string{
			{{"Name", "Vorname", "Geburtsdatum", "E-Mail", "Telefon"}, {"Größler", "Jürgen", "8.7.1966", "J.G+shop@GMail.com", "030 901820"}, {"Weber", "Eva", "1.1.1970", "", ""}},
			{{"full_name", "dob", "email", "phone"}, {"Groessler, Juergen", "1966-07-08", "jg@gmail.com", "+49 30 901820"}},
		} {
			if err := s.AddFile(rows[0], nil); err != nil {
				t.Fatal(err)
			}
			for _, row := range rows[1:] {
				if err := s.AddRow(row); err != nil {
					t.Fatal(err)
				}
			}
		}
		m, err := s.Match(context.Background(), Options{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		e, err := m.Explain(0, 2)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]Evidence{}
		for _, v := range e.Evidence {
			got[v.Field] = v
		}
		for field, want := range map[string][4]string{
			"given_name": {"juergen", "juergen", "Jürgen", "Groessler, Juergen"},
			"surname":    {"groessler", "groessler", "Größler", "Groessler, Juergen"},
			"birth_date": {"19660708", "19660708", "8.7.1966", "1966-07-08"},
			"email":      {"jg+shop@gmail.com", "jg@gmail.com", "J.G+shop@GMail.com", "jg@gmail.com"},
			"phone":      {"+4930901820", "+4930901820", "030 901820", "+49 30 901820"},
		} {
			if v := got[field]; v.A != want[0] || v.B != want[1] || v.WrittenA != want[2] || v.WrittenB != want[3] {
				t.Errorf("%s: %+v", field, v)
			}
		}
		b, err := json.Marshal(m.Model())
		if err != nil || !strings.Contains(string(b), `"surname"`) {
			t.Errorf("%s %v", b, err)
		}
	}
}

func TestModelOfFewRowsIsWritten(t *testing.T) {
	t.Parallel()
	header := []string{"first_name", "surname", "email"}
	for name, rows := range map[string][][]string{
		"no row": {}, "one": {{"Anna", "Smith", "anna@smith.example"}}, "empty": {{"", "", ""}, {"", "", ""}},
		"two alike": {{"Anna", "Smith", "anna@smith.example"}, {"Anna", "Smith", "anna@smith.example"}},
		"strangers": {{"Anna", "Smith", "anna@smith.example"}, {"Bob", "Jones", "bob@jones.example"}},
	} {
		m, err := spoolOf(t, append([][]string{header}, rows...)).Match(context.Background(), Options{}, nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		b, err := json.Marshal(m.Model())
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var back struct{ Match, Prior *float64 }
		if err := json.Unmarshal(b, &back); err != nil || back.Match == nil || back.Prior == nil {
			t.Errorf("%s: %s", name, b)
		}
	}
}
