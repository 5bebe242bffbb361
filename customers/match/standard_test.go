package match

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestStandardForms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ what, got, want string }{
		{"umlauts", fold("Größe Ærø Łódź"), "groesse aero lodz"},
		{"greek", fold("Γιώργος"), "giorgos"},
		{"digits of other scripts", fold("٣٤"), "34"},
		{"particles", familyName("van der Berg"), "berg"},
		{"joined", familyName("Mac Donald"), "macdonald"},
		{"apostrophe", familyName("O’Brien"), "obrien"},
		{"suffix", familyName("Smith Jr."), "smith"},
		{"double name", familyName("Smith-Jones"), "smith jones"},
		{"only a particle", familyName("Van"), "van"},
		{"company", companyName("The Acme Trading Co., Ltd."), "acme trading"},
		{"postcode as a number", postcode("02134.0"), "2134"},
		{"uk postcode", postcode("SW1A 1AA"), "sw1a1aa"},
		{"email", emailForm(" Anna.Smith+news@GoogleMail.com "), "annasmith@gmail.com"},
		{"email of others", emailForm("a.b+c@example.org"), "a.b@example.org"},
		{"phone with country", phoneForm("+44 (0)20 7946 0958"), "079460958"},
		{"phone with extension", phoneForm("(650) 555-0123 x12"), "505550123"},
		{"too short a phone", phoneForm("110"), ""},
		{"iso date", birthDate("1980-02-01", false), "19800201"},
		{"compact date", birthDate("19800201", false), "19800201"},
		{"german date", birthDate("1.2.1980", false), "19800201"},
		{"british date", birthDate("01/02/1980", false), "19800201"},
		{"american date", birthDate("02/01/1980", true), "19800201"},
		{"only one way", birthDate("02/25/1980", false), "19800225"},
		{"words", birthDate("1 Feb 1980", false), "19800201"},
		{"american words", birthDate("February 1, 1980", false), "19800201"},
		{"with time", birthDate("1980-02-01T00:00:00Z", false), "19800201"},
		{"two digits", birthDate("1.2.80", false), "19800201"},
		{"year", birthDate("1980", false), "19800000"},
		{"no date", birthDate("1980-13-45", false), ""},
		{"nonsense", birthDate("soon", false), ""},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, not %q", c.what, c.got, c.want)
		}
	}
	for _, c := range []struct{ in, number, street string }{
		{"12 High Street", "12", "high st"}, {"Hauptstraße 12a", "12a", "hauptst"}, {"Hauptstr. 12a", "12a", "hauptst"}, {"Flat 3, 12 High Street", "12", "high st flat 3"},
		{"12 High St Flat 3", "12", "high st flat 3"}, {"PO Box 99", "", "po box 99"},
	} {
		if n, s := streetLine(c.in); n != c.number || s != c.street {
			t.Errorf("%s: %q, %q", c.in, n, s)
		}
	}
	for _, c := range []struct{ in, given, family string }{
		{"Smith, Anna", " Anna", "Smith"}, {"Dr. Anna Maria Smith Jr.", "Anna Maria", "Smith"}, {"Anna van der Berg", "Anna", "van der Berg"}, {"Anna", "Anna", ""}, {"", "", ""},
		{"Anna Smith, PhD", "Anna", "Smith"},
	} {
		if g, f := splitName(c.in); g != c.given || f != c.family {
			t.Errorf("%s: %q, %q", c.in, g, f)
		}
	}
}

