package customers

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aldine/internal/access"
	"aldine/internal/audit"
	"aldine/internal/fault"
	"aldine/internal/queue"
)

// Recomputation is a run that holds the facts kept with customers against their orders and mends what differs. Nothing should:
// it is for after a restore by hand, and for proof.
type Recomputation struct {
	ID         int64      `json:"id"`
	State      string     `json:"state"`     // waiting, running, finished or cancelled
	Customers  int64      `json:"customers"` // about, when it began
	LookedAt   int64      `json:"looked_at"`
	Mended     int64      `json:"mended"`
	CreatedBy  string     `json:"created_by"`
	CreatedAt  time.Time  `json:"created_at"`
	FinishedAt *time.Time `json:"finished_at,omitempty"`

	after ID // customers up to this one are done
}

// Sizes of a recomputation: customers whose orders are added up in one statement, and those mended in one transaction.
const (
	recomputePart  = 500_000
	recomputeSlice = 5_000
)

// RecomputeArgs asks for a recomputation to be carried on.
type RecomputeArgs struct {
	ID int64 `json:"id"`
}

// Kind names the job.
func (RecomputeArgs) Kind() string { return "recompute" }

// InsertOpts names the queue.
func (RecomputeArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: queue.Imports} }

type recomputeWorker struct {
	river.WorkerDefaults[RecomputeArgs]
	service *Service
}

// Timeout leaves time for very many customers.
func (w *recomputeWorker) Timeout(*river.Job[RecomputeArgs]) time.Duration { return 6 * time.Hour }

// Work carries the run on from the last part that is done.
func (w *recomputeWorker) Work(ctx context.Context, job *river.Job[RecomputeArgs]) error {
	_, err := w.service.RunRecomputation(ctx, job.Args.ID, nil)
	return err
}

const recomputationColumns = `recomputation_id, state, customers, looked_at, mended, created_by, created_at, finished_at, after_id`

func scanRecomputation(row pgx.CollectableRow) (r Recomputation, err error) {
	return r, row.Scan(&r.ID, &r.State, &r.Customers, &r.LookedAt, &r.Mended, &r.CreatedBy, &r.CreatedAt, &r.FinishedAt, &r.after)
}

// StartRecomputation begins a recomputation; with hold no job works it, the caller does by RunRecomputation. Conflict where one is
// under way.
func (s *Service) StartRecomputation(ctx context.Context, hold bool) (r Recomputation, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
			INSERT INTO recomputations (state, customers, created_by, created_at)
			SELECT 'waiting', greatest(reltuples, 0), @by, @now FROM pg_class WHERE oid = 'customers'::regclass
			ON CONFLICT DO NOTHING RETURNING `+recomputationColumns, pgx.NamedArgs{"by": access.From(ctx).String(), "now": s.now()})
		if err != nil {
			return err
		}
		r, err = pgx.CollectExactlyOneRow(rows, scanRecomputation)
		if errors.Is(err, pgx.ErrNoRows) {
			return fault.New(fault.Conflict, "The facts of customers are being recomputed already")
		}
		if err != nil {
			return err
		}
		if !hold {
			if _, err := s.jobs.InsertTx(ctx, tx, RecomputeArgs{ID: r.ID}, nil); err != nil {
				return err
			}
		}
		return audit.RecordTx(ctx, tx, s.now(), "customers.recompute", "recomputation", r.ID, nil)
	})
	return r, err
}

// Recomputations gives the last runs, the newest first, at most limit (50 where 0).
func (s *Service) Recomputations(ctx context.Context, limit int) ([]Recomputation, error) {
	if limit <= 0 {
		limit = 50
	}
	rows, err := s.pool.Query(ctx, `SELECT `+recomputationColumns+` FROM recomputations ORDER BY recomputation_id DESC LIMIT @limit`, pgx.NamedArgs{"limit": min(limit, 200)})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanRecomputation)
}

// Recomputation gives one run, or NotFound.
func (s *Service) Recomputation(ctx context.Context, id int64) (Recomputation, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+recomputationColumns+` FROM recomputations WHERE recomputation_id = @id`, pgx.NamedArgs{"id": id})
	if err != nil {
		return Recomputation{}, err
	}
	r, err := pgx.CollectExactlyOneRow(rows, scanRecomputation)
	if errors.Is(err, pgx.ErrNoRows) {
		return r, fault.New(fault.NotFound, "There is no recomputation %d", id)
	}
	return r, err
}

// CancelRecomputation stops a run after the part in hand; what is mended stays. Conflict where it has ended, else NotFound.
func (s *Service) CancelRecomputation(ctx context.Context, id int64) (Recomputation, error) {
	tag, err := s.pool.Exec(ctx, `UPDATE recomputations SET state = 'cancelled', finished_at = @now WHERE recomputation_id = @id AND state IN ('waiting', 'running')`,
		pgx.NamedArgs{"id": id, "now": s.now()})
	if err != nil {
		return Recomputation{}, err
	}
	r, err := s.Recomputation(ctx, id)
	if err == nil && tag.RowsAffected() == 0 {
		return r, fault.New(fault.Conflict, "The recomputation has ended already")
	}
	return r, err
}

// ResumeRecomputation carries a cancelled run on after the last part that is done. Conflict where it was not cancelled or another is
// under way, else NotFound.
func (s *Service) ResumeRecomputation(ctx context.Context, id int64) (Recomputation, error) {
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE recomputations SET state = 'waiting', finished_at = NULL WHERE recomputation_id = @id AND state = 'cancelled'`, pgx.NamedArgs{"id": id})
		if codeOf(err) == "23505" { // unique_violation
			return fault.Wrap(fault.Conflict, err, "The facts of customers are being recomputed already")
		}
		if err != nil || tag.RowsAffected() == 0 {
			return errors.Join(err, pgx.ErrNoRows)
		}
		if _, err := s.jobs.InsertTx(ctx, tx, RecomputeArgs{ID: id}, nil); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, s.now(), "customers.recompute", "recomputation", id, map[string]any{"resumed": true})
	})
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return Recomputation{}, err
	}
	r, got := s.Recomputation(ctx, id)
	if got == nil && err != nil {
		return r, fault.New(fault.Conflict, "Only a recomputation that was stopped can be carried on")
	}
	return r, got
}

