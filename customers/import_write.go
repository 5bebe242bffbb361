package customers

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// errChanged says that somebody else changed a customer between our reading and writing; the chunk is done again.
var errChanged = errors.New("a customer was changed meanwhile")

// writeTx stores what the rows of a chunk have made new or changed.
func (l *customerLoader) writeTx(ctx context.Context, tx pgx.Tx, m *matcher) error {
	now := l.service.now()
	var fresh, changed []*person
	for _, p := range m.people {
		switch {
		case p.isNew:
			fresh = append(fresh, p)
		case p.changed:
			changed = append(changed, p)
		}
	}
	if err := thereTx(ctx, tx, m.people); err != nil {
		return err
	}
	if err := l.insertTx(ctx, tx, fresh, now); err != nil {
		return err
	}
	if err := l.updateTx(ctx, tx, changed, now); err != nil {
		return err
	}
	if err := l.lookupRowsTx(ctx, tx, fresh, changed); err != nil {
		return err
	}
	if err := l.noteHouseholdsTx(ctx, tx, fresh, changed); err != nil {
		return err
	}
	if err := l.houseTx(ctx, tx, m.people); err != nil {
		return err
	}
	if err := l.joinTx(ctx, tx, m.people, now); err != nil {
		return err
	}
	return l.consentTx(ctx, tx, m.people, now)
}

// thereTx makes sure that all customers whom the rows name are there still: one may have been merged or erased since the look-up.
func thereTx(ctx context.Context, tx pgx.Tx, people []*person) error {
	var ids []ID
	for _, p := range people {
		if p.named && !p.isNew {
			ids = append(ids, p.ID)
		}
	}
	if ids == nil {
		return nil
	}
	var there int
	err := tx.QueryRow(ctx, `SELECT count(*) FROM customers WHERE customer_id = ANY(@ids)`, pgx.NamedArgs{"ids": ids}).Scan(&there)
	if err == nil && there != len(ids) {
		err = errChanged
	}
	return err
}

// insertTx copies new customers in, under numbers taken beforehand.
func (l *customerLoader) insertTx(ctx context.Context, tx pgx.Tx, fresh []*person, now time.Time) error {
	if len(fresh) == 0 {
		return nil
	}
	// The sequence's name is looked up once, not for each number.
	rows, err := tx.Query(ctx, `
		SELECT nextval(s.name) FROM (SELECT pg_get_serial_sequence('customers', 'customer_id')::regclass AS name OFFSET 0) s, generate_series(1, @n::int)`,
		pgx.NamedArgs{"n": len(fresh)})
	if err != nil {
		return err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[ID])
	if err != nil {
		return err
	}
	slices.Sort(ids)
	l.copy.begin()
	for i, p := range fresh {
		p.ID = ids[i]
		l.copy.customer(tx.Conn().TypeMap(), p, l.attributes, l.imp.ListID, now)
	}
	return l.copy.sendTx(ctx, tx, "customers", insertColumns(l.attributes)...)
}

// updateTx rewrites changed customers by way of a table of this transaction.
func (l *customerLoader) updateTx(ctx context.Context, tx pgx.Tx, changed []*person, now time.Time) error {
	if len(changed) == 0 {
		return nil
	}
	columns := columnsOf(l.attributes)
	quoted, sets := make([]string, len(columns)), make([]string, len(columns))
	for i, c := range columns {
		quoted[i] = pgx.Identifier{c}.Sanitize()
		sets[i] = quoted[i] + " = t." + quoted[i]
	}
	if _, err := tx.Exec(ctx, `CREATE TEMP TABLE import_changes ON COMMIT DROP AS
		SELECT customer_id, updated_at, `+strings.Join(quoted, ", ")+` FROM customers WHERE false`); err != nil {
		return err
	}
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"import_changes"}, append(columns, "customer_id", "updated_at"),
		pgx.CopyFromSlice(len(changed), func(i int) ([]any, error) {
			p := changed[i]
			return append(valuesOf(p.Customer, l.attributes), p.ID, p.UpdatedAt), nil
		})); err != nil {
		return err
	}
	tag, err := tx.Exec(ctx, `UPDATE customers c SET `+strings.Join(sets, ", ")+`, updated_at = @now
		FROM import_changes t WHERE c.customer_id = t.customer_id AND c.updated_at = t.updated_at`, pgx.NamedArgs{"now": now})
	if err != nil {
		return err
	}
	if tag.RowsAffected() != int64(len(changed)) {
		return errChanged
	}
	return nil
}

