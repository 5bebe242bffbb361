package match

import (
	"strings"
)

// emailForm standardises an e-mail address: lower case, without a plus tag; dots before the @ do not count where the
// provider ignores them. What is not an address is still compared, since a slip of the pen may be why.
func emailForm(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > maxValue {
		s = strings.ToValidUTF8(s[:maxValue], "")
	}
	s = strings.Trim(strings.ToLower(s), "<>\"' ")
	s = strings.TrimPrefix(s, "mailto:")
	at := strings.LastIndexByte(s, '@')
	if at <= 0 {
		return s
	}
	local, domain := s[:at], s[at+1:]
	if i := strings.IndexByte(local, '+'); i > 0 {
		local = local[:i]
	}
	if domain == "googlemail.com" {
		domain = "gmail.com"
	}
	if domain == "gmail.com" {
		if t := strings.ReplaceAll(local, ".", ""); t != "" {
			local = t
		}
	}
	return local + "@" + domain
}

// phoneForm keeps the digits that tell a number from others whether it is written with or without the country code:
// at most the last nine, without the zeros dialled first. Fewer than five digits are no number.
func phoneForm(s string) string {
	if len(s) > maxValue {
		s = s[:maxValue]
	}
	if i := strings.IndexAny(s, "xX#"); i > 5 { // an extension
		s = s[:i]
	}
	b := make([]byte, 0, 20)
	for i := 0; i < len(s); i++ {
		if s[i] >= '0' && s[i] <= '9' {
			b = append(b, s[i])
		}
	}
	if strings.Contains(s, "(0)") { // +44 (0)20 ...
		b = []byte(phoneDigits(strings.ReplaceAll(s, "(0)", "")))
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

func phoneDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, s)
}
