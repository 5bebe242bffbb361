package pg_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"aldine/internal/pg"
)

func TestClusterIsSharedByTwoUsersOfOneProcess(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	first := start(t, dir)
	pid := postmasterPID(dir)
	second := start(t, dir)
	stop(t, first)
	if got := ask(t, second.URL(pg.Database), `SELECT 'up'`); got != "up" || postmasterPID(dir) != pid {
		t.Error("the first one out stopped the server")
	}
	stop(t, second)
	waitGone(t, pid)
}

func TestClusterStartedByManyAtOnce(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	type started struct {
		c   *pg.Cluster
		err error
	}
	results := make(chan started)
	for range 5 {
		go func() {
			c, err := pg.StartCluster(t.Context(), dir, pg.Options{Volatile: true})
			results <- started{c, err}
		}()
	}
	var all []*pg.Cluster
	for range 5 {
		r := <-results
		if r.err != nil {
			t.Fatal(r.err)
		}
		all = append(all, r.c)
	}
	pid := postmasterPID(dir)
	for _, c := range all {
		stop(t, c)
	}
	waitGone(t, pid)
}

// other is a second process that uses the server of a folder.
type other struct {
	cmd *exec.Cmd
	url string
}

func startOther(t *testing.T, dir string) other {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "PG_TEST_USER_OF="+dir)
	return runOther(t, cmd)
}

func runOther(t *testing.T, cmd *exec.Cmd) other {
	t.Helper()
	if _, err := cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	b := make([]byte, 4000)
	n, err := out.Read(b)
	line := strings.TrimSpace(string(b[:n]))
	if err != nil || !strings.HasPrefix(line, "postgres://") {
		t.Fatalf("other process: %s %v", line, err)
	}
	return other{cmd, line}
}

func TestClusterOutlivesItsStarter(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	starter := startOther(t, dir)
	pid := postmasterPID(dir)
	joined := start(t, dir)
	if err := starter.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = starter.cmd.Wait()
	if got := ask(t, joined.URL(pg.Database), `SELECT 'up'`); got != "up" {
		t.Error(got)
	}
	stop(t, joined)
	waitGone(t, pid)
}

func TestClusterLeftByAKilledUserIsAdopted(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	starter := startOther(t, dir)
	pid := postmasterPID(dir)
	_ = starter.cmd.Process.Kill()
	_ = starter.cmd.Wait()
	adopted := start(t, dir)
	if postmasterPID(dir) != pid {
		t.Error("a second server was started")
	}
	stop(t, adopted)
	waitGone(t, pid)
}
