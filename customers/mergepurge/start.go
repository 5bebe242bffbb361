package mergepurge

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/internal/audit"
	"aldine/internal/fault"
)

// Start makes the job that runs a draft. A run changes nothing until it is applied. Invalid where there is nothing to
// mail, Conflict where it is no draft.
func (s *Service) Start(ctx context.Context, runID int64) (Run, error) {
	return s.start(ctx, runID, true)
}

// StartHeld is Start without the job: the caller works the run with Work.
func (s *Service) StartHeld(ctx context.Context, runID int64) (Run, error) {
	return s.start(ctx, runID, false)
}

func (s *Service) start(ctx context.Context, runID int64, job bool) (Run, error) {
	return s.enter(ctx, runID, job, func(tx pgx.Tx, run *Run) error {
		if run.EmptiedAt != nil {
			return emptied(run)
		}
		if run.State != Draft {
			return fault.New(fault.Conflict, "Run %d is %s: only a draft can be started", runID, run.State)
		}
		mail := false
		for _, in := range run.Inputs {
			mail = mail || in.Kind != Suppression
		}
		if !mail {
			return fault.New(fault.Invalid, "There is nobody to mail: add the house file or a rented list")
		}
		if _, err := tx.Exec(ctx, `UPDATE merge_runs SET state = 'waiting' WHERE run_id = @run`, pgx.NamedArgs{"run": runID}); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, s.now(), "merge.start", "merge_run", runID, map[string]any{"name": run.Name})
	})
}

// Apply makes the job that makes the list of net names. Conflict where the run is not finished, or a list has got its name
// meanwhile. An applying that was cancelled can be taken up again.
func (s *Service) Apply(ctx context.Context, runID int64) (Run, error) {
	return s.beginApply(ctx, runID, true)
}

// ApplyHeld is Apply without the job: the caller works the run with Work.
func (s *Service) ApplyHeld(ctx context.Context, runID int64) (Run, error) {
	return s.beginApply(ctx, runID, false)
}

func (s *Service) beginApply(ctx context.Context, runID int64, job bool) (Run, error) {
	return s.enter(ctx, runID, job, func(tx pgx.Tx, run *Run) error {
		switch run.State {
		case Finished:
		case Applied, Applying:
			return fault.New(fault.Conflict, "Run %d is %s already", runID, run.State)
		default:
			return fault.New(fault.Conflict, "Run %d is %s: only a finished run can be applied", runID, run.State)
		}
		if run.EmptiedAt != nil {
			return emptied(run)
		}
		if err := freeNameTx(ctx, tx, run.Name, runID); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE merge_runs SET state = 'applying', phase = 'applying', done = 0, total = 0, error = NULL WHERE run_id = @run`,
			pgx.NamedArgs{"run": runID}); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, s.now(), "merge.apply", "merge_run", runID, map[string]any{"name": run.Name})
	})
}

// emptied says why nothing more can be made of a run.
func emptied(run *Run) error {
	return fault.New(fault.Conflict, "What the files of run %d said was forgotten on %s, as the settings say: make it again from the files", run.ID,
		run.EmptiedAt.UTC().Format(time.DateOnly))
}

// enter changes a run's state within a transaction, with the job that the state needs.
func (s *Service) enter(ctx context.Context, runID int64, job bool, do func(pgx.Tx, *Run) error) (Run, error) {
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		run, err := s.run(ctx, tx, runID, "FOR UPDATE")
		if err != nil {
			return err
		}
		if err := do(tx, &run); err != nil || !job {
			return err
		}
		_, err = s.jobs.InsertTx(ctx, tx, RunArgs{RunID: runID}, nil)
		return err
	})
	if err != nil {
		return Run{}, err
	}
	return s.Run(ctx, runID)
}

// Cancel stops a run for good, within a second or two; one that is being applied goes back to finished, and what is in its list
// stays until it is applied again. Conflict where nothing is under way.
func (s *Service) Cancel(ctx context.Context, runID int64) error {
	var run Run
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) (err error) {
		if run, err = s.run(ctx, tx, runID, "FOR UPDATE"); err != nil {
			return err
		}
		sql := `UPDATE merge_runs SET state = 'cancelled', finished_at = @now WHERE run_id = @run`
		switch run.State {
		case Waiting, Running:
		case Applying:
			sql = `UPDATE merge_runs SET state = 'finished', phase = '', error = 'Applying was cancelled at ' || @now::timestamptz(0) WHERE run_id = @run`
		default:
			return fault.New(fault.Conflict, "Run %d is %s: there is nothing to cancel", runID, run.State)
		}
		if _, err := tx.Exec(ctx, sql, pgx.NamedArgs{"run": runID, "now": s.now()}); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, s.now(), "merge.cancel", "merge_run", runID, map[string]any{"state": run.State})
	})
	if err == nil && run.State != Applying {
		s.dropUploads(run)
	}
	return err
}
