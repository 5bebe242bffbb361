package segments

import (
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

// docs/segments.md is made from the tables that the checker uses.
func TestReferenceDocument(t *testing.T) {
	const path = "../docs/segments.md"
	want := documentHead + markdownReference()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != want {
		t.Fatalf("%s is not what Reference says (%v): run go test ./segments -update", path, err)
	}
	for _, e := range Reference() {
		if e.Signature == "" || e.Description == "" || e.Example == "" || e.Type == "" {
			t.Errorf("incomplete: %+v", e)
		}
	}
}
