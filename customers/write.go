package customers

import (
	"context"
	"fmt"
	"sort"
	"strings"

	"github.com/jackc/pgx/v5"

	"aldine/customers/normal"
	"aldine/internal/audit"
)

// keyColumns are the columns of the keys that follow from a customer's fields.
var keyColumns = [...]string{"household_id", "address_hash", "residence_id", "company_id"}

// keysOf are a customer's keys in the order of keyColumns, nil for null.
func keysOf(c *Customer) [len(keyColumns)]*int64 {
	return [...]*int64{c.HouseholdID, c.AddressHash, c.ResidenceID, c.CompanyID}
}

// columnsOf are the columns of customers that imports and edits write: core fields, keys, then attributes.
func columnsOf(attributes []Attribute) []string {
	columns := append([]string(nil), coreNames[:]...)
	columns = append(columns, keyColumns[:]...)
	for _, a := range attributes {
		columns = append(columns, a.Column)
	}
	return columns
}

// valuesOf are a customer's values in the order of columnsOf, null for what is not known.
func valuesOf(c *Customer, attributes []Attribute) []any {
	values := make([]any, 0, coreCount+len(keyColumns)+len(attributes))
	for _, p := range c.refs() {
		values = append(values, nullable(*p))
	}
	for _, key := range keysOf(c) {
		values = append(values, key)
	}
	for _, a := range attributes {
		values = append(values, c.Attributes[a.Name])
	}
	return values
}

func nullable(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// insertTx adds one customer with its look-ups and fills in its number and times.
func (s *Service) insertTx(ctx context.Context, tx pgx.Tx, c *Customer, attributes []Attribute) error {
	columns, args, places := columnsOf(attributes), pgx.NamedArgs{"list": c.ListID, "now": s.now()}, []string{}
	for i, v := range valuesOf(c, attributes) {
		name := fmt.Sprintf("v%d", i)
		args[name] = v
		places = append(places, "@"+name)
		columns[i] = pgx.Identifier{columns[i]}.Sanitize()
	}
	err := tx.QueryRow(ctx, `
		INSERT INTO customers (`+strings.Join(columns, ", ")+`, list_id, created_at, updated_at)
		VALUES (`+strings.Join(places, ", ")+`, nullif(@list::bigint, 0), @now, @now) RETURNING customer_id`, args).Scan(&c.ID)
	if err != nil {
		return err
	}
	return lookupsTx(ctx, tx, c.ID, &Fields{}, &c.Fields)
}

// lookupsTx brings the narrow look-up tables of one customer up to date.
func lookupsTx(ctx context.Context, tx pgx.Tx, id ID, before, after *Fields) error {
	for _, l := range []struct{ table, column, before, after string }{
		{"customer_external_ids", "external_id", before.ExternalID, after.ExternalID},
		{"customer_emails", "email", strings.ToLower(before.Email), strings.ToLower(after.Email)},
		{"customer_phones", "phone", before.Phone, after.Phone},
	} {
		if l.before == l.after {
			continue
		}
		args := pgx.NamedArgs{"id": id, "before": l.before, "after": l.after}
		if l.before != "" {
			if _, err := tx.Exec(ctx, `DELETE FROM `+l.table+` WHERE `+l.column+` = @before AND customer_id = @id`, args); err != nil {
				return err
			}
		}
		if l.after != "" {
			// A merge may have given it to them before; of an external id that another has, the insert tells.
			if _, err := tx.Exec(ctx, `DELETE FROM `+l.table+` WHERE `+l.column+` = @after AND customer_id = @id`, args); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `INSERT INTO `+l.table+` (`+l.column+`, customer_id) VALUES (@after, @id)`, args); err != nil {
				return err
			}
		}
	}
	if after.ExternalID != "" || after.Email != "" {
		return nil
	}
	_, err := tx.Exec(ctx, `INSERT INTO customer_identities (identity, customer_id) VALUES (@identity, @id) ON CONFLICT DO NOTHING`,
		pgx.NamedArgs{"identity": identityOf(after), "id": id})
	return err
}

// identityOf is the key of a customer who came in without external id and e-mail: all they came with.
func identityOf(f *Fields) int64 {
	return *hashOf("identity\x00" + normal.Fold(f.FirstName) + "\x00" + normal.Fold(f.LastName) + "\x00" + normal.Fold(f.Company) + "\x00" + normal.Fold(f.Street) +
		"\x00" + normal.Fold(f.Address2) + "\x00" + normal.Fold(f.City) + "\x00" + normal.Fold(f.Region) + "\x00" + normal.Fold(f.PostalCode) + "\x00" + f.Country + "\x00" + f.Phone)
}

// Update changes a customer. Invalid names every wrong field, NotFound where there is no customer, Conflict an external
// id that another has.
func (s *Service) Update(ctx context.Context, id ID, p Patch) (Customer, error) {
	var c Customer
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) (err error) {
		if id, err = Resolve(ctx, tx, id); err != nil {
			return err
		}
		// The locks come first, so that two changes at once both count.
		if err := s.LockHouseholdsTx(ctx, tx); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `SELECT 1 FROM customers WHERE customer_id = @id FOR UPDATE`, pgx.NamedArgs{"id": id}); err != nil {
			return err
		}
		attributes, err := LoadAttributes(ctx, tx)
		if err != nil {
			return err
		}
		if c, err = get(ctx, tx, id); err != nil {
			return err
		}
		before := c.Fields
		if err := s.apply(ctx, &c, attributes, p, nil); err != nil {
			return err
		}
		columns, args, sets := columnsOf(attributes), pgx.NamedArgs{"id": id, "now": s.now()}, []string{}
		for i, v := range valuesOf(&c, attributes) {
			name := fmt.Sprintf("v%d", i)
			args[name] = v
			sets = append(sets, pgx.Identifier{columns[i]}.Sanitize()+" = @"+name)
		}
		if _, err := tx.Exec(ctx, `UPDATE customers SET `+strings.Join(sets, ", ")+`, updated_at = @now WHERE customer_id = @id`, args); err != nil {
			return err
		}
		if err := lookupsTx(ctx, tx, id, &before, &c.Fields); err != nil {
			return err
		}
		if err := s.HouseholdsTx(ctx, tx, []ID{id}, nil); err != nil {
			return err
		}
		changed := make([]string, 0, len(p)) // names only: the log keeps no personal data
		for name := range p {
			changed = append(changed, name)
		}
		sort.Strings(changed)
		if err := audit.RecordTx(ctx, tx, s.now(), "customer.update", "customer", id, map[string]any{"fields": changed}); err != nil {
			return err
		}
		c, err = get(ctx, tx, id)
		return err
	})
	return c, conflict(err, &c.Fields)
}
