package duplicates

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/customers"
)

// before is what a merge writes down of how things were, so that it can be undone.
type before struct {
	Survivor row `json:"survivor"`
	Old      row `json:"old"`
	After    row `json:"after"` // the survivor, as the merge left it: what differs later was edited

	Moved map[string][]row `json:"moved"` // by table: keys of the old one's rows that are the survivor's now
	Kept  map[string][]row `json:"kept"`  // by table: rows as they were that are gone or changed

	Consents     change `json:"consents"`
	Suppressions change `json:"suppressions"`

	Counts map[string]int `json:"counts"` // rows moved, by table

	Walks   []int64   `json:"walks"`   // campaigns whose enrollment moved: what came since belongs to it
	Aliases []int64   `json:"aliases"` // of the old one
	Persons []grouped `json:"persons"`
}

// change is what rows of the survivor were and have become, by channel.
type change struct {
	Before []row `json:"before"`
	After  []row `json:"after"`
}

// work is a merge, or its undoing, in one transaction.
type work struct {
	tx            pgx.Tx
	now           time.Time
	survivor, old int64
	columns       map[string][]string // of the tables, in order
	before        before
}

// begin reads which columns the tables have.
func begin(ctx context.Context, tx pgx.Tx, now time.Time, survivor, old int64) (*work, error) {
	names := []string{"customers", "customer_identities", "list_members", "consents", "suppressions", "duplicates"}
	for _, t := range history {
		names = append(names, t.name)
	}
	for _, l := range lookups {
		names = append(names, l.name)
	}
	rows, err := tx.Query(ctx, `
		SELECT t.name, array_agg(a.attname::text ORDER BY a.attnum) FROM unnest(@names::text[]) AS t (name)
		JOIN pg_attribute a ON a.attrelid = t.name::regclass AND a.attnum > 0 AND NOT a.attisdropped
		GROUP BY t.name ORDER BY t.name`, pgx.NamedArgs{"names": names})
	if err != nil {
		return nil, err
	}
	w := &work{tx: tx, now: now, survivor: survivor, old: old, columns: map[string][]string{}}
	w.before.Moved, w.before.Kept = map[string][]row{}, map[string][]row{}
	var name string
	var columns []string
	_, err = pgx.ForEachRow(rows, []any{&name, &columns}, func() error {
		w.columns[name] = columns
		return nil
	})
	return w, err
}

// args are the parameters that all statements of a merge know, with further ones.
func (w *work) args(more pgx.NamedArgs) pgx.NamedArgs {
	args := pgx.NamedArgs{"survivor": w.survivor, "old": w.old, "now": w.now}
	for k, v := range more {
		args[k] = v
	}
	return args
}

func (w *work) exec(ctx context.Context, sql string, more pgx.NamedArgs) error {
	_, err := w.tx.Exec(ctx, sql, w.args(more))
	return err
}

// rows runs a statement whose only column is a row in JSON.
func (w *work) rows(ctx context.Context, sql string, more pgx.NamedArgs) ([]row, error) {
	found, err := w.tx.Query(ctx, sql, w.args(more))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(found, pgx.RowTo[row])
}

// insert puts rows back that were written down; conflict is the clause for those that are there.
func (w *work) insert(ctx context.Context, name string, rows []row, conflict string) error {
	if len(rows) == 0 {
		return nil
	}
	rows = only(rows, w.columns[name])
	columns := strings.Join(rows[0].columns(), ", ")
	return w.exec(ctx, `INSERT INTO `+name+` (`+columns+`) SELECT `+columns+` FROM jsonb_populate_recordset(NULL::`+name+`, @rows::jsonb) `+conflict,
		pgx.NamedArgs{"rows": rows})
}

// others gives the table's columns but customer_id, as a list and as read from t.
func (w *work) others(name string) (plain, read string) {
	var a, b []string
	for _, c := range w.columns[name] {
		if c != "customer_id" {
			a, b = append(a, quoted(c)), append(b, "t."+quoted(c))
		}
	}
	return strings.Join(a, ", "), strings.Join(b, ", ")
}

// carry copies rows of one customer under another number and deletes them under the first; it gives their keys. where
// speaks of t.
func (w *work) carry(ctx context.Context, t table, from, to int64, where string, more pgx.NamedArgs) ([]row, error) {
	plain, read := w.others(t.name)
	args := pgx.NamedArgs{"from": from, "to": to}
	for k, v := range more {
		args[k] = v
	}
	var key []string
	for _, c := range t.key {
		key = append(key, "'"+c+"', "+c)
	}
	keys, err := w.rows(ctx, `INSERT INTO `+t.name+` (customer_id, `+plain+`) SELECT @to, `+read+` FROM `+t.name+` t
		WHERE t.customer_id = @from AND `+where+` RETURNING jsonb_build_object(`+strings.Join(key, ", ")+`)`, args)
	if err != nil || len(keys) == 0 {
		return keys, err
	}
	return keys, w.exec(ctx, `DELETE FROM `+t.name+` t WHERE t.customer_id = @from AND `+where, args)
}

// among is the condition that a row t of the table has one of the keys in the parameter.
func (t table) among(parameter string) string {
	read := make([]string, len(t.key))
	for i, c := range t.key {
		read[i] = "t." + c
	}
	return `(` + strings.Join(read, ", ") + `) IN (SELECT ` + strings.ReplaceAll(strings.Join(read, ", "), "t.", "k.") +
		` FROM jsonb_populate_recordset(NULL::` + t.name + `, @` + parameter + `::jsonb) k)`
}

// derive recomputes what follows from orders.
func (w *work) derive(ctx context.Context, ids ...int64) error {
	_, err := customers.DeriveTx(ctx, w.tx, ids)
	return err
}
