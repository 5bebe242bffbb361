package mergepurge

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/internal/fault"
)

// lockRun is the first key of the advisory lock by which one run is worked by one process.
const lockRun = 0x41_4c_44_04

var (
	errBusy    = fault.New(fault.Conflict, "The run is being worked already")
	errStopped = errors.New("the run is not under way any more")
)

// Work carries a run on to its end, from where it stands, and gives it as it is then. Conflict where nothing is under
// way or another process works it; a run that cannot go on is failed and says why. Any other error leaves it to be
// worked again.
func (s *Service) Work(ctx context.Context, runID int64) (Run, error) {
	unlock, err := s.lock(ctx, runID)
	if err != nil {
		return Run{}, err
	}
	defer unlock()
	run, err := s.run(ctx, s.pool, runID, "")
	if err != nil {
		return Run{}, err
	}
	watched, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	go s.watch(watched, runID, stop)
	applying := run.State == Applying
	switch run.State {
	case Waiting, Running:
		err = s.work(watched, run)
	case Applying:
		err = s.apply(watched, run)
	default:
		return Run{}, fault.New(fault.Conflict, "Run %d is %s", runID, run.State)
	}
	if err != nil && ctx.Err() == nil && errors.Is(context.Cause(watched), errStopped) {
		err = errStopped
	}
	switch {
	case err == nil, errors.Is(err, errStopped):
		err = nil
	case fault.Is(err, fault.Invalid) && !applying, fault.Is(err, fault.Conflict) && applying:
		err = errors.Join(err, s.fail(ctx, run, err))
	default:
		if ctx.Err() == nil {
			_, noteErr := s.pool.Exec(ctx, `UPDATE merge_runs SET error = 'The run was interrupted and will be tried again' WHERE run_id = @run`,
				pgx.NamedArgs{"run": runID})
			err = errors.Join(err, noteErr)
		}
		return Run{}, fmt.Errorf("merge/purge run %d: %w", runID, err)
	}
	run, loadErr := s.Run(ctx, runID)
	return run, errors.Join(err, loadErr)
}

// lock makes sure that nobody else works the run.
func (s *Service) lock(ctx context.Context, runID int64) (unlock func(), err error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	args := pgx.NamedArgs{"key": lockRun, "run": int32(runID)}
	var locked bool
	if err := conn.QueryRow(ctx, `SELECT pg_try_advisory_lock(@key, @run)`, args).Scan(&locked); err != nil || !locked {
		conn.Release()
		if err == nil {
			err = errBusy
		}
		return nil, err
	}
	return func() { // the session outlives this call
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if _, err := conn.Exec(ctx, `SELECT pg_advisory_unlock(@key, @run)`, args); err != nil {
			_ = conn.Conn().Close(ctx)
		}
		conn.Release()
	}, nil
}

// watch ends the work soon after the run was cancelled.
func (s *Service) watch(ctx context.Context, runID int64, stop context.CancelCauseFunc) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		var under bool
		if err := s.pool.QueryRow(ctx, `SELECT state IN ('waiting', 'running', 'applying') FROM merge_runs WHERE run_id = @run`,
			pgx.NamedArgs{"run": runID}).Scan(&under); err == nil && !under {
			stop(errStopped)
			return
		}
	}
}

// work goes through the phases up to the report.
func (s *Service) work(ctx context.Context, run Run) error {
	begun := s.now()
	if _, err := s.pool.Exec(ctx, `UPDATE merge_runs SET state = 'running', error = NULL, started_at = coalesce(started_at, @now)
		WHERE run_id = @run AND state IN ('waiting', 'running')`, pgx.NamedArgs{"run": run.ID, "now": begun}); err != nil {
		return err
	}
	if run.StartedAt == nil {
		run.StartedAt = &begun
	}
	if err := s.load(ctx, &run); err != nil {
		return err
	}
	if run.Phase != Reporting { // all verdicts are stored
		if err := s.allot(ctx, &run); err != nil {
			return err
		}
	}
	return s.report(ctx, &run)
}

// phase stores how far a phase is.
func (s *Service) phase(ctx context.Context, run *Run, phase string, done, total int64) error {
	tag, err := s.pool.Exec(ctx, `UPDATE merge_runs SET phase = @phase, done = @done, total = @total WHERE run_id = @run AND state IN ('running', 'applying')`,
		pgx.NamedArgs{"run": run.ID, "phase": phase, "done": done, "total": total})
	if err == nil && tag.RowsAffected() == 0 {
		err = errStopped
	}
	if err == nil {
		run.Phase, run.Done, run.Total = phase, done, total
	}
	return err
}

// stepTx stores progress in the transaction of the chunk that made it, and holds the run against being cancelled meanwhile.
func stepTx(ctx context.Context, tx pgx.Tx, run *Run, done int64) error {
	tag, err := tx.Exec(ctx, `UPDATE merge_runs SET done = @done WHERE run_id = @run AND state IN ('running', 'applying')`,
		pgx.NamedArgs{"run": run.ID, "done": done})
	if err == nil && tag.RowsAffected() == 0 {
		err = errStopped
	}
	return err
}

// fail ends a run that cannot go on; one that cannot be applied is finished again, and can be applied when what is in the way is gone.
func (s *Service) fail(ctx context.Context, run Run, reason error) error {
	if run.State == Applying {
		_, err := s.pool.Exec(ctx, `UPDATE merge_runs SET state = 'finished', phase = '', error = @reason WHERE run_id = @run AND state = 'applying'`,
			pgx.NamedArgs{"run": run.ID, "reason": reason.Error()})
		return err
	}
	_, err := s.pool.Exec(ctx, `UPDATE merge_runs SET state = 'failed', error = @reason, finished_at = @now WHERE run_id = @run AND state = 'running'`,
		pgx.NamedArgs{"run": run.ID, "reason": reason.Error(), "now": s.now()})
	if err == nil {
		s.dropUploads(run)
	}
	return err
}
