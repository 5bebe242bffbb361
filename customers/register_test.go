package customers

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/govalues/decimal"

	"aldine/internal/fault"
)

func (b *bench) loadRegister(id int64, day time.Time, text string) (Import, error) {
	b.t.Helper()
	imp, err := b.LoadRegister(b.ctx, LoadRegister{RegisterID: id, ScrubbedOn: day, FileName: "dnc.txt", Body: strings.NewReader(text), Hold: true})
	if err != nil {
		return imp, err
	}
	return b.RunImport(b.ctx, imp.ID)
}

func TestRegister(t *testing.T) {
	t.Parallel()
	b := setup(t)
	phones := map[string]ID{}
	add := func(phone string, f Fields) ID {
		f.Phone = phone
		c, err := b.Create(b.ctx, Input{Fields: f})
		b.ok(err)
		phones[phone] = c.ID
		return c.ID
	}
	ny, la, toronto, london := add("+12125550101", Fields{LastName: "A"}), add("+13105550102", Fields{LastName: "B"}), add("+14165550103", Fields{LastName: "C"}), add("+442079460104", Fields{LastName: "D"})
	add("", Fields{LastName: "No phone"})
	verdict := func(id ID) string {
		t.Helper()
		reason, words, err := b.RegisterFor(b.ctx, id, "calls")
		b.ok(err)
		return strings.TrimSpace(reason + " " + words)
	}
	check := func(what string, want map[ID]string) {
		t.Helper()
		for id, w := range want {
			if got := verdict(id); got != w {
				t.Errorf("%s: customer %d: %q, want %q", what, id, got, w)
			}
		}
	}
	check("no register", map[ID]string{ny: "", la: "", toronto: "", london: ""})
	us, err := b.SaveRegister(b.ctx, Register{Name: "US National", Country: "USA", Required: true, ConsentExempts: true, RelationMonths: 18})
	b.ok(err)
	if us.MaxAgeDays != 31 || us.Channel != "calls" || us.Country != "US" || us.Fresh || us.ScrubbedOn != "" {
		t.Errorf("%+v", us)
	}
	none := "register_stale US National, no file yet"
	check("no file", map[ID]string{ny: none, la: none, toronto: "", london: ""})
	// As the register gives it out: no header, area code apart.
	imp, err := b.loadRegister(us.ID, b.at.AddDate(0, 0, -31), "212,5550101\n212,5550101\n212,555\n416,5550103\n")
	b.ok(err)
	if figures(imp) != "2/0/0/1/1" {
		t.Error(figures(imp))
	}
	listed := "suppressed US National, file of 2026-10-23"
	check("listed", map[ID]string{ny: listed, la: "", toronto: listed, london: ""})
	if reason, _, err := b.RegisterFor(b.ctx, ny, "sms"); err != nil || reason != "" {
		t.Errorf("another channel: %s %v", reason, err)
	}
	b.at = b.at.AddDate(0, 0, 1) // 32 days
	check("stale", map[ID]string{ny: listed, la: "register_stale US National, file of 2026-10-23"})
	// A recorded yes and a recent order come first; a no does not.
	b.ok(b.SetConsents(b.ctx, []Consent{{CustomerID: ny, Channel: "calls", Granted: true, Source: "form"}}))
	order := func(id ID, at time.Time) {
		_, err := b.RecordOrders(b.ctx, []Order{{Ref: fmt.Sprint(id, at), CustomerID: id, OrderedAt: at, Quantity: 1, Amount: decimal.MustParse("5"), Currency: "EUR"}})
		b.ok(err)
	}
	order(la, b.at.AddDate(0, -18, -1))
	check("spared", map[ID]string{ny: "", la: "register_stale US National, file of 2026-10-23"})
	order(la, b.at.AddDate(0, -18, 1))
	check("spared", map[ID]string{la: ""})
	us.RelationMonths, us.ConsentExempts = 0, false
	us, err = b.SaveRegister(b.ctx, us)
	b.ok(err)
	check("nobody is spared", map[ID]string{ny: listed, la: "register_stale US National, file of 2026-10-23"})
	us.Required = false
	us, err = b.SaveRegister(b.ctx, us)
	b.ok(err)
	check("not required", map[ID]string{ny: listed, la: ""})

	// A new file replaces the old one as a whole, one that is no list of numbers does not.
	_, err = b.loadRegister(us.ID, b.at, "name\nAnn\nBob\n")
	b.wants(err, fault.Invalid, "name it")
	_, err = b.loadRegister(us.ID, b.at, "Phone Number;x\nAnn;\nBob;\n")
	b.wants(err, fault.Invalid, "stay in use")
	check("nothing usable", map[ID]string{ny: listed})
	_, err = b.loadRegister(us.ID, b.at, "\"Telephone\"\n(310) 555-0102\n+1 310 555 0102\n")
	b.ok(err)
	check("replaced", map[ID]string{ny: "", la: "suppressed US National, file of 2026-11-24"})
	if n := b.count(`SELECT count(*) FROM register_numbers`); n != 1 {
		t.Errorf("%d numbers stay", n)
	}
	all, err := b.Registers(b.ctx)
	b.ok(err)
	if len(all) != 1 || !all[0].Fresh || all[0].Numbers != 1 || all[0].ScrubbedOn != "2026-11-24" || all[0].Loading != 0 {
		t.Errorf("%+v", all)
	}
	_, err = b.loadRegister(us.ID, b.at.AddDate(0, 0, 1), "phone\n")
	b.wants(err, fault.Invalid, "lie ahead")
	_, err = b.loadRegister(99, b.at, "phone\n")
	b.wants(err, fault.NotFound, "no register 99")
	b.ok(b.DeleteRegister(b.ctx, us.ID))
	b.wants(b.DeleteRegister(b.ctx, us.ID), fault.NotFound, "no register")
	check("gone", map[ID]string{ny: "", la: ""})
	if n := b.count(`SELECT (SELECT count(*) FROM register_numbers) + (SELECT count(*) FROM register_prefixes)`); n != 0 {
		t.Errorf("%d rows stay", n)
	}
	for _, r := range []Register{{Country: "US"}, {Name: "x", Country: "Moon"}, {Name: "x"}, {Name: "x", Country: "US", Channel: "email"}, {Name: "x", Country: "US", MaxAgeDays: -1},
		{Name: "x", Country: "US", RelationMonths: 1000}, {Name: strings.Repeat("x", 101), Country: "US"}} {
		if _, err := b.SaveRegister(b.ctx, r); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", r, err)
		}
	}
}

