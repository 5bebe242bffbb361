package customers

import (
	"encoding/csv"
	"os"
	"testing"

	"aldine/customers/normal"
	"aldine/internal/testdata"
)

func readTable(t *testing.T, name string) []map[string]string {
	t.Helper()
	f, err := os.Open(testdata.Path(t, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]string
	for _, row := range rows[1:] {
		m := map[string]string{}
		for i, h := range rows[0] {
			m[h] = row[i]
		}
		out = append(out, m)
	}
	return out
}

// phoneDeviations are numbers judged otherwise than by the data set, with the reason.
var phoneDeviations = map[string]string{}

func TestPhoneVerdicts(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	differs := func(key string) bool {
		if phoneDeviations[key] == "" {
			return false
		}
		used[key] = true
		return true
	}
	examples := readTable(t, "phone/example_numbers.csv")
	for _, r := range examples {
		for _, form := range []string{"national", "international", "e164", "rfc3966"} {
			got, err := normal.Phone(r[form], r["region"])
			if (err != nil || got != r["e164"]) && !differs(r["region"]+" "+r[form]) {
				t.Errorf("%s %s %q: %q, %v, want %s", r["region"], form, r[form], got, err, r["e164"])
			}
		}
	}
	malformed := readTable(t, "phone/malformed_numbers.csv")
	for _, r := range malformed {
		got, err := normal.Phone(r["input_digits"], r["region"])
		if (err == nil) != (r["valid"] == "true") && !differs(r["region"]+" "+r["input_digits"]) {
			t.Errorf("%s %s %q: %q, %v, valid %s", r["region"], r["defect"], r["input_digits"], got, err, r["valid"])
		}
	}
	for key := range phoneDeviations {
		if !used[key] {
			t.Errorf("the deviation %q is not needed", key)
		}
	}
	t.Logf("%d examples in four forms, %d malformed", len(examples), len(malformed))
}

func TestTimeZoneOf(t *testing.T) {
	t.Parallel()
	for _, c := range [][3]string{
		{"+493012345678", "", "Europe/Berlin"}, {"+12125550123", "US", "America/New_York"}, {"", "AT", "Europe/Vienna"},
		{"", "US", ""}, {"", "", ""}, {"", "XX", ""}, {"rubbish", "DE", "Europe/Berlin"},
	} {
		if got := TimeZoneOf(c[0], c[1]); got != c[2] {
			t.Errorf("%q %q: %q, want %q", c[0], c[1], got, c[2])
		}
	}
}
