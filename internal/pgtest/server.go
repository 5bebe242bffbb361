package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"aldine/internal/pg"
	"aldine/migrations"
)

// server is this process's use of the shared test server.
type server struct {
	cluster  *pg.Cluster
	admin    *pgxpool.Pool
	template string
}

// shared joins or starts the server once per process. Nothing stops it at the end: the kernel releases the
// lock, and Stop or a later process takes care of the server.
var shared = sync.OnceValues(func() (*server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cluster, err := start(ctx)
	if err != nil {
		return nil, err
	}
	admin, err := pg.Open(ctx, cluster.URL("postgres"), pg.MaxConns(2))
	if err != nil {
		return nil, err
	}
	print, err := migrations.Fingerprint()
	if err != nil {
		return nil, err
	}
	s := &server{cluster: cluster, admin: admin, template: "template_" + print}
	return s, errors.Join(s.ensureTemplate(ctx), s.sweep(ctx))
})

func start(ctx context.Context) (*pg.Cluster, error) {
	return pg.StartCluster(ctx, dir(), pg.Options{MaxConnections: 300, Volatile: true})
}

// dir is in memory where the system has room there; containers often have 64 MB only.
func dir() string {
	name := fmt.Sprintf("aldine-test-%d", os.Getuid())
	var st syscall.Statfs_t
	if err := syscall.Statfs("/dev/shm", &st); err == nil && st.Blocks*uint64(st.Bsize) >= 2<<30 {
		return filepath.Join("/dev/shm", name)
	}
	return filepath.Join(os.TempDir(), name)
}

// Stop stops the shared server unless another process is using it.
func Stop(ctx context.Context) error {
	if _, err := os.Stat(dir()); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	cluster, err := start(ctx)
	if err != nil {
		return err
	}
	return cluster.Stop(ctx)
}

func (s *server) exec(ctx context.Context, sql string) error {
	_, err := s.admin.Exec(ctx, sql)
	return err
}

// clone makes a database from the template, and the template again if a process with other migrations
// thought it was out of use.
func (s *server) clone(ctx context.Context, name string) error {
	sql := "CREATE DATABASE " + name + " TEMPLATE " + s.template + " STRATEGY FILE_COPY"
	err := s.exec(ctx, sql)
	if pgErr := (*pgconn.PgError)(nil); errors.As(err, &pgErr) && pgErr.Code == "3D000" {
		if err := s.ensureTemplate(ctx); err != nil {
			return err
		}
		err = s.exec(ctx, sql)
	}
	return err
}

const templateLock = 0x616c64696e65 // "aldine"

// ensureTemplate makes the template if it is missing. It gets its name only when complete.
func (s *server) ensureTemplate(ctx context.Context) (err error) {
	conn, err := s.admin.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock($1)`, templateLock); err != nil {
		return err
	}
	defer func() {
		_, unlockErr := conn.Exec(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, templateLock)
		err = errors.Join(err, unlockErr)
	}()
	var exists bool
	err = conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, s.template).Scan(&exists)
	if err != nil || exists {
		return err
	}
	draft := s.template + "_draft"
	for _, sql := range []string{
		"DROP DATABASE IF EXISTS " + draft + " WITH (FORCE)",
		"CREATE DATABASE " + draft + " TEMPLATE template0 STRATEGY FILE_COPY",
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return err
		}
	}
	pool, err := pg.Open(ctx, s.cluster.URL(draft), pg.MaxConns(2))
	if err != nil {
		return err
	}
	err = migrations.Up(ctx, pool)
	pool.Close()
	if err != nil {
		return err
	}
	for _, sql := range []string{
		fmt.Sprintf("COMMENT ON DATABASE %s IS '%d'", draft, time.Now().Unix()),
		"ALTER DATABASE " + draft + " ALLOW_CONNECTIONS false",
		"ALTER DATABASE " + draft + " RENAME TO " + s.template,
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return err
		}
	}
	return dropOldTemplates(ctx, conn.Conn(), s.template)
}

// dropOldTemplates removes templates of other migrations after an hour; until then another working copy
// may be using them.
func dropOldTemplates(ctx context.Context, conn *pgx.Conn, keep string) error {
	rows, err := conn.Query(ctx, `
		SELECT datname FROM pg_database
		WHERE datname LIKE 'template\_%' AND datname NOT LIKE '%\_draft' AND datname <> $1
		  AND shobj_description(oid, 'pg_database')::bigint < $2
		ORDER BY datname`, keep, time.Now().Add(-time.Hour).Unix())
	if err != nil {
		return err
	}
	old, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, name := range old {
		if _, err := conn.Exec(ctx, "DROP DATABASE IF EXISTS "+name); err != nil {
			return err
		}
	}
	return nil
}

// sweep drops databases whose test process is gone.
func (s *server) sweep(ctx context.Context) error {
	rows, err := s.admin.Query(ctx, `SELECT datname FROM pg_database WHERE datname LIKE 't\_%' ORDER BY datname`)
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, name := range names {
		pid, err := strconv.Atoi(strings.Split(name, "_")[1])
		// A number that was given out again is either our own, and then its database is an old one, or
		// that of a living process, and then the next sweep sees to it.
		ended := err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH)
		if ended || pid == os.Getpid() {
			if err := s.exec(ctx, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
				return err
			}
		}
	}
	return nil
}
