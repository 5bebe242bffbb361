package mergepurge

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aldine/customers"
)

// subjects are the records m that can be mailed, with what they can be suppressed by as columns of c: house customers as
// they are now, rented names as their file has them.
const subjects = `
	SELECT m.record_no, c.customer_id, c.person_id, c.external_id, coalesce(lower(c.email), m.fields->>'email_key') AS email,
		coalesce(c.phone, m.fields->>'phone') AS phone, coalesce(c.household_id, (m.fields->>'household_key')::bigint) AS household_id,
		coalesce(c.address_hash, (m.fields->>'address_key')::bigint) AS address_hash,
		coalesce(c.residence_id, (m.fields->>'address_key')::bigint) AS residence_id,
		coalesce(c.company_id, (m.fields->>'company_key')::bigint) AS company_id
	FROM merge_records m LEFT JOIN customers c ON c.customer_id = m.customer_id
	WHERE m.run_id = @run AND m.record_no BETWEEN @from AND @to AND m.verdict <> 'rejected'`

// suppressRecords notes on the board who is suppressed by an exact form: of a suppression file's rows that name nobody,
// and of the database's own suppressions.
func (s *Service) suppressRecords(ctx context.Context, conn *pgxpool.Conn, b *board, step func(int64) error) error {
	keys, err := suppressionKeys(ctx, conn, b.run)
	if err != nil {
		return err
	}
	var stored bool
	if err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM suppressions)`).Scan(&stored); err != nil {
		return err
	}
	var erased bool
	if err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM erased_identities)`).Scan(&erased); err != nil {
		return err
	}
	if !keys && !stored && !erased {
		return nil
	}
	slice := s.sizes.records
	for _, in := range b.run.Inputs {
		if in.Kind == Suppression {
			continue
		}
		first := b.run.first(in.No)
		for from := first; from < first+in.Rows; from += slice {
			args := pgx.NamedArgs{"run": b.run.ID, "from": from, "to": min(from+slice, first+in.Rows) - 1, "now": s.now()}
			if keys {
				if err := byFiles(ctx, conn, b, args); err != nil {
					return err
				}
			}
			if stored {
				if err := byDatabase(ctx, conn, b, args); err != nil {
					return err
				}
			}
			if erased && in.Kind == Rented {
				if err := s.byErasure(ctx, conn, b, args); err != nil {
					return err
				}
			}
			if err := step(min(slice, first+in.Rows-from)); err != nil {
				return err
			}
		}
	}
	return nil
}

// suppressionKeys collects the forms by which the suppression files' rows suppress in a table of the connection; it
// tells whether there are any.
func suppressionKeys(ctx context.Context, conn *pgxpool.Conn, run *Run) (bool, error) {
	if _, err := conn.Exec(ctx, `DROP TABLE IF EXISTS pg_temp.merge_keys`); err != nil {
		return false, err
	}
	if _, err := conn.Exec(ctx, `CREATE TEMP TABLE merge_keys (form text NOT NULL, key text NOT NULL, record_no bigint NOT NULL)`); err != nil {
		return false, err
	}
	for _, in := range run.Inputs {
		if in.Kind != Suppression {
			continue
		}
		if _, err := conn.Exec(ctx, `
			INSERT INTO merge_keys (form, key, record_no)
			SELECT f.form, m.fields->>f.name, m.record_no
			FROM merge_records m CROSS JOIN (VALUES ('number', 'by_external_id'), ('e-mail', 'by_email'), ('phone', 'by_phone'), ('address', 'by_address')) f (form, name)
			WHERE m.run_id = @run AND m.record_no BETWEEN @from AND @to AND m.verdict IS NULL AND m.fields ? f.name`,
			pgx.NamedArgs{"run": run.ID, "from": run.first(in.No), "to": run.first(in.No) + in.Rows - 1}); err != nil {
			return false, err
		}
	}
	if _, err := conn.Exec(ctx, `CREATE INDEX ON merge_keys (form, key, record_no)`); err != nil {
		return false, err
	}
	if _, err := conn.Exec(ctx, `ANALYZE merge_keys`); err != nil {
		return false, err
	}
	var any bool
	err := conn.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM merge_keys)`).Scan(&any)
	return any, err
}

// byFiles finds records that a suppression file's row has the number, e-mail, phone or address of.
func byFiles(ctx context.Context, conn *pgxpool.Conn, b *board, args pgx.NamedArgs) error {
	rows, err := conn.Query(ctx, `
		WITH c AS (`+subjects+`)
		SELECT DISTINCT ON (c.record_no) c.record_no, k.form, k.record_no FROM c
		CROSS JOIN LATERAL (VALUES ('number', c.external_id), ('e-mail', c.email), ('phone', c.phone), ('address', c.address_hash::text)) f (form, key)
		JOIN merge_keys k ON k.form = f.form AND k.key = f.key
		ORDER BY c.record_no, k.record_no`, args)
	if err != nil {
		return err
	}
	var record, by int64
	var form string
	_, err = pgx.ForEachRow(rows, []any{&record, &form, &by}, func() error {
		file := b.run.Inputs[b.list(int32(by-1))]
		b.suppress(int32(record-1), fmt.Sprintf("%s (%s)", file.Name, form), int32(by-1))
		return nil
	})
	return err
}

// byDatabase finds records that the database's suppressions cover.
func byDatabase(ctx context.Context, conn *pgxpool.Conn, b *board, args pgx.NamedArgs) error {
	rows, err := conn.Query(ctx, `
		WITH c AS (`+subjects+`)
		SELECT c.record_no, x.scope, x.reason FROM c CROSS JOIN `+customers.SuppressionJoin("c", b.run.Channel)+` x
		ORDER BY c.record_no`, args)
	if err != nil {
		return err
	}
	var record int64
	var scope, reason string
	_, err = pgx.ForEachRow(rows, []any{&record, &scope, &reason}, func() error {
		b.suppress(int32(record-1), fmt.Sprintf("%s (%s)", reason, scope), -1)
		return nil
	})
	return err
}

// byErasure finds rented names of people who asked to be erased.
func (s *Service) byErasure(ctx context.Context, conn *pgxpool.Conn, b *board, args pgx.NamedArgs) error {
	rows, err := conn.Query(ctx, `SELECT m.record_no, m.fields FROM merge_records m
		WHERE m.run_id = @run AND m.record_no BETWEEN @from AND @to AND m.verdict <> 'rejected' ORDER BY m.record_no`, args)
	if err != nil {
		return err
	}
	var records []int64
	var people []customers.Fields
	if _, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (no int64, err error) {
		var fields map[string]string
		if err := row.Scan(&no, &fields); err != nil {
			return no, err
		}
		records, people = append(records, no), append(people, customers.FieldsFrom(fields))
		return no, nil
	}); err != nil {
		return err
	}
	reasons, err := s.customers.ErasedReasons(ctx, conn, people)
	if err != nil {
		return err
	}
	for i, reason := range reasons {
		if reason != "" {
			b.suppress(int32(records[i]-1), "asked to be erased", -1)
		}
	}
	return nil
}
