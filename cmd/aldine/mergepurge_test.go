package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aldine/customers/mergepurge"
)

func TestMergeInputs(t *testing.T) {
	t.Parallel()
	for spec, want := range map[string]string{
		"A=a.csv":             "A a.csv 0 ",
		"a.csv":               " a.csv 0 ",
		"A=a, b.csv,price=95": "A a, b.csv 0 95 1 0",
		"A=a.csv,price=95,net=0.85,running=3,currency=usd,priority=4": "A a.csv 4 95 0.85 3 USD",
		"A=a.csv,map.Last, First=full_name":                           "A a.csv,map.Last, First=full_name 0 ",
		"A=a.csv,map.Mail=email":                                      "A a.csv 0  map[Mail:email]",
	} {
		in, err := parseMergeInput(mergepurge.Rented, "rented", spec)
		if err != nil {
			t.Error(spec, err)
			continue
		}
		got := fmt.Sprintf("%s %s %d ", in.Name, in.Path, in.Priority)
		if d := in.Deal; d != nil {
			got += strings.TrimSpace(fmt.Sprintf("%s %s %s %s", d.PricePerThousand, d.NetShare, d.RunningCharge, d.Currency))
		}
		if in.Mapping != nil {
			got += fmt.Sprintf(" %v", in.Mapping)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", spec, diff)
		}
	}
	if _, err := parseMergeInput(mergepurge.Rented, "rented", "A=a.csv,price=cheap"); err == nil || !strings.Contains(err.Error(), "not a number") {
		t.Errorf("a price that is no number: %v", err)
	}
}

func TestMergePurge(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const head = "first_name,last_name,email,street,city,postal_code\n"
	s.ok("import", "customers", write("house.csv", "external_id,"+head+"1,Anna,Schmidt,anna@example.org,Lindenweg 4,Bonn,53111\n2,Bernd,Kowalski,bernd@example.org,Am Markt 12,Köln,50667\n"))
	rented := write("garden.csv", head+"Anna,Schmidt,anna@example.org,Lindenweg 4,Bonn,53111\nGreta,Petersen,greta@example.org,Hafenweg 20,Kiel,24103\nHugo,Neumann,hugo@example.org,Waldweg 5,Ulm,89073\n")
	stop := write("stop.csv", "email\nHUGO@example.org\n")
	net, xlsx := filepath.Join(dir, "net.csv"), filepath.Join(dir, "report.xlsx")

	s.fails(1, []string{"cannot be read"}, "merge-purge", "--name", "x", "--rented", "A="+filepath.Join(dir, "none.csv"))
	s.fails(1, []string{"not both"}, "merge-purge", "--name", "x", "--house", "city == \"Bonn\"", "--no-house")
	s.fails(1, []string{"expression"}, "merge-purge", "--name", "x", "--house", "town == 1", "--rented", "A="+rented)
	s.fails(1, []string{"nobody to mail"}, "merge-purge", "--name", "x", "--no-house", "--suppress", "S="+stop)

	last := s.ok("merge-purge", "--name", "spring", "--rented", "GARDEN="+rented+",price=1000,net=0.5,running=100,currency=EUR", "--suppress", "STOP="+stop, "--net", net, "--xlsx", xlsx)
	if last != "Net names: 3" {
		t.Errorf("last line %q", last)
	}
	if data, err := os.ReadFile(net); err != nil || strings.Count(string(data), "\n") != 4 || !strings.Contains(string(data), "Petersen") {
		t.Errorf("net names: %s, %v", data, err)
	}
	if info, err := os.Stat(xlsx); err != nil || info.Size() < 1000 {
		t.Errorf("workbook: %v, %v", info, err)
	}
	var runs []mergepurge.Run
	if err := json.Unmarshal([]byte(s.ok("merge-purge", "list", "--json")), &runs); err != nil || len(runs) != 1 {
		t.Fatalf("runs: %+v, %v", runs, err)
	}
	id := strconv.FormatInt(runs[0].ID, 10)
	var run mergepurge.Run
	if err := json.Unmarshal([]byte(s.ok("merge-purge", "show", id, "--json")), &run); err != nil || run.Report == nil || run.Report.Inputs[1].Charge.Total.String() != "2.1" {
		t.Errorf("run: %+v, %v", run.Report, err)
	}
	if last := s.ok("merge-purge", "apply", id); !strings.Contains(last, `in_list("spring")`) {
		t.Errorf("applied: %s", last)
	}
	s.fails(1, []string{"applied already"}, "merge-purge", "apply", id)
	if n := s.ok("segment", "count", `in_list("spring")`); n != "3" {
		t.Errorf("in_list counts %s", n)
	}
	if n := s.ok("segment", "count", ""); n != "2" {
		t.Errorf("the house file has %s", n)
	}
	status, out, _ := s.run("merge-purge", "list")
	if status != 0 || !strings.Contains(out, "applied") || strings.Count(out, "\n") != 2 {
		t.Errorf("list: %s", out)
	}
	s.fails(1, []string{"nothing to cancel"}, "merge-purge", "cancel", id)
	s.fails(1, []string{"no merge/purge run 99"}, "merge-purge", "show", "99")
}
