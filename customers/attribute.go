package customers

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/expr-lang/expr/builtin"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"aldine/internal/audit"
	"aldine/internal/fault"
)

// AttributeType is the kind of value an attribute holds.
type AttributeType string

// The types. A date has no time of day, a time is a moment.
const (
	Text   AttributeType = "text"
	Number AttributeType = "number"
	Money  AttributeType = "money" // in the base currency, four decimals
	Bool   AttributeType = "bool"
	Date   AttributeType = "date"
	Time   AttributeType = "time"
	List   AttributeType = "list" // of text
)

// columnTypes are the columns that hold each type.
var columnTypes = map[AttributeType]string{
	Text: "text", Number: "numeric", Money: "numeric(19,4)", Bool: "boolean", Date: "date", Time: "timestamptz", List: "text[]",
}

// Attribute is a typed fact about customers that a marketer has defined.
type Attribute struct {
	ID          int64         `json:"id"`
	Name        string        `json:"name"` // as written in expressions and templates
	Label       string        `json:"label"`
	Type        AttributeType `json:"type"`
	Column      string        `json:"-"` // the column of customers
	Description string        `json:"description"`
	Private     bool          `json:"private"` // the read-only role cannot use it in expressions
	CreatedAt   time.Time     `json:"created_at"`
}

// maxAttributes keeps a customer's row within what PostgreSQL and people can handle.
const maxAttributes = 400

var attributeName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,49}$`)

// reserved are names that mean something else in expressions, templates or import files.
var reserved = func() map[string]bool {
	m := map[string]bool{}
	for _, n := range coreNames {
		m[n] = true
	}
	for _, n := range strings.Fields(`id customer_id list_id household_id address_hash orders_count total_spent first_order_at
		last_order_at created_at updated_at orders list lists name full_name street_number email_consent consent_email consent_sms
		consent_post consent_calls customer campaign keycode unsubscribe_url today
		and or not in let if else true false nil null contains matches startswith endswith
		lines responses touches household bought clicked opened responded received sent unsubscribed complained bounced called replied in_segment in_list in_campaign
		is_known is_null ago birthday_within anniversary_within consent suppressed now date duration year month day weekday hour
		contacted contacts never followed as_of top nth bucket`) {
		m[n] = true
	}
	for _, n := range builtin.Names {
		m[strings.ToLower(n)] = true
	}
	return m
}()

func checkAttribute(a *Attribute) error {
	a.Name = strings.TrimSpace(a.Name)
	a.Label = strings.TrimSpace(a.Label)
	var fields []fault.Field
	switch {
	case !attributeName.MatchString(a.Name):
		fields = append(fields, fault.Field{Name: "name", Message: "use a to z, 0 to 9 and _, a letter first, at most 50 characters"})
	case reserved[a.Name]:
		fields = append(fields, fault.Field{Name: "name", Message: fmt.Sprintf("%q already means something in expressions; choose another name", a.Name)})
	}
	if _, ok := columnTypes[a.Type]; !ok {
		fields = append(fields, fault.Field{Name: "type",
			Message: fmt.Sprintf("%q is not a type: use text, number, money, bool, date, time or list", a.Type)})
	}
	if len(a.Label) > 200 || strings.ContainsRune(a.Label, 0) {
		fields = append(fields, fault.Field{Name: "label", Message: "use at most 200 characters of text"})
	}
	if len(a.Description) > 2000 || strings.ContainsRune(a.Description, 0) {
		fields = append(fields, fault.Field{Name: "description", Message: "use at most 2000 characters of text"})
	}
	if a.Label == "" {
		a.Label = strings.ToUpper(a.Name[:min(1, len(a.Name))]) + strings.ReplaceAll(a.Name[min(1, len(a.Name)):], "_", " ")
	}
	if fields != nil {
		return fault.Bad("The attribute is not valid", fields...)
	}
	return nil
}

// DefineAttribute adds a typed column to customers. Invalid where name or type cannot be used, Conflict where the name
// exists, Unavailable where customers are too busy to be changed within seconds.
func (s *Service) DefineAttribute(ctx context.Context, a Attribute) (Attribute, error) {
	if err := checkAttribute(&a); err != nil {
		return Attribute{}, err
	}
	a.Column, a.CreatedAt = "a_"+a.Name, s.now()
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
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
		// The lock that ALTER TABLE needs would hold up everybody behind a long read: better give up and say so.
		if _, err := tx.Exec(ctx, `SET LOCAL lock_timeout = '4s'`); err != nil {
			return err
		}
		column := pgx.Identifier{a.Column}.Sanitize()
		if _, err := tx.Exec(ctx, `ALTER TABLE customers ADD COLUMN `+column+` `+columnTypes[a.Type]); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, `
			INSERT INTO attributes (name, label, type, column_name, description, private, created_at)
			VALUES (@name, @label, @type, @column, @description, @private, @now) RETURNING attribute_id`, pgx.NamedArgs{
			"name": a.Name, "label": a.Label, "type": a.Type, "column": a.Column, "description": a.Description, "private": a.Private, "now": a.CreatedAt,
		}).Scan(&a.ID); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, s.now(), "attribute.define", "attribute", a.Name, map[string]any{"type": a.Type, "label": a.Label})
	})
	var pe *pgconn.PgError
	if errors.As(err, &pe) {
		switch pe.Code {
		case "55P03": // lock_not_available
			return Attribute{}, fault.Wrap(fault.Unavailable, err, "Customers are busy just now; try again in a minute")
		case "23505", "42701": // unique_violation, duplicate_column
			return Attribute{}, fault.Wrap(fault.Conflict, err, "An attribute named %s exists already", a.Name)
		}
	}
	if err != nil {
		return Attribute{}, err
	}
	return a, nil
}

// SetAttributePrivate closes an attribute to the read-only role, or opens it. NotFound where there is none of the name.
func (s *Service) SetAttributePrivate(ctx context.Context, name string, private bool) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		done, err := tx.Exec(ctx, `UPDATE attributes SET private = $2 WHERE name = $1`, name, private)
		if err != nil {
			return err
		}
		if done.RowsAffected() == 0 {
			return fault.New(fault.NotFound, "There is no attribute named %s", name)
		}
		return audit.RecordTx(ctx, tx, s.now(), "attribute.private", "attribute", name, map[string]any{"private": private})
	})
}

// Attributes gives all attributes by name.
func (s *Service) Attributes(ctx context.Context) ([]Attribute, error) {
	return LoadAttributes(ctx, s.pool)
}

// LoadAttributes gives all attributes by name, within the caller's transaction if q is one.
func LoadAttributes(ctx context.Context, q Querier) ([]Attribute, error) {
	rows, err := q.Query(ctx, `
		SELECT attribute_id, name, label, type, column_name, description, private, created_at FROM attributes ORDER BY name`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (a Attribute, err error) {
		return a, row.Scan(&a.ID, &a.Name, &a.Label, &a.Type, &a.Column, &a.Description, &a.Private, &a.CreatedAt)
	})
}

// FieldNames gives every name that templates may use of a customer.
func (s *Service) FieldNames(ctx context.Context) ([]string, error) {
	attributes, err := s.Attributes(ctx)
	if err != nil {
		return nil, err
	}
	names := append([]string{"id"}, coreNames[:]...)
	names = append(names, "orders_count", "total_spent", "last_order_at")
	for _, a := range attributes {
		names = append(names, a.Name)
	}
	return names, nil
}
