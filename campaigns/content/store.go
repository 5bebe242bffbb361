package content

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
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

	mu   sync.Mutex
	kept map[versionKey]*Compiled
}

type versionKey struct {
	id      int64
	version int
}

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

// Save checks a template and stores it: a new one where ID is 0 and the name is not taken, else a new version, made only
// where something changed. Fails with Invalid (fields name, channel, subject, html, body with lines), Conflict (name
// taken) or NotFound.
func (s *Store) Save(ctx context.Context, t Template) (Template, error) { panic("TODO") }

// Check is Save without storing.
func (s *Store) Check(ctx context.Context, t Template) error { panic("TODO") }

// Get gives a template's newest version. Fails with NotFound.
func (s *Store) Get(ctx context.Context, id int64) (Template, error) { panic("TODO") }

// List gives the newest versions by name.
func (s *Store) List(ctx context.Context, q Query) ([]Template, error) { panic("TODO") }

// Versions gives all versions of a template, newest first. Fails with NotFound.
func (s *Store) Versions(ctx context.Context, id int64) ([]Template, error) { panic("TODO") }

// Compiled gives one version ready to be rendered; compiled versions are kept. Fails with NotFound.
func (s *Store) Compiled(ctx context.Context, id int64, version int) (*Compiled, error) {
	panic("TODO")
}

// Load reads one version; version 0 means the newest. Fails with NotFound.
func Load(ctx context.Context, q Querier, id int64, version int) (Template, error) { panic("TODO") }
