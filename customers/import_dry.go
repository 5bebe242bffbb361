package customers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/internal/audit"
	"aldine/internal/fault"
)

// A dry run does all that the import would do, by the same code, on tables of its own session that go by the names of the
// real ones. Before a chunk is stored, what it may touch is copied into them. So its figures are exact, rows included that
// meet earlier rows of the file, and nothing is changed or locked. A dry run that was stopped begins anew.

// shadowed are the tables that an import of each kind writes.
var shadowed = map[string][]string{
	"customers": {"customers", "customer_external_ids", "customer_emails", "customer_phones", "customer_identities", "list_members",
		"consents", "consent_events", "residences", "household_work", "river_job"},
	"orders": {"customers", "customer_external_ids", "orders", "order_refs", "order_lines", "products", "settings", "river_job"},
}

// firstShadow is where the numbers of customers begin whom only a dry run knows.
const firstShadow = 1 << 60

// openShadow opens a session with the shadow tables; schema is where the real ones are. The caller closes it.
func (s *Service) openShadow(ctx context.Context, kind string) (conn *pgx.Conn, schema string, err error) {
	cfg := s.pool.Config()
	if conn, err = pgx.ConnectConfig(ctx, cfg.ConnConfig.Copy()); err != nil {
		return nil, "", err
	}
	defer func() {
		if err != nil {
			_ = conn.Close(context.WithoutCancel(ctx))
		}
	}()
	if cfg.AfterConnect != nil {
		if err = cfg.AfterConnect(ctx, conn); err != nil {
			return nil, "", err
		}
	}
	if err = conn.QueryRow(ctx, `SELECT current_schema()`).Scan(&schema); err != nil {
		return nil, "", err
	}
	for _, table := range shadowed[kind] {
		if _, err = conn.Exec(ctx, fmt.Sprintf(`CREATE TEMP TABLE %[1]s (LIKE %[2]s.%[1]s INCLUDING ALL)`, table, pgx.Identifier{schema}.Sanitize())); err != nil {
			return nil, "", err
		}
	}
	_, err = conn.Exec(ctx, fmt.Sprintf(`ALTER TABLE pg_temp.customers ALTER customer_id RESTART WITH %d`, int64(firstShadow)))
	if kind == "orders" && err == nil {
		_, err = conn.Exec(ctx, `INSERT INTO settings SELECT * FROM `+pgx.Identifier{schema}.Sanitize()+`.settings`)
	}
	return conn, schema, err
}

// shadower is a loader that can copy what a chunk may touch into shadow tables.
type shadower interface {
	shadowTx(ctx context.Context, tx pgx.Tx, schema string, items []item) error
}

// copyDown runs statements that read the real tables, %s being their schema.
func copyDown(ctx context.Context, tx pgx.Tx, schema string, args pgx.NamedArgs, statements ...string) error {
	for _, sql := range statements {
		if _, err := tx.Exec(ctx, fmt.Sprintf(sql, pgx.Identifier{schema}.Sanitize())+` ON CONFLICT DO NOTHING`, args); err != nil {
			return err
		}
	}
	return nil
}

func (l *customerLoader) shadowTx(ctx context.Context, tx pgx.Tx, schema string, items []item) error {
	externals, emails, identities := keysToLookUp(items)
	args := pgx.NamedArgs{"externals": externals, "emails": emails, "identities": identities, "list": l.imp.ListID}
	const who = `(SELECT customer_id FROM pg_temp.customer_external_ids WHERE external_id = ANY(@externals)
		UNION SELECT customer_id FROM pg_temp.customer_emails WHERE email = ANY(@emails)
		UNION SELECT customer_id FROM pg_temp.customer_identities WHERE identity = ANY(@identities))`
	return copyDown(ctx, tx, schema, args,
		`INSERT INTO customer_external_ids SELECT * FROM %s.customer_external_ids WHERE external_id = ANY(@externals)`,
		`INSERT INTO customer_emails SELECT * FROM %s.customer_emails WHERE email = ANY(@emails)`,
		`INSERT INTO customer_identities SELECT * FROM %s.customer_identities WHERE identity = ANY(@identities)`,
		`INSERT INTO customers SELECT * FROM %s.customers WHERE customer_id IN `+who,
		`INSERT INTO list_members SELECT * FROM %s.list_members WHERE list_id = @list AND customer_id IN `+who,
		`INSERT INTO consents SELECT * FROM %s.consents WHERE customer_id IN `+who)
}

