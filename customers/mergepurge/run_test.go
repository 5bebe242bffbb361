package mergepurge

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/govalues/decimal"
	"github.com/xuri/excelize/v2"

	"aldine/customers"
	"aldine/internal/fault"
)

const head = "first_name,last_name,email,phone,street,city,postal_code,country\n"

const houseFile = "external_id," + head +
	"1,Anna,Schmidt,anna@example.org,,Lindenweg 4,Bonn,53111,DE\n" +
	"2,Bernd,Kowalski,bernd@example.org,,Am Markt 12,Bonn,53113,DE\n" +
	"3,Clara,Hoffmann,clara@example.org,,Ringstrasse 7,Köln,50667,DE\n" +
	"4,Dieter,Baumgart,dieter@example.org,+4930123456,Parkallee 9,Berlin,10115,DE\n" +
	"5,Emma,Zimmer,emma@example.org,,Dorfstr. 3,Köln,50668,DE\n"

const gardenFile = head +
	"Anna,Schmidt,anna@example.org,,Lindenweg 4,Bonn,53111,DE\n" + // in the house
	"Fritz,Lehmann,fritz@example.org,,Seestrasse 1,Potsdam,14467,DE\n" +
	"Fritz,Lehmann,fritz@example.org,,Seestr. 1,Potsdam,14467,DE\n" + // twice
	"Greta,Petersen,greta@example.org,,Hafenweg 20,Kiel,24103,DE\n" + // on the other list too
	"Hugo,Neumann,hugo@example.org,,Waldweg 5,Ulm,89073,DE\n" + // objected, by name
	"Ida,Krause,ida@stopped.example,,Bergstr. 8,Jena,07743,DE\n" + // objected, by e-mail
	"too,short\n" +
	"Jana,Vogel,not an e-mail,,Talweg 2,Trier,54290,DE\n" +
	"=cmd(),Winter,kurt@example.org,,Feldweg 6,Mainz,55116,DE\n"

const wineFile = head +
	"Greta,Petersen,greta@example.org,,Hafenweg 20,Kiel,24103,DE\n" +
	"Bernd,Kowalski,bernd@example.org,,Am Markt 12,Bonn,53113,DE\n" + // in the house
	"Lena,Sommer,lena@example.org,,Nordring 30,Essen,45127,DE\n"

const objectionsFile = head +
	"Hugo,Neumann,hugo@example.org,,Waldweg 5,Ulm,89073,DE\n" +
	",,IDA@stopped.example,,,,,\n" +
	",,,030 123456,,,,DE\n"

// springRun is a run with all kinds of inputs.
func springRun(b *bench, in NewRun) Run {
	b.house(houseFile)
	run := b.create(in)
	b.add(run, House, "", "")
	d := decimal.MustParse
	_, err := b.AddInput(b.ctx, run.ID, NewInput{Kind: Rented, Name: "GARDEN", FileName: "garden.csv", Body: strings.NewReader(gardenFile),
		Deal: &Deal{PricePerThousand: d("100"), NetShare: d("0.5"), RunningCharge: d("10"), Currency: "EUR", Uses: 1, MailBy: "2027-03-31"}})
	b.ok(err)
	b.add(run, Rented, "WINE", wineFile)
	b.add(run, Suppression, "objections", objectionsFile)
	return run
}

