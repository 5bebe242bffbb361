package post_test

import (
	"syscall"
	"testing"
)

// smallDisk gives a folder that soon is full: a file system of its own.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("aldine-test", dir, "tmpfs", 0, "size=64k"); err == nil {
		t.Cleanup(func() {
			if err := syscall.Unmount(dir, 0); err != nil {
				t.Error(err)
			}
		})
		return dir
	}
	t.Skip("mounting a small file system needs more rights than this test has")
	return ""
}