func (l *orderLoader) shadowTx(ctx context.Context, tx pgx.Tx, schema string, items []item) error {
	var refs, externals []string
	for i := range items {
		if o := items[i].order; o != nil {
			refs, externals = append(refs, o.Ref), append(externals, o.CustomerExternalID)
		}
	}
	return copyDown(ctx, tx, schema, pgx.NamedArgs{"refs": refs, "externals": externals},
		`INSERT INTO customer_external_ids SELECT * FROM %s.customer_external_ids WHERE external_id = ANY(@externals)`,
		`INSERT INTO customers SELECT * FROM %s.customers WHERE customer_id IN (
			SELECT customer_id FROM pg_temp.customer_external_ids WHERE external_id = ANY(@externals))`,
		`INSERT INTO order_refs SELECT * FROM %s.order_refs WHERE order_ref = ANY(@refs)`,
		`INSERT INTO orders SELECT o.* FROM pg_temp.order_refs r JOIN %s.orders o USING (customer_id, order_ref) WHERE r.order_ref = ANY(@refs)`,
		`INSERT INTO order_lines SELECT o.* FROM pg_temp.order_refs r JOIN %s.order_lines o USING (customer_id, order_ref) WHERE r.order_ref = ANY(@refs)`)
}

// beginAnew forgets what an earlier try of a dry run found.
func (s *Service) beginAnew(ctx context.Context, imp *Import) error {
	imp.Rows = 0
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error { return resetTx(ctx, tx, imp.ID) })
}

func resetTx(ctx context.Context, tx pgx.Tx, importID int64) error {
	args := pgx.NamedArgs{"id": importID}
	if _, err := tx.Exec(ctx, `UPDATE imports SET bytes_done = 0, rows = 0, created = 0, updated = 0, unchanged = 0, duplicates = 0, rejected = 0,
		repaired = 0, report = NULL, error = NULL WHERE import_id = @id`, args); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `DELETE FROM import_rejects WHERE import_id = @id`, args)
	return err
}

// ImportNow lets an import whose dry run has ended begin in earnest, under the same number; hold as in StartImport. Conflict
// where there is no such dry run or its file is gone, NotFound where there is no such import.
func (s *Service) ImportNow(ctx context.Context, importID int64, hold bool) (Import, error) {
	imp, err := s.Import(ctx, importID)
	if err != nil {
		return imp, err
	}
	if _, err := os.Stat(imp.path); imp.DryRun && errors.Is(err, os.ErrNotExist) {
		return imp, fault.New(fault.Conflict, "The file of this dry run is not kept any more: send it again")
	}
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE imports SET dry_run = false, state = 'waiting', started_at = NULL, finished_at = NULL
			WHERE import_id = @id AND dry_run AND state = 'finished'`, pgx.NamedArgs{"id": importID})
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return fault.New(fault.Conflict, "Import %d is not a dry run that has ended", importID)
		}
		if err := resetTx(ctx, tx, importID); err != nil {
			return err
		}
		if err := audit.RecordTx(ctx, tx, s.now(), "import.start", "import", importID, map[string]any{"after": "dry run"}); err != nil || hold {
			return err
		}
		_, err = s.jobs.InsertTx(ctx, tx, ImportArgs{ImportID: importID}, nil)
		return err
	})
	if err != nil {
		return imp, err
	}
	return s.Import(ctx, importID)
}

// keepDry is how long the file of a dry run waits for its word.
const keepDry = 24 * time.Hour

// dropOldDryRuns removes files that wait for a word that did not come: they hold personal data.
func (s *Service) dropOldDryRuns(ctx context.Context) error {
	rows, err := s.pool.Query(ctx, `UPDATE imports i SET state = 'cancelled' WHERE dry_run AND state = 'finished' AND finished_at < @before
		RETURNING `+importColumns, pgx.NamedArgs{"before": s.now().Add(-keepDry)})
	if err != nil {
		return err
	}
	old, err := pgx.CollectRows(rows, scanImport)
	for _, imp := range old {
		s.dropUpload(imp)
	}
	return err
}
