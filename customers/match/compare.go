package match

import (
	"math/bits"
	"strings"
	"unicode/utf8"
)

// comparator tells the level at which two different values of one field agree.
type comparator func(a, b *value) Level

var comparators = [fields]comparator{Given: compareGiven, Middle: compareGiven, Surname: compareText, Birth: compareBirth, Email: compareEmail,
	Phone: comparePhone, Identifier: compareCode, Number: compareNumber, Street: compareText, Street2: compareText, City: compareText, Region: compareText,
	Postcode: comparePostcode, Company: compareText, Extra1: compareText, Extra2: compareText, Extra3: compareText, Extra4: compareText}

// order is the order of comparing: what is cheap and tells much comes first.
var order = [fields]Field{Birth, Given, Surname, Identifier, Phone, Postcode, Number, Email, City, Street, Street2, Company, Region, Middle, Extra1, Extra2, Extra3, Extra4}

func compareGiven(a, b *value) Level {
	x, y := a.text, b.text
	if a.number != 0 && b.number != 0 && sameRoot(x, y) {
		return Alias
	}
	if initialOf(x, y) || initialOf(y, x) {
		return Partial
	}
	return compareText(a, b)
}

func initialOf(initial, name string) bool {
	return initial != "" && strings.HasPrefix(name, initial) && utf8.RuneCountInString(initial) == 1
}

// compareText compares names and words.
func compareText(a, b *value) Level {
	x, y := a.text, b.text
	shorter := min(len(x), len(y))
	if apart(a.mask, b.mask) <= 3 {
		switch d := slips(a, b, 3); {
		case d == 1 && shorter >= 3:
			return Close
		case d == 2 && shorter >= 5 || d == 3 && shorter >= 9:
			return Near
		case d == 1 && shorter == 2:
			return Faint
		}
	}
	if shorter >= 3 && (x[0] == y[0] || (a.mask|b.mask)&spaced != 0) {
		if part := parts(x, y); part != Different {
			return part
		}
	}
	switch j := likeness(a, b, 0.80); {
	case j >= 0.92:
		return Near
	case j >= 0.80:
		return Faint
	}
	return Different
}

// parts compares word by word: written together, in another order, one part of a double name, or the beginning.
func parts(x, y string) Level {
	if len(x) > len(y) {
		x, y = y, x
	}
	if len(x) >= 3 && strings.HasPrefix(y, x) {
		return Partial
	}
	if strings.IndexByte(y, ' ') < 0 && strings.IndexByte(x, ' ') < 0 {
		return Different
	}
	if len(y)-len(x) <= 4 && strings.ReplaceAll(x, " ", "") == strings.ReplaceAll(y, " ", "") {
		return Close
	}
	same, of := 0, 0
	for w := range strings.SplitSeq(x, " ") {
		of++
		if len(w) >= 2 && hasWord(y, w) {
			same++
		}
	}
	switch {
	case same == of && len(x) == len(y):
		return Alias // the words in another order
	case same == of && len(x) >= 3:
		return Partial
	}
	return Different
}

func hasWord(s, word string) bool {
	for {
		i := strings.Index(s, word)
		if i < 0 {
			return false
		}
		if (i == 0 || s[i-1] == ' ') && (i+len(word) == len(s) || s[i+len(word)] == ' ') {
			return true
		}
		s = s[i+len(word):]
	}
}

func compareBirth(a, b *value) Level {
	x, y := a.number, b.number
	y1, m1, d1 := x/10000, x/100%100, x%100
	y2, m2, d2 := y/10000, y/100%100, y%100
	if m1 == 0 || m2 == 0 || d1 == 0 || d2 == 0 { // only a part is known
		if y1 != y2 {
			return Different
		}
		if m1 == m2 || m1 == 0 || m2 == 0 {
			return Partial
		}
		return Faint
	}
	if y1 == y2 && m1 == d2 && d1 == m2 {
		return Alias
	}
	switch slips(a, b, 2) {
	case 1:
		return Close
	case 2:
		if y1 == y2 || m1 == m2 && d1 == d2 {
			return Near
		}
		return Partial
	}
	days := abs((y1-y2)*365 + (m1-m2)*30 + d1 - d2)
	switch {
	case y1 == y2 && m1 == m2, m1 == m2 && d1 == d2, y1 == y2 && d1 == d2:
		return Near
	case days <= 31:
		return Partial
	case days <= 365:
		return Faint
	}
	return Different
}

func abs(n int32) int32 { return max(n, -n) }

func compareEmail(a, b *value) Level {
	if a.sound == b.sound && a.sound != 0 {
		return Alias
	}
	switch slips(a, b, 4) {
	case 1:
		return Close
	case 2, 3, 4:
		return Near
	}
	switch {
	case apart(a.mask, b.mask) <= 6 && likeness(a, b, 0.90) >= 0.90:
		return Partial
	case a.number == b.number:
		return Faint
	}
	return Different
}

func comparePhone(a, b *value) Level {
	x, y := a.text, b.text
	if n := min(len(x), len(y)); n >= 7 && x[len(x)-7:] == y[len(y)-7:] {
		return Alias
	}
	return compareCode(a, b)
}

func compareCode(a, b *value) Level {
	shorter := min(len(a.text), len(b.text))
	switch slips(a, b, 2) {
	case 1:
		if shorter >= 4 {
			return Close
		}
	case 2:
		if shorter >= 6 {
			return Near
		}
	}
	return Different
}

func compareNumber(a, b *value) Level {
	x, y := a.text, b.text
	if leadingDigits(x) == leadingDigits(y) {
		return Alias // 12 and 12a
	}
	if slips(a, b, 1) == 1 && max(len(x), len(y)) >= 2 {
		return Close
	}
	return Different
}

func leadingDigits(s string) string {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	return s[:i]
}

func comparePostcode(a, b *value) Level {
	x, y := a.text, b.text
	if bits.OnesCount64(a.mask^b.mask) > 6 {
		return Different
	}
	n := min(len(x), len(y))
	if n >= 5 && max(len(x), len(y)) >= 8 && x[:5] == y[:5] { // ZIP+4
		return Alias
	}
	switch d := slips(a, b, 2); {
	case d == 1 && n >= 3:
		return Close
	case n >= 4 && x[:max(3, n-3)] == y[:max(3, n-3)]:
		return Partial
	case d == 2 && n >= 5:
		return Near
	}
	return Different
}
