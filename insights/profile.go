package insights

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/jackc/pgx/v5"

	"aldine/customers"
	"aldine/internal/access"
	"aldine/segments"
)

// Profile says who the members of an expression are.
type Profile struct {
	Members int64   `json:"members"`
	Sampled int64   `json:"sampled"` // how many were looked at; the other figures are extrapolated where these are fewer than Members
	Country []Share `json:"country"` // the largest ten, the rest as "other", "" for not known
	Age     []Share `json:"age"`     // empty where no attribute birthday or date_of_birth is there
	Value   []Share `json:"value"`   // by what they spent, in the base currency
	Reach   []Share `json:"reach"`   // email, calls, post, sms: who has an address there, allows it and is not suppressed
}

// Share is a part of the members.
type Share struct {
	Label   string  `json:"label"`
	Members int64   `json:"members"`
	Share   float64 `json:"share"` // of all members
}

// profileSample is how many members are looked at; of more, a fixed part by their hashes.
const profileSample = 50_000

// Exact tells whether every member was looked at.
func (p Profile) Exact() bool { return p.Sampled == p.Members }

// Channels of Reach, in its order.
var channels = []string{"email", "calls", "post", "sms"}

// Profile breaks the members of an expression down. It fails with Invalid and Unavailable like segments.Count.
func (s *Service) Profile(ctx context.Context, expression string) (Profile, error) {
	count, err := s.segments.Count(ctx, expression, segments.Exact)
	if err != nil {
		return Profile{}, err
	}
	compiled, err := s.segments.Compile(ctx, expression, s.now())
	if err != nil {
		return Profile{}, err
	}
	values, err := s.settings.Get(ctx)
	if err != nil {
		return Profile{}, err
	}
	p := Profile{Members: count.Count}
	born, err := s.birthday(ctx)
	if err != nil {
		return Profile{}, err
	}
	where, args := compiled.Where("c", "p")
	args["now"], args["part"] = s.now(), int64(math.Ceil(1024*min(1, profileSample/float64(max(1, count.Count)))))
	err = s.reading(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, profileSQL(where, born, values.ConsentRequired), args)
		if err != nil {
			return err
		}
		var what, label string
		var n int64
		parts := map[string]*[]Share{"country": &p.Country, "age": &p.Age, "value": &p.Value, "reach": &p.Reach}
		_, err = pgx.ForEachRow(rows, []any{&what, &label, &n}, func() error {
			if what == "all" {
				p.Sampled = n
			} else {
				*parts[what] = append(*parts[what], Share{Label: label, Members: n})
			}
			return nil
		})
		return err
	})
	if err != nil {
		return Profile{}, err
	}
	if args["part"] == int64(1024) {
		p.Members = p.Sampled // counted a moment later
	}
	for _, list := range []*[]Share{&p.Country, &p.Age, &p.Value, &p.Reach} {
		for i := range *list {
			share := &(*list)[i]
			if p.Sampled > 0 {
				share.Share = float64(share.Members) / float64(p.Sampled)
			}
			share.Members = int64(math.Round(share.Share * float64(p.Members)))
		}
	}
	return p, nil
}

// birthday gives the column of customers with the date of birth, "" without one that the actor may see.
func (s *Service) birthday(ctx context.Context) (string, error) {
	var column string
	err := s.pool.QueryRow(ctx, `SELECT column_name FROM attributes WHERE name IN ('birthday', 'date_of_birth') AND type = 'date' AND (NOT private OR $1)
		ORDER BY name LIMIT 1`, access.From(ctx).Role != access.ReadOnly).Scan(&column)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	return pgx.Identifier{column}.Sanitize(), err
}

// bands writes CASE for a number: labels are ordered by a letter in front, which bandLabel takes away.
func bands(number string, limits []int, first, format, last string) string {
	var b strings.Builder
	b.WriteString("CASE WHEN " + number + " IS NULL THEN 'z'")
	low := ""
	for i, limit := range limits {
		label := first
		if i > 0 {
			label = fmt.Sprintf(format, low, limit)
		}
		fmt.Fprintf(&b, " WHEN %s < %d THEN '%c%s'", number, limit, 'a'+i, label)
		low = fmt.Sprint(limit)
	}
	fmt.Fprintf(&b, " ELSE '%c%s' END", 'a'+len(limits), fmt.Sprintf(last, low))
	return b.String()
}

// profileSQL counts the same members in several ways: rows of what, label and number, in the order they are shown.
func profileSQL(where, born string, consent func(string) bool) string {
	age, aged := "NULL::text", ""
	if born != "" {
		age = bands("extract(year FROM age(@now::timestamptz AT TIME ZONE 'UTC', c."+born+"))", []int{18, 25, 35, 45, 55, 65, 75}, "under 18", "%s to under %d", "%s and older")
		aged = `UNION ALL SELECT 3, 'age', coalesce(nullif(substr(age, 2), ''), 'not known'), count(*), age FROM m GROUP BY age`
	}
	value := bands("CASE WHEN c.orders_count > 0 THEN greatest(c.total_spent, 0) END", []int{25, 50, 100, 250, 500, 1000}, "under 25", "%s to under %d", "%s and more")
	var reach, joins, reached string
	for i, ch := range channels {
		address := map[string]string{"email": "coalesce(c.email, '') <> ''", "post": "c.address_hash IS NOT NULL"}[ch]
		if address == "" {
			address = "coalesce(c.phone, '') <> ''"
		}
		joins += "\nLEFT JOIN " + customers.SuppressionJoin("c", ch) + " x_" + ch + " ON true"
		clear := "x_" + ch + ".suppression_id IS NULL"
		if ch == "calls" || ch == "sms" {
			joins += "\nLEFT JOIN " + customers.RegisterJoin("c", ch) + " r_" + ch + " ON true"
			clear += " AND r_" + ch + ".reason IS NULL"
		}
		reach += ", " + address + " AND " + clear + " AND " + customers.ConsentSQL("c", ch, consent(ch)) + " AS by_" + ch
		reached += fmt.Sprintf("\nUNION ALL SELECT 5, 'reach', '%s', count(*) FILTER (WHERE by_%s), '%d' FROM m", ch, ch, i)
	}
	return `
	WITH m AS MATERIALIZED (
		SELECT coalesce(c.country, '') AS country, ` + age + ` AS age, ` + value + ` AS value` + reach + `
		FROM customers c` + joins + `
		WHERE (@part >= 1024 OR hashint8(c.customer_id)::bigint & 1023 < @part::bigint) AND ` + where + `
	), places AS (
		SELECT country, count(*) AS n, row_number() OVER (ORDER BY count(*) DESC, country) AS place FROM m GROUP BY country
	)
	SELECT what, label, n FROM (
		SELECT 1 AS part, 'all' AS what, '' AS label, count(*) AS n, '' AS rank FROM m
		UNION ALL SELECT 2, 'country', CASE WHEN place <= 10 THEN country ELSE 'other' END, sum(n)::bigint, lpad(least(min(place), 11)::text, 3, '0')
			FROM places GROUP BY CASE WHEN place <= 10 THEN country ELSE 'other' END
		` + aged + `
		UNION ALL SELECT 4, 'value', coalesce(nullif(substr(value, 2), ''), 'no order'), count(*), value FROM m GROUP BY value
		` + reached + `
	) figures ORDER BY part, rank`
}
