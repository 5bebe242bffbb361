package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aldine/delivery/post"
	"aldine/internal/fault"
)

type printWorker struct {
	river.WorkerDefaults[PrintRunArgs]
	service *Service
}

// Work prints; see package doc.
func (w *printWorker) Work(ctx context.Context, job *river.Job[PrintRunArgs]) error {
	return w.service.print(ctx, job)
}

// NextRetry waits longer each time.
func (w *printWorker) NextRetry(job *river.Job[PrintRunArgs]) time.Time { return retryAt(job.Attempt) }

// Timeout gives a large run the time it needs: some 3 ms a letter.
func (w *printWorker) Timeout(*river.Job[PrintRunArgs]) time.Duration { return 10 * time.Minute }

const (
	maxPerRun  = 100_000          // letters; more of them make several runs
	waitPrint  = 5 * time.Second  // between looks at an entry that is still going on
	patience   = 10 * time.Minute // after which a run starts without those who are still to come
	printChunk = 500              // letters whose data are read together
)

func (s *Service) print(ctx context.Context, job *river.Job[PrintRunArgs]) error {
	b, err := s.loadBatch(ctx, job.Args.CampaignID, job.Args.StepID)
	if err != nil {
		return err
	}
	if time.Since(job.CreatedAt) < patience {
		coming, err := s.stillComing(ctx, b)
		if err != nil {
			return err
		}
		if coming {
			return river.JobSnooze(waitPrint)
		}
	}
	for {
		runID, n, err := s.openRun(ctx, b, job.ID, job.Attempt)
		if err != nil {
			return err
		}
		if n == 0 {
			return s.finishCheck(ctx, b.CampaignID)
		}
		written, err := s.printRun(ctx, b, runID, job.ID)
		switch {
		case err != nil && written:
			// The letters are there to be taken, so the run stays as it is until it is settled.
			s.log.Error("a print run is complete but not settled yet", "campaign", b.Code, "run", runID, "error", err)
			return river.JobSnooze(waitPrint)
		case err != nil:
			return s.failRun(context.WithoutCancel(ctx), b, runID, job.Attempt >= job.MaxAttempts, err)
		}
	}
}

// stillComing tells whether customers are still on their way to the step: the campaign's entry is not complete, or
// some stand at the step and are about to be planned.
func (s *Service) stillComing(ctx context.Context, b batch) (coming bool, err error) {
	err = s.pool.QueryRow(ctx, `
		SELECT state = 'running' AND (entry_done_at IS NULL OR EXISTS (
			SELECT 1 FROM enrollments e WHERE e.campaign_id = c.campaign_id AND e.state = 'active' AND e.step_id = @step AND e.due_at <= @now))
		FROM campaigns c WHERE campaign_id = @campaign`,
		pgx.NamedArgs{"campaign": b.CampaignID, "step": b.StepID, "now": s.now()}).Scan(&coming)
	return coming, err
}