// ResumeRecomputations makes the job of a run that a killed command left without one.
func (s *Service) ResumeRecomputations(ctx context.Context) error {
	return queue.Resume(ctx, s.pool, s.jobs, `
		SELECT recomputation_id FROM recomputations r WHERE state IN ('waiting', 'running') AND NOT EXISTS (
			SELECT 1 FROM river_job j WHERE j.kind = 'recompute' AND j.args @> jsonb_build_object('id', r.recomputation_id)
				AND j.state IN ('available', 'pending', 'running', 'retryable', 'scheduled'))
		ORDER BY 1`, func(run int64) river.JobArgs { return RecomputeArgs{ID: run} })
}

// RunRecomputation works a run to its end, part by part, from the last that is done; progress, which may be nil, is called after
// each. Stopped or killed it carries on where it was, several at once do no harm. One that has ended stays as it is.
func (s *Service) RunRecomputation(ctx context.Context, id int64, progress func(Recomputation)) (Recomputation, error) {
	for {
		r, err := s.Recomputation(ctx, id)
		if err != nil || r.FinishedAt != nil {
			return r, err
		}
		if progress != nil && r.LookedAt > 0 {
			progress(r)
		}
		if err := s.recomputePart(ctx, r); err != nil {
			return r, err
		}
	}
}

// recomputePart does the next part of a run, or ends it where none is left.
func (s *Service) recomputePart(ctx context.Context, r Recomputation) error {
	var end *ID
	var looked int64
	if err := s.pool.QueryRow(ctx, `SELECT max(customer_id), count(*) FROM (
			SELECT customer_id FROM customers WHERE customer_id > @after ORDER BY customer_id LIMIT @part) part`,
		pgx.NamedArgs{"after": r.after, "part": s.recomputePartSize}).Scan(&end, &looked); err != nil {
		return err
	}
	if end == nil {
		_, err := s.pool.Exec(ctx, `UPDATE recomputations SET state = 'finished', finished_at = @now WHERE recomputation_id = @id AND state IN ('waiting', 'running')`,
			pgx.NamedArgs{"id": r.ID, "now": s.now()})
		return err
	}
	wrong, err := s.findWrong(ctx, r.after, *end)
	if err != nil {
		return err
	}
	var mended int64
	for ids := range slices.Chunk(wrong, recomputeSlice) {
		n, err := s.mend(ctx, ids)
		if err != nil {
			return err
		}
		mended += n
	}
	_, err = s.pool.Exec(ctx, `UPDATE recomputations SET state = 'running', after_id = @end, looked_at = looked_at + @looked, mended = mended + @mended
		WHERE recomputation_id = @id AND after_id = @after AND state IN ('waiting', 'running')`,
		pgx.NamedArgs{"id": r.ID, "after": r.after, "end": *end, "looked": looked, "mended": mended})
	return err
}
