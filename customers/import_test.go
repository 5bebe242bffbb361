package customers

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/riverqueue/river"

	"aldine/internal/fault"
	"aldine/internal/queue"
)

func TestImportPublicFiles(t *testing.T) {
	t.Parallel()
	b := setup(t)
	// Its e-mails are damaged on purpose; 30 are none any more ("lucas.harrington@com", "em@aosn@ware.com").
	fake := b.loadFile("customers", "fake", "fake-1000/fake_1000.csv")
	if got := figures(fake); got != "970/0/0/0/30" {
		t.Errorf("fake-1000: %s", got)
	}
	if n := b.count(`SELECT count(*) FROM import_rejects WHERE import_id = $1 AND reason LIKE 'email: %'`, fake.ID); n != 30 {
		t.Errorf("%d rows of fake-1000 were rejected for their e-mail", n)
	}
	if got := figures(b.loadFile("customers", "febrl", "febrl1/dataset1.csv")); got != "1000/0/0/0/0" {
		t.Errorf("febrl1: %s", got)
	}
	c := b.byExternal("rec-122-org")
	want := Fields{ExternalID: "rec-122-org", FirstName: "lachlan", LastName: "berry", Street: "69 giblin street", Address2: "killarney",
		City: "bittern", PostalCode: "4814", Region: "qld"}
	if c.Fields != want || c.AddressHash == nil || c.HouseholdID == nil {
		t.Errorf("%+v", c)
	}
	c = b.byExternal("2")
	if c.FirstName != "Rob" || c.LastName != "Allen" || c.City != "London" || c.Email != "roberta25@smith.net" {
		t.Errorf("%+v", c)
	}
	if got := figures(b.loadFile("customers", "", "cdnow-sample/customers.csv")); got != "2357/0/0/0/0" {
		t.Errorf("cdnow customers: %s", got)
	}
	if got := figures(b.loadFile("orders", "", "cdnow-sample/orders.csv")); got != "6919/0/0/0/0" {
		t.Errorf("cdnow orders: %s", got)
	}
	var spent string
	b.ok(b.pool.QueryRow(b.ctx, `SELECT sum(total_spent)::text FROM customers`).Scan(&spent))
	if spent != "244091.9400" {
		t.Errorf("total spent %s", spent)
	}
	if n := b.count(`SELECT sum(orders_count) FROM customers`); n != 6919 {
		t.Errorf("%d orders counted", n)
	}
	if n := b.count(`SELECT count(DISTINCT ref) FROM river_job,
		jsonb_array_elements_text(CASE kind WHEN 'orders_recorded' THEN (args->>'refs')::jsonb ELSE '[]' END) ref`); n != 6919 {
		t.Errorf("%d orders handed to attribution", n)
	}
	before := b.dump()
	b.at = b.at.Add(time.Hour)
	for _, f := range []struct{ kind, list, name, want string }{
		{"customers", "fake", "fake-1000/fake_1000.csv", "0/0/970/0/30"},
		{"customers", "febrl", "febrl1/dataset1.csv", "0/0/1000/0/0"},
		{"customers", "", "cdnow-sample/customers.csv", "0/0/2357/0/0"},
		{"orders", "", "cdnow-sample/orders.csv", "0/0/6919/0/0"},
	} {
		if got := figures(b.loadFile(f.kind, f.list, f.name)); got != f.want {
			t.Errorf("%s again: %s", f.name, got)
		}
	}
	if diff := cmp.Diff(before, b.dump()); diff != "" {
		t.Errorf("the same files again changed something:\n%s", diff)
	}
}

