package customers

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"aldine/customers/normal"
	"aldine/internal/settings"
)

// newLoader gives the loader of an import's kind for a file with the header.
func (s *Service) newLoader(ctx context.Context, imp Import, header []string) (loader, error) {
	v, err := s.settings.Get(ctx)
	if err != nil {
		return nil, err
	}
	columns := map[string]int{} // field -> column
	for i, h := range header {
		if field, ok := imp.Mapping[h]; ok {
			if _, twice := columns[field]; !twice {
				columns[field] = i
			}
		}
	}
	switch imp.Kind {
	case "orders":
		return newOrderLoader(s, imp, header, columns, v), nil
	case "suppressions":
		return s.newSuppressionLoader(ctx, imp, header, columns, v)
	case "register":
		return s.newRegisterLoader(ctx, imp, columns)
	}
	attributes, err := s.Attributes(ctx)
	if err != nil {
		return nil, err
	}
	l := newCustomerLoader(s, imp, header, columns, attributes, v)
	l.kind, err = s.listKind(ctx, imp.ListID)
	return l, err
}

// customerLoader imports customers.
type customerLoader struct {
	service    *Service
	imp        Import
	kind       string // of the list; "" without one
	header     []string
	settings   settings.Values
	attributes []Attribute // all of them

	core     [coreCount]int // column of each core field, -1 where the file has none
	number   int            // column of the street number, -1 without
	fullName int            // column of the full name, -1 without
	consents [4]int         // column of each channel's consent, -1 without
	typed    []typedColumn  // attributes in the file
	copy     copyRows       // of the chunk being stored

	ahead         *matcher // looked up for the chunk that comes next
	last, storing *matcher // of the chunk stored last, and of the one being stored

	named   idSet // customers that the file has named, in chunks stored
	pending []ID  // those of the chunk in hand
}

type typedColumn struct {
	column    int
	attribute Attribute
}

// incoming is one row of a customers file in normal form.
type incoming struct {
	Fields
	emailKey string
	keys     Keys  // of the row itself, as a new customer has them
	identity int64 // of a row without external id and e-mail
	values   []any // of the typed columns; nil where not known
	consents [4]consentWord
}

// consentWord is what a row says of one channel.
type consentWord int8

const (
	unsaid consentWord = iota
	saidYes
	saidNo
)

func newCustomerLoader(s *Service, imp Import, header []string, columns map[string]int, attributes []Attribute, v settings.Values) *customerLoader {
	at := func(field string) int {
		if i, ok := columns[field]; ok {
			return i
		}
		return -1
	}
	l := &customerLoader{service: s, imp: imp, header: header, settings: v, attributes: attributes,
		number: at(fieldStreetNumber), fullName: at(fieldFullName)}
	for i, name := range coreNames {
		l.core[i] = at(name)
	}
	for i, channel := range Channels {
		l.consents[i] = at(consentPrefix + channel)
	}
	for _, a := range attributes {
		if i := at(a.Name); i >= 0 {
			l.typed = append(l.typed, typedColumn{i, a})
		}
	}
	return l
}

func (l *customerLoader) same(_, _ []string) bool { return false }

// parse brings a row into normal form; the first bad value rejects it.
func (l *customerLoader) parse(it *item) {
	in := &incoming{}
	bad := func(column int, err error) {
		it.reject = fmt.Sprintf("%s: %q %v", short(l.header[column]), short(it.fields[column]), err)
	}
	country := l.settings.DefaultCountry
	if c := l.core[coreIndex["country"]]; c >= 0 && it.fields[c] != "" {
		code, err := cleanCountry(it.fields[c])
		if err != nil {
			bad(c, err)
			return
		}
		country = code
	}
	refs := in.refs()
	for i, column := range l.core {
		if column < 0 || it.fields[column] == "" {
			continue
		}
		var err error
		switch name := coreNames[i]; name {
		case "phone":
			*refs[i], err = normal.Phone(it.fields[column], country)
		case "country":
			*refs[i] = country
		default:
			*refs[i], err = cleanCore(name, it.fields[column], country)
		}
		if err != nil {
			bad(column, err)
			return
		}
	}
	if in.PostalCode != "" && in.Country != "" { // a default country is no ground to change a code
		in.PostalCode, it.repaired = repairPostal(in.PostalCode, in.Country)
	}
	if l.number >= 0 && it.fields[l.number] != "" && in.Street != "" {
		if len(it.fields[l.number]) > 100 {
			bad(l.number, fmt.Errorf("is longer than 100 characters"))
			return
		}
		in.Street = it.fields[l.number] + " " + in.Street
	}
	if l.fullName >= 0 && in.FirstName == "" && in.LastName == "" {
		name, err := cleanText(it.fields[l.fullName])
		if err != nil {
			bad(l.fullName, err)
			return
		}
		in.FirstName, in.LastName = splitName(name)
	}
	if in.Fields == (Fields{}) {
		it.reject = "the row tells nothing by which to know a customer"
		return
	}
	if l.typed != nil {
		in.values = make([]any, len(l.typed))
	}
	for i, t := range l.typed {
		v, err := parseValue(t.attribute.Type, it.fields[t.column])
		if err != nil {
			bad(t.column, err)
			return
		}
		in.values[i] = v
	}
	for i, column := range l.consents {
		if column < 0 || it.fields[column] == "" {
			continue
		}
		yes, err := parseBool(it.fields[column])
		if err != nil {
			bad(column, err)
			return
		}
		in.consents[i] = saidNo
		if yes {
			in.consents[i] = saidYes
		}
	}
	in.emailKey = strings.ToLower(in.Email)
	in.keys = ownKeys(&in.Fields, l.settings.DefaultCountry)
	if in.ExternalID == "" && in.Email == "" {
		in.identity = identityOf(&in.Fields)
	}
	it.customer = in
}