func TestRun(t *testing.T) {
	t.Parallel()
	b := setup(t)
	run := b.work(springRun(b, NewRun{Name: "spring", Allocation: Hierarchy}))
	r := run.Report
	for name, want := range map[string]string{"house": "5-0-1-0-0-0=4", "GARDEN": "9-2-2-1-0-1=3", "WINE": "3-0-0-0-1-1=1"} {
		if got := figures(r, name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if got := keys(r.Inputs[1].SuppressedBy); got != "objections: 1, objections (e-mail): 1" {
		t.Errorf("suppressed by %s", got)
	}
	if got := keys(r.Inputs[0].SuppressedBy); got != "objections (phone): 1" {
		t.Errorf("suppressed by %s", got)
	}
	if s := r.Inputs[3]; s.Entries != 3 || s.Suppresses != 3 || s.Input != 3 {
		t.Errorf("suppression file: %+v", s)
	}
	if r.Net != 8 || r.HouseFlagged != 2 || r.Multi[2] != 1 || r.Inputs[1].MultiBuyers != 1 {
		t.Errorf("report: %s", asJSON(r))
	}
	if diff := cmp.Diff([][]int64{{5, 1, 1, 1}, {1, 6, 1, 2}, {1, 1, 3, 0}, {1, 2, 0, 3}}, r.Overlap); diff != "" {
		t.Errorf("overlap: %s", diff)
	}
	// 9 names at 100/M with half of them sure to be paid: 5 at the price, 4 at the running charge.
	if c := r.Inputs[1].Charge; c == nil || c.Chargeable.String() != "5" || c.Total.String() != "0.54" || c.Currency != "EUR" {
		t.Errorf("charge: %+v", c)
	}
	if r.Inputs[2].Charge != nil {
		t.Error("a list without a deal has no charge")
	}
	if n := b.count(`SELECT count(*) FROM customers`) + b.count(`SELECT count(*) FROM lists`); n != 5 {
		t.Errorf("a run changed the database: %d", n)
	}

	records, err := b.Records(b.ctx, run.ID, Filter{Input: 2, Verdict: Duplicate}, 0, 10)
	b.ok(err)
	if len(records) != 2 || records[0].Reason != HouseMatch || records[0].Winner == nil || records[0].Winner.InputName != "house" || records[0].Winner.Name != "Anna Schmidt" ||
		records[0].Winner.CustomerID == 0 || records[0].Line != 2 || records[1].Reason != Intra || records[1].Winner.Line != 3 {
		t.Errorf("records: %s", asJSON(records))
	}
	records, err = b.Records(b.ctx, run.ID, Filter{Verdict: Rejected}, 0, 10)
	b.ok(err)
	if len(records) != 2 || records[0].Line != 8 || !strings.Contains(records[0].Reason, "2 fields") || !strings.Contains(records[1].Reason, "e-mail") {
		t.Errorf("rejected: %s", asJSON(records))
	}
}

func TestApply(t *testing.T) {
	t.Parallel()
	b := setup(t)
	run := b.work(springRun(b, NewRun{Name: "spring", Allocation: Hierarchy}))
	// The house file changes between the report and the list.
	b.ok(b.count0(`DELETE FROM customers WHERE last_name = 'Zimmer'`))
	run = b.apply1(run)
	if run.Report.Skipped != 1 || run.ListID == 0 {
		t.Errorf("skipped %d, list %d", run.Report.Skipped, run.ListID)
	}
	for sql, want := range map[string]int64{
		`SELECT count(*) FROM customers`:                                      8, // 4 of the house, 4 rented
		`SELECT count(*) FROM customers WHERE rented AND external_id IS NULL`: 4,
		`SELECT count(*) FROM customers c JOIN lists l USING (list_id) WHERE c.rented AND l.name = 'GARDEN' AND l.kind = 'rented'`:                                3,
		`SELECT count(*) FROM list_members m JOIN lists l USING (list_id) WHERE l.name = 'spring' AND l.kind = 'merged'`:                                          7,
		`SELECT count(*) FROM list_members m JOIN lists l USING (list_id) WHERE l.name = 'GARDEN'`:                                                                4, // with Anna of the house
		`SELECT count(*) FROM list_members m JOIN lists l USING (list_id) WHERE l.name = 'WINE'`:                                                                  2, // with Bernd
		`SELECT count(*) FROM lists WHERE name = 'GARDEN' AND gross = 9 AND net_share = 0.5 AND price_per_thousand = 100 AND uses = 1 AND mail_by = '2027-03-31'`: 1,
		`SELECT count(*) FROM merge_records WHERE fields IS NOT NULL`:                                                                                             0,
		`SELECT count(*) FROM customer_emails WHERE email = 'greta@example.org'`:                                                                                  1,
		`SELECT count(*) FROM customers WHERE rented AND household_id IS NULL`:                                                                                    0,
	} {
		if got := b.count(sql); got != want {
			t.Errorf("%s: %d, want %d", sql, got, want)
		}
	}
	if n := uploads(b); n != 0 {
		t.Errorf("%d uploads are left", n)
	}
	_, err := b.Apply(b.ctx, run.ID)
	b.wants(err, fault.Conflict, "applied already")
	b.wants(b.Delete(b.ctx, run.ID), fault.Conflict, "was applied")
	_, err = b.Create(b.ctx, NewRun{Name: "spring"})
	b.wants(err, fault.Conflict, "list named")
	rows := b.net(run)
	if len(rows) != 8 { // the head and seven names
		t.Errorf("net after applying: %v", rows)
	}
}

func TestFiles(t *testing.T) {
	t.Parallel()
	b := setup(t)
	run := b.work(springRun(b, NewRun{Name: "=spring", Allocation: Hierarchy}))
	rows := b.net(run)
	if len(rows) != 9 || strings.Join(rows[0][:5], ",") != "record,list,line,customer_id,lists" {
		t.Fatalf("net: %v", rows)
	}
	for _, row := range rows[1:] {
		if row[8] == "Winter" && row[7] != "'=cmd()" {
			t.Errorf("a formula in %v", row)
		}
		if row[8] == "Petersen" && (row[4] != "2" || row[1] != "GARDEN" || row[2] != "5") {
			t.Errorf("multi-buyer: %v", row)
		}
	}
	var out bytes.Buffer
	b.ok(b.WriteXLSX(b.ctx, run.ID, &out))
	book, err := excelize.OpenReader(&out)
	b.ok(err)
	defer book.Close()
	if diff := cmp.Diff([]string{"Summary", "Lists", "Overlap", "Suppressed reasons", "Multi-buyers"}, book.GetSheetList()); diff != "" {
		t.Error(diff)
	}
	for at, want := range map[string]string{"Summary!B1": "'=spring", "Lists!A3": "GARDEN", "Lists!C3": "9", "Lists!J3": "3", "Overlap!C3": "6", "Suppressed reasons!B3": "objections",
		"Multi-buyers!A2": "2x", "Multi-buyers!B2": "1"} {
		sheet, cell, _ := strings.Cut(at, "!")
		if got, err := book.GetCellValue(sheet, cell); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", at, got, err, want)
		}
	}
}

// The three allocations give the same totals, and a rerun with the same seed the same records.
func TestAllocationsOfRun(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.house(houseFile)
	var before []string
	for i, in := range []NewRun{{Name: "a", Allocation: Hierarchy}, {Name: "b", Allocation: Random, Seed: 3}, {Name: "c", Allocation: RandomWithinHierarchy, Seed: 3},
		{Name: "d", Allocation: RandomWithinHierarchy, Seed: 3}} {
		run := b.create(in)
		b.add(run, House, "", "")
		b.add(run, Rented, "GARDEN", gardenFile)
		b.add(run, Rented, "WINE", wineFile)
		run = b.work(run)
		if run.Report.Net != 11 {
			t.Errorf("%s: net %d", in.Allocation, run.Report.Net)
		}
		if got := b.verdicts(run); i == 3 && !cmp.Equal(before, got) {
			t.Errorf("the same seed gave something else: %s", cmp.Diff(before, got))
		} else {
			before = got
		}
	}
}

func TestLevels(t *testing.T) {
	t.Parallel()
	couple := head + "Anna,Schmidt,anna@example.org,,Lindenweg 4,Bonn,53111,DE\n" + "Olaf,Schmidt,olaf@example.org,,Lindenweg 4,Bonn,53111,DE\n" +
		"Peter,Quandt,peter@example.org,,Lindenweg 4,Bonn,53111,DE\n" + "Rita,Ahlers,rita@example.org,,Moorweg 17,Bremen,28195,DE\n"
	for level, want := range map[string]string{Person: "4-0-0-0-0-0=4", Household: "4-0-0-1-0-0=3", Residence: "4-0-0-2-0-0=2", Company: "4-0-0-0-0-0=4"} {
		t.Run(level, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			run := b.create(NewRun{Level: level})
			b.add(run, Rented, "LIST", couple)
			run = b.work(run)
			if got := figures(run.Report, "LIST"); got != want {
				t.Errorf("%s, want %s", got, want)
			}
			if in := run.Report.Inputs[0]; in.ByLevel != in.IntraDuplicates {
				t.Errorf("%d of %d duplicates by level", in.ByLevel, in.IntraDuplicates)
			}
		})
	}
}

