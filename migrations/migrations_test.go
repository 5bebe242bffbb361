package migrations_test

import (
	"testing"

	"golang.org/x/sync/errgroup"

	"aldine/internal/pg"
	"aldine/internal/pgtest"
	"aldine/migrations"
)

func TestUpTwice(t *testing.T) {
	t.Parallel()
	ctx, pool := t.Context(), pgtest.NewEmpty(t)
	before, err := migrations.Pending(ctx, pool)
	if err != nil || before == 0 {
		t.Fatalf("pending in an empty database: %d, %v", before, err)
	}
	var tables int
	if err := pool.QueryRow(ctx, `SELECT count(*) FROM pg_tables WHERE schemaname = 'public'`).Scan(&tables); err != nil || tables != 0 {
		t.Fatalf("Pending made %d tables, %v", tables, err)
	}
	for range 2 {
		if err := migrations.Up(ctx, pool); err != nil {
			t.Fatal(err)
		}
		if n, err := migrations.Pending(ctx, pool); err != nil || n != 0 {
			t.Fatalf("pending: %d, %v", n, err)
		}
	}
	for _, table := range []string{"customers", "river_job"} {
		var exists bool
		if err := pool.QueryRow(ctx, `SELECT to_regclass($1) IS NOT NULL`, table).Scan(&exists); err != nil || !exists {
			t.Errorf("table %s: %v, %v", table, exists, err)
		}
	}
}

func TestUpFromSeveralNodesAtOnce(t *testing.T) {
	t.Parallel()
	first := pgtest.NewEmpty(t)
	var nodes errgroup.Group
	for range 3 {
		pool, err := pg.Open(t.Context(), pgtest.URL(first), pg.MaxConns(1))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(pool.Close)
		nodes.Go(func() error { return migrations.Up(t.Context(), pool) })
	}
	if err := nodes.Wait(); err != nil {
		t.Fatal(err)
	}
	if n, err := migrations.Pending(t.Context(), first); err != nil || n != 0 {
		t.Fatalf("pending: %d, %v", n, err)
	}
}
