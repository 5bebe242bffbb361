package customers

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func displayName(c *Customer) string {
	switch {
	case c.FirstName != "" || c.LastName != "":
		return strings.TrimSpace(c.FirstName + " " + c.LastName)
	case c.Company != "":
		return c.Company
	case c.Email != "":
		return c.Email
	}
	return "Customer " + strconv.FormatInt(c.ID, 10)
}

// namesAgree tells whether two people may be one: neither first nor last name is known of both and different.
func namesAgree(a, b *Fields) bool {
	return firstNamesAgree(a.FirstName, b.FirstName) && foldedAgree(a.LastName, b.LastName)
}

func foldedAgree(a, b string) bool {
	return a == b || a == "" || b == "" || fold(a) == fold(b)
}

// firstNamesAgree also takes an initial for the name it begins: "J." may be Jane.
func firstNamesAgree(a, b string) bool {
	if a == b || a == "" || b == "" {
		return true
	}
	x, y := fold(a), fold(b)
	return x == y || isInitialOf(x, y) || isInitialOf(y, x)
}

func isInitialOf(initial, name string) bool {
	return initial != "" && utf8.RuneCountInString(initial) == 1 && strings.HasPrefix(name, initial)
}

// fold gives the form in which names and address lines are compared: letters and digits in lower case without
// accents, words parted by one space.
func fold(s string) string {
	b := make([]byte, 0, len(s)+4)
	gap := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= utf8.RuneSelf {
			return foldUnicode(s)
		}
		switch {
		case c >= 'A' && c <= 'Z':
			c += 'a' - 'A'
		case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
		case c == '\'':
			continue
		default:
			gap = len(b) > 0
			continue
		}
		if gap {
			b = append(b, ' ')
			gap = false
		}
		b = append(b, c)
	}
	return string(b)
}

// unaccented are letters that decompose into no accent and a base letter.
var unaccented = map[rune]string{'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'đ': "d", 'ł': "l", 'þ': "th", 'ð': "d", 'ı': "i"}

func foldUnicode(s string) string {
	var b strings.Builder
	gap := false
	for _, r := range norm.NFKD.String(s) {
		r = unicode.ToLower(r)
		switch {
		case unicode.Is(unicode.Mn, r) || r == '\'' || r == '’':
			continue
		case !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.M, r):
			gap = b.Len() > 0
			continue
		}
		if gap {
			b.WriteByte(' ')
			gap = false
		}
		if t, ok := unaccented[r]; ok {
			b.WriteString(t)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
