package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	t.Parallel()
	in := `goos: linux
BenchmarkSend-2   	       1	8568111087 ns/op	      11677 mails/s	     25860 floor-mails/s	 0.4515 ratio	        63.70 µs-postgres/mail
BenchmarkImport/plain-2 	1	81 ns/op
BenchmarkRender-2  	 90	1500 ns/op
Benchmark of nothing
ok  	aldine/delivery	16.366s
`
	var rest, out bytes.Buffer
	if err := write(&out, read(strings.NewReader(in), &rest)); err != nil {
		t.Fatal(err)
	}
	if got, want := rest.String(), "goos: linux\nBenchmark of nothing\nok  \taldine/delivery\t16.366s\n"; got != want {
		t.Errorf("passed through %q", got)
	}
	for _, line := range []string{
		"| Benchmark    | Figures                               | Floor in the same run | Ratio |",
		"| Send         | 11677 mails/s, 63.70 µs-postgres/mail | 25860 mails/s         | 0.4515 |",
		"| Import/plain | 81 ns                                 |                       |       |",
		"| Render       | 1.5 µs                                |                       |       |",
	} {
		if !strings.Contains(out.String(), line+"\n") {
			t.Errorf("no line %q in\n%s", line, &out)
		}
	}
}
