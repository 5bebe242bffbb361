package delivery_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/riverqueue/river"

	"aldine/campaigns/journey"
	"aldine/internal/fault"
	"aldine/internal/queue"
)

func TestPrintRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.step("post", "customer", "0.80")
	ids := w.add(s, mails(21)...)
	w.plan(s, ids[0], ids[9])
	w.plan(s, ids[10], ids[20])
	w.work(w.delivery)
	w.want("touches", w.counts(s), "sent:21")
	w.want("money", w.money(), "0/16.8")
	runs, err := w.delivery.PrintRuns(t.Context(), w.campaign, 0, 0)
	w.must(err)
	if len(runs) != 1 || runs[0].State != "finished" || runs[0].Pieces != 21 || runs[0].Folder != filepath.Join("print", "spring-2026", fmt.Sprint(runs[0].ID)) {
		t.Fatalf("runs %+v", runs)
	}
	_, files, err := w.delivery.PrintFiles(t.Context(), runs[0].ID)
	w.must(err)
	if len(files) != 3 || files[2].Kind != "manifest" || files[2].Size == 0 {
		t.Fatalf("files %+v", files)
	}
	for _, f := range files {
		file, _, err := w.delivery.OpenPrintFile(t.Context(), runs[0].ID, f.Name)
		w.must(err)
		body, err := io.ReadAll(file)
		w.must(err)
		w.must(file.Close())
		switch f.Kind {
		case "pdf":
			if n, err := api.PageCount(bytes.NewReader(body), nil); err != nil || n != 21 {
				t.Errorf("%d pages, %v", n, err)
			}
		case "csv":
			lines := strings.Split(strings.TrimSpace(string(body)), "\n")
			if len(lines) != 22 || !strings.Contains(lines[1], "https://aldine.example/t/c/") || !strings.Contains(lines[1], "N0") || !strings.Contains(lines[21], "N9") {
				t.Errorf("the merge file is not sorted by postal code or lacks the personal address:\n%s\n%s", lines[1], lines[21])
			}
		case "manifest":
			if !strings.Contains(string(body), `"A": 11`) || !strings.Contains(string(body), `"B": 10`) {
				t.Errorf("manifest:\n%s", body)
			}
		}
	}
	w.want("run of the touches", w.text(`SELECT string_agg(DISTINCT print_run_id::text, ',') FROM touches`, nil), fmt.Sprint(runs[0].ID))
	for _, name := range []string{"../../../../etc/passwd", "nothing.pdf", ""} {
		if _, _, err := w.delivery.OpenPrintFile(t.Context(), runs[0].ID, name); !fault.Is(err, fault.NotFound) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, _, err := w.delivery.PrintFiles(t.Context(), 999); !fault.Is(err, fault.NotFound) {
		t.Errorf("an unknown run: %v", err)
	}
}

// TestPrintFolderBlocked: the run fails with a clear text, the letters stay planned, and the same run goes well later.
func TestPrintFolderBlocked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.step("post", "customer", "0.80")
	w.add(s, mails(3)...)
	w.plan(s, 0, everybody)
	block := filepath.Join(w.config.DataDir, "print")
	w.must(os.WriteFile(block, nil, 0o600))
	w.work(w.delivery)
	w.want("touches", w.counts(s), "planned:3")
	w.want("money", w.money(), "2.4/0")
	runs, err := w.delivery.PrintRuns(t.Context(), w.campaign, 0, 10)
	w.must(err)
	if len(runs) != 1 || runs[0].State != "failed" || !strings.Contains(runs[0].Error, "print folder") {
		t.Fatalf("runs %+v", runs)
	}
	if _, files, err := w.delivery.PrintFiles(t.Context(), runs[0].ID); err != nil || len(files) != 0 {
		t.Errorf("files of a failed run: %v, %v", files, err)
	}
	if got := w.troubles(); !strings.Contains(got, "post: ") || !strings.Contains(got, "print folder") {
		t.Errorf("troubles: %q", got)
	}
	w.must(os.Remove(block))
	w.work(w.delivery)
	w.want("touches", w.counts(s), "sent:3")
	w.want("money", w.money(), "0/2.4")
	again, err := w.delivery.PrintRuns(t.Context(), w.campaign, 0, 10)
	w.must(err)
	if len(again) != 1 || again[0].ID != runs[0].ID || again[0].State != "finished" || again[0].Error != "" {
		t.Errorf("runs %+v", again)
	}
}

