package duplicates

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aldine/customers/match"
	"aldine/internal/access"
	"aldine/internal/audit"
	"aldine/internal/fault"
	"aldine/internal/queue"
)

// SearchArgs asks for a search, or for the merging of many, to be run, or run again after a stop.
type SearchArgs struct {
	SearchID int64 `json:"search_id"`
}

// Kind names the job.
func (SearchArgs) Kind() string { return "duplicate_search" }

// InsertOpts names the queue.
func (SearchArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: queue.Imports} }

type searchWorker struct {
	river.WorkerDefaults[SearchArgs]
	service *Service
}

// Timeout leaves time for a very large house file.
func (w *searchWorker) Timeout(*river.Job[SearchArgs]) time.Duration { return 12 * time.Hour }

// Work runs the search.
func (w *searchWorker) Work(ctx context.Context, job *river.Job[SearchArgs]) error {
	_, err := w.service.Run(ctx, job.Args.SearchID)
	switch {
	case errors.Is(err, errRunning): // perhaps a process that is about to die: look again
		return river.JobSnooze(30 * time.Second)
	case fault.Is(err, fault.Invalid), fault.Is(err, fault.NotFound), fault.Is(err, fault.Conflict):
		return river.JobCancel(err) // the search says so itself
	}
	return err
}

// Register adds the worker that runs searches.
func (s *Service) Register(workers *river.Workers) {
	river.AddWorker(workers, &searchWorker{service: s})
}

// The states of a search.
const (
	Waiting   = "waiting"
	Running   = "running"
	Finished  = "finished"
	Failed    = "failed"
	Cancelled = "cancelled"
)

// NewSearch is a search to start.
type NewSearch struct {
	Threshold float64 `json:"threshold,omitempty"` // probability from which a pair is one person; 0: the usual one
	Review    float64 `json:"review,omitempty"`    // probability from which a pair is kept; 0: the usual one
	Hold      bool    `json:"-"`                   // no job is made: the caller runs it with Run
}

// StartSearch makes the job of a search. Invalid where a threshold is none, Conflict where a search is under way.
func (s *Service) StartSearch(ctx context.Context, in NewSearch) (Search, error) {
	if in.Threshold == 0 {
		in.Threshold = match.DefaultThreshold
	}
	if in.Review == 0 {
		in.Review = min(match.DefaultReview, in.Threshold)
	}
	var faults []fault.Field
	if !(in.Threshold > 0 && in.Threshold < 1) {
		faults = append(faults, fault.Field{Name: "threshold", Message: "must be above 0 and below 1"})
	}
	if !(in.Review > 0 && in.Review <= in.Threshold) {
		faults = append(faults, fault.Field{Name: "review", Message: "must be above 0 and not above the threshold"})
	}
	if faults != nil {
		return Search{}, fault.Bad("The search is not valid", faults...)
	}
	return s.start(ctx, "search", in, 0)
}

func (s *Service) start(ctx context.Context, kind string, in NewSearch, total int64) (Search, error) {
	var out Search
	err := pgx.BeginFunc(ctx, s.Pool, func(tx pgx.Tx) error {
		running, _, err := underWayTx(ctx, tx)
		if err != nil {
			return err
		}
		if running != 0 {
			return fault.New(fault.Conflict, "Search %d is under way; wait for its end or cancel it", running)
		}
		out, err = s.insertTx(ctx, tx, kind, in, total)
		return err
	})
	return out, err
}

// StartTx makes the job of a search with the usual thresholds within the caller's transaction: what follows an import. One that
// waits already is enough; one that is running has missed the new customers, so this one comes after it.
func (s *Service) StartTx(ctx context.Context, tx pgx.Tx) error {
	_, state, err := underWayTx(ctx, tx)
	if err != nil || state == Waiting {
		return err
	}
	_, err = s.insertTx(ctx, tx, "search", NewSearch{Threshold: match.DefaultThreshold, Review: match.DefaultReview}, 0)
	return err
}

// StartAfter is StartTx in a transaction of its own.
func (s *Service) StartAfter(ctx context.Context) error {
	return pgx.BeginFunc(ctx, s.Pool, func(tx pgx.Tx) error { return s.StartTx(ctx, tx) })
}

