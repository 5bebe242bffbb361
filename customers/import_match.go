package customers

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// person is a customer while a chunk of rows is matched and merged: one from the database or a new one.
type person struct {
	*Customer
	before  Fields // as stored
	isNew   bool
	named   bool  // by a row of this chunk
	counts  bool  // named here for the first time, and known before: updated or unchanged
	changed bool  // differs from what is stored
	moved   bool  // name or address changed
	left    int64 // residence before
	touched bool  // joined the list or changed a consent
	said    [4]consentWord
	line    int64 // of the row that named them first in this chunk
}

// say keeps what rows say of consents: the first word counts, but a no always does.
func (p *person) say(in *incoming) {
	for i, w := range in.consents {
		if p.said[i] == unsaid || w == saidNo {
			p.said[i] = w
		}
	}
}

// matcher knows all customers that a chunk's rows may be.
type matcher struct {
	people     []*person // by number, then new ones in the order of rows
	byExternal map[string]*person
	byEmail    map[string][]*person // the oldest first
	byIdentity map[int64]*person    // the oldest
	others     int64                // rows that other imports had stored before the look-up
}

// keysToLookUp are the keys by which rows may name customers.
func keysToLookUp(items []item) (externals, emails []string, identities []int64) {
	for i := range items {
		in := items[i].customer
		if in == nil {
			continue
		}
		if in.ExternalID != "" {
			externals = append(externals, in.ExternalID)
		}
		if in.emailKey != "" {
			emails = append(emails, in.emailKey)
		}
		if in.identity != 0 {
			identities = append(identities, in.identity)
		}
	}
	return externals, emails, identities
}

// newMatcher looks up whom the rows may be: three look-ups and one read of customers, whatever the number of rows.
func (l *customerLoader) newMatcher(ctx context.Context, q Querier, items []item) (*matcher, error) {
	externals, emails, identities := keysToLookUp(items)
	m := &matcher{byExternal: make(map[string]*person, len(externals)), byEmail: make(map[string][]*person, len(emails)),
		byIdentity: make(map[int64]*person, len(identities))}
	external, err := externalIDs(ctx, q, externals)
	if err != nil {
		return nil, err
	}
	email, err := lookUpEmails(ctx, q, emails)
	if err != nil {
		return nil, err
	}
	identity, err := lookUp(ctx, q, `SELECT identity, customer_id FROM customer_identities WHERE identity = ANY(@keys) ORDER BY identity, customer_id`,
		identities)
	if err != nil {
		return nil, err
	}
	ids := make([]ID, 0, len(external)+len(email)+len(identity))
	for _, id := range external {
		ids = append(ids, id)
	}
	for _, k := range email {
		ids = append(ids, k.id)
	}
	for _, k := range identity {
		ids = append(ids, k.id)
	}
	slices.Sort(ids)
	if ids = slices.Compact(ids); len(ids) == 0 {
		return m, nil
	}
	found, err := load(ctx, q, l.attributes, ids)
	if err != nil {
		return nil, err
	}
	byID := make(map[ID]*person, len(found))
	for i := range found {
		p := &person{Customer: &found[i], before: found[i].Fields}
		byID[p.ID] = p
		m.people = append(m.people, p)
	}
	for name, id := range external {
		if p := byID[id]; p != nil {
			m.byExternal[name] = p
		}
	}
	for _, k := range email {
		if p := byID[k.id]; p != nil {
			m.byEmail[k.key] = append(m.byEmail[k.key], p)
		}
	}
	for _, k := range identity {
		if p := byID[k.id]; p != nil && m.byIdentity[k.key] == nil {
			m.byIdentity[k.key] = p
		}
	}
	return m, nil
}

type lookedUp[K any] struct {
	key K
	id  ID
}

func lookUp[K string | int64](ctx context.Context, q Querier, sql string, keys []K) ([]lookedUp[K], error) {
	if len(keys) == 0 {
		return nil, nil
	}
	slices.Sort(keys)
	rows, err := q.Query(ctx, sql, pgx.NamedArgs{"keys": slices.Compact(keys)})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (k lookedUp[K], err error) { return k, row.Scan(&k.key, &k.id) })
}

// lookUpEmails finds the oldest customers of each e-mail, at most maxSharers.
func lookUpEmails(ctx context.Context, q Querier, emails []string) ([]lookedUp[string], error) {
	enough := 2*len(emails) + 10*maxSharers
	found, err := lookUp(ctx, q, `SELECT email, customer_id FROM customer_emails WHERE email = ANY(@keys) ORDER BY email, customer_id LIMIT `+
		strconv.Itoa(enough), emails)
	if err != nil || len(found) < enough {
		return found, err
	}
	// Crowds share some of them: then each is looked up by itself, which takes four times as long for plain ones.
	return lookUp(ctx, q, `SELECT k, e.customer_id FROM unnest(@keys::text[]) k
		CROSS JOIN LATERAL (SELECT customer_id FROM customer_emails WHERE email = k ORDER BY customer_id LIMIT `+strconv.Itoa(maxSharers)+`) e
		ORDER BY k, e.customer_id`, emails)
}

// find tells who a row is, nil for somebody new. The rules stand in the package's documentation; the oldest customer
// who fits is taken, so that the same rows find the same customers again after more have come in.
func (m *matcher) find(in *incoming) *person {
	if in.ExternalID != "" {
		if p := m.byExternal[in.ExternalID]; p != nil {
			return p
		}
	}
	if in.emailKey != "" {
		for i, p := range m.byEmail[in.emailKey] {
			if i == maxSharers {
				break
			}
			if (in.ExternalID == "" || p.ExternalID == "") && strings.EqualFold(p.Email, in.Email) && namesAgree(&p.Fields, &in.Fields) {
				return p
			}
		}
		return nil
	}
	if in.identity != 0 {
		return m.byIdentity[in.identity]
	}
	return nil
}

// maxSharers is how many customers of different names an e-mail may name: one that more have is nobody's, and a file of
// a million such rows would be compared each with each.
const maxSharers = 100

// crowded tells whether a row that names nobody known rests on an e-mail that too many have already.
func (m *matcher) crowded(in *incoming) bool {
	return in.ExternalID == "" && len(m.byEmail[in.emailKey]) >= maxSharers
}

// add makes a new person of a row, whom later rows can find by what the row has.
func (l *customerLoader) add(m *matcher, in *incoming) *person {
	p := &person{Customer: &Customer{Fields: in.Fields, Keys: in.keys}, isNew: true, named: true}
	p.Rented = l.kind == KindRented
	for i, t := range l.typed {
		if in.values[i] != nil {
			p.set(t.attribute.Name, in.values[i])
		}
	}
	m.people = append(m.people, p)
	m.index(p, in, true)
	if in.identity != 0 {
		m.byIdentity[in.identity] = p
	}
	return p
}

// index lets later rows find a person by an external id or e-mail that a row has brought.
func (m *matcher) index(p *person, in *incoming, changed bool) {
	if !changed {
		return
	}
	if in.ExternalID != "" && (p.isNew || p.ExternalID == in.ExternalID) {
		m.byExternal[in.ExternalID] = p
	}
	if in.emailKey != "" && len(m.byEmail[in.emailKey]) <= maxSharers && !slices.Contains(m.byEmail[in.emailKey], p) {
		m.byEmail[in.emailKey] = append(m.byEmail[in.emailKey], p)
	}
}