// openRun gives the job's run: the one that an earlier attempt left open, else a new one with all that is planned.
func (s *Service) openRun(ctx context.Context, b batch, jobID int64, attempt int) (runID int64, n int, err error) {
	mine := fmt.Sprintf(`{"job": %d}`, jobID)
	err = s.pool.QueryRow(ctx, `
		SELECT print_run_id, pieces FROM print_runs
		WHERE campaign_id = @campaign AND step_id = @step AND state = 'open' AND manifest @> @mine::jsonb ORDER BY print_run_id LIMIT 1`,
		pgx.NamedArgs{"campaign": b.CampaignID, "step": b.StepID, "mine": mine}).Scan(&runID, &n)
	if !errors.Is(err, pgx.ErrNoRows) {
		return runID, n, err
	}
	v, err := s.settings.Get(ctx)
	if err != nil {
		return 0, 0, err
	}
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
			SELECT t.customer_id FROM touches t JOIN campaigns c ON c.campaign_id = t.campaign_id AND c.state IN ('running', 'finished')
			WHERE t.campaign_id = @campaign AND t.step_id = @step AND t.state = 'planned' ORDER BY t.customer_id LIMIT @limit`,
			pgx.NamedArgs{"campaign": b.CampaignID, "step": b.StepID, "limit": maxPerRun})
		if err != nil {
			return err
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil || len(ids) == 0 {
			return err
		}
		now := s.now()
		// A run that failed is taken up again instead of leaving a trail of failures.
		err = tx.QueryRow(ctx, `
			UPDATE print_runs SET state = 'open', error = NULL
			WHERE print_run_id = (SELECT print_run_id FROM print_runs
				WHERE campaign_id = @campaign AND step_id = @step AND state = 'failed' AND manifest @> @mine::jsonb ORDER BY print_run_id LIMIT 1)
			RETURNING print_run_id`, pgx.NamedArgs{"campaign": b.CampaignID, "step": b.StepID, "mine": mine}).Scan(&runID)
		if err == nil { // what it may have left behind was of other letters
			err = os.RemoveAll(filepath.Join(s.config.DataDir, runFolder(b, runID)))
		} else if errors.Is(err, pgx.ErrNoRows) {
			err = tx.QueryRow(ctx, `
				INSERT INTO print_runs (campaign_id, step_id, state, manifest, created_at) VALUES (@campaign, @step, 'open', @mine::jsonb, @now)
				RETURNING print_run_id`,
				pgx.NamedArgs{"campaign": b.CampaignID, "step": b.StepID, "mine": mine, "now": now}).Scan(&runID)
		}
		if err != nil {
			return err
		}
		rows, err = tx.Query(ctx, claimSQL(b.Channel, v), claimArgs(b, v, ids, attempt, printClaim(runID), now))
		if err != nil {
			return err
		}
		all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[touch])
		if err != nil {
			return err
		}
		for _, t := range all {
			if t.State == "sending" {
				n++
			}
		}
		if err := bookTx(ctx, tx, b, all, now); err != nil {
			return err
		}
		if n == 0 { // all were excluded meanwhile
			_, err = tx.Exec(ctx, `DELETE FROM print_runs WHERE print_run_id = @run`, pgx.NamedArgs{"run": runID})
			return err
		}
		if _, err = tx.Exec(ctx, `UPDATE print_runs SET pieces = @n, folder = @folder WHERE print_run_id = @run`,
			pgx.NamedArgs{"n": n, "folder": runFolder(b, runID), "run": runID}); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			UPDATE touches SET print_run_id = @run
			WHERE customer_id = ANY(@ids) AND campaign_id + 0 = @campaign AND step_id + 0 = @step AND state || '' = 'sending' AND provider_ref = @claim`,
			pgx.NamedArgs{"run": runID, "campaign": b.CampaignID, "step": b.StepID, "ids": ids, "claim": printClaim(runID)})
		return err
	})
	return runID, n, err
}

func printClaim(runID int64) string { return fmt.Sprintf("print:%d", runID) }