// underWayTx gives the last search that has not ended, 0 for none. Until the transaction ends nobody else begins one: two would
// write over each other.
func underWayTx(ctx context.Context, tx pgx.Tx) (id int64, state string, err error) {
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(@key)`, pgx.NamedArgs{"key": lockStart}); err != nil {
		return 0, "", err
	}
	err = tx.QueryRow(ctx, `SELECT run_id, state FROM duplicate_searches WHERE state IN ('waiting', 'running') ORDER BY run_id DESC LIMIT 1`).Scan(&id, &state)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, "", nil
	}
	return id, state, err
}

func (s *Service) insertTx(ctx context.Context, tx pgx.Tx, kind string, in NewSearch, total int64) (Search, error) {
	rows, err := tx.Query(ctx, `
		INSERT INTO duplicate_searches AS s (kind, state, threshold, review, total, created_by, created_at)
		VALUES (@kind, 'waiting', @threshold, @review, @total, @actor, @now) RETURNING `+searchColumns, pgx.NamedArgs{"kind": kind,
		"threshold": in.Threshold, "review": in.Review, "total": total, "actor": access.From(ctx).String(), "now": s.Now()})
	if err != nil {
		return Search{}, err
	}
	out, err := pgx.CollectExactlyOneRow(rows, scanSearch)
	if err != nil {
		return out, err
	}
	if err := audit.RecordTx(ctx, tx, s.Now(), "duplicates."+kind, "duplicate_search", out.ID,
		map[string]any{"threshold": in.Threshold, "review": in.Review}); err != nil || in.Hold {
		return out, err
	}
	_, err = s.Jobs.InsertTx(ctx, tx, SearchArgs{SearchID: out.ID}, nil)
	return out, err
}

const searchColumns = `s.run_id, s.kind, s.state, s.phase, s.done, s.total, s.threshold, s.review, s.pairs, s.for_review, coalesce(s.error, ''), s.created_by,
	s.created_at, s.started_at, s.finished_at`

func scanSearch(row pgx.CollectableRow) (o Search, err error) {
	return o, row.Scan(&o.ID, &o.Kind, &o.State, &o.Phase, &o.Done, &o.Total, &o.Threshold, &o.Review, &o.Pairs, &o.ForReview, &o.Error, &o.CreatedBy,
		&o.CreatedAt, &o.StartedAt, &o.FinishedAt)
}

// Search gives one search; NotFound where there is none.
func (s *Service) Search(ctx context.Context, searchID int64) (Search, error) {
	rows, err := s.Pool.Query(ctx, `SELECT `+searchColumns+` FROM duplicate_searches s WHERE s.run_id = @id`, pgx.NamedArgs{"id": searchID})
	if err != nil {
		return Search{}, err
	}
	out, err := pgx.CollectExactlyOneRow(rows, scanSearch)
	if errors.Is(err, pgx.ErrNoRows) {
		return Search{}, fault.New(fault.NotFound, "There is no search %d", searchID)
	}
	return out, err
}

// Searches lists searches, the newest first, those before the number given (0: from the newest).
func (s *Service) Searches(ctx context.Context, before int64, limit int) ([]Search, error) {
	rows, err := s.Pool.Query(ctx, `SELECT `+searchColumns+` FROM duplicate_searches s WHERE @before = 0 OR s.run_id < @before
		ORDER BY s.run_id DESC LIMIT @limit`, pgx.NamedArgs{"before": before, "limit": max(1, min(limit, 200))})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanSearch)
}

// CancelSearch stops a search or a merging of many; pairs that are written and merges that are done stay. Conflict where it has
// ended, NotFound where there is none.
func (s *Service) CancelSearch(ctx context.Context, searchID int64) error {
	if _, err := s.Search(ctx, searchID); err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, s.Pool, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE duplicate_searches SET state = 'cancelled', finished_at = @now WHERE run_id = @id AND state IN ('waiting', 'running')`,
			pgx.NamedArgs{"id": searchID, "now": s.Now()})
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return fault.New(fault.Conflict, "Search %d has ended already", searchID)
		}
		return audit.RecordTx(ctx, tx, s.Now(), "duplicates.cancel", "duplicate_search", searchID, nil)
	})
}

// Resume makes jobs for searches that were under way when a process died; for the start of a program. A job too many does no
// harm.
func (s *Service) Resume(ctx context.Context) error {
	return queue.Resume(ctx, s.Pool, s.Jobs, `SELECT run_id FROM duplicate_searches WHERE state IN ('waiting', 'running') ORDER BY run_id`,
		func(run int64) river.JobArgs { return SearchArgs{SearchID: run} })
}
