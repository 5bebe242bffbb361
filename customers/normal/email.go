package normal

import (
	"errors"
	"strings"

	"golang.org/x/net/idna"
)

// Limits of RFC 5321.
const (
	maxLocal = 64
	maxEmail = 254
)

// Email gives an address's normal form: trimmed, all in lower case, an international domain in its ASCII form.
// It takes the addresses that mail can be sent to everywhere: local@domain.tld without comments, quoted local parts,
// address literals, one-label domains and letters outside ASCII before the @. The error says in words what is wrong.
func Email(s string) (string, error) {
	shown, err := EmailAsWritten(s)
	return strings.ToLower(shown), err
}

// EmailAsWritten gives the address as it is stored: trimmed, the local part as written, the domain in its ASCII form.
// Lowering it gives the normal form.
func EmailAsWritten(s string) (string, error) {
	s = strings.Trim(s, " \t")
	at := strings.LastIndexByte(s, '@')
	switch {
	case at < 0:
		return "", errors.New("has no @")
	case at == 0:
		return "", errors.New("has nothing before the @")
	case at == len(s)-1:
		return "", errors.New("has nothing after the @")
	}
	local, domain := s[:at], s[at+1:]
	if err := checkLocal(local); err != nil {
		return "", err
	}
	domain, err := cleanDomain(domain)
	if err != nil {
		return "", err
	}
	if len(local)+1+len(domain) > maxEmail {
		return "", errors.New("is longer than 254 characters")
	}
	return local + "@" + domain, nil
}

func checkLocal(local string) error {
	if len(local) > maxLocal {
		return errors.New("has more than 64 characters before the @")
	}
	if local[0] == '.' || local[len(local)-1] == '.' || strings.Contains(local, "..") {
		return errors.New("has a dot in the wrong place before the @")
	}
	for i := 0; i < len(local); i++ {
		c := local[i]
		switch {
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9':
		case strings.IndexByte(".!#$%&'*+-/=?^_`{|}~", c) >= 0:
		case c >= 0x80:
			return errors.New("has a letter outside ASCII before the @")
		default:
			return errors.New("has a character before the @ that is not allowed there")
		}
	}
	return nil
}

// domains maps international names with the rules for look-up; underscores and leading hyphens stay refused.
var domains = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(true))

func cleanDomain(domain string) (string, error) {
	for i := 0; i < len(domain); i++ {
		if domain[i] >= 0x80 {
			ascii, err := domains.ToASCII(domain)
			if err != nil {
				return "", errors.New("has a domain that is not valid")
			}
			domain = ascii
			break
		}
	}
	domain = strings.ToLower(domain)
	if len(domain) > 253 {
		return "", errors.New("has a domain longer than 253 characters")
	}
	labels := strings.Split(domain, ".")
	if len(labels) < 2 {
		return "", errors.New("has a domain without a dot")
	}
	for _, l := range labels {
		if l == "" {
			return "", errors.New("has a dot in the wrong place in the domain")
		}
		if len(l) > 63 {
			return "", errors.New("has a part of the domain longer than 63 characters")
		}
		if l[0] == '-' || l[len(l)-1] == '-' {
			return "", errors.New("has a hyphen at the edge of a part of the domain")
		}
		for i := 0; i < len(l); i++ {
			if c := l[i]; !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-') {
				return "", errors.New("has a character in the domain that is not allowed there")
			}
		}
	}
	if top := labels[len(labels)-1]; strings.Trim(top, "0123456789") == "" {
		return "", errors.New("has a domain that ends in a number")
	}
	return domain, nil
}

// EmailMatch gives the form under which addresses are compared that may hold slips: lower case, without a plus tag
// wherever it is; dots before the @ do not count where the provider ignores them. What is not an address is still compared.
func EmailMatch(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > MaxText {
		s = strings.ToValidUTF8(s[:MaxText], "")
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
