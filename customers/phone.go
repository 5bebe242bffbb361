package customers

import (
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

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
