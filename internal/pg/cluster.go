package pg

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// Database is the name of the database that every private server has.
	Database  = "aldine"
	superuser = "aldine"
	port      = 5432
)

// Options of a private server; the zero value is right for production.
type Options struct {
	// MaxConnections of the server, 100 if zero. It counts only for whoever starts the server.
	MaxConnections int
	// Volatile gives up durability for speed. For tests only.
	Volatile bool
}

// Cluster is this process's use of a private PostgreSQL server.
type Cluster struct {
	home      string // folder of locks and log
	pgdata    string
	socketDir string
	bin       string
	owner     owner
	use       *fileLock
}

// StartCluster joins the private server of a folder, or starts it (creating its files at first) if it
// does not run, and makes sure that the database aldine exists. See the package comment for how several
// processes share it. It returns ErrNoPostgres if the server programs are missing; any other failure to
// start carries the last lines of postgres.log.
func StartCluster(ctx context.Context, dir string, opts Options) (_ *Cluster, err error) {
	c, err := locate(ctx, dir)
	if err != nil {
		return nil, fmt.Errorf("private PostgreSQL: %w", err)
	}
	defer func() {
		if err != nil {
			c.use.close()
			err = fmt.Errorf("private PostgreSQL in %s: %w", c.home, err)
		}
	}()
	start, err := openLock(filepath.Join(c.home, "start.lock"))
	if err != nil {
		return nil, err
	}
	defer start.close()
	if err := start.wait(ctx, syscall.LOCK_EX); err != nil {
		return nil, err
	}
	if err := c.use.wait(ctx, syscall.LOCK_SH); err != nil {
		return nil, err
	}
	joined, err := c.join(ctx)
	if err != nil {
		return nil, err
	}
	if !joined {
		if err := c.start(ctx, opts); err != nil {
			return nil, err
		}
	}
	if err := c.createDatabase(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// locate finds out where the server lives and whom it runs as, and opens the lock of its users.
func locate(ctx context.Context, dir string) (*Cluster, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	home, own, err := chooseHome(ctx, dir)
	if err != nil {
		return nil, err
	}
	c := &Cluster{home: home, pgdata: filepath.Join(home, "pgdata"), owner: own}
	if c.bin, err = findBinaries(ctx, c.pgdata); err != nil {
		return nil, err
	}
	c.use, err = openLock(filepath.Join(home, "use.lock"))
	return c, err
}

// URL is the connection string of one of the server's databases, usable by every PostgreSQL client that
// runs as the same user (or root).
func (c *Cluster) URL(database string) string {
	return clusterURL(c.socketDir, database)
}

func clusterURL(socketDir, database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(superuser), Path: "/" + database}
	u.RawQuery = url.Values{"host": {socketDir}, "port": {strconv.Itoa(port)}, "sslmode": {"disable"}}.Encode()
	return u.String()
}

// BinDir is the folder of the server's own programs, pg_dump and pg_restore among them.
func (c *Cluster) BinDir() string { return c.bin }

// Stop ends this process's use of the server and, if nobody else uses it, shuts the server down. Open
// connections of this process should be closed before; those that are not are cut off. Stopping twice
// does nothing.
func (c *Cluster) Stop(ctx context.Context) error {
	if c.use == nil {
		return nil
	}
	use := c.use
	c.use = nil
	defer use.close()
	start, err := openLock(filepath.Join(c.home, "start.lock"))
	if err != nil {
		return err
	}
	defer start.close()
	if err := start.wait(ctx, syscall.LOCK_EX); err != nil {
		return err
	}
	last, err := use.try(syscall.LOCK_EX)
	if err != nil || !last {
		return err
	}
	if p, ok := readPostmaster(c.pgdata); !ok || !p.alive(c.pgdata) {
		return nil
	}
	return c.control(ctx, "stop", "-m", "fast")
}

// join waits for a running server to answer and remembers its socket; false if none runs.
func (c *Cluster) join(ctx context.Context) (bool, error) {
	for {
		p, ok := readPostmaster(c.pgdata)
		if !ok {
			return false, nil
		}
		if !p.alive(c.pgdata) {
			return false, p.forget(ctx, c.pgdata)
		}
		if p.socketDir != "" && ping(ctx, p.socketDir) == nil {
			c.socketDir = p.socketDir
			return true, nil
		}
		if err := sleep(ctx, 50*time.Millisecond); err != nil {
			return false, fmt.Errorf("the running server (process %d) does not answer: %w", p.pid, err)
		}
	}
}

func ping(ctx context.Context, socketDir string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, clusterURL(socketDir, "postgres"))
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

func (c *Cluster) createDatabase(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, c.URL("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var exists bool
	err = conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, Database).Scan(&exists)
	if err == nil && !exists {
		_, err = conn.Exec(ctx, `CREATE DATABASE `+pgx.Identifier{Database}.Sanitize())
	}
	return err
}

// chooseHome creates the folder and returns it, or the folder that stands in for it, with the owner of
// the server.
func chooseHome(ctx context.Context, dir string) (string, owner, error) {
	if target, err := filepath.EvalSymlinks(filepath.Join(dir, "postgres")); err == nil {
		own, err := chooseOwner(filepath.Join(target, "pgdata"))
		return target, own, err
	}
	own, err := chooseOwner(filepath.Join(dir, "pgdata"))
	if err != nil {
		return "", owner{}, err
	}
	mode := os.FileMode(0o700)
	if own.uid != os.Getuid() {
		mode = 0o711 // the server's user passes through to its own folders
	}
	if err := makeFolder(dir, mode); err != nil {
		return "", owner{}, err
	}
	if own.canEnter(ctx, dir) {
		return dir, own, nil
	}
	if _, err := os.Lstat(filepath.Join(dir, "pgdata")); err == nil {
		return "", owner{}, fmt.Errorf("user %d, whom the server runs as, may not enter %s any more: allow it (chmod a+x on the folder or the one above that forbids it)", own.uid, dir)
	}
	home := filepath.Join("/var/lib/aldine", hash(dir))
	if err := makeFolder(home, 0o711); err != nil {
		return "", owner{}, err
	}
	if !own.canEnter(ctx, home) {
		return "", owner{}, fmt.Errorf("PostgreSQL does not run as root, and user %d may enter neither %s nor %s: choose a folder it may enter, such as one below /var/lib", own.uid, dir, home)
	}
	if err := os.Symlink(home, filepath.Join(dir, "postgres")); err != nil && !errors.Is(err, os.ErrExist) {
		return "", owner{}, err
	}
	return home, own, nil
}

// makeFolder creates a missing folder with exactly this mode, whatever the caller's umask.
func makeFolder(dir string, mode os.FileMode) error {
	if st, err := os.Stat(dir); err == nil && st.IsDir() {
		return nil
	}
	if err := os.MkdirAll(dir, mode); err != nil {
		return err
	}
	return os.Chmod(dir, mode)
}