// printRun writes the run's files and settles its touches. Done again after a crash it writes the same letters again,
// or, where the folder was complete, only settles them. written tells that the folder is complete.
func (s *Service) printRun(ctx context.Context, b batch, runID, jobID int64) (written bool, err error) {
	relative := runFolder(b, runID)
	folder := filepath.Join(s.config.DataDir, relative)
	manifest, complete := post.Complete(folder)
	if !complete || manifest.Run != runID {
		r, err := s.renderer(ctx, b)
		if err != nil {
			return false, err
		}
		columns, err := s.columns(ctx)
		if err != nil {
			return false, err
		}
		country := r.settings.DefaultCountry
		manifest, err = post.Write(folder, post.Run{
			ID: runID, Campaign: b.Code, CampaignName: b.Name, Step: b.StepKey, Sender: r.settings.CompanyName, SenderLine: r.settings.CompanyAddress,
			Letter: country == "US" || country == "CA", Date: r.now, Columns: columns,
		}, s.letters(ctx, r, runID, columns))
		if err != nil {
			return false, err
		}
	}
	body, err := json.Marshal(struct {
		Job int64 `json:"job"`
		post.Manifest
	}{jobID, manifest})
	if err != nil {
		return true, err
	}
	write := context.WithoutCancel(ctx)
	return true, pgx.BeginFunc(write, s.pool, func(tx pgx.Tx) error {
		now := s.now()
		tag, err := tx.Exec(write, `
			UPDATE print_runs SET state = 'finished', pieces = @pieces, folder = @folder, manifest = @manifest, error = NULL, finished_at = @now
			WHERE print_run_id = @run AND state = 'open'`,
			pgx.NamedArgs{"pieces": manifest.Pieces, "folder": relative, "manifest": body, "now": now, "run": runID})
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 { // somebody was faster
			return nil
		}
		if err := s.failLettersTx(write, tx, b, runID, manifest.Omitted); err != nil {
			return err
		}
		rows, err := tx.Query(write, `
			UPDATE touches t SET state = 'sent', sent_at = @now, updated_at = @now, provider_ref = NULL
			WHERE campaign_id = @campaign AND step_id = @step AND state = 'sending' AND provider_ref = @claim
			RETURNING t.customer_id, t.state, coalesce(t.destination, ''), coalesce(t.keycode, ''), t.cell_id, t.list_id, t.unit_cost`,
			pgx.NamedArgs{"now": now, "campaign": b.CampaignID, "step": b.StepID, "claim": printClaim(runID)})
		if err != nil {
			return err
		}
		sent, err := pgx.CollectRows(rows, pgx.RowToStructByPos[touch])
		if err != nil {
			return err
		}
		return bookTx(write, tx, b, sent, now)
	})
}

// failLettersTx settles letters that could not be written for their customer.
func (s *Service) failLettersTx(ctx context.Context, tx pgx.Tx, b batch, runID int64, omitted []post.Omitted) error {
	var results []result
	for _, o := range omitted {
		results = append(results, result{CustomerID: o.CustomerID, State: "failed", Reason: o.Reason})
	}
	if len(results) == 0 {
		return nil
	}
	return s.settleTx(ctx, tx, b, printClaim(runID), results)
}

// failRun gives the letters of a run that could not be written back to the plan, or gives them up after the last try.
func (s *Service) failRun(ctx context.Context, b batch, runID int64, last bool, cause error) error {
	message := "the run could not be written"
	var f *fault.Error
	if errors.As(cause, &f) {
		message = f.Message
	}
	s.log.Error("print run failed", "campaign", b.Code, "run", runID, "error", cause)
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		now := s.now()
		if _, err := tx.Exec(ctx, `UPDATE print_runs SET state = 'failed', error = @error WHERE print_run_id = @run AND state = 'open'`,
			pgx.NamedArgs{"error": message, "run": runID}); err != nil {
			return err
		}
		state := "planned"
		if last {
			state = "failed"
		}
		rows, err := tx.Query(ctx, `
			UPDATE touches t SET state = @state, reason = CASE WHEN @state = 'failed' THEN @error END, print_run_id = NULL, provider_ref = NULL, updated_at = @now
			WHERE campaign_id = @campaign AND step_id = @step AND state = 'sending' AND provider_ref = @claim
			RETURNING t.customer_id, t.state, coalesce(t.destination, ''), coalesce(t.keycode, ''), t.cell_id, t.list_id, t.unit_cost`, pgx.NamedArgs{
			"state": state, "error": message, "now": now, "campaign": b.CampaignID, "step": b.StepID, "claim": printClaim(runID)})
		if err != nil {
			return err
		}
		back, err := pgx.CollectRows(rows, pgx.RowToStructByPos[touch])
		if err != nil {
			return err
		}
		return bookTx(ctx, tx, b, back, now)
	})
	if err == nil && last {
		err = s.finishCheck(ctx, b.CampaignID)
	}
	return errors.Join(fmt.Errorf("print run %d: %w", runID, cause), err)
}