func TestCompanies(t *testing.T) {
	t.Parallel()
	b := setup(t)
	run := b.create(NewRun{Level: Company})
	b.add(run, Rented, "A", "company,first_name,last_name,country\nMuster GmbH,Anna,Schmidt,DE\nMuster,Bernd,Kowalski,DE\nAndere AG,Clara,Hoffmann,DE\n")
	b.add(run, Rented, "B", "company,first_name,last_name,country\nANDERE AG,Dieter,Baumgart,DE\n")
	r := b.work(run).Report
	if figures(r, "A") != "3-0-0-1-0-0=2" || figures(r, "B") != "1-0-0-0-1-0=0" || r.Overlap[0][1] != 1 || r.Overlap[0][0] != 2 {
		t.Errorf("%s %s %v", figures(r, "A"), figures(r, "B"), r.Overlap)
	}
}

// What the database knows to be suppressed counts in a run, with scope and reason.
func TestDatabaseSuppressions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.house(houseFile)
	past := b.at.AddDate(0, 0, -1)
	_, err := b.customers.Suppress(b.ctx, []customers.Suppression{
		{Scope: "email", Value: "anna@example.org", Reason: "asked"},
		{Scope: "domain", Value: "stopped.example", Reason: "a partner's people"},
		{Scope: "address", Address: &customers.Address{Street: "Seestraße 1", PostalCode: "14467", City: "Potsdam", Country: "DE"}, Reason: "prison"},
		{Scope: "email", Value: "greta@example.org", Reason: "long ago", ExpiresAt: &past},
		{Scope: "email", Value: "hugo@example.org", Reason: "no letters", Channel: "post"},
	})
	b.ok(err)
	for name, c := range map[string]struct {
		channel, garden, by string
	}{
		"all":  {"", "9-2-4-0-0-0=3", "a partner's people (domain): 1, asked (email): 1, prison (address): 2"},
		"post": {"post", "9-2-5-0-0-0=2", "a partner's people (domain): 1, asked (email): 1, no letters (email): 1, prison (address): 2"},
	} {
		run := b.create(NewRun{Name: name, Channel: c.channel})
		b.add(run, House, "", "")
		b.add(run, Rented, "GARDEN", gardenFile)
		r := b.work(run).Report
		if got := figures(r, "GARDEN"); got != c.garden {
			t.Errorf("%s: %s, want %s", name, got, c.garden)
		}
		if got := keys(r.Inputs[1].SuppressedBy); got != c.by {
			t.Errorf("%s: by %s", name, got)
		}
		if got := figures(r, "house"); got != "5-0-1-0-0-0=4" {
			t.Errorf("%s: house %s", name, got)
		}
	}
}

