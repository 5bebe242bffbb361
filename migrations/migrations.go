package migrations

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

//go:embed *.sql
var files embed.FS

// Up applies what is missing, the queue's migrations first. Nodes that start at the same time take turns:
// one migrates, the others wait and then find nothing to do. The error names the file and the statement.
func Up(ctx context.Context, pool *pgxpool.Pool) (err error) {
	db := open(pool)
	defer db.Close()
	// Goose's own lock would cover only its part. It is asked for once a second instead of waited for,
	// because a waiting statement would hold up CREATE INDEX CONCURRENTLY.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 3600))
	if err != nil {
		return err
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	defer conn.Close()
	if err := locker.SessionLock(ctx, conn); err != nil {
		return fmt.Errorf("migrations: waiting for another node: %w", err)
	}
	defer func() {
		err = errors.Join(err, locker.SessionUnlock(context.WithoutCancel(ctx), conn))
	}()

	queue, err := queueMigrator(pool)
	if err != nil {
		return err
	}
	if _, err := queue.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("queue migrations: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files, goose.WithSlog(slog.New(slog.DiscardHandler)))
	if err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrations: %w", err)
	}
	return nil
}

// Pending counts the migrations that Up would apply. It changes nothing.
func Pending(ctx context.Context, pool *pgxpool.Pool) (int, error) {
	queue, err := queueMigrator(pool)
	if err != nil {
		return 0, err
	}
	done, err := queue.ExistingVersions(ctx)
	if err != nil {
		return 0, fmt.Errorf("queue migrations: %w", err)
	}
	pending := len(queue.AllVersions()) - len(done)

	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return 0, err
	}
	applied, err := applied(ctx, pool)
	if err != nil {
		return 0, fmt.Errorf("migrations: %w", err)
	}
	for _, name := range names {
		version, err := goose.NumericComponent(name)
		if err != nil {
			return 0, fmt.Errorf("migrations: %w", err)
		}
		if !applied[version] {
			pending++
		}
	}
	return pending, nil
}

// applied reads goose's table itself: goose's status would create it.
func applied(ctx context.Context, pool *pgxpool.Pool) (map[int64]bool, error) {
	var exists bool
	if err := pool.QueryRow(ctx, `SELECT to_regclass('goose_db_version') IS NOT NULL`).Scan(&exists); err != nil || !exists {
		return nil, err
	}
	rows, err := pool.Query(ctx, `SELECT version_id FROM goose_db_version WHERE is_applied ORDER BY version_id`)
	if err != nil {
		return nil, err
	}
	versions, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return nil, err
	}
	set := make(map[int64]bool, len(versions))
	for _, v := range versions {
		set[v] = true
	}
	return set, nil
}

// Fingerprint is a short name for the schema that Up makes: it changes with every edit of a file and with
// every new version of the queue's tables.
func Fingerprint() (string, error) {
	sum := sha256.New()
	queue, err := rivermigrate.New(riverpgxv5.New(nil), nil)
	if err != nil {
		return "", err
	}
	for _, m := range queue.AllVersions() {
		fmt.Fprintln(sum, "queue", m.Version)
	}
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return "", err
	}
	for _, name := range names {
		f, err := files.Open(name)
		if err != nil {
			return "", err
		}
		fmt.Fprintln(sum, name)
		_, err = io.Copy(sum, f)
		if err := errors.Join(err, f.Close()); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:6]), nil
}

// open gives goose the database/sql it needs, on connections of its own: the pool may be small, and a lock
// must stay on its session.
func open(pool *pgxpool.Pool) *sql.DB {
	return stdlib.OpenDB(*pool.Config().ConnConfig)
}

func queueMigrator(pool *pgxpool.Pool) (*rivermigrate.Migrator[pgx.Tx], error) {
	m, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, fmt.Errorf("queue migrations: %w", err)
	}
	return m, nil
}
