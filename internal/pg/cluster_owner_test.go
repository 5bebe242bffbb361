package pg_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"aldine/internal/pg"
)

func TestClusterOfAnOrdinaryUser(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		keepAsSelf(t)
		return
	}
	dir := folder(t)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	const nobody = 65534
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	// The test program itself may lie where that user may not go.
	program := filepath.Join(filepath.Dir(dir), "program")
	b, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, b, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(program, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/bin:/bin", "PG_TEST_USER_OF=" + dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	user := runOther(t, cmd)
	st, err := os.Stat(fmt.Sprintf("/proc/%d", postmasterPID(dir)))
	if err != nil || st.Sys().(*syscall.Stat_t).Uid != nobody {
		t.Errorf("the server does not run as nobody: %v", err)
	}
	// Root may join it.
	pid := postmasterPID(dir)
	joined := start(t, dir)
	_ = user.cmd.Process.Kill()
	_ = user.cmd.Wait()
	stop(t, joined)
	waitGone(t, pid)
}

func keepAsSelf(t *testing.T) {
	t.Helper()
	dir := folder(t)
	c := start(t, dir)
	st, err := os.Stat(fmt.Sprintf("/proc/%d", postmasterPID(dir)))
	if err != nil || int(st.Sys().(*syscall.Stat_t).Uid) != os.Getuid() {
		t.Errorf("the server runs as somebody else: %v", err)
	}
	stop(t, c)
}

func TestClusterWhereTheServersUserMayNotGo(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	c := start(t, dir)
	ask(t, c.URL(pg.Database), makeData)
	stop(t, c)
	if os.Getuid() == 0 {
		home, err := filepath.EvalSymlinks(filepath.Join(dir, "postgres"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(home) })
	}
	again := start(t, dir)
	keptData(t, again)
	stop(t, again)
}

func TestClusterKeepsToItsFilesWhenAFolderIsLocked(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		return // for everybody else the server runs as the caller, whose folder it is
	}
	dir := folder(t)
	stop(t, start(t, dir))
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	c, err := pg.StartCluster(t.Context(), dir, pg.Options{})
	if err == nil || !strings.Contains(err.Error(), "may not enter") {
		t.Errorf("got %v, %v, want a refusal", c, err)
	}
}

func TestClusterSaysWhyItDoesNotStart(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	stop(t, start(t, dir))
	conf := filepath.Join(dir, "pgdata", "postgresql.conf")
	f, err := os.OpenFile(conf, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("no_such_setting = 1\n"); err != nil {
		t.Fatal(err)
	}
	f.Close()
	_, err = pg.StartCluster(t.Context(), dir, pg.Options{})
	if err == nil || !strings.Contains(err.Error(), "no_such_setting") {
		t.Errorf("error: %v", err)
	}
}

func TestClusterRefusesFilesOfAnotherVersion(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	if err := os.MkdirAll(filepath.Join(dir, "pgdata"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "pgdata", "PG_VERSION"), []byte("9.6\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := pg.StartCluster(t.Context(), dir, pg.Options{})
	if err == nil || !strings.Contains(err.Error(), "9.6") {
		t.Errorf("error: %v", err)
	}
}