// Who is whom: each case is files loaded one after the other, and how many customers there are then.
func TestMatching(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files []string
		want  string // figures of the last file
		total int64
	}{
		"same external id":          {[]string{"id,last_name\n1,Smith\n", "id,last_name\n1,Jones\n"}, "0/1/0/0/0", 1},
		"couple":                    {[]string{"email,first_name,last_name\nx@y.org,Ann,Smith\n", "email,first_name,last_name\nX@Y.org,Bob,Smith\n"}, "1/0/0/0/0", 2},
		"accents and case":          {[]string{"email,first_name,last_name\nx@y.org,José,Müller\n", "email,first_name,last_name\nx@y.org,JOSE,MULLER\n"}, "0/1/0/0/0", 1},
		"initial":                   {[]string{"email,first_name,last_name\nx@y.org,Ann,Smith\n", "email,first_name,last_name\nx@y.org,A.,Smith\n"}, "0/0/1/0/0", 1},
		"initial first":             {[]string{"email,first_name,last_name\nx@y.org,J,Smith\nx@y.org,Jane,Smith\nx@y.org,Jack,Smith\n"}, "2/0/0/1/0", 2},
		"no name":                   {[]string{"email,first_name\nx@y.org,Ann\n", "email\nx@y.org\n"}, "0/0/1/0/0", 1},
		"id adopts":                 {[]string{"email,last_name\nx@y.org,Smith\n", "id,email,last_name\n7,x@y.org,Smith\n"}, "0/1/0/0/0", 1},
		"id does not adopt another": {[]string{"id,email,last_name\n6,x@y.org,Smith\n", "id,email,last_name\n7,x@y.org,Smith\n"}, "1/0/0/0/0", 2},
		"id with other name":        {[]string{"email,last_name\nx@y.org,Smith\n", "id,email,last_name\n7,x@y.org,Jones\n"}, "1/0/0/0/0", 2},
		"phone alone":               {[]string{"phone,last_name\n+4930123456,Smith\n", "phone,last_name\n+4930123456,Jones\n"}, "1/0/0/0/0", 2},
		"phone and first name":      {[]string{"phone,last_name,first_name\n+4930123456,Smith,Ann\n", "phone,last_name\n+4930123456,Smith\n"}, "1/0/0/0/0", 2},
		"address alone":             {[]string{"last_name,street,zip\nSmith,1 Main St,10001\n", "last_name,street,zip\nJones,1 Main St,10001\n"}, "1/0/0/0/0", 2},
		"all the same":              {[]string{"last_name,street,zip\nSmith,1 Main St,10001\n", "last_name,street,zip\nSmith,1 Main St,10001\n"}, "0/0/1/0/0", 1},
		"named twice":               {[]string{"id,city\n1,Wien\n1,Graz\n2,Linz\n"}, "2/0/0/1/0", 2},
		"full name":                 {[]string{"email,name\nx@y.org,Ann Mary Smith\n", "email,name\nx@y.org,\"Smith, Ann Mary\"\n"}, "0/0/1/0/0", 1},
		"nameless first":            {[]string{"email,first_name\nx@y.org,\nx@y.org,Ann\nx@y.org,Bob\n"}, "2/0/0/1/0", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			var imp Import
			for _, f := range c.files {
				imp = b.load("customers", "", f)
			}
			if got := figures(imp); got != c.want {
				t.Errorf("figures %s, want %s", got, c.want)
			}
			if n := b.count(`SELECT count(*) FROM customers`); n != c.total {
				t.Errorf("%d customers, want %d", n, c.total)
			}
			before := b.dump()
			b.at = b.at.Add(time.Hour)
			again := b.load("customers", "", c.files[len(c.files)-1])
			if again.Created != 0 || again.Updated != 0 || again.Duplicates != imp.Duplicates {
				t.Errorf("again: %s", figures(again))
			}
			if diff := cmp.Diff(before, b.dump()); diff != "" {
				t.Errorf("again: %s", diff)
			}
		})
	}
}

