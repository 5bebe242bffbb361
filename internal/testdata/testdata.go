// Package testdata finds the public data sets that tests check the product against. They are not part of the
// product: ALDINE_TESTDATA names their folder (default ../shared/data beside the repository), and a test that
// needs a missing one skips and says so.
package testdata

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Path gives the path of one data file, or skips the test where it is missing.
func Path(t testing.TB, name string) string {
	t.Helper()
	root := os.Getenv("ALDINE_TESTDATA")
	if root == "" {
		_, file, _, _ := runtime.Caller(0)
		root = filepath.Join(filepath.Dir(file), "..", "..", "..", "shared", "data")
	}
	p := filepath.Join(root, name)
	if _, err := os.Stat(p); err != nil {
		t.Skipf("test data %s is missing: set ALDINE_TESTDATA to the folder that holds it", p)
	}
	return p
}
