package mergepurge

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aldine/internal/access"
	"aldine/internal/audit"
	"aldine/internal/fault"
	"aldine/internal/queue"
)

// ForgetArgs asks for what files said to be forgotten when it has been kept long enough: rejected rows of imports, records of
// runs, and uploads.
type ForgetArgs struct{}

// Kind names the job.
func (ForgetArgs) Kind() string { return "rejects_forget" }

// InsertOpts puts the job on its queue; one at a time is enough.
func (ForgetArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: queue.Imports, MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByPeriod: forgetEvery}}
}

const forgetEvery = time.Hour

// Periodic gives the jobs that come round by themselves; the working client inserts them.
func (s *Service) Periodic() []*river.PeriodicJob {
	return []*river.PeriodicJob{river.NewPeriodicJob(river.PeriodicInterval(forgetEvery),
		func() (river.JobArgs, *river.InsertOpts) { return ForgetArgs{}, nil }, nil)}
}

type forgetWorker struct {
	river.WorkerDefaults[ForgetArgs]
	service *Service
}

// Timeout leaves time for very many rows; what is left then goes the next time.
func (w *forgetWorker) Timeout(*river.Job[ForgetArgs]) time.Duration { return time.Hour }

// Work forgets what the setting says.
func (w *forgetWorker) Work(ctx context.Context, _ *river.Job[ForgetArgs]) error {
	return w.service.Forget(ctx)
}

// Forget deletes rejected rows of imports, empties the records of runs that ended, and deletes drafts, all older than the setting
// rejects_keep_days, in slices; one that is stopped goes on the next time. Figures and verdicts stay.
func (s *Service) Forget(ctx context.Context) error {
	ctx = access.With(ctx, access.System)
	v, err := s.settings.Get(ctx)
	if err != nil {
		return err
	}
	before := s.now().AddDate(0, 0, -v.RejectsKeepDays)
	rows := int64(0)
	for {
		n, err := s.customers.ForgetRejects(ctx, before)
		if err != nil {
			return err
		}
		if rows += n; n == 0 {
			break
		}
	}
	runs := 0
	for {
		run, err := s.takeOld(ctx, before)
		if errors.Is(err, pgx.ErrNoRows) {
			break
		}
		if err != nil {
			return err
		}
		if err := s.forgetRun(ctx, run); err != nil {
			return err
		}
		runs++
	}
	if rows > 0 || runs > 0 {
		s.log.Info("what files said was forgotten", "rejected rows", rows, "merge/purge runs", runs, "older than days", v.RejectsKeepDays)
	}
	return nil
}

const forgetting = "forgetting" // the phase of a run whose records are being emptied

// takeOld marks the oldest run that is to be forgotten, so that nobody applies it meanwhile; pgx.ErrNoRows where there is none.
func (s *Service) takeOld(ctx context.Context, before time.Time) (Run, error) {
	var id int64
	if err := s.pool.QueryRow(ctx, `
		UPDATE merge_runs SET emptied_at = coalesce(emptied_at, @now), phase = @phase
		WHERE run_id = (SELECT run_id FROM merge_runs
			WHERE phase = @phase OR emptied_at IS NULL AND state IN ('draft', 'finished', 'applied', 'failed', 'cancelled') AND coalesce(finished_at, created_at) < @before
			ORDER BY run_id LIMIT 1 FOR UPDATE SKIP LOCKED)
		RETURNING run_id`, pgx.NamedArgs{"now": s.now(), "phase": forgetting, "before": before}).Scan(&id); err != nil {
		return Run{}, err
	}
	return s.run(ctx, s.pool, id, "")
}

func (s *Service) forgetRun(ctx context.Context, run Run) error {
	if run.State == Draft {
		if err := s.Delete(ctx, run.ID); !fault.Is(err, fault.NotFound) { // somebody else was as quick
			return err
		}
		return nil
	}
	if err := s.forget(ctx, &run); err != nil {
		return err
	}
	s.dropUploads(run)
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE merge_runs SET phase = '' WHERE run_id = @run AND phase = @phase`, pgx.NamedArgs{"run": run.ID, "phase": forgetting})
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		return audit.RecordTx(ctx, tx, s.now(), "merge.forget", "merge_run", run.ID, map[string]any{"records": run.first(1<<30) - 1})
	})
}
