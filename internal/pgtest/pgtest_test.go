package pgtest_test

import (
	"fmt"
	"testing"

	"aldine/internal/pgtest"
	"aldine/migrations"
)

func TestNewGivesSeparateMigratedDatabases(t *testing.T) {
	t.Parallel()
	for i := range 4 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			pool := pgtest.New(t)
			if n, err := migrations.Pending(t.Context(), pool); err != nil || n != 0 {
				t.Fatalf("pending: %d, %v", n, err)
			}
			// In a shared database the second one would fail.
			if _, err := pool.Exec(t.Context(), `CREATE TABLE mine (i int)`); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestDatabaseIsDroppedAtTheEnd(t *testing.T) {
	t.Parallel()
	var name string
	t.Run("inner", func(t *testing.T) {
		if err := pgtest.New(t).QueryRow(t.Context(), `SELECT current_database()`).Scan(&name); err != nil {
			t.Fatal(err)
		}
	})
	var exists bool
	err := pgtest.NewEmpty(t).QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, name).Scan(&exists)
	if err != nil || exists {
		t.Fatalf("%s still exists: %v, %v", name, exists, err)
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		pgtest.New(b)
	}
}
