package customers

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/nyaruka/phonenumbers"
)

// Unregistered is how many telephone numbers are known in a country for which no do-not-call register is kept.
type Unregistered struct {
	Country string // ISO 3166 alpha-2; of a calling code that countries share, the main one
	Numbers int64
}

// Unregistered gives the countries with telephone numbers that no do-not-call register for calls looks after, those with the most
// numbers first. It reads all numbers once.
func (s *Service) Unregistered(ctx context.Context) ([]Unregistered, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT n.prefix, n.count FROM (SELECT substr(phone, 2, 4) AS prefix, count(*) AS count FROM customer_phones WHERE phone LIKE '+%' GROUP BY 1) n
		WHERE NOT EXISTS (SELECT 1 FROM register_prefixes p JOIN registers r ON r.register_id = p.register_id AND r.channel = 'calls'
			WHERE p.prefix = ANY (ARRAY[substr(n.prefix, 1, 1), substr(n.prefix, 1, 2), substr(n.prefix, 1, 3), n.prefix]))
		ORDER BY n.prefix`)
	if err != nil {
		return nil, err
	}
	count := map[string]int64{}
	var prefix string
	var n int64
	if _, err := pgx.ForEachRow(rows, []any{&prefix, &n}, func() error {
		count[countryOfPrefix(prefix)] += n
		return nil
	}); err != nil {
		return nil, err
	}
	delete(count, "")
	out := make([]Unregistered, 0, len(count))
	for country, n := range count {
		out = append(out, Unregistered{country, n})
	}
	slices.SortFunc(out, func(a, b Unregistered) int {
		return cmp.Or(cmp.Compare(b.Numbers, a.Numbers), cmp.Compare(a.Country, b.Country))
	})
	return out, nil
}

// countryOfPrefix gives the country of numbers by their first four digits, "" where there is none.
func countryOfPrefix(prefix string) string {
	if prefix[:1] == "1" {
		return areaCountry(prefix[1:])
	}
	for digits := 1; digits <= min(3, len(prefix)); digits++ {
		code, _ := strconv.Atoi(prefix[:digits])
		if region := phonenumbers.GetRegionCodeForCountryCode(code); len(region) == 2 && region != phonenumbers.UNKNOWN_REGION {
			return region
		}
	}
	return ""
}

// areaCountry gives the country of a North American area code; those not given out yet count to the United States.
func areaCountry(area string) string {
	n, err := phonenumbers.Parse("+1"+area+"2345678", "")
	if err != nil {
		return ""
	}
	region := phonenumbers.GetRegionCodeForNumber(n)
	if region == "" || region == phonenumbers.UNKNOWN_REGION {
		return "US"
	}
	return region
}
