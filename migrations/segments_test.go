package migrations_test

import (
	"os"
	"testing"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"aldine/internal/pgtest"
	"aldine/migrations"
)

// Segments of a running installation come through going down and up, and count as tried when they were counted.
func TestSegmentChanges(t *testing.T) {
	t.Parallel()
	ctx, pool := t.Context(), pgtest.New(t)
	db := stdlib.OpenDBFromPool(pool)
	t.Cleanup(func() { _ = db.Close() })
	provider, err := goose.NewProvider(goose.DialectPostgres, db, os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.DownTo(ctx, 22); err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec(ctx, `INSERT INTO segments (name, expression, created_by, created_at, updated_at, counted_at) VALUES ('a', '', 'test', now(), now(), '2026-11-01')`); err != nil {
		t.Fatal(err)
	}
	if err := migrations.Up(ctx, pool); err != nil {
		t.Fatal(err)
	}
	var right bool
	if err := pool.QueryRow(ctx, `SELECT row_version = 1 AND count_error = '' AND count_tried_at = counted_at FROM segments`).Scan(&right); err != nil || !right {
		t.Errorf("%v, %v", right, err)
	}
}
