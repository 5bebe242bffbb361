package customers

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"aldine/internal/fault"
)

// startDry runs the dry run of a text.
func (b *bench) startDry(kind, list, text string) Import {
	b.t.Helper()
	imp, err := b.StartImport(b.ctx, StartImport{Kind: kind, FileName: "test.csv", List: list, Body: strings.NewReader(text), Hold: true, DryRun: true})
	b.ok(err)
	imp, err = b.RunImport(b.ctx, imp.ID)
	b.ok(err)
	return imp
}

// everything is dump and what else an import may touch.
func (b *bench) everything() string {
	b.t.Helper()
	return fmt.Sprint(b.dump(), b.count(`SELECT (SELECT count(*) FROM river_job) + 1000 * (SELECT count(*) FROM household_work) + 1000000 * (SELECT count(*) FROM residences)
		+ 10000000 * (SELECT count(*) FROM products) + 100000000 * (SELECT count(*) FROM settings)`), b.count(`SELECT last_value FROM customers_customer_id_seq`))
}

// A dry run changes nothing, and the import that follows does exactly what it said.
func TestDryRun(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load("customers", "house", "id,first_name,last_name,email,city,email_consent\n1,Ann,Smith,a@b.org,Wien,yes\n2,Bob,Jones,b@b.org,Graz,\n3,Cid,Hall,c@b.org,Linz,\n")
	_, err := b.DefineAttribute(b.ctx, Attribute{Name: "points", Type: Number})
	b.ok(err)
	var text strings.Builder
	text.WriteString("id,first_name,last_name,email,street,zip,country,points,email_consent\n" +
		"1,Ann,Smith,a@b.org,,,,7,no\n" + // changed
		"2,Bob,Jones,b@b.org,,,,,\n" + // only joins the list
		"bad\n,Cid,Hall,c@b.org,,,,,\n" +
		"9,X,Y,foo@,,,,,\n10,X,Y,bar@,,,,,\n" +
		"11,Dan,Ray,,1 Main St,1067,DE,1,yes\n")
	for i := range 45_000 { // several chunks; the last rows name earlier ones
		fmt.Fprintf(&text, "n-%d,Name%d,Last,user%d@example.org,%d Elm St,10115,DE,%d,\n", i%40_000, i%40_000, i%40_000, i%300, i%9)
	}
	text.WriteString(",Ann,Smith,a@b.org,,,,,\n")
	b.at = b.at.Add(time.Hour)
	before := b.everything()
	dry := b.startDry("customers", "house", text.String())
	if diff := cmp.Diff(before, b.everything()); diff != "" {
		t.Fatalf("the dry run changed something: %s", diff)
	}
	if figures(dry) != "40001/1/2/5001/3" || dry.State != ImportFinished || !dry.DryRun || dry.Repaired != 1 {
		t.Errorf("dry run: %s %+v", figures(dry), dry)
	}
	want := &ImportReport{
		Rejected: []RejectedBecause{{Reason: "email: has nothing after the @", Rows: 2, Line: 6, Example: `email: "foo@" has nothing after the @`},
			{Reason: "the row has 1 field, the header has 9", Rows: 1, Line: 4, Example: "the row has 1 field, the header has 9"}},
		Consents: []ConsentChange{{"email", false, 1}, {"email", true, 1}}, Households: dry.Report.Households, Joined: 40_001}
	if diff := cmp.Diff(want, dry.Report); diff != "" {
		t.Error(diff)
	}
	_, err = b.ImportNow(b.ctx, dry.ID, true)
	b.ok(err)
	done, err := b.RunImport(b.ctx, dry.ID)
	b.ok(err)
	if figures(done) != figures(dry) || done.DryRun || done.Repaired != dry.Repaired {
		t.Errorf("dry run %s, import %s", figures(dry), figures(done))
	}
	if diff := cmp.Diff(dry.Report.Rejected, done.Report.Rejected); diff != "" {
		t.Error(diff)
	}
	if c := b.byExternal("11"); c.PostalCode != "01067" {
		t.Errorf("postal code %q", c.PostalCode)
	}
	_, err = b.ImportNow(b.ctx, dry.ID, true)
	b.wants(err, fault.Conflict, "not a dry run")
	again := b.startDry("customers", "house", text.String())
	if figures(again) != "0/0/40004/5001/3" {
		t.Errorf("again: %s", figures(again))
	}
	b.ok(b.Cancel(b.ctx, again.ID)) // the file is thrown away
	if files, err := os.ReadDir(filepath.Join(b.dataDir, "imports")); err != nil || len(files) != 0 {
		t.Errorf("%d uploads were left behind, %v", len(files), err)
	}
	_, err = b.ImportNow(b.ctx, again.ID, true)
	b.wants(err, fault.Conflict, "not kept")
}