// Two house inputs: a customer whom both select belongs to the first.
func TestHouseExpressions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.house(houseFile)
	run := b.create(NewRun{})
	_, err := b.AddInput(b.ctx, run.ID, NewInput{Kind: House, Name: "Bonn", Expression: "city:Bonn"})
	b.ok(err)
	_, err = b.AddInput(b.ctx, run.ID, NewInput{Kind: House, Name: "all"})
	b.ok(err)
	_, err = b.AddInput(b.ctx, run.ID, NewInput{Kind: House, Name: "bad", Expression: "what"})
	b.wants(err, fault.Invalid, "not a city")
	r := b.work(run).Report
	if figures(r, "Bonn") != "2-0-0-0-0-0=2" || figures(r, "all") != "3-0-0-0-0-0=3" {
		t.Errorf("%s, %s", figures(r, "Bonn"), figures(r, "all"))
	}
}

// Whoever asked to be erased does not come back by a rented list, neither before the report nor between it and the list.
func TestErased(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.house("external_id," + head + "1,Greta,Petersen,greta@example.org,,Hafenweg 20,Kiel,24103,DE\n2,Lena,Sommer,lena@example.org,,Nordring 30,Essen,45127,DE\n")
	b.ok(b.customers.Erase(b.ctx, 1))
	run := b.create(NewRun{})
	b.add(run, Rented, "WINE", wineFile)
	run = b.work(run)
	if figures(run.Report, "WINE") != "3-0-1-0-0-0=2" || keys(run.Report.Inputs[0].SuppressedBy) != "asked to be erased: 1" {
		t.Errorf("%s", asJSON(run.Report))
	}
	b.ok(b.customers.Erase(b.ctx, 2))
	b.apply1(run)
	if n := b.count(`SELECT count(*) FROM customers WHERE rented`); n != 1 {
		t.Errorf("%d rented names", n)
	}
}

func (b *bench) net(run Run) [][]string {
	b.t.Helper()
	var out bytes.Buffer
	b.ok(b.WriteNet(b.ctx, run.ID, &out))
	rows, err := csv.NewReader(&out).ReadAll()
	b.ok(err)
	return rows
}

func (b *bench) count0(sql string) error {
	_, err := b.pool.Exec(b.ctx, sql)
	return err
}