func TestMergeRules(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load("customers", "", "id,first_name,street,address2,city,zip,phone\n1,Ann,1 Main St,Flat 2,Boston,02101,\n")
	b.load("customers", "", "id,first_name,street,address2,city,zip,phone\n1,,5 Elm St,,Salem,01970,+1 617 555 0123\n")
	c := b.byExternal("1")
	if want := (Fields{ExternalID: "1", FirstName: "Ann", Street: "5 Elm St", City: "Salem", PostalCode: "01970"}); c.FirstName != want.FirstName ||
		c.Street != want.Street || c.Address2 != "" || c.City != want.City || c.PostalCode != want.PostalCode {
		t.Errorf("%+v", c.Fields)
	}
	imp := b.load("customers", "", "id,city,email,title\n9,Wien,,\n9,Graz,a@b.org,Dr\n")
	c = b.byExternal("9")
	if figures(imp) != "1/0/0/1/0" || c.City != "Wien" || c.Email != "a@b.org" || c.Title != "Dr" {
		t.Errorf("%s %+v", figures(imp), c.Fields)
	}
	// Moving to a new e-mail moves the look-up too.
	b.load("customers", "", "id,email\n9,c@d.org\n")
	if n := b.count(`SELECT count(*) FROM customer_emails WHERE email = 'a@b.org'`); n != 0 {
		t.Error("the old e-mail is still looked up")
	}
	if n := b.count(`SELECT count(*) FROM customer_emails WHERE email = 'c@d.org'`); n != 1 {
		t.Error("the new e-mail is not looked up")
	}
}

func TestImportRejects(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := b.DefineAttribute(b.ctx, Attribute{Name: "points", Type: Number})
	b.ok(err)
	imp := b.load("customers", "", strings.Join([]string{
		"id;e-mail;phone;country;points;opt-in", // 1
		"1;a@b.org;;;5;yes",
		"2;foo@;;;;",
		"3;;12;;;",
		"4;;;Atlantis;;",
		"5;;;;many;",
		"6;;;;;perhaps",
		";;;;7;",
		"8;;",
		"9;\"x;;;;",
		"=cmd|' /C calc'!A0;bad;;;;",
		"10;;030 1234567;Germany;;no",
	}, "\n"))
	if figures(imp) != "2/0/0/0/9" {
		t.Errorf("figures %s", figures(imp))
	}
	var out bytes.Buffer
	b.ok(b.WriteRejects(b.ctx, imp.ID, &out))
	rows, err := csv.NewReader(&out).ReadAll()
	b.ok(err)
	want := [][]string{
		{"line", "reason", "row"},
		{"3", `e-mail: "foo@" has nothing after the @`, "2;foo@;;;;"},
		{"4", `phone: "12" is not a number of its country's numbering plan`, "3;;12;;;"},
		{"5", `country: "Atlantis" is not a country: use its two letters (ISO 3166), such as DE`, "4;;;Atlantis;;"},
		{"6", `points: "many" is not a number such as 12.5`, "5;;;;many;"},
		{"7", `opt-in: "perhaps" is not yes or no`, "6;;;;;perhaps"},
		{"8", "the row tells nothing by which to know a customer", ";;;;7;"},
		{"9", "the row has 3 fields, the header has 6", "8;;"},
		{"10", "a quoted field is not closed, or text follows its closing quote", `9;"x;;;;`},
		{"11", `e-mail: "bad" has no @`, "'=cmd|' /C calc'!A0;bad;;;;"},
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Error(diff)
	}
	if c := b.byExternal("10"); c.Phone != "+49301234567" || c.Country != "DE" {
		t.Errorf("%+v", c.Fields)
	}
	if c := b.byExternal("1"); c.Attributes["points"] != 5.0 {
		t.Errorf("%+v", c.Attributes)
	}
}

func TestImportRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, c := range map[string]struct {
		in   StartImport
		want string
	}{
		"kind":       {StartImport{Kind: "pets"}, `"pets" cannot be imported`},
		"empty":      {StartImport{Kind: "customers"}, "the file is empty"},
		"unknown":    {StartImport{Kind: "customers", List: "new", Body: strings.NewReader("foo,bar\n1,2\n")}, "no column of the first line is known"},
		"binary":     {StartImport{Kind: "customers", Body: strings.NewReader("PK\x03\x04\x00\x00\n")}, "cannot be read as a header"},
		"orders":     {StartImport{Kind: "orders", Body: strings.NewReader("order_id,amount\n1,2\n")}, "lacks customer_external_id, ordered_at"},
		"list":       {StartImport{Kind: "orders", List: "x", Body: strings.NewReader("order_id\n")}, "only customers join a list"},
		"map column": {StartImport{Kind: "customers", Body: strings.NewReader("id\n1\n"), Mapping: map[string]string{"nr": "id"}}, "no such column"},
		"map field":  {StartImport{Kind: "customers", Body: strings.NewReader("nr\n1\n"), Mapping: map[string]string{"nr": "shoe"}}, `no field or attribute named "shoe"`},
		"map twice":  {StartImport{Kind: "customers", Body: strings.NewReader("a,b\n1,2\n"), Mapping: map[string]string{"a": "email", "b": "email"}}, "email is the field of column"},
	} {
		_, err := b.StartImport(b.ctx, c.in)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := b.count(`SELECT (SELECT count(*) FROM imports) + (SELECT count(*) FROM lists) + (SELECT count(*) FROM river_job)`); n != 0 {
		t.Errorf("%d rows were left behind", n)
	}
}

// An import that is stopped again and again ends with every row in once.
func TestImportResumes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var text strings.Builder
	text.WriteString("id,first_name,email\n")
	const rows = 65_000
	for i := range rows {
		fmt.Fprintf(&text, "c-%d,Name%d,user%d@example.org\n", i*7%50_000, i, i%50_000) // the last 15,000 name known ids
		if i%10_000 == 0 {
			text.WriteString("bad\n")
		}
	}
	imp, err := b.start("customers", "resumed", text.String())
	b.ok(err)
	stops := 0
	for {
		ctx, cancel := context.WithCancel(b.ctx)
		go func() { // stop once one more chunk is stored
			for ctx.Err() == nil {
				if now, err := b.Import(b.ctx, imp.ID); err != nil || now.Rows > imp.Rows {
					cancel()
				}
				time.Sleep(5 * time.Millisecond)
			}
		}()
		done, err := b.RunImport(ctx, imp.ID)
		cancel()
		if err == nil {
			imp = done
			break
		}
		stops++
		before := imp.Rows
		imp, err = b.Import(b.ctx, imp.ID)
		b.ok(err)
		if imp.State == ImportFinished { // the stop came after the last chunk
			break
		}
		if imp.State != ImportRunning || imp.Rows == before || stops > 20 {
			t.Fatalf("after stop %d: %+v", stops, imp)
		}
	}
	if figures(imp) != "50000/0/0/15000/7" || imp.Rows != rows+7 {
		t.Errorf("after %d stops: %s of %d rows", stops, figures(imp), imp.Rows)
	}
	if stops < 2 {
		t.Errorf("stopped only %d times", stops)
	}
	if n := b.count(`SELECT count(*) FROM customers c JOIN customer_external_ids USING (external_id, customer_id) JOIN list_members USING (customer_id)`); n != 50_000 {
		t.Errorf("%d customers", n)
	}
	again := b.load("customers", "resumed", text.String())
	if figures(again) != "0/0/50000/15000/7" {
		t.Errorf("again: %s", figures(again))
	}
}

