package normal

import (
	"encoding/csv"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/nyaruka/phonenumbers"

	"aldine/internal/testdata"
)

// same asks for a number twice, so that what was learned is asked for, and compares with the numbering plans' own word.
func same(t *testing.T, s, country string) {
	t.Helper()
	want, wantErr := parsePhone(strings.TrimSpace(s), strings.ToUpper(country))
	for range 2 {
		if got, err := Phone(s, country); got != want || !errors.Is(err, wantErr) {
			t.Errorf("%q in %q: %q, %v; the plans say %q, %v", s, country, got, err, want, wantErr)
		}
	}
}

func TestPhonesAreJudgedAsByThePlans(t *testing.T) {
	t.Parallel()
	for name, columns := range map[string][]string{
		"phone/example_numbers.csv":   {"national_digits", "e164", "international", "national", "rfc3966"},
		"phone/malformed_numbers.csv": {"input_digits", "e164_if_parsed"},
	} {
		f, err := os.Open(testdata.Path(t, name))
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(f).ReadAll()
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		at := map[string]int{}
		for i, h := range rows[0] {
			at[h] = i
		}
		for _, row := range rows[1:] {
			for _, c := range columns {
				region, s := row[at["region"]], row[at[c]]
				if s == "" {
					continue
				}
				for _, form := range []string{s, "0" + s, "1" + s, "00" + strings.TrimPrefix(s, "+"), "+" + s, "(" + s + ")", s + "-", " " + s + "/."} {
					same(t, form, region)
				}
				same(t, s, "DE")
				// Numbers near it, which share what is remembered of it.
				for range 3 {
					b := []byte(s)
					for i := len(b) - 1; i >= 0 && rand.IntN(3) > 0; i-- {
						if b[i] >= '0' && b[i] <= '9' {
							b[i] = byte('0' + rand.IntN(10))
						}
					}
					same(t, string(b), region)
				}
			}
		}
	}
}

func TestRandomPhonesAreJudgedAsByThePlans(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Log("seed", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	var regions []string
	for region := range phonenumbers.GetSupportedRegions() {
		regions = append(regions, region)
	}
	common := []string{"US", "CA", "GB", "DE", "FR", "IT", "AT", "CH", "NL", "ES", "BR", "AR", "MX", "AU", "NZ", "JP", "IN", "RU", "KZ", "JM", "", "XX"}
	for range 30_000 {
		region := common[r.IntN(len(common))]
		if r.IntN(3) == 0 {
			region = regions[r.IntN(len(regions))]
		}
		var s strings.Builder
		switch r.IntN(6) {
		case 0:
			fmt.Fprintf(&s, "+%d", phonenumbers.GetCountryCodeForRegion(regions[r.IntN(len(regions))]))
		case 1:
			s.WriteByte('0')
		case 2:
			fmt.Fprintf(&s, "%d", phonenumbers.GetCountryCodeForRegion(region))
		case 3:
			s.WriteString([]string{"+", "00", "011", "+0", "+1", "(0)", "1", "8"}[r.IntN(8)])
		}
		if of := phonenumbers.GetExampleNumberForType(region, phonenumbers.PhoneNumberType(r.IntN(11))); of != nil && r.IntN(2) == 0 {
			example := phonenumbers.GetNationalSignificantNumber(of) // a real beginning
			s.WriteString(example[:r.IntN(len(example)+1)])
		}
		for n := 4 + r.IntN(9); s.Len() < n; {
			s.WriteByte(byte('0' + r.IntN(10)))
			if r.IntN(8) == 0 {
				s.WriteByte(" -()./"[r.IntN(6)])
			}
		}
		same(t, s.String(), region)
		if t.Failed() {
			return
		}
	}
}

func BenchmarkPhone(b *testing.B) {
	for _, country := range []string{"US", "DE", "GB"} {
		example := phonenumbers.GetNationalSignificantNumber(phonenumbers.GetExampleNumberForType(country, phonenumbers.MOBILE))
		form := example[:len(example)-6]
		if country != "US" {
			form = "0" + form
		}
		b.Run(country, func(b *testing.B) {
			for i := range b.N {
				if _, err := Phone(fmt.Sprintf("%s %06d", form, i%1_000_000), country); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