// splitName parts "Anna Maria Smith" and "Smith, Anna Maria".
func splitName(s string) (first, last string) {
	if last, first, ok := strings.Cut(s, ","); ok {
		return strings.TrimSpace(first), strings.TrimSpace(last)
	}
	if i := strings.LastIndexAny(s, " \u00a0"); i >= 0 {
		_, size := utf8.DecodeRuneInString(s[i:])
		return strings.TrimSpace(s[:i]), s[i+size:]
	}
	return "", s
}

func (l *customerLoader) stored() {
	if l.named == nil {
		l.named = idSet{}
	}
	for _, id := range l.pending {
		l.named.add(id)
	}
	l.pending = nil
	l.last = l.storing
}

// replay finds the customers of rows stored by an earlier run, which is all that has to be known of them.
func (l *customerLoader) replay(ctx context.Context, items []item) error {
	m, err := l.newMatcher(ctx, l.service.pool, items)
	if err != nil {
		return err
	}
	for i := range items {
		if in := items[i].customer; in != nil && items[i].reject == "" {
			if p := m.find(in); p != nil {
				l.pending = append(l.pending, p.ID)
			}
		}
	}
	l.stored()
	return nil
}

// storeTx matches a chunk's rows with customers, merges them, and writes what is new or changed.
func (l *customerLoader) storeTx(ctx context.Context, tx pgx.Tx, items []item) (counts, error) {
	l.pending = l.pending[:0]
	if !l.imp.DryRun { // its tables are its own
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(@key)`, pgx.NamedArgs{"key": lockCustomers}); err != nil {
			return counts{}, err
		}
	}
	m, err := l.matcherTx(ctx, tx, items)
	if err != nil {
		return counts{}, err
	}
	erased, err := l.erased(ctx, tx, items)
	if err != nil {
		return counts{}, err
	}
	var n counts
	for i := range items {
		in := items[i].customer
		if in == nil || items[i].reject != "" {
			continue
		}
		p := m.find(in)
		if why := erased.reject(i, in, p); why != "" {
			items[i].reject, items[i].text = why, "" // what the row says is not kept either
			continue
		}
		switch {
		case p == nil && m.crowded(in):
			items[i].reject = fmt.Sprintf("email: %q is the e-mail of %d customers already: give such rows an external id", short(in.Email), maxSharers)
			continue
		case p == nil:
			p = l.add(m, in)
			n.created++
		case p.named || l.named.has(p.ID):
			items[i].verdict, items[i].ofLine = VerdictDuplicate, p.line
			m.index(p, in, l.learns(p) && l.fillIn(p, in))
			n.duplicates++
		default:
			p.named, p.counts = true, true
			m.index(p, in, l.learns(p) && l.merge(p, in))
		}
		if l.learns(p) {
			p.say(in)
		}
		if items[i].who = p; p.line == 0 {
			p.line = items[i].line
		}
	}
	if err := l.writeTx(ctx, tx, m); err != nil {
		return counts{}, err
	}
	l.storing = m
	for _, p := range m.people {
		if p.named {
			l.pending = append(l.pending, p.ID)
		}
		if p.counts && (p.changed || p.touched) {
			n.updated++
		} else if p.counts {
			n.unchanged++
		}
	}
	return n, nil
}