// The job runs the import; a job for one that a dead process left behind carries on.
func TestImportJob(t *testing.T) {
	t.Parallel()
	b := setup(t)
	imp, err := b.StartImport(b.ctx, StartImport{Kind: "customers", Body: strings.NewReader("id\n1\n2\n")})
	b.ok(err)
	left, err := b.start("customers", "", "id\n3\n")
	b.ok(err)
	_, err = b.pool.Exec(b.ctx, `UPDATE imports SET state = 'running' WHERE import_id = $1`, left.ID)
	b.ok(err)
	b.ok(b.ResumeImports(b.ctx))
	workers := river.NewWorkers()
	b.Register(workers)
	river.AddWorker(workers, river.WorkFunc(func(context.Context, *river.Job[OrdersRecordedArgs]) error { return nil }))
	client, err := queue.NewWorking(b.pool, workers, "test", slog.New(slog.DiscardHandler))
	b.ok(err)
	b.ok(client.Start(b.ctx))
	defer func() { b.ok(client.Stop(context.WithoutCancel(b.ctx))) }()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		one, err := b.Import(b.ctx, imp.ID)
		b.ok(err)
		two, err := b.Import(b.ctx, left.ID)
		b.ok(err)
		if one.State == ImportFinished && two.State == ImportFinished {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("still %s and %s", one.State, two.State)
		}
	}
	if n := b.count(`SELECT count(*) FROM customers`); n != 3 {
		t.Errorf("%d customers", n)
	}
	if files, err := os.ReadDir(filepath.Join(b.dataDir, "imports")); err != nil || len(files) != 0 {
		t.Errorf("%d uploads were left behind, %v", len(files), err)
	}
}

func TestImportRunsOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	imp := b.load("customers", "", "id\n1\n")
	_, err := b.RunImport(b.ctx, imp.ID)
	b.wants(err, fault.Conflict, "is finished")
	b.wants(b.Cancel(b.ctx, imp.ID), fault.Conflict, "has ended")
	_, err = b.RunImport(b.ctx, 999)
	b.wants(err, fault.NotFound, "no import 999")
	imp, err = b.start("customers", "", "id\n1\n")
	b.ok(err)
	b.ok(b.Cancel(b.ctx, imp.ID))
	_, err = b.RunImport(b.ctx, imp.ID)
	b.wants(err, fault.Conflict, "is cancelled")
}

