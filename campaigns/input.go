package campaigns

import (
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/govalues/decimal"
	"golang.org/x/text/currency"
	"golang.org/x/text/unicode/norm"

	"aldine/internal/fault"
)

// faults collects what is wrong with an input, so that all is seen at once.
type faults []fault.Field

func (f *faults) add(name, format string, args ...any) {
	*f = append(*f, fault.Field{Name: name, Message: fmt.Sprintf(format, args...)})
}

func (f faults) err(message string) error {
	if len(f) == 0 {
		return nil
	}
	return fault.Bad(message, f...)
}

var codePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,59}$`)

func (f *faults) text(name, value string, most int, needed bool) string {
	value = strings.TrimSpace(value)
	switch {
	case needed && value == "":
		f.add(name, "Enter a %s", name)
	case !utf8.ValidString(value) || strings.ContainsRune(value, 0):
		f.add(name, "The text is not valid UTF-8")
	case utf8.RuneCountInString(value) > most:
		f.add(name, "At most %d characters", most)
	}
	return value
}

func (f *faults) code(code string) string {
	code = strings.ToLower(strings.TrimSpace(code))
	switch {
	case code == "this":
		f.add("code", `"this" stands for the campaign itself in journeys: choose another code`)
	case !codePattern.MatchString(code):
		f.add("code", "A code has 1 to 60 letters a-z, digits, - and _")
	case !strings.ContainsAny(code, "abcdefghijklmnopqrstuvwxyz"):
		f.add("code", "A code needs a letter: a number alone could be mistaken for an id")
	}
	return code
}

func (f *faults) currency(code string) string {
	code = strings.ToUpper(strings.TrimSpace(code))
	if code == "" {
		f.add("currency", "Choose the currency: a code of three letters such as EUR or USD")
	} else if _, err := currency.ParseISO(code); err != nil {
		f.add("currency", "%q is not a currency: use its code of three letters, such as EUR or USD", code)
	}
	return code
}

func (f *faults) amount(name string, d decimal.Decimal) {
	switch {
	case d.IsNeg():
		f.add(name, "An amount of money is 0 or more")
	case d.Trim(0).Scale() > 4 || d.Prec()-d.Scale() > 15:
		f.add(name, "At most 15 digits and 4 decimals")
	}
}

// end reads when a campaign is over; nil for "".
func (f *faults) end(text string, now time.Time) *time.Time {
	if text = strings.TrimSpace(text); text == "" {
		return nil
	}
	at, err := time.Parse(time.RFC3339, text)
	switch {
	case err != nil || at.Year() > 9999:
		f.add("ends_at", `Write the end like "2026-12-24T18:00:00Z"`)
	case !at.After(now):
		f.add("ends_at", "The end lies in the past")
	}
	return &at
}

// share gives a cell's percentage in basis points.
func share(d decimal.Decimal) (int, bool) {
	if d = d.Trim(0); d.Scale() > 2 || !d.IsPos() {
		return 0, false
	}
	points, err := d.Mul(decimal.Hundred)
	if err != nil {
		return 0, false
	}
	whole, _, ok := points.Int64(0)
	return int(whole), ok && whole <= 10000
}

// cell is a checked cell.
type cell struct {
	name    string
	points  int
	control bool
}

func (f *faults) cells(in []CellInput) []cell {
	if len(in) == 0 {
		return []cell{{"all", 10000, false}}
	}
	if len(in) > 50 {
		f.add("cells", "A campaign has at most 50 cells")
		return nil
	}
	var out []cell
	names, sum, controls, whole := map[string]bool{}, 0, 0, true
	for i, c := range in {
		at := func(field string) string { return fmt.Sprintf("cells[%d].%s", i, field) }
		name := strings.TrimSpace(c.Name)
		switch {
		case name == "" || utf8.RuneCountInString(name) > 60 || !utf8.ValidString(name):
			f.add(at("name"), "A cell needs a name of at most 60 characters")
		case names[strings.ToLower(name)]:
			f.add(at("name"), "There is a cell %q already", name)
		}
		names[strings.ToLower(name)] = true
		points, ok := share(c.Share)
		if !ok {
			f.add(at("share"), "A share is a percentage above 0 with at most two decimals")
			whole = false
		}
		if sum += points; c.Control {
			controls++
		}
		out = append(out, cell{name, points, c.Control})
	}
	if whole && sum != 10000 {
		f.add("cells", "The shares add up to %d.%02d %%, they must make 100 %%", sum/100, sum%100)
	}
	if controls > 1 {
		f.add("cells", "A campaign has at most one control cell")
	}
	if controls == len(in) {
		f.add("cells", "A campaign needs a cell that is not the control")
	}
	return out
}

var notCode = regexp.MustCompile(`[^a-z0-9]+`)

// slug makes a code of a name: "Frühling 2026" gives "fruhling-2026".
func slug(name string) string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(strings.ToLower(name)) {
		if r == 'ß' {
			b.WriteString("ss")
		} else if r < 0x300 || r > 0x36f {
			b.WriteRune(r)
		}
	}
	s := strings.Trim(notCode.ReplaceAllString(b.String(), "-"), "-")
	if len(s) > 50 {
		s = strings.Trim(s[:50], "-")
	}
	if !strings.ContainsAny(s, "abcdefghijklmnopqrstuvwxyz") || s == "this" {
		s = strings.Trim("campaign-"+s, "-")
	}
	return s
}
