package customers

import (
	"strconv"
	"strings"
)

// SuppressionJoin gives a lateral subquery with the columns suppression_id, scope and reason, of at most one row: the
// suppression that keeps customers as alias from being contacted over the channel at the moment @now. Use it as
//
//	LEFT JOIN ` + SuppressionJoin("c", "email") + ` x ON true ... x.suppression_id IS NOT NULL
//
// Its only parameter is @now. An entry holds from its effective date until its expiry. One of scope customer also holds
// for the customer's old numbers and for all customers found to be the same person; domain for the domain and those
// below it; address for the residence in whatever spelling it was entered. Each scope is a probe of an index, however many entries
// there are.
func SuppressionJoin(alias, channel string) string {
	a := alias + "."
	probes := []struct{ scope, from, where string }{
		{ScopeCustomer, `suppressions s`, `s.match_key = ` + a + `customer_id::text`},
		{ScopeCustomer, `customers o JOIN suppressions s ON s.match_key = o.customer_id::text`, `o.person_id = ` + a + `person_id`},
		{ScopeCustomer, `customer_aliases o JOIN suppressions s ON s.match_key = o.old_id::text`, `o.customer_id = ` + a + `customer_id`},
		{ScopeEmail, `suppressions s`, `s.match_key = lower(` + a + `email)`},
		{ScopeDomain, `suppressions s`, `s.match_key = ANY (` + domainKeys(a+`email`) + `)`},
		{ScopePhone, `suppressions s`, `s.match_key = ` + a + `phone`},
		{ScopeHousehold, `suppressions s`, `s.match_key = ` + a + `household_id::text`},
		{ScopeAddress, `suppressions s`, `s.match_key = ANY (ARRAY[` + a + `address_hash::text, ` + a + `residence_id::text])`},
		{ScopeAddress, `residences o JOIN suppressions s ON s.match_key = o.address_hash::text`,
			`o.residence_id = ` + a + `residence_id AND o.residence_id <> o.address_hash`},
	}
	selects := make([]string, len(probes))
	for i, p := range probes {
		selects[i] = `SELECT ` + strconv.Itoa(i) + ` AS rank, s.suppression_id, s.scope, s.reason FROM ` + p.from + `
			WHERE ` + p.where + ` AND s.scope = '` + p.scope + `' AND s.channel IN ('all', ` + quote(channel) + `)
			AND (s.expires_at IS NULL OR s.expires_at > @now::timestamptz) AND (s.effective_at IS NULL OR s.effective_at <= @now::timestamptz)
			AND (SELECT EXISTS (SELECT 1 FROM suppressions used WHERE used.scope = '` + p.scope + `'))` // asked once a query: a scope without entries costs nothing
	}
	return `LATERAL (SELECT hit.suppression_id, hit.scope, hit.reason FROM (
		` + strings.Join(selects, `
		UNION ALL `) + `
		) hit ORDER BY hit.rank, hit.suppression_id LIMIT 1)`
}

// maxDomainLabels is how many parts a suppressed domain may have: mail.shop.example.com has four.
const maxDomainLabels = 4

// domainKeys gives an SQL array of the domains that an address lies in: the last two, three and four labels of what
// follows the @. With fewer labels some begin with a dot, which no stored domain does.
func domainKeys(email string) string {
	label := func(n int) string {
		return `split_part(lower(split_part(` + email + `, '@', 2)), '.', -` + strconv.Itoa(n) + `)`
	}
	two := label(2) + ` || '.' || ` + label(1)
	three := label(3) + ` || '.' || ` + two
	return `ARRAY[` + two + `, ` + three + `, ` + label(4) + ` || '.' || ` + three + `]`
}
