package house_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "aldine"

// ladder lists the top-level folders from the highest line to the lowest. Those of one line do not import
// each other.
var ladder = [][]string{
	{"cmd"},
	{"demo"},
	{"web", "api"},
	{"reports"},
	{"insights"},
	{"delivery"},
	{"campaigns"},
	{"segments"},
	{"tracking"},
	{"customers"},
	{"migrations"},
	{"internal"},
}

// exceptions are imports up the ladder that have a reason.
var exceptions = map[string]string{
	"internal/pgtest": "migrations", // test support: gives databases that are migrated
}

type goPackage struct {
	ImportPath string
	Imports    []string // of the package itself; its tests may reach further
}

func TestImportLadder(t *testing.T) {
	t.Parallel()
	packages := listPackages(t)
	if len(packages) < 3 {
		t.Fatalf("go list found %d packages", len(packages))
	}
	for _, p := range packages {
		for _, imported := range p.Imports {
			if why := broken(p.ImportPath, imported); why != "" {
				t.Errorf("%s imports %s: %s", p.ImportPath, imported, why)
			}
		}
	}
}

func TestLadderIsChecked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to string
		ok       bool
	}{
		{"aldine/cmd/aldine", "aldine/web", true},
		{"aldine/web", "aldine/customers", true},
		{"aldine/web", "aldine/api", false},
		{"aldine/api", "aldine/web", false},
		{"aldine/customers", "aldine/tracking", false},
		{"aldine/delivery/email", "aldine/delivery", true},
		{"aldine/internal/pgtest", "aldine/migrations", true},
		{"aldine/internal/pg", "aldine/migrations", false},
		{"aldine/customers", "github.com/jackc/pgx/v5", true},
		{"aldine/helpers", "aldine/internal/pg", false},
	} {
		if why := broken(c.from, c.to); (why == "") != c.ok {
			t.Errorf("%s -> %s: %q", c.from, c.to, why)
		}
	}
}

// broken says what is wrong with an import; nothing if it goes down the ladder, stays in its own folder or
// leaves the module.
func broken(from, to string) string {
	rest, ours := strings.CutPrefix(to, module+"/")
	if !ours {
		return ""
	}
	from = strings.TrimPrefix(from, module+"/")
	fromTop, _, _ := strings.Cut(from, "/")
	toTop, _, _ := strings.Cut(rest, "/")
	fromLine, toLine := line(fromTop), line(toTop)
	switch {
	case fromLine < 0:
		return "the folder " + fromTop + " has no line in the ladder"
	case toLine < 0:
		return "the folder " + toTop + " has no line in the ladder"
	case fromTop == toTop, fromLine < toLine, exceptions[from] == toTop:
		return ""
	}
	return toTop + " is not below " + fromTop
}

func line(top string) int {
	return slices.IndexFunc(ladder, func(names []string) bool { return slices.Contains(names, top) })
}

func listPackages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Imports", module+"/...")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var packages []goPackage
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			return packages
		}
		if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}
