package mergepurge

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"aldine/customers/csvfile"
	"aldine/internal/fault"
)

const runColumns = `r.run_id, r.name, r.level, r.allocation, r.channel, r.seed, r.threshold, r.review, r.state, r.phase, r.done, r.total,
	coalesce(r.list_id, 0), coalesce(r.error, ''), r.created_by, r.created_at, r.started_at, r.finished_at, r.emptied_at`

func (r *Run) into() []any {
	return []any{&r.ID, &r.Name, &r.Level, &r.Allocation, &r.Channel, &r.Seed, &r.Threshold, &r.Review, &r.State, &r.Phase, &r.Done, &r.Total,
		&r.ListID, &r.Error, &r.CreatedBy, &r.CreatedAt, &r.StartedAt, &r.FinishedAt, &r.EmptiedAt}
}

const inputColumns = `i.input_no, i.kind, i.name, coalesce(i.list_id, 0), i.priority, i.expression, i.file_name, i.file_path, i.file_size, i.mapping,
	i.deal, i.bytes_done, i.rows, i.loaded`

func scanInput(row pgx.CollectableRow) (i Input, err error) {
	return i, row.Scan(&i.No, &i.Kind, &i.Name, &i.ListID, &i.Priority, &i.Expression, &i.FileName, &i.path, &i.FileSize, &i.Mapping,
		&i.Deal, &i.BytesDone, &i.Rows, &i.Loaded)
}

type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// Run gives one run with its inputs and report, as the actor may see it; NotFound where there is none.
func (s *Service) Run(ctx context.Context, runID int64) (Run, error) {
	run, err := s.run(ctx, s.pool, runID, "")
	if err != nil {
		return Run{}, err
	}
	if run.State == Waiting || run.State == Running { // what is there is not the whole
		run.Report = nil
	}
	for i := range run.Inputs {
		if in := &run.Inputs[i]; in.path != "" {
			if file, err := csvfile.Open(in.path); err == nil {
				in.Header = file.Header
				file.Close()
			}
		}
	}
	return run, s.hide(ctx, &run)
}

// run reads a run as it is stored; lock is put after the statement.
func (s *Service) run(ctx context.Context, q querier, runID int64, lock string) (Run, error) {
	rows, err := q.Query(ctx, `SELECT r.report, `+runColumns+` FROM merge_runs r WHERE r.run_id = @run `+lock, pgx.NamedArgs{"run": runID})
	if err != nil {
		return Run{}, err
	}
	run, err := pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (r Run, err error) {
		return r, row.Scan(append([]any{&r.Report}, r.into()...)...)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return Run{}, fault.New(fault.NotFound, "There is no merge/purge run %d", runID)
	}
	if err != nil {
		return Run{}, err
	}
	rows, err = q.Query(ctx, `SELECT `+inputColumns+` FROM merge_inputs i WHERE i.run_id = @run ORDER BY i.input_no`, pgx.NamedArgs{"run": runID})
	if err != nil {
		return Run{}, err
	}
	run.Inputs, err = pgx.CollectRows(rows, scanInput)
	return run, err
}

// Runs lists runs without inputs and reports, the newest first, those before the number given (0: from the newest).
func (s *Service) Runs(ctx context.Context, before int64, limit int) ([]Run, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+runColumns+` FROM merge_runs r WHERE @before = 0 OR r.run_id < @before ORDER BY r.run_id DESC LIMIT @limit`,
		pgx.NamedArgs{"before": before, "limit": max(1, min(limit, 200))})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (r Run, err error) { return r, row.Scan(r.into()...) })
}

// input finds an input by its number.
func (r *Run) input(no int) (*Input, error) {
	for i := range r.Inputs {
		if r.Inputs[i].No == no {
			return &r.Inputs[i], nil
		}
	}
	return nil, fault.New(fault.NotFound, "The run has no input %d", no)
}

// first gives the number of an input's first record; those of an input are numbered one after the other.
func (r *Run) first(no int) int64 {
	n := int64(1)
	for _, in := range r.Inputs {
		if in.No < no {
			n += in.Rows
		}
	}
	return n
}
