package customers

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"aldine/customers/normal"
	"aldine/internal/fault"
)

// Facts that merge/purge compares names by and customers do not have as fields. An attribute of one of the names holds
// them for the house file.
const (
	BirthDate  = "birth_date"
	MiddleName = "middle_name"
	Identifier = "identifier" // a number that a person has for life
)

// matchFacts are the names by which the facts go as columns and attributes.
var matchFacts = map[string]string{
	"birth_date": BirthDate, "date_of_birth": BirthDate, "dob": BirthDate, "birthday": BirthDate, "geburtsdatum": BirthDate,
	"middle_name": MiddleName, "middle": MiddleName, "middle_names": MiddleName,
	"identifier": Identifier, "soc_sec_id": Identifier, "ssn": Identifier, "national_id": Identifier,
}

// MatchFact tells which of the facts an attribute holds, by its name; "" for none.
func MatchFact(attribute string) string { return matchFacts[attribute] }

// MergeFields are the fields that a column of a merge/purge file may be mapped to.
func MergeFields() []string {
	fields := []string{fieldFullName, fieldStreetNumber, BirthDate, MiddleName, Identifier}
	fields = append(fields, coreNames[:]...)
	slices.Sort(fields)
	return fields
}

// MergeRow is one row of a merge/purge file in normal form, with the keys of its address.
type MergeRow struct {
	Fields
	Keys
	Facts map[string]string // of matchFacts, as written
}

// Nameless tells whether the row says nothing of who it is but how to reach them.
func (r *MergeRow) Nameless() bool { return r.FirstName == "" && r.LastName == "" && r.Company == "" }

// Named gives what the row knows by the names of fields and facts.
func (r *MergeRow) Named() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for i, p := range r.refs() {
			if *p != "" && !yield(coreNames[i], *p) {
				return
			}
		}
		for name, v := range r.Facts {
			if !yield(name, v) {
				return
			}
		}
	}
}

// FieldsFrom gives the fields that a map has by their names.
func FieldsFrom(named map[string]string) Fields {
	var f Fields
	for i, p := range f.refs() {
		*p = named[coreNames[i]]
	}
	return f
}

// MergeReader reads rows of files that are merged and purged: as an import does, but nothing is stored.
type MergeReader struct {
	mapping  map[string]string
	header   []string
	core     [coreCount]int
	number   int
	fullName int
	facts    map[string]int
	country  string
	lenient  bool
}

// NewMergeReader chooses what the columns hold: what given says (column to field, "" leaves one out), else by the header.
// A customer's number or external id is only read where given says so: another's list numbers its own rows. A lenient
// reader leaves a bad value out where another would reject the row; suppression files are read so, since an entry
// lost is a letter to somebody who objected. Invalid names what is wrong with given, or says that no column is known.
func (s *Service) NewMergeReader(ctx context.Context, header []string, given map[string]string, lenient bool) (*MergeReader, error) {
	v, err := s.settings.Get(ctx)
	if err != nil {
		return nil, err
	}
	facts := make([]Attribute, 0, len(matchFacts))
	for name := range matchFacts {
		facts = append(facts, Attribute{Name: name})
	}
	slices.SortFunc(facts, func(a, b Attribute) int { return strings.Compare(a.Name, b.Name) })
	all, err := chooseMapping("customers", header, facts, given)
	if err != nil {
		return nil, err
	}
	r := &MergeReader{mapping: map[string]string{}, header: header, number: -1, fullName: -1, facts: map[string]int{}, country: v.DefaultCountry, lenient: lenient}
	for i := range r.core {
		r.core[i] = -1
	}
	usable := false
	for i, h := range header {
		field := all[h]
		if field == "" || strings.HasPrefix(field, consentPrefix) || field == "external_id" && given[h] != "external_id" || slices.Index(header, h) != i {
			continue
		}
		if fact := matchFacts[field]; fact != "" {
			if _, twice := r.facts[fact]; twice {
				continue
			}
			field = fact
			r.facts[fact] = i
		} else if at, ok := coreIndex[field]; ok {
			r.core[at] = i
			usable = usable || at < 8 && field != "title" && field != "suffix" || at == atStreet
		} else if field == fieldStreetNumber {
			r.number = i
		} else {
			r.fullName, usable = i, true
		}
		r.mapping[h] = field
	}
	if !usable {
		return nil, fault.BadField("file", "no column says who a row is; name columns such as last_name, email, phone or street in the first line, which reads: %s",
			short(strings.Join(header, ", ")))
	}
	return r, nil
}

// Mapping gives the field of each column that is read.
func (r *MergeReader) Mapping() map[string]string { return r.mapping }

