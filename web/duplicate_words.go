package web

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"aldine/customers/duplicates"
)

// sureness shows a probability without rounding doubt away.
func sureness(score float64) string {
	switch {
	case score > 0.999:
		return "over 99.9 %"
	case score >= 0.99:
		return strconv.FormatFloat(math.Floor(score*1000)/10, 'f', 1, 64) + " %"
	}
	return strconv.FormatFloat(score*100, 'f', 0, 64) + " %"
}

// agreement says in words how two values agree.
func agreement(level string) string {
	switch level {
	case "exact":
		return "the same"
	case "close":
		return "one slip of the pen"
	case "near":
		return "two or three slips"
	case "partial":
		return "a part agrees"
	case "faint":
		return "little agrees"
	case "alias":
		return "another form of the same"
	case "swapped":
		return "stands in another field"
	case "missing":
		return "not known of both"
	case "different":
		return "nothing agrees"
	}
	return sayWord(level)
}

// fieldLabel names a field for people.
func fieldLabel(name string) string {
	switch name {
	case "given_name", "first_name":
		return "First name"
	case "surname", "last_name":
		return "Last name"
	case "middle_name":
		return "Middle name"
	case "email":
		return "E-mail"
	case "external_id":
		return "External id"
	case "address2":
		return "Address line 2"
	case "time_zone":
		return "Time zone"
	}
	s := strings.ReplaceAll(strings.TrimPrefix(name, "attributes."), "_", " ")
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// reasonFor is one sentence that says what speaks for one person and what against, the weightiest first.
func reasonFor(evidence []duplicates.Evidence) string {
	sorted := slices.Clone(evidence)
	slices.SortStableFunc(sorted, func(a, b duplicates.Evidence) int {
		switch {
		case a.Weight > b.Weight:
			return -1
		case a.Weight < b.Weight:
			return 1
		}
		return 0
	})
	var same, alike, against []string
	for _, e := range sorted {
		label := strings.ToLower(fieldLabel(e.Field))
		switch {
		case e.Level == "missing" || e.Level == "":
		case e.Level == "exact" && e.Weight > 0:
			same = append(same, label)
		case e.Weight > 0:
			alike = append(alike, label+": "+agreement(e.Level))
		case e.Weight < 0:
			against = append(against, label)
		}
	}
	var parts []string
	if same != nil {
		parts = append(parts, "same "+and(same, 4))
	}
	parts = append(parts, alike[:min(len(alike), 3)]...)
	if against != nil {
		slices.Reverse(against)
		verb := " differs"
		if len(against) > 1 {
			verb = " differ"
		}
		parts = append(parts, "but "+and(against, 3)+verb)
	}
	if parts == nil {
		return ""
	}
	s := strings.Join(parts, "; ")
	return strings.ToUpper(s[:1]) + s[1:] + "."
}

// and joins words, the first n of them.
func and(words []string, n int) string {
	if len(words) > n {
		return strings.Join(words[:n], ", ") + " and more"
	}
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// weightBar is how much a field speaks for or against one person, as a bar from the middle.
type weightBar struct {
	Text, Title string
	X, W        string
	Against     bool
}

// fullWeight is how many bits fill one half of the bar.
const fullWeight = 16

func newWeightBar(bits float64) weightBar {
	w := min(math.Abs(bits)/fullWeight, 1) * 50
	b := weightBar{Against: bits < 0, X: "50", W: strconv.FormatFloat(w, 'f', 1, 64)}
	sign, side := "+", "for"
	if b.Against {
		b.X = strconv.FormatFloat(50-w, 'f', 1, 64)
		sign, side = "−", "against"
	}
	b.Text = sign + strconv.FormatFloat(math.Abs(bits), 'f', 1, 64)
	b.Title = fmt.Sprintf("%.1f bits %s one person: %s times as likely", math.Abs(bits), side, group(strconv.FormatFloat(math.Round(math.Exp2(math.Min(math.Abs(bits), 30))), 'f', 0, 64)))
	return b
}

// part is a piece of a value; the other side does not have the same one where Differs.
type part struct {
	Text    string
	Differs bool
}

// maxCompared bounds the work of finding what differs.
const maxCompared = 200

// differing cuts two values into what they have in common and what they don't, by their longest common subsequence of
// characters; upper and lower case count as the same.
func differing(a, b string) ([]part, []part) {
	x, y := []rune(a), []rune(b)
	if a == "" || b == "" || strings.EqualFold(a, b) {
		return whole(a, false), whole(b, false)
	}
	if len(x) > maxCompared || len(y) > maxCompared {
		return whole(a, true), whole(b, true)
	}
	lx, ly := []rune(strings.ToLower(a)), []rune(strings.ToLower(b))
	if len(lx) != len(x) || len(ly) != len(y) {
		lx, ly = x, y
	}
	long := make([][]int16, len(x)+1)
	for i := range long {
		long[i] = make([]int16, len(y)+1)
	}
	for i := len(x) - 1; i >= 0; i-- {
		for j := len(y) - 1; j >= 0; j-- {
			if lx[i] == ly[j] {
				long[i][j] = long[i+1][j+1] + 1
			} else {
				long[i][j] = max(long[i+1][j], long[i][j+1])
			}
		}
	}
	if int(long[0][0])*2 < max(len(x), len(y)) { // letters in common by chance tell nothing
		return whole(a, true), whole(b, true)
	}
	var pa, pb []part
	i, j := 0, 0
	for i < len(x) || j < len(y) {
		switch {
		case i < len(x) && j < len(y) && lx[i] == ly[j]:
			pa, pb = addPart(pa, x[i], false), addPart(pb, y[j], false)
			i++
			j++
		case j == len(y) || i < len(x) && long[i+1][j] >= long[i][j+1]:
			pa = addPart(pa, x[i], true)
			i++
		default:
			pb = addPart(pb, y[j], true)
			j++
		}
	}
	return pa, pb
}

func whole(s string, differs bool) []part {
	if s == "" {
		return nil
	}
	return []part{{s, differs}}
}

func addPart(parts []part, r rune, differs bool) []part {
	if n := len(parts); n > 0 && parts[n-1].Differs == differs {
		parts[n-1].Text += string(r)
		return parts
	}
	return append(parts, part{string(r), differs})
}
