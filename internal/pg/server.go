package pg

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// start creates the files if there are none, and starts the server. The caller holds start.lock.
func (c *Cluster) start(ctx context.Context, opts Options) (err error) {
	if c.socketDir, err = c.chooseSocketDir(); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(c.pgdata, "PG_VERSION")); errors.Is(err, os.ErrNotExist) {
		if err := c.initialise(ctx, opts); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	if err := c.write("aldine.conf", settings(c.socketDir, opts)); err != nil {
		return err
	}
	if err := c.prepareLog(); err != nil {
		return err
	}
	// A dead server's socket has a pid file of its own, with the same trouble as the one in pgdata.
	for _, name := range []string{".s.PGSQL.5432", ".s.PGSQL.5432.lock"} {
		if err := os.Remove(filepath.Join(c.socketDir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	// Children of a server that was killed keep its shared memory for a moment.
	for deadline := time.Now().Add(10 * time.Second); ; {
		from := c.logSize()
		err := c.control(ctx, "start", "-l", c.logPath())
		if err == nil {
			return nil
		}
		tail := c.logTail(from)
		if !strings.Contains(tail, "still in use") || time.Now().After(deadline) {
			return fmt.Errorf("%w\n%s", err, tail)
		}
		if err := sleep(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
}

// initialise creates the database files beside their place and moves them there when complete, so that
// an interrupted first start is simply repeated.
func (c *Cluster) initialise(ctx context.Context, opts Options) error {
	final, draft := c.pgdata, c.pgdata+".new"
	if err := os.RemoveAll(draft); err != nil {
		return err
	}
	if err := c.owner.privateDir(draft); err != nil {
		return err
	}
	// Sorting by code point is fast and the same on every host; C.UTF-8 gives upper and lower case of
	// every script. Systems without it fall back to plain C.
	var failure error
	for _, ctype := range []string{"C.UTF-8", "C"} {
		args := []string{
			"--pgdata", draft, "--username", superuser, "--auth", "trust", "--encoding", "UTF8",
			"--locale-provider", "libc", "--locale", "C", "--lc-ctype", ctype, "--data-checksums",
		}
		if opts.Volatile {
			args = append(args, "--no-sync")
		}
		out, err := c.owner.command(ctx, draft, filepath.Join(c.bin, "initdb"), args...).CombinedOutput()
		if err == nil {
			failure = nil
			break
		}
		failure = fmt.Errorf("initdb: %w\n%s", err, bytes.TrimSpace(out))
	}
	if failure != nil {
		return failure
	}
	f, err := os.OpenFile(filepath.Join(draft, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString("\ninclude_if_exists = 'aldine.conf'\n# Settings of your own below this line.\n")
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(draft, final)
}

// control runs pg_ctl and waits for what it does.
func (c *Cluster) control(ctx context.Context, action string, args ...string) error {
	// Recovery after a crash may take minutes; the context is the limit, not pg_ctl's minute.
	args = append([]string{action, "-D", c.pgdata, "-w", "-t", "3600", "-s"}, args...)
	out, err := c.owner.command(ctx, c.pgdata, filepath.Join(c.bin, "pg_ctl"), args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("pg_ctl %s: %w: %s", action, err, bytes.TrimSpace(out))
	}
	return nil
}

// chooseSocketDir prefers a folder beside the files. The kernel allows 107 bytes for a socket's path, so
// deep folders get one among the temporary files.
func (c *Cluster) chooseSocketDir() (string, error) {
	dir := filepath.Join(c.home, "run")
	if !socketFits(dir) {
		name := fmt.Sprintf("aldine-%d-%s", c.owner.uid, hash(c.home))
		if dir = filepath.Join(os.TempDir(), name); !socketFits(dir) {
			dir = filepath.Join("/tmp", name)
		}
	}
	return dir, c.owner.privateDir(dir)
}

func socketFits(dir string) bool {
	return len(dir)+len("/.s.PGSQL.5432") <= 107
}

// write replaces one of the server's own files.
func (c *Cluster) write(name, text string) error {
	path := filepath.Join(c.pgdata, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return err
	}
	return c.owner.give(path)
}

func (c *Cluster) logPath() string { return filepath.Join(c.home, "postgres.log") }

// prepareLog makes the log writable for the server and puts a large one aside.
func (c *Cluster) prepareLog() error {
	if c.logSize() > 10*mib {
		if err := os.Rename(c.logPath(), c.logPath()+".1"); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(c.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), c.owner.give(c.logPath()))
}

func (c *Cluster) logSize() int64 {
	st, err := os.Stat(c.logPath())
	if err != nil {
		return 0
	}
	return st.Size()
}

// logTail is what the server logged since from, at most its last 2,000 bytes.
func (c *Cluster) logTail(from int64) string {
	f, err := os.Open(c.logPath())
	if err != nil {
		return ""
	}
	defer f.Close()
	size := c.logSize()
	from = max(from, size-2000)
	b := make([]byte, max(0, size-from))
	n, _ := f.ReadAt(b, from)
	return strings.TrimSpace(string(b[:n]))
}

// hash is a short name for a path.
func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:6])
}
