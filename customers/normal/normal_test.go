package normal

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestFold(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "  ": "", "Anna": "anna", "O'Brien-Smith": "obrien smith", "Größe Ærø Łódź": "groesse aero lodz", "Mu\u0308ller": "mueller", "Γιώργος": "giorgos",
		"Щукин": "shchukin", "Реtrоv": "petrov", "\u202bAnna\u202c": "anna", "יוסף כהן": "יוסף כהן", "محمد": "محمد", "٣٤": "34", "１２": "12", "Ǿrsted": "orsted",
		"l’Église": "leglise", "A\u00a0B": "a b", "ŉ Ŀ": "n l", "½": "1 2", "İstanbul": "istanbul", "Straße–Nord": "strasse nord",
	} {
		if got := Fold(in); got != want {
			t.Errorf("%q is %q, not %q", in, got, want)
		}
	}
	long := strings.Repeat("中", 200)
	if got := Fold(long); len(got) > MaxText || got == "" || !utf8.ValidString(got) {
		t.Errorf("200 letters give %d bytes", len(got))
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"van der Berg": "berg", "Mac Donald": "macdonald", "O’Brien": "obrien", "Smith Jr.": "smith", "Smith-Jones": "smith jones", "Van": "van", "O van Berg": "oberg",
		"Иванов": "ivanov", "Freiherr von Müller": "freiherr mueller",
	} {
		if got := FamilyName(in); got != want {
			t.Errorf("%q is %q, not %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"The Acme Trading Co., Ltd.": "acme trading", "ACME Trading GmbH & Co. KG": "acme trading", "Holding AG": "holding ag", "Ács Kft": "acs kft",
	} {
		if got := Company(in); got != want {
			t.Errorf("%q is %q, not %q", in, got, want)
		}
	}
	for _, c := range []struct {
		a, b string
		same bool
	}{{"Müller", "MULLER", true}, {"Müller", "Mueller", true}, {"Bönisch", "Boenisch", true}, {"Miller", "Muller", false}, {"", "", true}, {"", "a", false}} {
		if SameWords(c.a, c.b) != c.same {
			t.Errorf("%s and %s", c.a, c.b)
		}
	}
	if !SameName("bob", "robert") || SameName("bob", "richard") {
		t.Error("nicknames")
	}
}

func TestEmailForms(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"anna.smith+news@googlemail.com": "annasmith@gmail.com", "a.b+c@example.org": "a.b@example.org", "<A.B@Outlook.com>": "a.b@outlook.com", "x-y@yahoo.com": "x-y@yahoo.com",
		"+@gmail.com": "+@gmail.com", "no address": "no address",
	} {
		if got := EmailMatch(in); got != want {
			t.Errorf("%q is %q, not %q", in, got, want)
		}
	}
}

