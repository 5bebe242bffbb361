package mergepurge

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"aldine/internal/fault"
)

// What files said goes some time after it was needed; figures and verdicts stay.
func TestForgetsWhatFilesSaid(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.house("external_id,last_name,email\n1,Kowalski,bad\n2,Ng,ng@example.org\n")
	const rented = "first_name,last_name,email,street,city\nGreta,Petersen,greta@example.org,Hafenweg 20,Kiel\nHugo,Neumann,hugo@example.org,Waldweg 5,Ulm\n"
	make := func(name string) Run {
		run := b.create(NewRun{Name: name})
		b.add(run, Rented, "L"+name, rented)
		return run
	}
	draft := make("draft")
	finished, applied := b.work(make("finished")), b.apply1(b.work(make("applied")))
	files := func() int {
		t.Helper()
		names, err := filepath.Glob(filepath.Join(b.dataDir, "merge-purge", "*.csv"))
		b.ok(err)
		return len(names)
	}
	said := func() int64 {
		return b.count(`SELECT (SELECT count(*) FROM import_rejects) + (SELECT count(*) FROM merge_records WHERE fields IS NOT NULL)`)
	}
	if said() != 3 || files() != 2 {
		t.Fatalf("%d rows and %d files at first", said(), files())
	}
	b.at = b.at.AddDate(0, 0, 90)
	b.ok(b.Forget(b.ctx))
	if said() != 3 || files() != 2 {
		t.Errorf("%d rows and %d files after exactly 90 days", said(), files())
	}

	// A younger import keeps its rows.
	b.house("external_id,last_name,email\n3,Young,worse\n")
	b.at = b.at.AddDate(0, 0, 1)
	ended, cancel := context.WithCancel(b.ctx)
	cancel()
	if b.Forget(ended) == nil {
		t.Error("a stopped one says nothing")
	}
	b.ok(b.Forget(b.ctx))
	if said() != 1 || files() != 0 {
		t.Errorf("%d rows and %d files are left, want the younger one's row", said(), files())
	}
	_, err := b.Run(b.ctx, draft.ID)
	b.wants(err, fault.NotFound, "no merge/purge run")
	_, err = b.Apply(b.ctx, finished.ID)
	b.wants(err, fault.Conflict, "was forgotten on 2027-02-22")
	b.wants(b.WriteNet(b.ctx, finished.ID, os.Stderr), fault.Conflict, "was forgotten on")
	var net strings.Builder
	b.ok(b.WriteNet(b.ctx, applied.ID, &net))
	if !strings.Contains(net.String(), "Petersen") {
		t.Errorf("the net names of an applied run: %s", net.String())
	}
	run, err := b.Run(b.ctx, finished.ID)
	b.ok(err)
	if run.Phase != "" || run.EmptiedAt == nil || figures(run.Report, "Lfinished") != "2-0-0-0-0-0=2" || len(b.verdicts(run)) != 2 {
		t.Errorf("%+v %v", run, b.verdicts(run))
	}
	if n := b.count(`SELECT count(*) FROM imports WHERE report::text LIKE '%example%'`); n != 1 {
		t.Errorf("%d imports still show rejected values, want the younger one", n)
	}
	imp, err := b.customers.Imports(b.ctx, 0, 10)
	b.ok(err)
	if len(imp) == 0 || imp[len(imp)-1].Rejected != 1 {
		t.Errorf("imports: %+v", imp)
	}
	for action, want := range map[string]int64{"import.forget_rejects": 1, "merge.forget": 2, "merge.delete": 1} {
		if n := b.count(`SELECT count(*) FROM audit_log WHERE action = $1`, action); n != want {
			t.Errorf("%s is in the log %d times, want %d", action, n, want)
		}
	}
	b.ok(b.Forget(b.ctx))
	if n := b.count(`SELECT count(*) FROM audit_log WHERE action IN ('import.forget_rejects', 'merge.forget', 'merge.delete')`); n != 4 {
		t.Errorf("again: %d", n)
	}

	// One that was killed goes on.
	b.ok(b.pool.QueryRow(b.ctx, `UPDATE merge_runs SET phase = $1 WHERE run_id = $2 RETURNING run_id`, forgetting, finished.ID).Scan(new(int64)))
	_, err = b.pool.Exec(b.ctx, `UPDATE merge_records SET fields = '{"last_name": "left"}' WHERE run_id = $1`, finished.ID)
	b.ok(err)
	_, err = b.pool.Exec(b.ctx, `UPDATE merge_records SET verdict = 'rejected', reason = 'email: "x\"y@wrong" has no domain' WHERE run_id = $1 AND record_no = 1`, finished.ID)
	b.ok(err)
	b.ok(b.Forget(b.ctx))
	if n := b.count(`SELECT count(*) FROM merge_records WHERE reason = 'email: has no domain'`); n != 1 {
		t.Errorf("%d rejected rows without their value", n)
	}
	if said() != 1 {
		t.Errorf("%d rows are left", said())
	}
}