func TestDryRunOfOrders(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load("customers", "", "id\nA\nB\n")
	b.load("orders", "", "order_id,customer_external_id,ordered_at,amount,currency\n1,A,2026-01-01,5,EUR\n2,A,2026-01-02,6,EUR\n")
	before := b.everything()
	text := "order_id,customer_external_id,ordered_at,amount,currency,sku\n1,A,2026-01-01,5,EUR,\n2,A,2026-01-02,7,EUR,\n3,B,2026-01-03,8,EUR,ROSES\n3,B,2026-01-03,1,EUR,TULIPS\n4,C,2026-01-03,8,EUR,\n"
	dry := b.startDry("orders", "", text)
	if diff := cmp.Diff(before, b.everything()); diff != "" {
		t.Fatalf("the dry run changed something: %s", diff)
	}
	if imp := b.load("orders", "", text); figures(imp) != figures(dry) || figures(dry) != "2/1/1/0/1" {
		t.Errorf("dry run %s, import %s", figures(dry), figures(imp))
	}
}

// A dry run whose word does not come is thrown away after a day.
func TestDryRunIsDropped(t *testing.T) {
	t.Parallel()
	b := setup(t)
	dry := b.startDry("customers", "", "id\n1\n")
	b.at = b.at.Add(25 * time.Hour)
	b.load("customers", "", "id\n2\n")
	if imp, err := b.Import(b.ctx, dry.ID); err != nil || imp.State != ImportCancelled {
		t.Errorf("%+v, %v", imp, err)
	}
	if files, err := os.ReadDir(filepath.Join(b.dataDir, "imports")); err != nil || len(files) != 0 {
		t.Errorf("%d uploads were left behind, %v", len(files), err)
	}
}

func TestPreviewImport(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load("customers", "", "id,last_name,email\n1,Smith,a@b.org\n2,Jones,b@b.org\n")
	path := filepath.Join(t.TempDir(), "in.csv")
	b.ok(os.WriteFile(path, []byte("nr;last name;E-Mail;Zip;Land\n1;Smythe;a@b.org;;\n2;Jones;B@B.org;;\n3;New; c@D.org;1067;Germany\n3;New;;;\n4;x;y;;\nragged\n"), 0o600))
	before := b.everything()
	in := StartImport{Kind: "customers", Mapping: map[string]string{"nr": "external_id"}}
	p, err := b.PreviewImport(b.ctx, path, in, 20)
	b.ok(err)
	got := []string{}
	for _, r := range p.Rows {
		got = append(got, fmt.Sprintf("%d %s %d %d %s", r.Line, r.Verdict, r.CustomerID, r.OfLine, r.Reason))
	}
	one, two := b.byExternal("1").ID, b.byExternal("2").ID
	want := []string{fmt.Sprintf("2 updated %d 0 ", one), fmt.Sprintf("3 unchanged %d 0 ", two), "4 created 0 0 ", "5 duplicate 0 4 ",
		`6 rejected 0 0 E-Mail: "y" has no @`, "7 rejected 0 0 the row has 1 field, the header has 5"}
	// A different way to write an e-mail is a change.
	want[1] = strings.Replace(want[1], "unchanged", "updated", 1)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if v := p.Rows[2].Values; v["postal_code"] != "01067" || v["country"] != "DE" || v["email"] != "c@d.org" {
		t.Errorf("%v", v)
	}
	if diff := cmp.Diff([]string{"external_id", "last_name", "email", "postal_code", "country"}, p.Fields()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(before, b.everything()); diff != "" {
		t.Errorf("the preview changed something: %s", diff)
	}
	in.Mapping = map[string]string{"nr": "shoe"}
	_, err = b.PreviewImport(b.ctx, path, in, 20)
	b.wants(err, fault.Invalid, "no field or attribute")
}

func TestRepairPostal(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"1067 DE": "01067", "501 US": "00501", "2101.0 US": "02101", "90210.0 US": "90210", "90210 US": "90210",
		"12 US": "12", "1010 AT": "1010", "02101-1234 US": "02101-1234", "800 AU": "0800", "SW1A GB": "SW1A", "1a67 DE": "1a67", "123456 DE": "123456"} {
		code, country, _ := strings.Cut(in, " ")
		if got, did := repairPostal(code, country); got != want || did != (got != code) {
			t.Errorf("%s: %s, %t", in, got, did)
		}
	}
}