// A load that was stopped after some chunks carries on; until it is done, the old numbers count.
func TestRegisterLoadCarriesOn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	us, err := b.SaveRegister(b.ctx, Register{Name: "US", Country: "US", Required: true})
	b.ok(err)
	_, err = b.loadRegister(us.ID, b.at, "2125550199\n")
	b.ok(err)
	var text strings.Builder
	const n = 3*chunkRows/2 + 7
	for i := range n {
		fmt.Fprintf(&text, "212%07d\n", 5550000+i)
	}
	imp, err := b.LoadRegister(b.ctx, LoadRegister{RegisterID: us.ID, ScrubbedOn: b.at, FileName: "dnc.txt", Body: strings.NewReader(text.String()), Hold: true})
	b.ok(err)
	// One chunk is stored as a killed process would have left it.
	_, err = b.pool.Exec(b.ctx, `INSERT INTO register_numbers (phone, register_id, generation) SELECT 12125550000 + i, $1, $2 FROM generate_series(0, $3::int - 1) i`, us.ID, imp.ID, chunkRows)
	b.ok(err)
	_, err = b.pool.Exec(b.ctx, `UPDATE imports SET state = 'running', rows = $2, created = $2 WHERE import_id = $1`, imp.ID, chunkRows)
	b.ok(err)
	r, err := b.DoNotCall(b.ctx, us.ID)
	b.ok(err)
	if r.Numbers != 1 || r.Loading != imp.ID {
		t.Errorf("meanwhile: %+v", r)
	}
	imp, err = b.RunImport(b.ctx, imp.ID)
	b.ok(err)
	if r, err = b.DoNotCall(b.ctx, us.ID); err != nil || r.Numbers != n || imp.Rows != n || b.count(`SELECT count(*) FROM register_numbers`) != n {
		t.Errorf("%+v %+v %v", r, imp, err)
	}
}

func TestPhonePrefixes(t *testing.T) {
	t.Parallel()
	us, ca := phonePrefixes("US"), phonePrefixes("CA")
	for prefix, want := range map[string][2]bool{"1212": {true, false}, "1416": {false, true}, "1876": {false, false}, "1299": {true, false}} {
		if got := [2]bool{slices.Contains(us, prefix), slices.Contains(ca, prefix)}; got != want {
			t.Errorf("%s: US, CA %v, want %v", prefix, got, want)
		}
	}
	if got := phonePrefixes("GB"); !slices.Equal(got, []string{"44"}) || phonePrefixes("XX") != nil {
		t.Errorf("%v", got)
	}
}

func TestCountriesWithoutARegister(t *testing.T) {
	t.Parallel()
	b := setup(t)
	want := func(want string) {
		t.Helper()
		got, err := b.Unregistered(b.ctx)
		b.ok(err)
		if fmt.Sprint(got) != want {
			t.Errorf("%v, want %s", got, want)
		}
	}
	want("[]")
	for i, phone := range []string{"+442079460018", "+442079460019", "+12125550101", "+15145550101", "+4930123456", "+35312345678", "+18005550101"} {
		b.person(Fields{LastName: fmt.Sprint("N", i), Phone: phone})
	}
	want("[{GB 2} {US 2} {CA 1} {DE 1} {IE 1}]")
	for _, country := range []string{"GB", "CA", "US"} {
		_, err := b.SaveRegister(b.ctx, Register{Name: country, Country: country})
		b.ok(err)
	}
	want("[{DE 1} {IE 1}]")
	_, err := b.SaveRegister(b.ctx, Register{Name: "texts", Country: "DE", Channel: "sms"}) // is none for calls
	b.ok(err)
	want("[{DE 1} {IE 1}]")
}