func TestAddressForms(t *testing.T) {
	t.Parallel()
	same := func(parts ...string) Address {
		return Address{parts[0], parts[1], parts[2], parts[3], parts[4], parts[5]}
	}
	for _, c := range []struct {
		in   []string // street, second line, city, region, postal code, country
		want Location
	}{
		{[]string{"12 High Street", "", "Leeds", "", "LS1 4DY", "GB"}, Location{"12", "high st", "", "ls14dy", "gb"}},
		{[]string{"Flat 3, 12 High St.", "", "Leeds", "", "ls14dy", "GB"}, Location{"12", "high st", "3", "ls14dy", "gb"}},
		{[]string{"12 High Street", "Flat 3", "", "", "LS1 4DY", "GB"}, Location{"12", "high st", "3", "ls14dy", "gb"}},
		{[]string{"Hauptstraße 12 a", "", "Berlin", "", "D-10115", "DE"}, Location{"12a", "hauptst", "", "10115", "de"}},
		{[]string{"HAUPTSTR. 12A", "", "", "", "10115", "DE"}, Location{"12a", "hauptst", "", "10115", "de"}},
		{[]string{"Straße des 17. Juni 135", "", "Berlin", "", "10623", "DE"}, Location{"135", "st des 17 juni", "", "10623", "de"}},
		{[]string{"Prager Straße 4", "", "Dresden", "", "01069", "DE"}, Location{"4", "prager st", "", "1069", "de"}},
		{[]string{"Mariahilfer Straße 12/3/4", "", "Wien", "", "1060", "AT"}, Location{"12", "mariahilfer st", "3 4", "1060", "at"}},
		{[]string{"Mariahilfer Str. 12 Stiege 3 Top 4", "", "Wien", "", "A-1060", "AT"}, Location{"12", "mariahilfer st", "3 4", "1060", "at"}},
		{[]string{"123 N Main Street #5", "", "Springfield", "IL", "62701-1234", "US"}, Location{"123", "n main st", "5", "62701", "us"}},
		{[]string{"123 North Main St", "Apt 5", "Springfield", "Illinois", "62701", "US"}, Location{"123", "n main st", "5", "62701", "us"}},
		{[]string{"350 5th Ave", "Floor 21", "New York", "NY", "10118", "US"}, Location{"350", "5th ave", "21", "10118", "us"}},
		{[]string{"P.O. Box 99", "", "Salem", "OR", "97301", "US"}, Location{"99", "pobox", "", "97301", "us"}},
		{[]string{"PO Box 99", "", "Salem", "OR", "97301", "US"}, Location{"99", "pobox", "", "97301", "us"}},
		{[]string{"12 bis, rue de l'Église", "", "Paris", "", "75015", "FR"}, Location{"12bis", "rue de leglise", "", "75015", "fr"}},
		{[]string{"3 avenue Victor Hugo", "Appt 4", "Paris", "", "F-75116", "FR"}, Location{"3", "ave victor hugo", "4", "75116", "fr"}},
		{[]string{"Keizersgracht 123-II", "", "Amsterdam", "", "1015 CJ", "NL"}, Location{"123", "keizersgracht", "ii", "1015cj", "nl"}},
		{[]string{"Keizersgracht 123 II", "", "Amsterdam", "", "1015cj", "NL"}, Location{"123", "keizersgracht", "ii", "1015cj", "nl"}},
		{[]string{"Kerkstraat 7 hs", "", "Amsterdam", "", "1017 GA", "NL"}, Location{"7", "kerkst", "hs", "1017ga", "nl"}},
		{[]string{"3/12 High St", "", "Perth", "WA", "6000", "AU"}, Location{"12", "high st", "3", "6000", "au"}},
		{[]string{"ул. Ленина 5", "", "Москва", "", "101000", "RU"}, Location{"5", "ul lenina", "", "101000", "ru"}},
		{[]string{"רחוב הרצל 5", "", "תל אביב", "", "6688101", "IL"}, Location{"5", "רחוב הרצל", "", "6688101", "il"}},
		{[]string{"c/o Meyer", "Hauptstr. 5", "Berlin", "", "10115", "DE"}, Location{"5", "hauptst", "", "10115", "de"}},
		{[]string{"Rose Cottage, Church Lane", "", "Ely", "", "", "GB"}, Location{"", "rose cottage church ln", "", "ely/", "gb"}},
		{[]string{"Calle Mayor nº 5, 2º", "", "Madrid", "", "28013", "ES"}, Location{"5", "calle mayor", "2o", "28013", "es"}},
		{[]string{"", "", "Berlin", "", "10115", "DE"}, Location{"", "", "", "10115", "de"}},
	} {
		got := ParseAddress(same(c.in...))
		if got != c.want {
			t.Errorf("%q: %+v, not %+v", c.in, got, c.want)
		}
		if (AddressHash(same(c.in...)) != 0) != (c.in[0] != "") || (got.PlaceKey() == 0) != (c.in[0] == "") {
			t.Errorf("%q: keys", c.in)
		}
	}
}

func TestSlips(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"high st", "high", true}, {"high st", "high rd", false}, {"washington st", "washington rd", false}, {"washington st", "washingtno st", true}, {"wasingtn st", "washington st", false},
		{"n main st", "s main st", false}, {"n main st", "main st", false}, {"hauptst", "haupt st", true}, {"hauptst", "hauptweg", false}, {"mariahilfer st", "mariahlfer st", true},
		{"12th st", "13th st", false}, {"lake st", "lane st", false}, {"rue de la paix", "rue paix", true}, {"ave victor hugo", "ave hugo victor", true}, {"mill rd", "hill rd", false},
		{"maple ave", "mapel ave", true}, {"marple ave", "purple ave", false}, {"keizersgracht", "keizersgrcht", true}, {"pobox", "pobox", true}, {"friedrich schiller weg", "friedrich schillerweg", true},
	} {
		if SameStreet(c.a, c.b) != c.same || SameStreet(c.b, c.a) != c.same {
			t.Errorf("streets %s and %s: same must be %v", c.a, c.b, c.same)
		}
	}
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"smith", "smyth", true}, {"smith", "smith jones", true}, {"smyth", "smith jones", true}, {"jones", "smith", false}, {"mueller", "muller", true}, {"ivanov", "ivanova", true},
		{"novak", "novakova", true}, {"kowalski", "kowalska", true}, {"lee", "li", false}, {"brown", "crown", false}, {"", "smith", false}, {"garcia lopez", "lopez", true}, {"ng", "ng", true}, {"boehm", "bohm", true},
	} {
		if SameSurname(c.a, c.b) != c.same || SameSurname(c.b, c.a) != c.same {
			t.Errorf("surnames %s and %s: same must be %v", c.a, c.b, c.same)
		}
	}
	if SameUnit("3", "4") || SameUnit("", "3") || !SameUnit("rear building", "rear buildng") || SameUnit("tower 12 block", "tower 13 block") {
		t.Error("units")
	}
}

