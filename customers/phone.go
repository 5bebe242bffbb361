package customers

import (
	"errors"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// NormalizePhone gives a number's E.164 form ("+493012345678"). A number without a country code is read as one of
// defaultCountry (ISO 3166 alpha-2); an extension is dropped. Only numbers that exist by their country's numbering
// plan pass; the error says in words what is wrong.
func NormalizePhone(s, defaultCountry string) (string, error) {
	s = strings.TrimSpace(s)
	if len(s) > 64 {
		return "", errors.New("is too long")
	}
	n, err := phonenumbers.Parse(s, strings.ToUpper(defaultCountry))
	if errors.Is(err, phonenumbers.ErrInvalidCountryCode) {
		return "", errors.New("has no country code that is known")
	}
	if err != nil {
		return "", errors.New("is not a phone number")
	}
	if !phonenumbers.IsValidNumber(n) {
		return "", errors.New("is not a number of its country's numbering plan")
	}
	return phonenumbers.Format(n, phonenumbers.E164), nil
}

// TimeZoneOf gives the IANA zone that a number (E.164) lies in, else the one zone of the country (ISO 3166 alpha-2);
// "" where neither tells or there are several.
func TimeZoneOf(phone, country string) string {
	if phone != "" {
		if n, err := phonenumbers.Parse(phone, ""); err == nil {
			if zones, err := phonenumbers.GetTimezonesForNumber(n); err == nil && len(zones) == 1 {
				return known(zones[0])
			}
		}
	}
	if country != "" {
		if n := phonenumbers.GetExampleNumber(strings.ToUpper(country)); n != nil {
			code := "+" + strconv.Itoa(int(n.GetCountryCode()))
			if zones, err := phonenumbers.GetTimezonesForPrefix(code); err == nil && len(zones) == 1 {
				return known(zones[0])
			}
		}
	}
	return ""
}

func known(zone string) string {
	if zone == phonenumbers.UNKNOWN_TIMEZONE {
		return ""
	}
	return zone
}
