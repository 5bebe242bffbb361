package mergepurge

import (
	"os"
	"path/filepath"
)

// uploads counts the files that are kept.
func uploads(b *bench) int {
	b.t.Helper()
	entries, err := os.ReadDir(filepath.Join(b.dataDir, "merge-purge"))
	if os.IsNotExist(err) {
		return 0
	}
	b.ok(err)
	return len(entries)
}
