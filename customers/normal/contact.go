package normal

import "strings"

// PhoneDigits keeps the digits that tell a number from others whether it is written with or without the country code:
// at most the last nine, without the zeros dialled first. Fewer than five digits are no number. It is for
// comparing and no form to store.
func PhoneDigits(s string) string {
	if len(s) > MaxText {
		s = s[:MaxText]
	}
	if i := strings.IndexAny(s, "xX#"); i > 5 { // an extension
		s = s[:i]
	}
	s = strings.ReplaceAll(s, "(0)", "") // +44 (0)20 ...
	b := make([]byte, 0, 20)
	for i := 0; i < len(s); i++ {
		if s[i] >= '0' && s[i] <= '9' {
			b = append(b, s[i])
		}
	}
	for len(b) > 0 && b[0] == '0' {
		b = b[1:]
	}
	if len(b) > 9 {
		b = b[len(b)-9:]
	}
	if len(b) < 5 {
		return ""
	}
	return string(b)
}

// Code gives the form of a number on a document: letters and digits.
func Code(s string) string {
	return strings.ReplaceAll(Fold(withoutDecimal(s)), " ", "")
}

// withoutDecimal takes off what a spreadsheet adds to a code that it holds for a number.
func withoutDecimal(s string) string { return strings.TrimSuffix(strings.TrimSpace(s), ".0") }
