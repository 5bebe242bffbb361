package pg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
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

// forget removes the pid file of a server that is gone, if PostgreSQL itself would take it for alive: its
// number belongs to another process now, or to one that has ended and that nobody reaps (in containers).
// It waits for orphans of the server, which may still be writing, as PostgreSQL would.
func (p postmaster) forget(ctx context.Context, pgdata string) error {
	if err := syscall.Kill(p.pid, 0); errors.Is(err, syscall.ESRCH) {
		return nil // PostgreSQL sees that itself
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for processIn(pgdata) {
		if err := sleep(ctx, 100*time.Millisecond); err != nil {
			return fmt.Errorf("processes of a crashed server are still working in %s: %w", pgdata, err)
		}
	}
	if err := os.Remove(filepath.Join(pgdata, "postmaster.pid")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("stale pid file: %w", err)
	}
	return nil
}

// processIn reports whether any process works in the folder, as all of a server's processes do.
func processIn(pgdata string) bool {
	real, err := filepath.EvalSymlinks(pgdata)
	if err != nil {
		return false
	}
	links, _ := filepath.Glob("/proc/[0-9]*/cwd") // the pattern is right
	for _, link := range links {
		if cwd, err := os.Readlink(link); err == nil && cwd == real {
			return true
		}
	}
	return false
}
