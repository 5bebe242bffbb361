package normal

import (
	"errors"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// Phone gives a number's E.164 form ("+493012345678"). A number without a country code is read as one of country (ISO
// 3166 alpha-2); an extension is dropped. Only numbers that exist by their country's numbering plan pass; the error says
// in words what is wrong.
func Phone(s, country string) (string, error) {
	s, country = strings.TrimSpace(s), strings.ToUpper(country)
	if len(s) > 64 {
		return "", errPhoneLong
	}
	var number phoneDigits
	if !number.read(s) {
		return parsePhone(s, country)
	}
	return number.verdict(s, country)
}

var (
	errPhoneLong    = errors.New("is too long")
	errPhoneCountry = errors.New("has no country code that is known")
	errPhoneNone    = errors.New("is not a phone number")
	errPhonePlan    = errors.New("is not a number of its country's numbering plan")
)

// parsePhone asks the numbering plans themselves.
func parsePhone(s, country string) (string, error) {
	n, err := phonenumbers.Parse(s, country)
	if errors.Is(err, phonenumbers.ErrInvalidCountryCode) {
		return "", errPhoneCountry
	}
	if err != nil {
		return "", errPhoneNone
	}
	if !phonenumbers.IsValidNumber(n) {
		return "", errPhonePlan
	}
	return phonenumbers.Format(n, phonenumbers.E164), nil
}

// phoneDigits is a number written in the usual way: digits with blanks and plain punctuation between them, perhaps a plus
// in front. Of such a number only the digits count.
type phoneDigits struct {
	plus   bool
	n      int
	digits [15]byte
}

// read takes a number apart and says whether it is written in the usual way.
func (p *phoneDigits) read(s string) bool {
	if strings.HasPrefix(s, "+") {
		p.plus, s = true, s[1:]
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			if p.n == len(p.digits) {
				return false
			}
			p.digits[p.n] = c - '0'
			p.n++
		case c != ' ' && c != '-' && c != '(' && c != ')' && c != '.' && c != '/':
			return false
		}
	}
	return p.n >= 7
}
