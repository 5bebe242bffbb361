package customers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"aldine/internal/audit"
	"aldine/internal/fault"
)

// Times of a change of the table of customers. A column without a default is a line in the catalog, whatever the size of the
// table, but the change needs the table for itself for that moment. While it waits behind a long read, everybody else waits
// behind it: so it waits for columnWait only, lets all others through for a while, and tries again, for columnTries in all.
const (
	columnWait  = 100 * time.Millisecond
	columnPause = 150 * time.Millisecond
	columnTries = 40 * time.Second // by default, see Service.columnTries
)

// DefineAttribute adds a typed column to customers. Nobody waits for it longer than columnWait; it waits itself while customers
// are read and written without a pause. Invalid where name or type cannot be used, Conflict where the name exists,
// Unavailable where there was no pause for 40 seconds: nothing is changed then.
// One that is private from the start is Forbidden to all but administrators.
func (s *Service) DefineAttribute(ctx context.Context, a Attribute) (Attribute, error) {
	if err := checkAttribute(&a); err != nil {
		return Attribute{}, err
	}
	if a.Private {
		if err := mayClose(ctx); err != nil {
			return Attribute{}, err
		}
	}
	a.Column, a.CreatedAt = "a_"+a.Name, s.now()
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if err := s.waitForUpkeepTx(ctx, tx); err != nil {
			return err
		}
		var exists bool
		var count int
		if err := tx.QueryRow(ctx, `SELECT coalesce(bool_or(name = @name), false), count(*) FROM attributes`,
			pgx.NamedArgs{"name": a.Name}).Scan(&exists, &count); err != nil {
			return err
		}
		if exists {
			return fault.New(fault.Conflict, "An attribute named %s exists already", a.Name)
		}
		if count >= maxAttributes {
			return fault.New(fault.Conflict, "There are %d attributes already; no more can be defined", count)
		}
		if err := tx.QueryRow(ctx, `
			INSERT INTO attributes (name, label, type, column_name, description, private, created_at)
			VALUES (@name, @label, @type, @column, @description, @private, @now) RETURNING attribute_id`, pgx.NamedArgs{
			"name": a.Name, "label": a.Label, "type": a.Type, "column": a.Column, "description": a.Description, "private": a.Private, "now": a.CreatedAt,
		}).Scan(&a.ID); err != nil {
			return err
		}
		if err := audit.RecordTx(ctx, tx, s.now(), "attribute.define", "attribute", a.Name, map[string]any{"type": a.Type, "label": a.Label, "private": a.Private}); err != nil {
			return err
		}
		return s.addColumnTx(ctx, tx, a) // last: from here on the table is locked until the commit
	})
	if code := codeOf(err); code == "23505" || code == "42701" { // unique_violation, duplicate_column
		return Attribute{}, fault.Wrap(fault.Conflict, err, "An attribute named %s exists already", a.Name)
	}
	if err != nil {
		return Attribute{}, err
	}
	return a, nil
}

// waitForUpkeepTx waits until no vacuum, analysis or other change of the table is under way, and keeps the next away. Readers and
// writers do not notice. Behind a lock that somebody waits for, the database's own vacuum steps aside, but only after a second:
// it would never for those who wait no longer than columnWait.
func (s *Service) waitForUpkeepTx(ctx context.Context, tx pgx.Tx) error {
	if _, err := tx.Exec(ctx, `SELECT set_config('lock_timeout', $1::text, true)`, fmt.Sprint(s.columnTries.Milliseconds())); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `LOCK TABLE customers IN SHARE UPDATE EXCLUSIVE MODE`)
	return s.busy(err)
}

// addColumnTx adds the column in a moment in which nobody uses the table.
func (s *Service) addColumnTx(ctx context.Context, tx pgx.Tx, a Attribute) error {
	sql := `ALTER TABLE customers ADD COLUMN ` + pgx.Identifier{a.Column}.Sanitize() + ` ` + columnTypes[a.Type]
	if _, err := tx.Exec(ctx, `SELECT set_config('lock_timeout', $1::text, true)`, fmt.Sprint(columnWait.Milliseconds())); err != nil {
		return err
	}
	begun := time.Now()
	for {
		err := pgx.BeginFunc(ctx, tx, func(try pgx.Tx) error {
			_, err := try.Exec(ctx, sql)
			return err
		})
		if codeOf(err) != "55P03" || time.Since(begun) > s.columnTries { // lock_not_available
			return s.busy(err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(columnPause):
		}
	}
}

// busy says in words that a lock was not to be had.
func (s *Service) busy(err error) error {
	if codeOf(err) != "55P03" {
		return err
	}
	return fault.Wrap(fault.Unavailable, err, "Customers were read or written without a pause for %d seconds, so the attribute could not be added. "+
		"Nothing is changed: try again when imports and long counts are over", int(s.columnTries.Seconds()))
}

func codeOf(err error) string {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return pe.Code
	}
	return ""
}
