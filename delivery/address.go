package delivery

import (
	"fmt"
	"strings"
	"time"

	"github.com/govalues/decimal"
	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"aldine/customers"
)

// addressLines gives the lines of an envelope: who, where, and the country in capitals where it is not home.
func addressLines(p customers.Profile, home string) []string {
	var lines []string
	add := func(parts ...string) {
		var full []string
		for _, s := range parts {
			if s = strings.TrimSpace(s); s != "" {
				full = append(full, s)
			}
		}
		if len(full) > 0 {
			lines = append(lines, strings.Join(full, " "))
		}
	}
	person := strings.TrimSpace(p.FirstName + " " + p.LastName)
	add(p.Company)
	if person != "" {
		add(p.Title, person, p.Suffix)
	} else if p.Company == "" {
		add("To the resident")
	}
	add(p.Street)
	add(p.Address2)
	country := strings.ToUpper(p.Country)
	if country == "" {
		country = home
	}
	switch country {
	case "US", "CA", "AU", "PR":
		add(p.City, p.Region, p.PostalCode)
	case "GB", "IE":
		add(p.City)
		add(p.Region)
		add(p.PostalCode)
	default:
		add(p.PostalCode, p.City, p.Region)
	}
	if country != home && country != "" {
		add(countryName(country))
	}
	return lines
}

func countryName(code string) string {
	r, err := language.ParseRegion(code)
	if err != nil {
		return code
	}
	return strings.ToUpper(display.English.Regions().Name(r))
}

// cell writes a variable of a template as text.
func cell(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case time.Time:
		return v.UTC().Format(time.RFC3339)
	case decimal.Decimal:
		return v.String()
	case []string:
		return strings.Join(v, ", ")
	}
	return fmt.Sprint(v)
}
