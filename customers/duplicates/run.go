package duplicates

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/internal/fault"
)

// Keys of advisory locks: searches are begun one after the other, and one is run by one process.
const (
	lockStart = 0x41_4c_44_11
	lockRun   = 0x41_4c_44_12
)

var (
	errRunning = fault.New(fault.Conflict, "The search is being run already")
	errStopped = errors.New("the search is not running any more")
)

// Run does the work of a search, or of merging many, to its end and gives its final state. One that was stopped begins anew, and
// finds what it has written: nothing is doubled. Conflict where it has ended or another process runs it; any other error leaves it
// to be run again.
func (s *Service) Run(ctx context.Context, searchID int64) (Search, error) {
	conn, err := s.Pool.Acquire(ctx)
	if err != nil {
		return Search{}, err
	}
	defer conn.Release()
	var locked bool
	if err := conn.QueryRow(ctx, `SELECT pg_try_advisory_lock(@key)`, pgx.NamedArgs{"key": lockRun}).Scan(&locked); err != nil {
		return Search{}, err
	}
	if !locked {
		return Search{}, errRunning
	}
	defer func() { // the session outlives this call
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if _, err := conn.Exec(ctx, `SELECT pg_advisory_unlock(@key)`, pgx.NamedArgs{"key": lockRun}); err != nil {
			_ = conn.Conn().Close(ctx)
		}
	}()
	search, err := s.Search(ctx, searchID)
	if err != nil {
		return Search{}, err
	}
	if search.State != Waiting && search.State != Running {
		return search, fault.New(fault.Conflict, "Search %d is %s", searchID, search.State)
	}
	if _, err := s.Pool.Exec(ctx, `UPDATE duplicate_searches SET state = 'running', started_at = coalesce(started_at, @now), error = NULL
		WHERE run_id = @id AND state IN ('waiting', 'running')`, pgx.NamedArgs{"id": searchID, "now": s.Now()}); err != nil {
		return Search{}, err
	}
	if search.Kind == "merge" {
		err = s.mergeAll(ctx, search)
	} else {
		err = s.search(ctx, search)
	}
	switch {
	case err == nil:
		err = s.end(ctx, searchID, Finished, "")
	case errors.Is(err, errStopped):
		err = nil
	case fault.Is(err, fault.Invalid):
		err = errors.Join(err, s.end(ctx, searchID, Failed, err.Error()))
	default:
		if ctx.Err() == nil {
			_, noteErr := s.Pool.Exec(ctx, `UPDATE duplicate_searches SET error = 'The search was interrupted and will be tried again' WHERE run_id = @id`,
				pgx.NamedArgs{"id": searchID})
			err = errors.Join(err, noteErr)
		}
		return Search{}, fmt.Errorf("search %d: %w", searchID, err)
	}
	search, loadErr := s.Search(ctx, searchID)
	return search, errors.Join(err, loadErr)
}

func (s *Service) end(ctx context.Context, searchID int64, state, reason string) error {
	_, err := s.Pool.Exec(ctx, `
		UPDATE duplicate_searches SET state = @state, phase = '', done = total, error = nullif(@reason, ''), finished_at = @now
		WHERE run_id = @id AND state = 'running'`, pgx.NamedArgs{"id": searchID, "state": state, "reason": reason, "now": s.Now()})
	return err
}

// progress tells how far a search is, at most twice a second, and finds out whether it was cancelled. It cancels the context
// that it gave, so that matching ends soon.
type progress struct {
	s      *Service
	id     int64
	last   time.Time
	phase  string
	cancel context.CancelCauseFunc
}

const progressEvery = 500 * time.Millisecond

func (p *progress) report(ctx context.Context, phase string, done, total int64) error {
	now := time.Now()
	if phase == p.phase && now.Sub(p.last) < progressEvery {
		return context.Cause(ctx)
	}
	p.phase, p.last = phase, now
	tag, err := p.s.Pool.Exec(ctx, `UPDATE duplicate_searches SET phase = @phase, done = @done, total = @total WHERE run_id = @id AND state = 'running'`,
		pgx.NamedArgs{"phase": phase, "done": done, "total": total, "id": p.id})
	if err != nil {
		return err
	}
	if tag.RowsAffected() == 0 {
		p.cancel(errStopped)
		return errStopped
	}
	return nil
}
