package sms_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"aldine/delivery/sms"
	"aldine/internal/testdata"
)

func TestSegmentVectors(t *testing.T) {
	t.Parallel()
	var v struct {
		Basic []struct {
			TestDescription, Body, Encoding string
			Segments                        int
		}
		Extended []string `json:"gsm7_extension_characters"`
		Cases    []struct {
			First    string
			Padding  int `json:"padding_digits"`
			Encoding string
			Segments int
		} `json:"extension_cases"`
	}
	read(t, "sms/segment_vectors.json", &v)
	if len(v.Basic) != 10 || len(v.Cases) != 18 || len(v.Extended) != 9 {
		t.Fatalf("the file holds %d, %d and %d vectors", len(v.Basic), len(v.Cases), len(v.Extended))
	}
	for _, c := range v.Basic {
		if e, n := sms.Segments(c.Body); string(e) != c.Encoding || n != c.Segments {
			t.Errorf("%s: got %s in %d, want %s in %d", c.TestDescription, e, n, c.Encoding, c.Segments)
		}
	}
	for _, c := range v.Cases {
		text := c.First + strings.Repeat("1", c.Padding)
		if e, n := sms.Segments(text); string(e) != c.Encoding || n != c.Segments {
			t.Errorf("%q and %d digits: got %s in %d, want %s in %d", c.First, c.Padding, e, n, c.Encoding, c.Segments)
		}
	}
	for _, x := range v.Extended {
		if sms.Foreign(x) != "" {
			t.Errorf("%q counts as foreign", x)
		}
	}
}

// differs names the vectors answered otherwise on purpose: their splitter replaces characters outside the alphabet
// by blanks and stays in GSM-7; here nothing the marketer wrote is replaced, the text goes as UCS-2.
var differs = map[string]int{
	"Split 160 two-byte character message":        3, // 160 code units in parts of 67
	"Split 160 surrogate-pairs character message": 5, // 320 code units in parts of 66, pairs uncut
}

func TestSplitVectors(t *testing.T) {
	t.Parallel()
	seen := 0
	for file, encoding := range map[string]sms.Encoding{"sms/split_gsm.json": sms.GSM7, "sms/split_unicode.json": sms.UCS2} {
		var cases []struct {
			Description, Message string
			Parts                []struct{ Content string }
		}
		read(t, file, &cases)
		for _, c := range cases {
			seen++
			e, got := sms.Split(c.Message)
			if n, ok := differs[c.Description]; ok {
				if e != sms.UCS2 || len(got) != n || strings.Join(got, "") != c.Message {
					t.Errorf("%s: got %s in %d parts, want UCS-2 in %d", c.Description, e, len(got), n)
				}
				continue
			}
			var want []string
			for _, p := range c.Parts {
				want = append(want, p.Content)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s: (-want +got)\n%s", c.Description, d)
			}
			if c.Message != "" && e != encoding {
				t.Errorf("%s: %s, want %s", c.Description, e, encoding)
			}
		}
	}
	if seen != 21 {
		t.Errorf("%d vectors, want 21", seen)
	}
}

// TestAlphabet holds the alphabet against Unicode's own table of it.
func TestAlphabet(t *testing.T) {
	t.Parallel()
	table, err := os.ReadFile(testdata.Path(t, "sms/GSM0338.TXT"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(table)) {
		f := strings.Split(line, "\t")
		if !strings.HasPrefix(line, "0x") || len(f) < 2 {
			continue
		}
		var code int
		if err := json.Unmarshal([]byte(decimal(t, f[1])), &code); err != nil {
			t.Fatal(err)
		}
		r := string(rune(code))
		if strings.Contains(line, "ESCAPE TO EXTENSION") || r == "ç" { // the escape itself; see basic on the cedilla
			continue
		}
		n++
		if sms.Foreign(r) != "" {
			t.Errorf("%s (%q) is in the table but counts as foreign", f[1], r)
		}
		want := len(f[0])/2 - 1 // 0x1B65 is two septets
		if _, got := sms.Segments(strings.Repeat("a", 160-want) + r); got != 1 {
			t.Errorf("%q takes more than %d septets", r, want)
		}
		if _, got := sms.Segments(strings.Repeat("a", 161-want) + r); got != 2 {
			t.Errorf("%q takes fewer than %d septets", r, want)
		}
	}
	if n < 130 {
		t.Errorf("only %d characters were compared", n)
	}
	if sms.Foreign("ç") != "ç" || sms.Foreign("Ç") != "" {
		t.Error("the cedilla: ETSI's table has the capital only")
	}
}

func decimal(t *testing.T, hex string) string {
	t.Helper()
	n := 0
	for _, r := range strings.TrimPrefix(strings.TrimSpace(hex), "0x") {
		n = n*16 + strings.IndexRune("0123456789ABCDEF", r)
	}
	b, _ := json.Marshal(n)
	return string(b)
}

func read(t *testing.T, name string, into any) {
	t.Helper()
	body, err := os.ReadFile(testdata.Path(t, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(body, into); err != nil {
		t.Fatal(err)
	}
}

func FuzzSplit(f *testing.F) {
	f.Add("Roses from €5")
	f.Add(strings.Repeat("🐳", 40))
	f.Add(strings.Repeat("[", 100))
	f.Add("\xff\xfe")
	f.Fuzz(func(t *testing.T, text string) {
		_, parts := sms.Split(text)
		if strings.Join(parts, "") != text {
			t.Errorf("%q does not come back from its parts %q", text, parts)
		}
	})
}
