package customers

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr/builtin"
	"github.com/jackc/pgx/v5"

	"aldine/internal/access"
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
	Private     bool          `json:"private"` // the read-only role neither sees it nor can ask for it
	State       string        `json:"state"`   // AttributeReady or AttributeComing
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
		lines responses touches events household rfm recency_score frequency_score monetary_score bought did clicked opened responded received sent unsubscribed complained bounced called replied in_segment in_list in_campaign
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

// SetAttributePrivate closes an attribute to the read-only role, or opens it. NotFound where there is none of the name, Forbidden
// where the actor is no administrator.
func (s *Service) SetAttributePrivate(ctx context.Context, name string, private bool) (Attribute, error) {
	if err := mayClose(ctx); err != nil {
		return Attribute{}, err
	}
	var of Attribute
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		all, err := allAttributes(ctx, tx)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(all, func(a Attribute) bool { return a.Name == name })
		if i < 0 {
			return fault.New(fault.NotFound, "There is no attribute named %s", short(name))
		}
		if of = all[i]; of.Private == private {
			return nil
		}
		of.Private = private
		if _, err := tx.Exec(ctx, `UPDATE attributes SET private = @private WHERE attribute_id = @id`, pgx.NamedArgs{"private": private, "id": of.ID}); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, s.now(), "attribute.private", "attribute", name, map[string]any{"private": private})
	})
	return of, err
}

// mayClose is Forbidden for those who may not say what is private.
func mayClose(ctx context.Context) error {
	if role := access.From(ctx).Role; !role.May(access.Administer) {
		return fault.New(fault.Forbidden, "Your role (%s) may not say which attributes are private", role)
	}
	return nil
}

// Attributes gives the attributes that the actor may see, by name; see LoadAttributes.
func (s *Service) Attributes(ctx context.Context) ([]Attribute, error) {
	return LoadAttributes(ctx, s.pool)
}

// LoadAttributes gives the attributes by name, within the caller's transaction if q is one. Those that are private are not for the
// read-only role: what is read of customers in its name lacks them.
func LoadAttributes(ctx context.Context, q Querier) ([]Attribute, error) {
	all, err := allAttributes(ctx, q)
	if err != nil || access.From(ctx).Role != access.ReadOnly {
		return all, err
	}
	return slices.DeleteFunc(all, func(a Attribute) bool { return a.Private }), nil
}

func allAttributes(ctx context.Context, q Querier) ([]Attribute, error) {
	rows, err := q.Query(ctx, `
		SELECT attribute_id, name, label, type, column_name, description, private, created_at FROM attributes ORDER BY name`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanAttribute)
}

func scanAttribute(row pgx.CollectableRow) (Attribute, error) {
	a := Attribute{State: AttributeReady}
	return a, row.Scan(&a.ID, &a.Name, &a.Label, &a.Type, &a.Column, &a.Description, &a.Private, &a.CreatedAt)
}

// FieldNames gives every name that templates may use of a customer, whoever asks: a template is right or wrong for all.
func (s *Service) FieldNames(ctx context.Context) ([]string, error) {
	attributes, err := allAttributes(ctx, s.pool)
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
