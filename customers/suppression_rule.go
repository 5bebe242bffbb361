package customers

import (
	"strconv"
	"strings"
)

// suppressionProbe is one way in which an entry can be meant for a customer c.
type suppressionProbe struct{ scope, from, where string }

func suppressionProbes(c string) []suppressionProbe {
	c += "."
	return []suppressionProbe{
		{ScopeCustomer, `suppressions s`, `s.match_key = ` + c + `customer_id::text`},
		{ScopeCustomer, `customers o JOIN suppressions s ON s.match_key = o.customer_id::text`, `o.person_id = ` + c + `person_id`},
		{ScopeCustomer, `customer_aliases o JOIN suppressions s ON s.match_key = o.old_id::text`, `o.customer_id = ` + c + `customer_id`},
		{ScopeEmail, `suppressions s`, `s.match_key = lower(` + c + `email)`},
		{ScopeDomain, `suppressions s`, `s.match_key = ANY (` + domainKeys(c+`email`) + `)`},
		{ScopePhone, `suppressions s`, `s.match_key = ` + c + `phone`},
		{ScopeHousehold, `suppressions s`, `s.match_key = ` + c + `household_id::text`},
		{ScopeAddress, `suppressions s`, `s.match_key = ANY (ARRAY[` + c + `address_hash::text, ` + c + `residence_id::text])`},
		{ScopeAddress, `residences o JOIN suppressions s ON s.match_key = o.address_hash::text`,
			`o.residence_id = ` + c + `residence_id AND o.residence_id <> o.address_hash`},
	}
}

// holds is what an entry s must fulfil at the moment @now.
func (p suppressionProbe) holds(channel string) string {
	return p.where + ` AND s.scope = '` + p.scope + `' AND s.channel IN ('all', ` + quote(channel) + `)
			AND (s.expires_at IS NULL OR s.expires_at > @now::timestamptz) AND (s.effective_at IS NULL OR s.effective_at <= @now::timestamptz)`
}

// used is asked once a query: a scope without entries costs nothing. The order leaves no choice but to look into the index; to find one
// row of many the planner would as soon read all that come before it.
func (p suppressionProbe) used() string {
	return `(SELECT used.scope FROM suppressions used WHERE used.scope >= '` + p.scope + `' ORDER BY used.scope LIMIT 1) = '` + p.scope + `'`
}

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
	var selects []string
	for rank, p := range suppressionProbes(alias) {
		selects = append(selects, `SELECT `+strconv.Itoa(rank)+` AS rank, s.suppression_id, s.scope, s.reason FROM `+p.from+`
			WHERE `+p.holds(channel)+` AND `+p.used())
	}
	return `LATERAL (SELECT hit.suppression_id, hit.scope, hit.reason FROM (
		` + strings.Join(selects, `
		UNION ALL `) + `
		) hit ORDER BY hit.rank, hit.suppression_id LIMIT 1)`
}

// SuppressionHits gives a query of what SuppressionJoin would give for the customers in a table or common table expression: the
// columns customer_id, suppression_id, scope and reason, a row for each who is suppressed. For hundreds of customers at once it costs
// half as much; the table must have the columns customer_id, person_id, email, phone, household_id, address_hash and residence_id.
func SuppressionHits(of, channel string) string {
	var selects []string
	for rank, p := range suppressionProbes("c") {
		selects = append(selects, `SELECT `+strconv.Itoa(rank)+` AS rank, c.customer_id, s.suppression_id, s.scope, s.reason
			FROM `+of+` c CROSS JOIN LATERAL (SELECT s.suppression_id, s.scope, s.reason FROM `+p.from+` WHERE `+p.holds(channel)+` OFFSET 0) s
			WHERE `+p.used())
	}
	return `SELECT DISTINCT ON (hit.customer_id) hit.customer_id, hit.suppression_id, hit.scope, hit.reason FROM (
		` + strings.Join(selects, `
		UNION ALL `) + `
		) hit ORDER BY hit.customer_id, hit.rank, hit.suppression_id`
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
