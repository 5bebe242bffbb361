package mergepurge

import (
	"fmt"
	"strings"
	"testing"
)

// BenchmarkLoad parses and stores a rented list of 200,000 names, with e-mails and addresses.
func BenchmarkLoad(b *testing.B) {
	const rows = 200_000
	var text strings.Builder
	text.WriteString(head)
	for i := range rows {
		fmt.Fprintf(&text, "Given%d,Family%d,person%d@example.org,+4930%07d,Lindenweg %d,Town%d,%05d,DE\n", i*7919%997, i%5003, i, i, i%97+1, i%500, 10000+i%80000)
	}
	for b.Loop() {
		s := setup(b)
		run := s.create(NewRun{})
		s.add(run, Rented, "A", text.String())
		run, err := s.run(s.ctx, s.pool, run.ID, "")
		s.ok(err)
		_, err = s.pool.Exec(s.ctx, `UPDATE merge_runs SET state = 'running'`)
		s.ok(err)
		s.ok(s.load(s.ctx, &run))
	}
	b.ReportMetric(rows*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