func TestLevels(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		f    Field
		a, b string
		want Level
	}{
		{Given, "bob", "robert", Alias}, {Given, "r", "robert", Partial}, {Given, "anna", "anan", Close}, {Given, "anna", "george", Different},
		{Surname, "mueller", "muller", Close}, {Surname, "smith jones", "jones", Partial}, {Surname, "smith jones", "jones smith", Alias}, {Surname, "harrington", "harigton", Near},
		{Birth, "19800201", "19800102", Alias}, {Birth, "19800201", "19800202", Close}, {Birth, "19800201", "19810305", Different}, {Birth, "19800201", "19800000", Partial},
		{Birth, "19800228", "19800301", Partial}, {Email, "a.smith@x.org", "a.smith@y.org", Alias}, {Email, "a.smith@x.org", "a.smiht@x.org", Close},
		{Phone, "301234567", "201234567", Alias}, {Number, "12", "12a", Alias}, {Number, "12", "13", Close}, {Postcode, "12345", "12354", Close}, {Postcode, "12345", "123456789", Alias},
		{Postcode, "sw1a1aa", "sw1a2bb", Partial}, {City, "bradford", "brdaford", Close}, {City, "london", "paris", Different},
	} {
		table := NewTable()
		s := table.stores[storeOf[c.f]]
		a, b := s.intern(c.a), s.intern(c.b)
		s.seal(Field(firstWith(storeOf[c.f])))
		for range 2 {
			if got := comparators[c.f](&s.of[a], &s.of[b]); got != c.want {
				t.Errorf("%s: %s and %s are %s, not %s", c.f, c.a, c.b, got, c.want)
			}
			a, b = b, a
		}
	}
}

func firstWith(store int) int {
	for f, s := range storeOf {
		if s == store {
			return f
		}
	}
	return -1
}

// plainSlips is the measure without band and shortcuts.
func plainSlips(a, b []rune) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}

func FuzzCompare(f *testing.F) {
	for _, s := range [][2]string{{"anna", "nana"}, {"smith jones", "jones"}, {"müller", "mueller"}, {"", "a"}, {"abcdef", "badcfe"}, {"ab", "ba"}} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, x, y string) {
		a, b := fold(x), fold(y)
		v, w := &value{text: a, mask: maskOf(a)}, &value{text: b, mask: maskOf(b)}
		if ra, rb := []rune(a), []rune(b); len(ra) <= maxCompared && len(rb) <= maxCompared {
			want := plainSlips(ra, rb)
			for limit := 1; limit <= 4; limit++ {
				if got := slips(v, w, limit); got != min(want, limit+1) {
					t.Errorf("%q and %q within %d: %d, not %d", a, b, limit, got, want)
				}
			}
		}
		if l := likeness(v, w, 0.8); l < 0 || l > 1.000001 {
			t.Errorf("likeness of %q and %q is %v", a, b, l)
		}
		for f := range fields {
			if f == Birth || a == b || a == "" || b == "" {
				continue
			}
			if l := comparators[f](v, w); l == Missing || l >= Exact {
				t.Errorf("%s: %q and %q are %s", f, a, b, l)
			}
		}
	})
}

func FuzzStandardise(f *testing.F) {
	for _, s := range []string{"Dr. Anna-Maria van der Berg Jr.", "12 Rue de l'Église", "\u202Bיוסף\u202C", "Реtrоv", "1.2.80", "+44 (0)20 7946 0958 x12", "a+b@gmail.com", "\xff\xfe", "１２"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		table := NewTable()
		if err := table.AddFile([]string{"id", "full_name", "dob", "phone", "email", "ssn", "street", "address2", "city", "state", "zip", "company", "gender"}, nil); err != nil {
			t.Fatal(err)
		}
		row := make([]string, 13)
		for i := range row {
			row[i] = s
		}
		for range 3 {
			if err := table.AddRow(row); err != nil {
				t.Fatal(err)
			}
		}
		table.seal()
		if len(table.nodes) != 1 {
			t.Errorf("%q gives %d different records", s, len(table.nodes))
		}
		for _, store := range table.stores {
			for _, v := range store.of {
				if len(v.text) > 2*maxValue+16 {
					t.Errorf("a value of %d bytes", len(v.text))
				}
				if utf8.ValidString(s) && !utf8.ValidString(v.text) {
					t.Errorf("%q becomes %q", s, v.text)
				}
			}
		}
		if d := birthDate(s, false); d != "" && (len(d) != 8 || strings.Trim(d, "0123456789") != "") {
			t.Errorf("%q is the date %q", s, d)
		}
	})
}