func TestImportOrders(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load("customers", "", "id\nA\nB\n")
	file := strings.Join([]string{
		"order_id,customer_external_id,ordered_at,quantity,amount,currency,sku,keycode",
		"1,A,2026-01-02,2,10.50,EUR,ROSES,K1",
		"1,A,2026-01-02,1,4.50,EUR,TULIPS,",
		"2,B,2026-01-03T10:00:00+01:00,1,7,eur,,",
		"2,B,2026-01-03T10:00:00+01:00,1,7,eur,,",
		"3,C,2026-01-03,1,7,EUR,,",
		"4,A,2026-02-30,1,7,EUR,,",
		"5,A,2026-02-01,1,seven,EUR,,",
		"6,A,2026-02-01,1,7,ZZZ,,",
		"7,A,2026-02-01,1,7,USD,,",
		"8,A,2026-02-01,1.5,7,EUR,,",
		"1,A,2026-01-02,1,4.50,EUR,LILIES,",
		",A,2026-01-02,1,4.50,EUR,,",
		"9,A,2026-03-01,-1,-4.50,EUR,,",
	}, "\n")
	imp := b.load("orders", "", file)
	if figures(imp) != "4/0/0/1/8" {
		t.Errorf("figures %s", figures(imp))
	}
	rejects, err := b.Rejects(b.ctx, imp.ID, 0, 100)
	b.ok(err)
	var got []string
	for _, r := range rejects {
		got = append(got, fmt.Sprintf("%d %s", r.Line, r.Reason))
	}
	want := []string{
		`6 customer_external_id: there is no customer "C"`,
		`7 ordered_at: "2026-02-30" is not a date or time such as 2026-11-23 or 2026-11-23T09:30:00Z`,
		`8 amount: "seven" is not an amount such as 12.50`,
		`9 currency: "ZZZ" is not a currency: use an ISO 4217 code such as EUR`,
		`10 currency: there is no exchange rate from USD to EUR`,
		`11 quantity: "1.5" is not a whole number`,
		`12 order_id: order "1" began further up; the rows of one order must stand together`,
		`13 order_id: is missing`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	c := b.byExternal("A")
	if c.OrdersCount != 2 || c.TotalSpent.String() != "10.50" || !c.LastOrderAt.Equal(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("%d orders, %s, %v", c.OrdersCount, c.TotalSpent, c.LastOrderAt)
	}
	before := b.dump()
	if again := b.load("orders", "", file); figures(again) != "0/0/4/1/8" {
		t.Errorf("again: %s", figures(again))
	}
	if diff := cmp.Diff(before, b.dump()); diff != "" {
		t.Error(diff)
	}
	imp = b.load("orders", "", strings.Replace(file, "-4.50,EUR", "-5.50,EUR", 1))
	if c := b.byExternal("A"); figures(imp) != "0/1/3/1/8" || c.TotalSpent.String() != "9.50" {
		t.Errorf("changed: %s, %s", figures(imp), c.TotalSpent)
	}
}

func TestImportConsents(t *testing.T) {
	t.Parallel()
	b := setup(t)
	file := "id,email_consent,consent_sms\n1,yes,no\n2,,\n"
	b.load("customers", "", file)
	id := b.byExternal("1").ID
	got, err := b.Consents(b.ctx, id)
	b.ok(err)
	want := []Consent{{id, "email", true, "import", b.at}, {id, "sms", false, "import", b.at}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// The old file does not undo an unsubscription.
	b.at = b.at.Add(time.Hour)
	b.ok(b.SetConsents(b.ctx, []Consent{{CustomerID: id, Channel: "email", Granted: false, Source: "link"}}))
	b.at = b.at.Add(time.Hour)
	if imp := b.load("customers", "", file); figures(imp) != "0/0/2/0/0" {
		t.Errorf("again: %s", figures(imp))
	}
	if got, _ := b.Consents(b.ctx, id); got[0].Granted {
		t.Error("an import overturned a no")
	}
	if imp := b.load("customers", "", "id,email_consent\n2,no\n"); figures(imp) != "0/1/0/0/0" {
		t.Errorf("a no: %s", figures(imp))
	}
}

func BenchmarkImport(b *testing.B) {
	for _, c := range []struct {
		name string
		row  func(*strings.Builder, int)
		head string
	}{
		{"plain", func(s *strings.Builder, i int) {
			fmt.Fprintf(s, "C%07d,First%d,Last%d,user%d@example.org,%d Main Street,Springfield,IL,%05d,US\n", i, i%5000, i%20000, i, i%3000, i%90000)
		}, "external_id,first_name,last_name,email,street,city,region,postal_code,country\n"},
		{"phone", func(s *strings.Builder, i int) {
			fmt.Fprintf(s, "C%07d,First%d,Last%d,user%d@example.org,+1 212 %03d %04d\n", i, i%5000, i%20000, i, 200+i%700, i%10000)
		}, "external_id,first_name,last_name,email,phone\n"},
	} {
		b.Run(c.name, func(b *testing.B) {
			const rows = 200_000
			var text strings.Builder
			text.WriteString(c.head)
			for i := range rows {
				c.row(&text, i)
			}
			for b.Loop() {
				s := setup(b)
				began := time.Now()
				if got := figures(s.load("customers", "bench", text.String())); got != fmt.Sprintf("%d/0/0/0/0", rows) {
					b.Fatal(got)
				}
				first := rows / time.Since(began).Seconds()
				began = time.Now()
				if got := figures(s.load("customers", "bench", text.String())); got != fmt.Sprintf("0/0/%d/0/0", rows) {
					b.Fatal(got)
				}
				b.ReportMetric(rows/time.Since(began).Seconds(), "again-rows/s")
				report(b, first, rows/copied(b, s.pool, "customers", "customer_emails", "customer_phones", "customer_external_ids", "list_members"))
			}
		})
	}
}