// Read brings a row into normal form; reject says why it cannot be used. Safe for use by several goroutines.
func (r *MergeReader) Read(cells []string) (row MergeRow, reject string) {
	bad := func(column int, err error) {
		if !r.lenient && reject == "" {
			reject = fmt.Sprintf("%s: %q %v", short(r.header[column]), short(cells[column]), err)
		}
	}
	country := r.country
	if c := r.core[atCountry]; c >= 0 && cells[c] != "" {
		code, err := cleanCountry(cells[c])
		if err != nil {
			bad(c, err)
		} else {
			country = code
		}
	}
	refs := row.refs()
	for i, column := range r.core {
		if column < 0 || cells[column] == "" {
			continue
		}
		var err error
		switch name := coreNames[i]; name {
		case "phone":
			*refs[i], err = normal.Phone(cells[column], country)
		case "country":
			*refs[i] = country
		default:
			*refs[i], err = cleanCore(name, cells[column], country)
		}
		if err != nil {
			*refs[i] = ""
			bad(column, err)
		}
	}
	if r.number >= 0 && len(cells[r.number]) <= 100 && cells[r.number] != "" && row.Street != "" {
		row.Street = cells[r.number] + " " + row.Street
	}
	if r.fullName >= 0 && row.FirstName == "" && row.LastName == "" {
		name, err := cleanText(cells[r.fullName])
		if err != nil {
			bad(r.fullName, err)
		}
		row.FirstName, row.LastName = splitName(name)
	}
	for fact, column := range r.facts {
		v, err := cleanText(cells[column])
		if err != nil {
			bad(column, err)
		} else if v != "" {
			if row.Facts == nil {
				row.Facts = make(map[string]string, len(r.facts))
			}
			row.Facts[fact] = v
		}
	}
	if reject != "" {
		return row, reject
	}
	if row.Nameless() && row.ExternalID == "" && row.Email == "" && row.Phone == "" && row.Street == "" {
		return row, "the row tells nothing by which to know a customer"
	}
	row.Keys = ownKeys(&row.Fields, r.country)
	return row, ""
}

// InsertRentedTx makes rented names of rows, with a list of origin, and makes them members of the lists given. The
// answer has their numbers in the order of the rows. External ids are not taken over.
func (s *Service) InsertRentedTx(ctx context.Context, tx pgx.Tx, origin int64, lists []int64, rows []Fields) ([]ID, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	v, err := s.settings.Get(ctx)
	if err != nil {
		return nil, err
	}
	found, err := tx.Query(ctx, `SELECT nextval(pg_get_serial_sequence('customers', 'customer_id')) AS id FROM generate_series(1, @n::int) ORDER BY id`,
		pgx.NamedArgs{"n": len(rows)})
	if err != nil {
		return nil, err
	}
	ids, err := pgx.CollectRows(found, pgx.RowTo[ID])
	if err != nil {
		return nil, err
	}
	now := s.now()
	fresh := make([]*Customer, len(rows))
	var emails, phones, identities [][]any // the look-ups by value
	for i := range rows {
		c := &Customer{ID: ids[i], Fields: rows[i], ListID: origin, Rented: true}
		c.ExternalID = ""
		c.Keys = ownKeys(&c.Fields, v.DefaultCountry)
		fresh[i] = c
		if c.Email != "" {
			emails = append(emails, []any{strings.ToLower(c.Email), c.ID})
		} else {
			identities = append(identities, []any{identityOf(&c.Fields), c.ID})
		}
		if c.Phone != "" {
			phones = append(phones, []any{c.Phone, c.ID})
		}
	}
	columns := append(columnsOf(nil), "customer_id", "list_id", "rented", "created_at", "updated_at")
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"customers"}, columns, pgx.CopyFromSlice(len(fresh), func(i int) ([]any, error) {
		return append(valuesOf(fresh[i], nil), ids[i], origin, true, now, now), nil
	})); err != nil {
		return nil, err
	}
	for _, t := range []struct {
		table, column string
		rows          [][]any
	}{{"customer_emails", "email", emails}, {"customer_phones", "phone", phones}, {"customer_identities", "identity", identities}} {
		if _, err := tx.CopyFrom(ctx, pgx.Identifier{t.table}, []string{t.column, "customer_id"}, pgx.CopyFromRows(t.rows)); err != nil {
			return nil, err
		}
	}
	_, err = tx.CopyFrom(ctx, pgx.Identifier{"list_members"}, []string{"customer_id", "list_id", "added_at"},
		pgx.CopyFromSlice(len(ids)*len(lists), func(i int) ([]any, error) { return []any{ids[i/len(lists)], lists[i%len(lists)], now}, nil }))
	if err != nil {
		return nil, err
	}
	if err := s.NoteHouseholdsTx(ctx, tx, ids, nil); err != nil {
		return nil, err
	}
	return ids, s.QueueHouseholdsTx(ctx, tx)
}
