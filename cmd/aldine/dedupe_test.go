package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"aldine/internal/testdata"
)

// dedupe runs the command, which needs no database, and gives the pairs it wrote.
func dedupe(t *testing.T, args ...string) (pairs [][]string, out, errs string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pairs.csv")
	var o, e bytes.Buffer
	args = append([]string{"dedupe"}, append(args, "--pairs", path)...)
	if status := run(context.Background(), args, streams{strings.NewReader(""), &o, &e}); status != 0 {
		t.Fatalf("status %d\n%s%s", status, o.String(), e.String())
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	pairs, err = csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(pairs[0], ","); got != "id_a,id_b,score" {
		t.Errorf("the header is %s", got)
	}
	return pairs[1:], o.String(), e.String()
}

func written(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDedupeOfARealFile(t *testing.T) {
	t.Parallel()
	pairs, out, _ := dedupe(t, testdata.Path(t, "febrl1/dataset1.csv"))
	right := 0
	for _, p := range pairs {
		a, b := strings.Split(p[0], "-"), strings.Split(p[1], "-")
		if a[1] == b[1] {
			right++
		}
		if score, err := strconv.ParseFloat(p[2], 64); err != nil || score < 0.5 || score > 1 {
			t.Errorf("score %q", p[2])
		}
	}
	if right < 485 || len(pairs) > right+15 {
		t.Errorf("%d pairs, %d of them right, of 500", len(pairs), right)
	}
	if !strings.Contains(out, "named by rec_id") || !strings.Contains(out, "city=suburb") {
		t.Errorf("the columns are not shown:\n%s", out)
	}
}

// The column that holds the answer must not be used.
func TestDedupeLeavesOutTheAnswer(t *testing.T) {
	t.Parallel()
	_, out, _ := dedupe(t, testdata.Path(t, "fake-1000/fake_1000.csv"))
	if !strings.Contains(out, "not used: cluster") {
		t.Errorf("cluster is not left out:\n%s", out)
	}
}

func TestDedupeOfTwoFilesWithoutIDs(t *testing.T) {
	t.Parallel()
	a := written(t, "a.csv", "first name;last name;date of birth;email\nAnna;Smith;1980-02-01;anna@example.org\nJürgen;Müller;03.04.1975;\nRobert;Brown;1990-12-24;bob@example.net\n")
	b := written(t, "b.csv", "Nachname,Vorname,Geburtsdatum,E-Mail\nMueller,Juergen,1975-04-03,jm@example.com\nBrown,Bob,24.12.1990,bob@example.net\nJones,Carla,1966-06-06,carla@example.com\n")
	pairs, _, _ := dedupe(t, a, b)
	got := map[string]bool{}
	for _, p := range pairs {
		got[p[0]+"-"+p[1]] = true
	}
	if len(got) != 2 || !got["2-1"] || !got["3-2"] {
		t.Errorf("pairs %v", pairs)
	}
}

func TestDedupeExplains(t *testing.T) {
	t.Parallel()
	var o, e bytes.Buffer
	status := run(context.Background(), []string{"dedupe", testdata.Path(t, "febrl1/dataset1.csv"), "--explain", "rec-12-org,rec-12-dup-0"}, streams{strings.NewReader(""), &o, &e})
	if status != 0 {
		t.Fatalf("%d %s", status, e.String())
	}
	for _, want := range []string{"given_name", "kirra", "exact", "swapped", "different", "total", "taken for one person"} {
		if !strings.Contains(o.String(), want) {
			t.Errorf("lacks %q:\n%s", want, o.String())
		}
	}
}

func TestDedupeOfBadFiles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		args []string
		want string
	}{
		"empty":              {"", nil, "empty"},
		"nothing known":      {"colour,size\nred,1\n", nil, "no column of the first line is known"},
		"no such field":      {"email\na@example.org\n", []string{"--map", "shoe=email"}, "no such field"},
		"no such column":     {"email\na@example.org\n", []string{"--map", "surname=nom"}, "no column"},
		"in neither file":    {"email\na@example.org\n", []string{written(t, "b.csv", "email\nb@example.org\n"), "--map", "surname=nom"}, "neither file"},
		"bad threshold":      {"email\na@example.org\n", []string{"--threshold", "1.5"}, "above 0 and below 1"},
		"explained not here": {"id,email\n1,a@example.org\n", []string{"--explain", "1,99"}, "no two rows"},
	} {
		var o, e bytes.Buffer
		args := append([]string{"dedupe", written(t, "x.csv", c.text), "--pairs", filepath.Join(t.TempDir(), "out.csv")}, c.args...)
		if status := run(context.Background(), args, streams{strings.NewReader(""), &o, &e}); status != 1 || !strings.Contains(e.String(), c.want) {
			t.Errorf("%s: status %d, complaint %q lacks %q", name, status, e.String(), c.want)
		}
	}
}

// Rows that cannot be read are said so and left out; they do not shift the numbers of the others.
func TestDedupeOfRaggedRows(t *testing.T) {
	t.Parallel()
	path := written(t, "ragged.csv", "first_name,surname,dob,email\nAnna,Smith,1980-02-01,anna@example.org\nonly,two\nA\x00b,Zero,1980-01-01,z@example.org\nAnna,Smith,1980-02-01,anna@example.org\n"+
		"Bob,Brown,1990-12-24,bob@example.net,more,fields\n")
	pairs, _, errs := dedupe(t, path)
	if len(pairs) != 1 || pairs[0][0] != "1" || pairs[0][1] != "4" {
		t.Errorf("pairs %v", pairs)
	}
	for _, want := range []string{"line 3", "2 fields", "zero byte", "line 6"} {
		if !strings.Contains(errs, want) {
			t.Errorf("the complaint lacks %q:\n%s", want, errs)
		}
	}
}

func TestDedupeReports(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	review, model := filepath.Join(dir, "review.csv"), filepath.Join(dir, "model.json")
	var o, e bytes.Buffer
	status := run(context.Background(), []string{"dedupe", testdata.Path(t, "rldata-500/RLdata500.csv"), "--labels", "ent_id", "--review", review, "--model", model, "--threshold", "0.99"},
		streams{strings.NewReader(""), &o, &e})
	if status != 0 || !strings.Contains(o.String(), "F1 0.9") {
		t.Fatalf("%d %s %s", status, o.String(), e.String())
	}
	rows, err := os.ReadFile(review)
	if err != nil || !strings.HasPrefix(string(rows), "id_a,id_b,score\n") {
		t.Errorf("%s %v", rows, err)
	}
	weights, err := os.ReadFile(model)
	if err != nil || !json.Valid(weights) || !strings.Contains(string(weights), "birth_date") {
		t.Errorf("%s %v", weights, err)
	}
	if status := run(context.Background(), []string{"dedupe", testdata.Path(t, "rldata-500/RLdata500.csv"), "--labels", "none"}, streams{strings.NewReader(""), &o, &e}); status != 1 {
		t.Errorf("no such column: %d", status)
	}
}
