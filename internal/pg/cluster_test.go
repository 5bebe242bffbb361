package pg_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/internal/pg"
)

// TestMain lets the test program play a second process: it starts the server of a folder, says so, and
// waits to be told how to end.
func TestMain(m *testing.M) {
	if dir := os.Getenv("PG_TEST_USER_OF"); dir != "" {
		ctx := context.Background()
		c, err := pg.StartCluster(ctx, dir, pg.Options{Volatile: true})
		if err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		fmt.Println(c.URL(pg.Database))
		_, _ = os.Stdin.Read(make([]byte, 1))
		if err := c.Stop(ctx); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// folder is one that the server's user may enter whoever runs the test.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "aldine-pg-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if pid := postmasterPID(dir); pid > 0 {
			_ = syscall.Kill(pid, syscall.SIGQUIT)
			waitGone(t, pid)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return filepath.Join(dir, "data")
}

func postmasterPID(dir string) int {
	for _, p := range []string{"data/pgdata", "pgdata"} {
		if b, err := os.ReadFile(filepath.Join(dir, p, "postmaster.pid")); err == nil {
			pid, _ := strconv.Atoi(strings.SplitN(string(b), "\n", 2)[0])
			return pid
		}
	}
	return 0
}

// waitGone waits until no process has the number, or only one that nobody has reaped.
func waitGone(t *testing.T, pid int) {
	t.Helper()
	for range 200 {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("process %d is still there", pid)
}

func start(t *testing.T, dir string) *pg.Cluster {
	t.Helper()
	c, err := pg.StartCluster(t.Context(), dir, pg.Options{Volatile: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Stop(context.Background()) })
	return c
}

func stop(t *testing.T, c *pg.Cluster) {
	t.Helper()
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// ask runs one statement on a connection of its own and returns its single value.
func ask(t *testing.T, url, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var s string
	if err := conn.QueryRow(t.Context(), sql).Scan(&s); err != nil {
		t.Fatal(err)
	}
	return s
}

const makeData = `WITH made AS (SELECT lo_from_bytea(4711, 'kept') AS o) SELECT o::text FROM made`

func keptData(t *testing.T, c *pg.Cluster) {
	t.Helper()
	if got := ask(t, c.URL(pg.Database), `SELECT convert_from(lo_get(4711), 'UTF8')`); got != "kept" {
		t.Errorf("data: %q", got)
	}
}

func TestClusterKeepsDataOverAStop(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	c := start(t, dir)
	ask(t, c.URL(pg.Database), makeData)
	pid := postmasterPID(dir)
	stop(t, c)
	waitGone(t, pid)
	stop(t, c) // a second time does nothing
	keptData(t, start(t, dir))
}

func TestClusterSettings(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	c, err := pg.StartCluster(t.Context(), dir, pg.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Stop(context.Background()) })
	for name, want := range map[string]string{
		"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "listen_addresses": "",
		"server_encoding": "UTF8", "lc_collate": "C", "TimeZone": "UTC", "jit": "off", "max_connections": "100",
		"data_checksums": "on", "wal_compression": "pglz", "max_wal_size": "4GB", "random_page_cost": "1.1", "autovacuum_naptime": "10s",
	} {
		if name == "lc_collate" {
			if got := ask(t, c.URL(pg.Database), `SELECT datcollate FROM pg_database WHERE datname = current_database()`); got != want {
				t.Errorf("collation %q", got)
			}
			continue
		}
		if got := ask(t, c.URL(pg.Database), `SELECT current_setting('`+name+`')`); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if got := ask(t, c.URL(pg.Database), `SELECT lower('ÄÉŁ')`); got != "äéł" {
		t.Errorf("lower case: %q", got)
	}
	for _, name := range []string{"run", "pgdata"} {
		st, err := os.Stat(filepath.Join(dir, name))
		if err != nil || st.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v", name, st.Mode(), err)
		}
	}
	if st, err := os.Stat(filepath.Join(dir, "postgres.log")); err != nil || st.Size() == 0 {
		t.Errorf("no log: %v", err)
	}
}

func TestClusterRecoversAfterKill(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	c, err := pg.StartCluster(t.Context(), dir, pg.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ask(t, c.URL(pg.Database), makeData)
	pid := postmasterPID(dir)
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	waitGone(t, pid)
	keptData(t, start(t, dir))
	if postmasterPID(dir) == pid {
		t.Error("the server has the old process")
	}
}

func TestClusterIgnoresStrangersPID(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	c := start(t, dir)
	ask(t, c.URL(pg.Database), makeData)
	path := filepath.Join(dir, "pgdata", "postmaster.pid")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	pid := postmasterPID(dir)
	stop(t, c)
	waitGone(t, pid)
	// As if the machine had crashed and its next life had given the number to this test.
	text = []byte(strings.Replace(string(text), strconv.Itoa(pid), strconv.Itoa(os.Getpid()), 1))
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	keptData(t, start(t, dir))
}

func TestClusterInADeepFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(folder(t), strings.Repeat("deep/", 20), strings.Repeat("name", 10))
	c := start(t, dir)
	if got := ask(t, c.URL(pg.Database), `SELECT 'up'`); got != "up" {
		t.Error(got)
	}
	socket := ask(t, c.URL(pg.Database), `SELECT current_setting('unix_socket_directories')`)
	stop(t, c)
	if err := os.RemoveAll(socket); err != nil {
		t.Error(err)
	}
}
