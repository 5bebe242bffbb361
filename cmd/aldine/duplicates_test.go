package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aldine/customers/duplicates"
)

func TestDuplicatesCLI(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	file := filepath.Join(t.TempDir(), "house.csv")
	if err := os.WriteFile(file, []byte(`external_id,first_name,last_name,email,phone,street,city,postal_code
1,Anna,Schmidt,anna@example.org,+4930123450,Lindenweg 4,Bonn,53111
,Anna,Schmitt,anna.schmidt@example.org,+4930123450,Lindenweg 4,Bonn,53111
3,Bernd,Kowalski,bernd@example.org,+4930123451,Am Markt 12,Köln,50667
4,Bernd,Kowalsky,b.kowalski@example.org,+4930123451,Am Markt 12,Köln,50667
5,Greta,Petersen,greta@example.org,+4930123452,Hafenweg 20,Kiel,24103
6,Hugo,Neumann,hugo@example.org,+4930123453,Waldweg 5,Ulm,89073
`), 0o600); err != nil {
		t.Fatal(err)
	}
	s.ok("import", "customers", file)
	into := func(to any, args ...string) {
		t.Helper()
		status, out, errs := s.run(append([]string{"duplicates"}, append(args, "--json")...)...)
		if status != 0 || json.Unmarshal([]byte(out), to) != nil {
			t.Fatalf("duplicates %s: status %d\n%s%s", strings.Join(args, " "), status, out, errs)
		}
	}
	if _, out, _ := s.run("doctor"); !strings.Contains(out, "ok  do-not-call registers: none kept for DE (6 numbers): where the law has one") {
		t.Errorf("doctor: %s", out)
	}
	s.fails(1, []string{"threshold", "below 1"}, "duplicates", "search", "--threshold", "2")
	if last := s.ok("duplicates", "search"); !strings.Contains(last, "2 wait for a decision, 1 have two external ids") {
		t.Fatalf("search: %s", last)
	}
	var pairs []duplicates.Pair
	into(&pairs, "list")
	if len(pairs) != 2 || len(pairs[0].Evidence) == 0 {
		t.Fatalf("pairs: %+v", pairs)
	}
	status, out, _ := s.run("duplicates", "list", "--limit", "1")
	if status != 0 || strings.Count(out, "\n") != 2 {
		t.Errorf("list of one: %s", out)
	}
	if n := s.ok("duplicates", "merge-sure", "--count", "--min-score", "0.9"); n != "1" {
		t.Errorf("%s pairs are sure, want the one without two external ids", n)
	}
	s.fails(1, []string{"0.9"}, "duplicates", "merge-sure", "--min-score", "0.2")

	status, out, _ = s.run("duplicates", "merge", "1", "2", "--dry-run")
	if status != 0 || !strings.Contains(out, "last_name") {
		t.Errorf("dry run: %s", out)
	}
	s.fails(1, []string{"choose.town", "no field"}, "duplicates", "merge", "1", "2", "--choose", "town=old")
	s.fails(1, []string{"itself"}, "duplicates", "merge", "1", "1")
	var m duplicates.Merged
	into(&m, "merge", "1", "2", "--choose", "last_name=old")
	if m.SurvivorID != 1 || m.OldID != 2 {
		t.Errorf("merged: %+v", m)
	}
	if n := s.ok("segment", "count", `last_name == "Schmitt"`); n != "1" {
		t.Errorf("%s customers are called Schmitt, want 1", n)
	}
	s.fails(1, []string{"was merged into customer 1 before"}, "duplicates", "merge", "3", "2")
	s.fails(1, []string{"undo the merge instead"}, "duplicates", "different", "1", "2")
	if last := s.ok("duplicates", "undo", m.ID); last != "Customers 1 and 2 are two again." {
		t.Errorf("undo: %s", last)
	}
	s.fails(1, []string{"undone before"}, "duplicates", "undo", m.ID)
	s.fails(1, []string{"There is no merge"}, "duplicates", "undo", "x")
	s.fails(1, []string{"No search has found"}, "duplicates", "different", "5", "6")

	s.run("duplicates", "different", "3", "4")
	into(&pairs, "list")
	if len(pairs) != 1 || pairs[0].CustomerID != 1 {
		t.Errorf("pairs after a decision: %+v", pairs)
	}
	s.run("duplicates", "different", "3", "4", "--open")
	if last := s.ok("duplicates", "merge-sure", "--min-score", "0.9"); last != "1 merged, 0 left as they are." {
		t.Errorf("merge-sure: %s", last)
	}
	if n := s.ok("segment", "count", ""); n != "5" {
		t.Errorf("the house file has %s, want 5", n)
	}
}
