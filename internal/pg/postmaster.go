package pg

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// postmaster is what a running server writes about itself into postmaster.pid.
type postmaster struct {
	pid       int
	socketDir string
}

// readPostmaster reads the pid file; ok is false if there is none or it is not complete yet.
func readPostmaster(pgdata string) (p postmaster, ok bool) {
	b, err := os.ReadFile(filepath.Join(pgdata, "postmaster.pid"))
	if err != nil {
		return p, false
	}
	// pid, data directory, start time, port, socket directory, ...
	lines := strings.Split(string(b), "\n")
	if p.pid, err = strconv.Atoi(strings.TrimSpace(lines[0])); err != nil || p.pid <= 0 {
		return p, false
	}
	if len(lines) > 4 {
		p.socketDir = lines[4]
	}
	return p, true
}

// alive reports whether the process is this folder's server, and not gone or an unrelated process that
// was given the same number after a crash.
func (p postmaster) alive(pgdata string) bool {
	if err := syscall.Kill(p.pid, 0); errors.Is(err, syscall.ESRCH) {
		return false
	}
	proc := "/proc/" + strconv.Itoa(p.pid)
	if _, err := os.Stat("/proc/self"); err != nil {
		return true // no /proc on this system: PostgreSQL's own check has to do
	}
	cwd, err := os.Readlink(proc + "/cwd")
	switch {
	case err == nil:
		real, err := filepath.EvalSymlinks(pgdata)
		return err == nil && cwd == real
	case errors.Is(err, os.ErrPermission):
		comm, err := os.ReadFile(proc + "/comm")
		return err == nil && strings.TrimSpace(string(comm)) == "postgres"
	}
	return false // ended, or ended and not yet reaped
}

// forgetStranger removes the pid file if its number now belongs to a process that is no server here:
// PostgreSQL would refuse to start. A number nobody has is left to PostgreSQL, which then also checks
// that no orphan of the crashed server still writes.
func (p postmaster) forgetStranger(pgdata string) error {
	if err := syscall.Kill(p.pid, 0); errors.Is(err, syscall.ESRCH) {
		return nil
	}
	if err := os.Remove(filepath.Join(pgdata, "postmaster.pid")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("stale pid file: %w", err)
	}
	return nil
}
