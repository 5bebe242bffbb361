package customers

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"aldine/internal/settings"
)

// What people send: each file has its figures and, where rows are left out, the reason.
func TestImportBadFiles(t *testing.T) {
	t.Parallel()
	wide, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String("id;name;city\n1;Zoë Brontë;Köln\n")
	if err != nil {
		t.Fatal(err)
	}
	latin, err := charmap.Windows1252.NewEncoder().String("3,Müller,Köln\n")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		text, want, reason string // reason: of the first row left out
		check              string // SQL that must give 1
	}{
		"ragged":        {"id,last_name\n1,A\n2\n3,C,x\n4,D,,\n", "2/0/0/0/2", "the row has 1 field, the header has 2", ""},
		"nul":           {"id,last_name\n1,A\x00B\n2,C\n", "1/0/0/0/1", "the row holds a zero byte", ""},
		"latin line":    {"id,last_name,city\n1,Müller,Köln\n2,Mö,Kö\n" + latin, "2/0/0/0/1", "the row is not valid UTF-8 text", ""},
		"utf-16":        {wide, "1/0/0/0/0", "", `SELECT count(*) FROM customers WHERE first_name = 'Zoë' AND city = 'Köln'`},
		"empty columns": {"id,,last_name,\n1,,A,\n2,x,B,\n", "2/0/0/0/0", "", ""},
		"homoglyphs":    {"email,last_name\nanna@ex\u0430mple.org,Smith\nanna@example.org,Smith\n", "2/0/0/0/0", "", `SELECT count(*) FROM customer_emails WHERE email LIKE 'anna@xn--%'`},
		"right to left": {"id,first_name,city\n1,\u202eדוד,ירושלים\n", "1/0/0/0/0", "", `SELECT count(*) FROM customers WHERE city = 'ירושלים'`},
		"zeros lost":    {"id,zip,country\n1,1067,DE\n2,501,US\n3,2101.0,US\n4,1010,AT\n5,12,DE\n", "5/0/0/0/0", "", `SELECT count(*) FROM customers WHERE postal_code = '01067'`},
		"long value":    {"id,last_name\n1," + strings.Repeat("x", 1001) + "\n", "0/0/0/0/1", "last_name: ", ""},
		"long row":      {"id,last_name\n1," + strings.Repeat("x", 3<<20) + "\n2,B\n", "1/0/0/0/1", "the row is longer than 1048576 bytes", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			imp := b.load("customers", "", c.text)
			if figures(imp) != c.want {
				t.Errorf("figures %s, want %s", figures(imp), c.want)
			}
			rejects, err := b.Rejects(b.ctx, imp.ID, 0, 10)
			b.ok(err)
			if c.reason != "" && (len(rejects) == 0 || !strings.HasPrefix(rejects[0].Reason, c.reason)) {
				t.Errorf("rejects %+v", rejects)
			}
			if c.check != "" && b.count(c.check) != 1 {
				t.Errorf("%s does not hold", c.check)
			}
		})
	}
}

// Files that would take forever if every row were compared with every other; the limit is far above what is needed.
func TestImportCrowds(t *testing.T) {
	t.Parallel()
	const rows = 60_000
	for name, c := range map[string]struct {
		row  func(int) string
		want string
	}{
		"one record":        {func(int) string { return ",Ann,Smith,a@b.org,1 Main St,10115,DE\n" }, fmt.Sprintf("1/0/0/%d/0", rows-1)},
		"one without keys":  {func(int) string { return ",Ann,Smith,,1 Main St,10115,DE\n" }, fmt.Sprintf("1/0/0/%d/0", rows-1)},
		"one e-mail":        {func(i int) string { return fmt.Sprintf(",Name%d,Smith,a@b.org,,,\n", i) }, fmt.Sprintf("100/0/0/0/%d", rows-100)},
		"one e-mail and id": {func(i int) string { return fmt.Sprintf("c%d,Name%d,Smith,a@b.org,,,\n", i, i) }, fmt.Sprintf("%d/0/0/0/0", rows)},
		"one household":     {func(i int) string { return fmt.Sprintf("c%d,Name%d,Smith,,1 Main St,10115,DE\n", i, i) }, fmt.Sprintf("%d/0/0/0/0", rows)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			var text strings.Builder
			text.WriteString("id,first_name,last_name,email,street,zip,country\n")
			for i := range rows {
				text.WriteString(c.row(i))
			}
			began := time.Now()
			if got := figures(b.load("customers", "crowd", text.String())); got != c.want {
				t.Errorf("figures %s, want %s", got, c.want)
			}
			again := b.load("customers", "crowd", text.String())
			if again.Created != 0 || again.Updated != 0 {
				t.Errorf("again: %s", figures(again))
			}
			if took := time.Since(began); took > 2*time.Minute {
				t.Errorf("it took %s", took)
			}
		})
	}
}

// FuzzParse gives the parser of rows whatever fits in a cell.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"Anna", "a@b.org", "+49 30 123456", "1067", "2101.0", "=1+1", "\u202eabc", "a\u0430", "x@ö.de", "UA", "yes"} {
		f.Add(s, s)
	}
	header := append(append([]string(nil), coreNames[:]...), fieldStreetNumber, fieldFullName, "consent_email")
	columns := map[string]int{}
	for i, h := range header {
		columns[h] = i
	}
	l := newCustomerLoader(nil, Import{Kind: "customers"}, header, columns, nil, settings.Values{DefaultCountry: "DE"})
	f.Fuzz(func(t *testing.T, a, b string) {
		for at := range header {
			it := item{fields: make([]string, len(header))}
			it.fields[at], it.fields[(at+1)%len(header)] = strings.TrimSpace(a), strings.TrimSpace(b)
			l.parse(&it)
			if it.reject == "" && it.customer == nil {
				t.Fatalf("%q is neither taken nor rejected", it.fields)
			}
			if it.reject != "" {
				continue
			}
			// What was taken once is in normal form: taken again it stays the same.
			again := item{fields: make([]string, len(header))}
			for i, p := range it.customer.refs() {
				again.fields[i] = *p
			}
			if l.parse(&again); again.reject != "" || again.customer.Fields != it.customer.Fields {
				t.Fatalf("%+v became %+v, %s", it.customer.Fields, again.customer, again.reject)
			}
		}
	})
}
