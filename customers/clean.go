package customers

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // zones must be known on hosts without the system's tables
	"unicode/utf8"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"aldine/customers/normal"
)

// maxText is the longest text kept in a field, in bytes.
const maxText = 1000

// cleanCore brings the value of a core field into its normal form; the error says in words what is wrong with it.
func cleanCore(field, s, country string) (string, error) {
	s, err := cleanText(s)
	if s == "" || err != nil {
		return "", err
	}
	switch field {
	case "email":
		s, err = normal.EmailAsWritten(s)
	case "phone":
		s, err = normal.Phone(s, country)
	case "country":
		s, err = cleanCountry(s)
	case "language":
		s, err = cleanLanguage(s)
	case "time_zone":
		s, err = cleanTimeZone(s)
	}
	return s, err
}

// cleanText trims; it refuses what cannot be stored or is too long.
func cleanText(s string) (string, error) {
	s = strings.TrimSpace(s)
	switch {
	case len(s) > maxText:
		return "", fmt.Errorf("is longer than %d characters", maxText)
	case strings.IndexByte(s, 0) >= 0:
		return "", errors.New("holds a zero byte")
	case !utf8.ValidString(s):
		return "", errors.New("is not valid UTF-8 text")
	}
	return s, nil
}

// countryNames are the regions of ISO 3166 by their English names in folded form.
var countryNames = sync.OnceValue(func() map[string]string {
	m := map[string]string{"usa": "US", "united states of america": "US", "uk": "GB", "great britain": "GB", "england": "GB",
		"scotland": "GB", "wales": "GB", "northern ireland": "GB", "holland": "NL", "czech republic": "CZ", "deutschland": "DE",
		"osterreich": "AT", "oesterreich": "AT", "schweiz": "CH", "suisse": "CH", "espana": "ES", "italia": "IT", "russia": "RU", "south korea": "KR"}
	names := display.English.Regions()
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			if r, err := language.ParseRegion(string(a) + string(b)); err == nil && r.IsCountry() {
				m[normal.Fold(names.Name(r))] = r.Canonicalize().String()
			}
		}
	}
	return m
})

// cleanCountry takes an ISO 3166 code of two or three letters or an English name and gives the two letters.
func cleanCountry(s string) (string, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return "", nil
	}
	if len(s) == 2 || len(s) == 3 {
		if r, err := language.ParseRegion(strings.ToUpper(s)); err == nil && r.IsCountry() {
			if code := r.Canonicalize().String(); len(code) == 2 {
				return code, nil
			}
		}
	}
	if code, ok := countryNames()[normal.Fold(s)]; ok {
		return code, nil
	}
	return "", errors.New("is not a country: use its two letters (ISO 3166), such as DE")
}

func cleanLanguage(s string) (string, error) {
	tag, err := language.Parse(strings.ReplaceAll(s, "_", "-"))
	if err != nil {
		return "", errors.New("is not a language: use a code (BCP 47), such as en or de-AT")
	}
	return tag.String(), nil
}

var zones sync.Map // name -> bool

func cleanTimeZone(s string) (string, error) {
	ok, seen := zones.Load(s)
	if !seen {
		_, err := time.LoadLocation(s)
		ok = err == nil && s != "Local"
		if ok.(bool) { // only real ones are kept: strangers choose the others
			zones.Store(s, ok)
		}
	}
	if ok.(bool) {
		return s, nil
	}
	return "", errors.New("is not a time zone: use a name such as Europe/Vienna")
}
