package pg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// owner is the account that the server's processes and files belong to.
type owner struct{ uid, gid int }

// chooseOwner returns whom the server runs as. Only root can choose; everybody else is himself.
func chooseOwner(pgdata string) (owner, error) {
	self := owner{os.Getuid(), os.Getgid()}
	st, err := os.Stat(pgdata)
	if err == nil {
		sys, ok := st.Sys().(*syscall.Stat_t)
		if !ok {
			return self, nil
		}
		has := owner{int(sys.Uid), int(sys.Gid)}
		if self.uid != 0 && has.uid != self.uid {
			return owner{}, fmt.Errorf("%s belongs to user %d: run the command as that user, as root, or choose another folder", pgdata, has.uid)
		}
		if has.uid != 0 {
			return has, nil
		}
	}
	if self.uid != 0 {
		if errors.Is(err, os.ErrPermission) {
			return owner{}, fmt.Errorf("%s may not be entered: run the command as its owner or choose another folder", filepath.Dir(pgdata))
		}
		return self, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err1 := strconv.Atoi(u.Uid)
		gid, err2 := strconv.Atoi(u.Gid)
		if err1 == nil && err2 == nil && uid != 0 {
			return owner{uid, gid}, nil
		}
	}
	return owner{}, errors.New("PostgreSQL does not run as root, and there is neither a user postgres nor nobody: start as another user")
}

// command prepares a program that runs as the owner, in dir, with an environment in which nothing of
// the caller's (PGPORT, PGDATA, TZ, LC_ALL ...) can change the server.
func (o owner) command(ctx context.Context, dir, path string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", "HOME=" + dir, "TZ=UTC"}
	if o.uid != os.Getuid() {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(o.uid), Gid: uint32(o.gid)}}
	}
	return cmd
}

// canEnter reports whether the owner can reach dir. It asks the kernel, by trying, so that access
// lists and mounts count as well as mode bits.
func (o owner) canEnter(ctx context.Context, dir string) bool {
	if o.uid == os.Getuid() {
		return true
	}
	return o.command(ctx, "/", "/bin/sh", "-c", `cd -- "$1"`, "sh", dir).Run() == nil
}

// give makes path the owner's.
func (o owner) give(path string) error {
	if o.uid == os.Getuid() {
		return nil
	}
	return os.Chown(path, o.uid, o.gid)
}

// privateDir makes path a folder that only the owner may enter, and refuses one that somebody else
// prepared there.
func (o owner) privateDir(path string) error {
	if err := os.Mkdir(path, 0o700); err == nil {
		return o.give(path)
	} else if !errors.Is(err, os.ErrExist) {
		return err
	}
	st, err := os.Lstat(path)
	if err != nil {
		return err
	}
	sys, ok := st.Sys().(*syscall.Stat_t)
	if !st.IsDir() || !ok || int(sys.Uid) != o.uid && int(sys.Uid) != os.Getuid() {
		return fmt.Errorf("%s is not a folder of user %d", path, o.uid)
	}
	if err := o.give(path); err != nil {
		return err
	}
	return os.Chmod(path, 0o700)
}
