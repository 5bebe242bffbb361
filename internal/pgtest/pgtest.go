package pgtest

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"aldine/internal/pg"
)

var counter atomic.Int64

// New returns a pool of at most 8 connections on a fresh database with the whole schema. The database is
// dropped when the test ends; a connection still in use by then fails the test.
func New(t testing.TB) *pgxpool.Pool {
	t.Helper()
	pool, err := pg.Open(t.Context(), NewURL(t), pg.MaxConns(8))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closePool(t, pool) })
	return pool
}

// NewURL returns the connection string of a fresh database with the whole schema, for a test that starts
// the program itself or opens its own pool.
func NewURL(t testing.TB) string {
	t.Helper()
	return create(t, func(ctx context.Context, s *server, name string) error { return s.clone(ctx, name) })
}

// NewEmpty returns a pool on a fresh database without any schema.
func NewEmpty(t testing.TB) *pgxpool.Pool {
	t.Helper()
	url := create(t, func(ctx context.Context, s *server, name string) error {
		return s.exec(ctx, "CREATE DATABASE "+name+" TEMPLATE template0 STRATEGY FILE_COPY")
	})
	pool, err := pg.Open(t.Context(), url, pg.MaxConns(8))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closePool(t, pool) })
	return pool
}

// URL is the connection string of a pool's database.
func URL(pool *pgxpool.Pool) string { return pool.Config().ConnString() }

func create(t testing.TB, make func(context.Context, *server, string) error) string {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatalf("test database: %v", err)
	}
	// Not the test's context: a database half made must not be left when the test gives up.
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	name := fmt.Sprintf("t_%d_%d", os.Getpid(), counter.Add(1))
	if err := make(ctx, s, name); err != nil {
		t.Fatalf("test database: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("drop test database: %v", err)
		}
	})
	return s.cluster.URL(name)
}

// closePool waits for connections in use, but not forever: a leaked one should fail one test, not hang all.
func closePool(t testing.TB, pool *pgxpool.Pool) {
	done := make(chan struct{})
	go func() { pool.Close(); close(done) }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Errorf("%d database connections were still in use at the end of the test", pool.Stat().AcquiredConns())
	}
}