func TestKeysDiffer(t *testing.T) {
	t.Parallel()
	a := Address{Street: "12 High St", PostalCode: "LS1 4DY", Country: "GB"}
	home := AddressHash(a)
	if HouseholdHash("Smith", home) == HouseholdHash("Jones", home) || HouseholdHash("Smith", home) == HouseholdHash("Smith", 7) || HouseholdHash("", home) != 0 || HouseholdHash("Smith", 0) != 0 {
		t.Error("households")
	}
	if CompanyHash("Acme GmbH", "DE") != CompanyHash("ACME", "DE") || CompanyHash("Acme", "DE") == CompanyHash("Acme", "AT") || CompanyHash("", "DE") != 0 {
		t.Error("companies")
	}
	b := a
	b.Country = "IE"
	if AddressHash(b) == home {
		t.Error("the country counts")
	}
}

func FuzzForms(f *testing.F) {
	for _, s := range []string{"Dr. Anna-Maria van der Berg Jr.", "12 Rue de l'Église", "\u202Bיוסף\u202C", "Реtrоv", "1.2.80", "+44 (0)20 7946 0958 x12", "a+b@gmail.com", "\xff\xfe", "１２",
		"ä\u0304", "жԁ", "Ǿ", "Ŀ·", "½ ﬁ", "x jr van", "c/o #5 12/3-4", "o van b", strings.Repeat("中", 300), strings.Repeat("a ", 300)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for name, form := range map[string]func(string) string{"fold": Fold, "family": FamilyName, "company": Company, "place": Place, "postal": PostalCode, "code": Code,
			"e-mail": EmailMatch, "given": func(s string) string { a, b := GivenName(s); return strings.TrimSpace(a + " " + b) }} {
			once := form(s)
			if twice := form(once); name != "e-mail" && twice != once {
				t.Errorf("%s of %q is %q, of that %q", name, s, once, twice)
			}
			if name != "e-mail" && len(once) > 3*MaxText {
				t.Errorf("%s is %d bytes long", name, len(once))
			}
			if utf8.ValidString(s) && !utf8.ValidString(once) {
				t.Errorf("%s of %q is %q", name, s, once)
			}
		}
		if foldUnicode(s) != Fold(s) && len(s) < MaxText/3 {
			t.Errorf("%q is %q one way and %q the other", s, Fold(s), foldUnicode(s))
		}
		for _, country := range []string{"", "DE", "US", "FR", "NL", "AU"} {
			a := Address{Street: s, Address2: s, City: s, PostalCode: s, Country: country}
			l := ParseAddress(a)
			if (AddressHash(a) != 0) != l.Known() || len(l.Street) > MaxText {
				t.Errorf("%q gives %+v", s, l)
			}
			a.Street = strings.ToUpper(s)
			if utf8.ValidString(s) && isASCII(s) && ParseAddress(a).Street != l.Street {
				t.Errorf("letter case counts in %q", s)
			}
		}
		SplitName(s)
		StreetLine(s)
		PhoneDigits(s)
		x, y := Fold(s), Fold(s[len(s)/2:])
		if SameStreet(x, y) != SameStreet(y, x) || SameSurname(x, y) != SameSurname(y, x) || !SameStreet(x, x) {
			t.Errorf("%q and %q: the order counts", x, y)
		}
		if e, err := Email(s); err == nil {
			if again, err := Email(e); err != nil || again != e {
				t.Errorf("%q: %q, %q", s, e, again)
			}
		}
	})
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func BenchmarkAddressHash(b *testing.B) {
	for _, c := range []struct {
		name string
		a    Address
	}{{"us", Address{Street: "123 N Main Street", Address2: "Apt 5", City: "Springfield", Region: "IL", PostalCode: "62701-1234", Country: "US"}},
		{"de", Address{Street: "Königsstraße 12a", City: "München", PostalCode: "80331", Country: "DE"}}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				AddressHash(c.a)
			}
		})
	}
}
