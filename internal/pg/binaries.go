package pg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// ErrNoPostgres says that no usable PostgreSQL server programs are installed.
var ErrNoPostgres = errors.New("the programs of a PostgreSQL server (version 15 to 17) were not found")

// supported lists the major versions that Aldine runs on, best first.
var supported = []string{"17", "16", "15"}

// findBinaries returns the folder with initdb, pg_ctl and postgres. Existing database files decide the
// version, since no other can read them; without them the newest supported one is taken.
func findBinaries(ctx context.Context, pgdata string) (string, error) {
	want := supported
	if b, err := os.ReadFile(filepath.Join(pgdata, "PG_VERSION")); err == nil {
		want = []string{strings.TrimSpace(string(b))}
	}
	for _, v := range want {
		for _, dir := range []string{
			"/usr/lib/postgresql/" + v + "/bin",
			"/usr/pgsql-" + v + "/bin",
			"/opt/homebrew/opt/postgresql@" + v + "/bin",
		} {
			if hasServer(dir) {
				return dir, nil
			}
		}
	}
	if dir, version, ok := fromPath(ctx); ok {
		for _, v := range want {
			if v == version {
				return dir, nil
			}
		}
	}
	if len(want) == 1 {
		return "", fmt.Errorf("%w: the files in %s were written by version %s; install that version", ErrNoPostgres, pgdata, want[0])
	}
	return "", fmt.Errorf("%w: install your system's package postgresql, or give the address of a running server", ErrNoPostgres)
}

func hasServer(dir string) bool {
	for _, name := range []string{"initdb", "pg_ctl", "postgres"} {
		if st, err := os.Stat(filepath.Join(dir, name)); err != nil || st.IsDir() {
			return false
		}
	}
	return true
}

var versionPattern = regexp.MustCompile(`(\d+)(\.\d+|devel|beta|rc)`)

func fromPath(ctx context.Context) (dir, version string, ok bool) {
	path, err := exec.LookPath("pg_ctl")
	if err != nil {
		return "", "", false
	}
	if path, err = filepath.EvalSymlinks(path); err != nil || !hasServer(filepath.Dir(path)) {
		return "", "", false
	}
	out, err := exec.CommandContext(ctx, path, "--version").Output()
	if err != nil {
		return "", "", false
	}
	m := versionPattern.FindStringSubmatch(string(out))
	if m == nil {
		return "", "", false
	}
	return filepath.Dir(path), m[1], true
}
