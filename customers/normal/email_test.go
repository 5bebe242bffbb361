package normal

import (
	"encoding/xml"
	"os"
	"strings"
	"testing"

	"aldine/internal/testdata"
)

type isemailTest struct {
	ID        int    `xml:"id,attr"`
	Address   string `xml:"address"`
	Category  string `xml:"category"`
	Diagnosis string `xml:"diagnosis"`
}

// deviations are the diagnoses that isemail lets pass by default (its threshold: valid, DNS warnings, and what RFC 5321
// allows but is unusual) and that we refuse on purpose, each with the reason.
var deviations = map[string]string{
	"ISEMAIL_RFC5321_QUOTEDSTRING":   "a quoted local part: no provider gives such addresses out, in lists they are damage",
	"ISEMAIL_RFC5321_ADDRESSLITERAL": "an address literal is no mail box of a customer",
	"ISEMAIL_RFC5321_TLD":            "a domain of one label cannot be reached from outside",
	"ISEMAIL_RFC5321_TLDNUMERIC":     "there is no top-level domain of digits",
}

// refused are single addresses that isemail takes and we refuse on purpose.
var refused = map[string]string{
	"test@io": "a domain of one label, like the others, though this one has a mail server",
}

// taken are single addresses that isemail does not let pass by default and we take.
var taken = map[string]string{
	" test@iana.org": "white space around the address is trimmed, as import files have it",
	"test@iana.org ": "white space around the address is trimmed, as import files have it",
}

func TestEmailVerdicts(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(testdata.Path(t, "email-address/isemail_tests.xml"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Tests []isemailTest `xml:"test"`
	}
	if err := xml.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Tests) != 164 {
		t.Fatalf("%d tests", len(file.Tests))
	}
	same, apart, used := 0, 0, map[string]bool{}
	for _, c := range file.Tests {
		address := strings.Map(func(r rune) rune { // control characters stand as their pictures
			if r >= 0x2400 && r < 0x2420 {
				return r - 0x2400
			}
			return r
		}, c.Address)
		_, err := Email(address)
		valid := c.Category == "ISEMAIL_VALID_CATEGORY" || c.Category == "ISEMAIL_DNSWARN" || c.Category == "ISEMAIL_RFC5321"
		switch reason, deviates := deviations[c.Diagnosis]; {
		case (err == nil) == valid:
			same++
		case valid && deviates && reason != "":
			apart++
			used[c.Diagnosis] = true
		case valid && refused[address] != "", err == nil && taken[address] != "":
			apart++
		default:
			t.Errorf("%d %q (%s): %v", c.ID, address, c.Diagnosis, err)
		}
	}
	t.Logf("%d verdicts agree, %d differ on purpose", same, apart)
	for d := range deviations {
		if !used[d] {
			t.Errorf("the deviation %s is not needed", d)
		}
	}
}

func TestEmail(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		" Anna.Smith+News@Example.ORG ": "anna.smith+news@example.org",
		"a@Müller.de":                   "a@xn--mller-kva.de",
		"o'neil@example.co.uk":          "o'neil@example.co.uk",
	} {
		if got, err := Email(in); got != want || err != nil {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	for in, want := range map[string]string{
		"":                                       "has no @",
		"foo@":                                   "nothing after the @",
		"@example.org":                           "nothing before the @",
		"a..b@example.org":                       "a dot in the wrong place",
		"jürgen@gmx.de":                          "a letter outside ASCII",
		"a b@example.org":                        "a character before the @",
		"a@b@example.org":                        "a character before the @",
		"a@example":                              "a domain without a dot",
		"a@-x.org":                               "a hyphen at the edge",
		"a@1.2.3.4":                              "ends in a number",
		"a@exa mple.org":                         "a character in the domain",
		"a@example.org\n":                        "a character in the domain",
		strings.Repeat("x", 65) + "@example.org": "more than 64",
	} {
		if _, err := Email(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", in, err, want)
		}
	}
}

// What is taken once is taken again as it is, and SQL can lower what is stored.
func FuzzEmail(f *testing.F) {
	for _, s := range []string{"Anna@Example.org", "a@Müller.de", "a@ß.de", "a@ＥＸＡＭＰＬＥ.org"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once, err := Email(s)
		if err != nil {
			return
		}
		twice, err := Email(once)
		if err != nil || twice != once {
			t.Errorf("%q: %q, then %q, %v", s, once, twice, err)
		}
		for i := 0; i < len(once); i++ {
			if once[i] >= 0x80 {
				t.Errorf("%q: %q is not ASCII", s, once)
			}
		}
	})
}