// TestPrintKilled: a process died with the run open. The next attempt writes the same letters; none is unconfirmed.
func TestPrintKilled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.step("post", "customer", "0.80")
	w.add(s, mails(3)...)
	w.plan(s, 0, everybody)
	job := w.id(`SELECT id FROM river_job WHERE kind = 'delivery_print'`, nil)
	run := w.id(`INSERT INTO print_runs (campaign_id, step_id, state, pieces, manifest, created_at)
		VALUES (@campaign, @step, 'open', 3, jsonb_build_object('job', @job::bigint), @now) RETURNING print_run_id`,
		pgx.NamedArgs{"campaign": w.campaign, "step": s.ID, "job": job, "now": start})
	w.exec(`UPDATE touches SET state = 'sending', print_run_id = @run, provider_ref = 'print:' || @run::bigint`, pgx.NamedArgs{"run": run})
	w.must(os.MkdirAll(filepath.Join(w.config.DataDir, "print", "spring-2026", fmt.Sprint(run)+".tmp", "half"), 0o700))
	w.work(w.delivery)
	w.want("touches", w.counts(s), "sent:3")
	w.want("runs", w.text(`SELECT string_agg(print_run_id || state || pieces, ' ') FROM print_runs`, nil), fmt.Sprintf("%dfinished3", run))
	w.want("money", w.money(), "0/2.4")
}

// TestPrintNotSettled: a run whose letters are complete but whose touches could not be settled keeps them, and settles them
// later: a run that gave them back to the plan would call others sent that are not in its files.
func TestPrintNotSettled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.step("post", "customer", "0.80")
	ids := w.add(s, mails(3)...)
	w.plan(s, ids[0], ids[2])
	w.exec(`ALTER TABLE cost_entries ADD CONSTRAINT blocked CHECK (false) NOT VALID`, nil)
	workers := river.NewWorkers()
	w.delivery.Register(workers)
	river.AddWorker(workers, river.WorkFunc(func(context.Context, *river.Job[journey.FinishArgs]) error { return nil }))
	client, err := queue.NewWorking(w.pool, workers, "test", logger)
	w.must(err)
	w.exec(`UPDATE river_job SET state = 'available', scheduled_at = now() WHERE state = 'scheduled'`, nil)
	w.must(client.Start(t.Context()))
	for deadline := time.Now().Add(time.Minute); w.id(`SELECT count(*) FROM river_job WHERE kind = 'delivery_print' AND state IN ('available', 'scheduled') AND attempted_at IS NOT NULL`, nil) == 0; time.Sleep(30 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the run was not put off")
		}
	}
	w.must(client.Stop(context.Background()))
	w.want("touches", w.counts(s), "sending:3")
	w.want("runs", w.text(`SELECT string_agg(state, ' ') FROM print_runs`, nil), "open")
	// One of them is erased meanwhile; the letter is in the file all the same.
	w.must(w.people.Erase(t.Context(), ids[0]))
	w.exec(`ALTER TABLE cost_entries DROP CONSTRAINT blocked`, nil)
	w.exec(`UPDATE river_job SET scheduled_at = now() WHERE state = 'available'`, nil)
	w.work(w.delivery)
	w.want("touches", w.counts(s), "sent:3")
	w.want("runs", w.text(`SELECT string_agg(state || pieces, ' ') FROM print_runs`, nil), "finished3")
	w.want("money", w.money(), "0/2.4")
}

// TestPrintOmits: a letter that could not be written is named in the manifest, and so fails even where the process died
// after the folder was complete.
func TestPrintOmits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.step("post", "customer", "0.80")
	ids := w.add(s, mails(3)...)
	w.plan(s, 0, everybody)
	w.exec(`UPDATE touches SET state = 'sending'`, nil)
	job := w.id(`SELECT id FROM river_job WHERE kind = 'delivery_print'`, nil)
	run := w.id(`INSERT INTO print_runs (campaign_id, step_id, state, pieces, manifest, created_at)
		VALUES (@campaign, @step, 'open', 3, jsonb_build_object('job', @job::bigint), @now) RETURNING print_run_id`,
		pgx.NamedArgs{"campaign": w.campaign, "step": s.ID, "job": job, "now": start})
	w.exec(`UPDATE touches SET print_run_id = @run, provider_ref = 'print:' || @run::bigint`, pgx.NamedArgs{"run": run})
	w.must(w.people.Erase(t.Context(), ids[1]))
	w.work(w.delivery)
	w.want("touches", w.counts(s), "failed:1 sent:2")
	w.want("money", w.money(), "0/1.6")
	w.want("manifest", w.text(`SELECT manifest->>'omitted' FROM print_runs`, nil), fmt.Sprintf(`[{"reason": "the customer was deleted", "customer_id": %d}]`, ids[1]))
}

// TestPrintWaits: letters of a campaign whose entry is still going on come into one run with the rest.
func TestPrintWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.step("post", "customer", "0")
	ids := w.add(s, mails(4)...)
	w.exec(`UPDATE campaigns SET entry_done_at = NULL`, nil)
	w.plan(s, ids[0], ids[1])
	w.work(w.delivery)
	w.want("touches", w.counts(s), "planned:2")
	w.exec(`UPDATE campaigns SET entry_done_at = now()`, nil)
	w.plan(s, ids[2], ids[3])
	w.work(w.delivery)
	w.want("touches", w.counts(s), "sent:4")
	w.want("runs", w.text(`SELECT count(*)::text FROM print_runs`, nil), "1")
}