// lookupRowsTx brings the narrow look-up tables up to date.
func (l *customerLoader) lookupRowsTx(ctx context.Context, tx pgx.Tx, fresh, changed []*person) error {
	l.copy.begin()
	for _, p := range fresh {
		if p.ExternalID == "" && p.Email == "" {
			l.copy.row(2)
			l.copy.int8(identityOf(&p.Fields))
			l.copy.int8(p.ID)
		}
	}
	if err := l.copy.sendTx(ctx, tx, "customer_identities", "identity", "customer_id"); err != nil {
		return err
	}
	for _, t := range []struct {
		table, column string
		key           func(*Fields) string
	}{
		{"customer_external_ids", "external_id", func(f *Fields) string { return f.ExternalID }},
		{"customer_emails", "email", func(f *Fields) string { return strings.ToLower(f.Email) }},
		{"customer_phones", "phone", func(f *Fields) string { return f.Phone }},
	} {
		var gone, come []lookedUp[string]
		for _, p := range changed {
			before, after := t.key(&p.before), t.key(&p.Fields)
			if before == after {
				continue
			}
			if before != "" {
				gone = append(gone, lookedUp[string]{before, p.ID})
			}
			if after != "" {
				gone = append(gone, lookedUp[string]{after, p.ID}) // a merge may have given it to them before
				come = append(come, lookedUp[string]{after, p.ID})
			}
		}
		for _, p := range fresh {
			if key := t.key(&p.Fields); key != "" {
				come = append(come, lookedUp[string]{key, p.ID})
			}
		}
		if err := l.swapTx(ctx, tx, t.table, t.column, gone, come); err != nil {
			return err
		}
	}
	return nil
}

// swapTx removes and adds rows of one look-up table; rows in the order of the key cost the index least.
func (l *customerLoader) swapTx(ctx context.Context, tx pgx.Tx, table, column string, gone, come []lookedUp[string]) error {
	if len(gone) > 0 {
		keys, ids := make([]string, len(gone)), make([]ID, len(gone))
		for i, g := range gone {
			keys[i], ids[i] = g.key, g.id
		}
		if _, err := tx.Exec(ctx, `DELETE FROM `+table+` l USING unnest(@keys::text[], @ids::bigint[]) AS t (key, id)
			WHERE l.`+column+` = t.key AND l.customer_id = t.id`, pgx.NamedArgs{"keys": keys, "ids": ids}); err != nil {
			return err
		}
	}
	if len(come) == 0 {
		return nil
	}
	slices.SortFunc(come, func(a, b lookedUp[string]) int { return strings.Compare(a.key, b.key) })
	l.copy.begin()
	for _, c := range come {
		l.copy.row(2)
		l.copy.text(c.key)
		l.copy.int8(c.id)
	}
	return l.copy.sendTx(ctx, tx, table, column, "customer_id")
}

// joinTx makes all customers that the chunk names members of the import's list.
func (l *customerLoader) joinTx(ctx context.Context, tx pgx.Tx, people []*person, now time.Time) error {
	if l.imp.ListID == 0 {
		return nil
	}
	var fresh, known []ID
	byID := map[ID]*person{}
	for _, p := range people {
		switch {
		case p.isNew:
			fresh = append(fresh, p.ID)
		case p.named:
			known = append(known, p.ID)
			byID[p.ID] = p
		}
	}
	if len(fresh) > 0 {
		l.copy.begin()
		for _, id := range fresh {
			l.copy.row(3)
			l.copy.int8(id)
			l.copy.int8(l.imp.ListID)
			l.copy.time(now)
		}
		if err := l.copy.sendTx(ctx, tx, "list_members", "customer_id", "list_id", "added_at"); err != nil {
			return err
		}
	}
	if len(known) == 0 {
		return nil
	}
	rows, err := tx.Query(ctx, `
		INSERT INTO list_members (customer_id, list_id, added_at) SELECT id, @list, @now FROM unnest(@ids::bigint[]) AS t (id) ORDER BY id
		ON CONFLICT DO NOTHING RETURNING customer_id`, pgx.NamedArgs{"ids": known, "list": l.imp.ListID, "now": now})
	if err != nil {
		return err
	}
	var id ID
	_, err = pgx.ForEachRow(rows, []any{&id}, func() error { byID[id].touched = true; return nil })
	return err
}

// consentTx records what the rows say of consents.
func (l *customerLoader) consentTx(ctx context.Context, tx pgx.Tx, people []*person, now time.Time) error {
	var said []Consent
	byID := map[ID]*person{}
	for _, p := range people {
		for i, w := range p.said {
			if w != unsaid {
				said = append(said, Consent{CustomerID: p.ID, Channel: Channels[i], Granted: w == saidYes, Source: importSource, At: now})
				byID[p.ID] = p
			}
		}
	}
	changed, err := setConsentsTx(ctx, tx, said, true)
	for _, id := range changed {
		byID[id].touched = true
	}
	return err
}
