package customers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"aldine/internal/access"
	"aldine/internal/audit"
	"aldine/internal/fault"
)

// Times of a change of the table of customers. A column without a default is a line in the catalog, whatever the size of the
// table, but the change needs the table for itself for that moment. While it waits behind a long read, everybody else waits
// behind it: so it waits for columnWait only, lets all others through for a while, and tries again.
const (
	columnWait  = 100 * time.Millisecond
	columnPause = 150 * time.Millisecond
	columnTries = 2 * time.Second // by default, while somebody waits for the answer, see Service.columnTries
)

// DefineAttribute adds a typed column to customers. Nobody waits for it longer than columnWait; where customers are read and written
// without a pause the attribute comes back with the state AttributeComing, and a job goes on trying. Invalid where name or type
// cannot be used, Conflict where the name exists. One that is private from the start is Forbidden to all but administrators.
func (s *Service) DefineAttribute(ctx context.Context, a Attribute) (Attribute, error) {
	if err := checkAttribute(&a); err != nil {
		return Attribute{}, err
	}
	if a.Private {
		if err := mayClose(ctx); err != nil {
			return Attribute{}, err
		}
	}
	a.CreatedAt = s.now()
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		var exists, coming bool
		var count int
		if err := tx.QueryRow(ctx, `
			SELECT coalesce(bool_or(name = @name AND NOT coming), false), coalesce(bool_or(name = @name AND coming), false), count(*)
			FROM (SELECT name, false AS coming FROM attributes UNION ALL SELECT name, true FROM coming_attributes) a`,
			pgx.NamedArgs{"name": a.Name}).Scan(&exists, &coming, &count); err != nil {
			return err
		}
		switch {
		case exists:
			return fault.New(fault.Conflict, "An attribute named %s exists already", a.Name)
		case coming:
			return fault.New(fault.Conflict, "An attribute named %s is being added already", a.Name)
		case count >= maxAttributes:
			return fault.New(fault.Conflict, "There are %d attributes already; no more can be defined", count)
		}
		var id int64
		if err := tx.QueryRow(ctx, `
			INSERT INTO coming_attributes (name, label, type, description, private, created_by, created_at)
			VALUES (@name, @label, @type, @description, @private, @by, @now) RETURNING coming_id`, pgx.NamedArgs{
			"name": a.Name, "label": a.Label, "type": a.Type, "description": a.Description, "private": a.Private,
			"by": access.From(ctx).String(), "now": a.CreatedAt,
		}).Scan(&id); err != nil {
			return err
		}
		if s.jobs != nil { // it goes on where this process is killed, or nobody waits any more
			if _, err := s.jobs.InsertTx(ctx, tx, AttributeArgs{ID: id}, nil); err != nil {
				return err
			}
		}
		return audit.RecordTx(ctx, tx, s.now(), "attribute.define", "attribute", a.Name, map[string]any{"type": a.Type, "label": a.Label, "private": a.Private})
	})
	if codeOf(err) == "23505" { // unique_violation
		return Attribute{}, fault.Wrap(fault.Conflict, err, "An attribute named %s is being added already", a.Name)
	}
	if err != nil {
		return Attribute{}, err
	}
	if err := s.addColumn(ctx, a.Name, s.columnTries); err != nil {
		return Attribute{}, err
	}
	return s.Attribute(ctx, a.Name)
}

// addColumn tries for a time to make an attribute that is asked for; nothing happens where it is there already, was cancelled, or where
// there was no moment for it. Several at once wait for each other.
func (s *Service) addColumn(ctx context.Context, name string, patience time.Duration) error {
	begun := time.Now()
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		// No vacuum, analysis or other change of the table may be under way, and the next is kept away. Readers and writers do not notice.
		// Behind a lock that somebody waits for, the database's own vacuum steps aside, but only after a second: it would never for those
		// who wait no longer than columnWait.
		if _, err := tx.Exec(ctx, `SELECT set_config('lock_timeout', $1::text, true)`, fmt.Sprint(patience.Milliseconds())); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `LOCK TABLE customers IN SHARE UPDATE EXCLUSIVE MODE`); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `SELECT set_config('lock_timeout', $1::text, true)`, fmt.Sprint(columnWait.Milliseconds())); err != nil {
			return err
		}
		for {
			err := pgx.BeginFunc(ctx, tx, func(try pgx.Tx) error { return addColumnTx(ctx, try, name) })
			if codeOf(err) != "55P03" || time.Since(begun) > patience {
				return err
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(columnPause):
			}
		}
	})
	switch codeOf(err) {
	case "55P03": // lock_not_available
		return nil
	case "23505", "42701": // unique_violation, duplicate_column: somebody added it by hand
		if _, err := s.pool.Exec(ctx, `DELETE FROM coming_attributes WHERE name = $1`, name); err != nil {
			return err
		}
		return fault.Wrap(fault.Conflict, err, "An attribute named %s exists already", name)
	}
	return err
}

// addColumnTx makes the attribute in a moment in which nobody uses the table, if it is still wanted.
func addColumnTx(ctx context.Context, tx pgx.Tx, name string) error {
	var kind AttributeType
	err := tx.QueryRow(ctx, `
		WITH wanted AS (DELETE FROM coming_attributes WHERE name = $1 RETURNING name, label, type, description, private, created_at)
		INSERT INTO attributes (name, label, type, column_name, description, private, created_at)
		SELECT name, label, type, 'a_' || name, description, private, created_at FROM wanted RETURNING type`, name).Scan(&kind)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	// Last: from here on the table is locked until the commit.
	_, err = tx.Exec(ctx, `ALTER TABLE customers ADD COLUMN `+pgx.Identifier{"a_" + name}.Sanitize()+` `+columnTypes[kind])
	return err
}

func codeOf(err error) string {
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		return pe.Code
	}
	return ""
}
