package pg

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Execer is a pool, a connection or a transaction.
type Execer interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// Analyze gathers the planner's statistics of tables that have just grown much. The server does so by itself, but only
// after a while, and until then it takes what was written for next to nothing and chooses plans to match.
func Analyze(ctx context.Context, db Execer, tables ...string) error {
	quoted := make([]string, len(tables))
	for i, t := range tables {
		quoted[i] = pgx.Identifier{t}.Sanitize()
	}
	_, err := db.Exec(ctx, "ANALYZE "+strings.Join(quoted, ", "))
	return err
}
