package content

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"aldine/internal/access"
	"aldine/internal/audit"
	"aldine/internal/fault"
)

// Querier is a pool or a transaction.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// Store keeps the templates.
type Store struct {
	pool  *pgxpool.Pool
	names func(context.Context) ([]string, error)
	now   func() time.Time
	veil  func(context.Context) (func(tags string) bool, error) // see HideWith

	mu   sync.Mutex
	kept map[versionKey]*Compiled
}

type versionKey struct {
	id      int64
	version int
}

// maxKept bounds the compiled templates in memory; a campaign uses a handful.
const maxKept = 500

// NewStore gives a store. names tells the customer fields that templates may use: customers.Service.FieldNames.
func NewStore(pool *pgxpool.Pool, names func(context.Context) ([]string, error), now func() time.Time) *Store {
	return &Store{pool: pool, names: names, now: now, kept: map[versionKey]*Compiled{}}
}

// Query picks templates; the zero value lists all by name.
type Query struct {
	Search  string // part of the name
	Channel string
	After   string // name of the last one of the page before
	Limit   int    // 0 means 50
}

// Check is Save without storing.
func (s *Store) Check(ctx context.Context, t Template) error {
	var fields []fault.Field
	if name := strings.TrimSpace(t.Name); name == "" {
		fields = append(fields, fault.Field{Name: "name", Message: "Give the template a name"})
	} else if utf8.RuneCountInString(name) > 200 {
		fields = append(fields, fault.Field{Name: "name", Message: "The name is too long: at most 200 characters"})
	} else if _, err := strconv.ParseInt(name, 10, 64); err == nil {
		fields = append(fields, fault.Field{Name: "name", Message: "A name needs a letter: a number alone could be mistaken for an id"})
	}
	for _, p := range []struct{ name, text string }{{"name", t.Name}, {"subject", t.Subject}, {"html", t.HTML}, {"body", t.Body}} {
		if !utf8.ValidString(p.text) || strings.ContainsRune(p.text, 0) {
			return fault.BadField(p.name, "The text is not valid UTF-8")
		}
	}
	names, err := s.names(ctx)
	if err != nil {
		return err
	}
	if names == nil {
		names = []string{}
	}
	_, err = Compile(t, names)
	var f *fault.Error
	if errors.As(err, &f) && f.Kind == fault.Invalid {
		fields = append(fields, f.Fields...)
	} else if err != nil {
		return err
	}
	if len(fields) > 0 {
		return fault.Bad("The template has mistakes", fields...)
	}
	return nil
}

// Save checks a template and stores it: a new one where ID is 0, else a new version, made only where something changed.
// Fails with Invalid (fields name, channel, subject, html, body with lines), Conflict (name taken) or NotFound.
func (s *Store) Save(ctx context.Context, t Template) (Template, error) {
	t.Name = strings.TrimSpace(t.Name)
	if t.ID != 0 && t.Channel == "" {
		old, err := s.Get(ctx, t.ID)
		if err != nil {
			return Template{}, err
		}
		t.Channel = old.Channel
	}
	if err := s.Check(ctx, t); err != nil {
		return Template{}, err
	}
	var saved Template
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) (err error) {
		if t.ID == 0 {
			saved, err = s.createTx(ctx, tx, t)
		} else {
			saved, err = s.changeTx(ctx, tx, t)
		}
		return err
	})
	var pe *pgconn.PgError
	if errors.As(err, &pe) && pe.ConstraintName == "templates_name_key" {
		return Template{}, fault.New(fault.Conflict, "There is a template called %q already", t.Name)
	}
	return saved, err
}

func (s *Store) createTx(ctx context.Context, tx pgx.Tx, t Template) (Template, error) {
	now := s.now()
	err := tx.QueryRow(ctx, `
		INSERT INTO templates (name, channel, version, created_at, updated_at) VALUES (@name, @channel, 1, @now, @now)
		RETURNING template_id`, pgx.NamedArgs{"name": t.Name, "channel": t.Channel, "now": now}).Scan(&t.ID)
	if err != nil {
		return Template{}, err
	}
	return s.versionTx(ctx, tx, t, 1, "template.create")
}

func (s *Store) changeTx(ctx context.Context, tx pgx.Tx, t Template) (Template, error) {
	if _, err := tx.Exec(ctx, `SELECT FROM templates WHERE template_id = @id FOR UPDATE`, pgx.NamedArgs{"id": t.ID}); err != nil {
		return Template{}, err
	}
	old, err := Load(ctx, tx, t.ID, 0)
	if err != nil {
		return Template{}, err
	}
	if t.Channel != old.Channel {
		return Template{}, fault.BadField("channel", "A template's medium can't be changed: make a new template")
	}
	if t.Name == old.Name && t.Subject == old.Subject && t.HTML == old.HTML && t.Body == old.Body {
		return old, nil
	}
	version := old.Version
	if t.Subject != old.Subject || t.HTML != old.HTML || t.Body != old.Body {
		version++
	}
	if _, err := tx.Exec(ctx, `UPDATE templates SET name = @name, version = @version, updated_at = @now WHERE template_id = @id`,
		pgx.NamedArgs{"id": t.ID, "name": t.Name, "version": version, "now": s.now()}); err != nil {
		return Template{}, err
	}
	if version == old.Version {
		old.Name, old.UpdatedAt = t.Name, s.now()
		return old, audit.RecordTx(ctx, tx, s.now(), "template.rename", "template", t.ID, map[string]any{"name": t.Name})
	}
	return s.versionTx(ctx, tx, t, version, "template.update")
}

func (s *Store) versionTx(ctx context.Context, tx pgx.Tx, t Template, version int, action string) (Template, error) {
	if _, err := tx.Exec(ctx, `
		INSERT INTO template_versions (template_id, version, subject, html, body, created_by, created_at)
		VALUES (@id, @version, @subject, @html, @body, @by, @now)`, pgx.NamedArgs{
		"id": t.ID, "version": version, "subject": t.Subject, "html": t.HTML, "body": t.Body,
		"by": access.From(ctx).String(), "now": s.now(),
	}); err != nil {
		return Template{}, err
	}
	if err := audit.RecordTx(ctx, tx, s.now(), action, "template", t.ID, map[string]any{"name": t.Name, "version": version}); err != nil {
		return Template{}, err
	}
	return Load(ctx, tx, t.ID, version)
}

// Compiled gives one version ready to be rendered; compiled versions are kept. Fails with NotFound.
func (s *Store) Compiled(ctx context.Context, id int64, version int) (*Compiled, error) {
	key := versionKey{id, version}
	s.mu.Lock()
	c := s.kept[key]
	s.mu.Unlock()
	if c != nil {
		return c, nil
	}
	t, err := Load(ctx, s.pool, id, version)
	if err != nil {
		return nil, err
	}
	used := map[string]bool{}
	for _, source := range []string{t.Subject, t.HTML, t.Body} {
		c := checker{used: used}
		c.check(source)
	}
	if c, err = compile(t, used); err != nil {
		return nil, err
	}
	if version == 0 {
		return c, nil // the newest may change
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.kept) >= maxKept {
		clear(s.kept)
	}
	s.kept[key] = c
	return c, nil
}
