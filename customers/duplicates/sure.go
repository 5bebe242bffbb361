package duplicates

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"aldine/internal/fault"
)

const sureSQL = ` FROM duplicates d WHERE d.state = 'open' AND d.conflict IS NULL AND d.score >= @score`

// CountSure tells how many pairs MergeSure would merge.
func (s *Service) CountSure(ctx context.Context, minScore float64) (n int64, err error) {
	return n, s.Pool.QueryRow(ctx, `SELECT count(*)`+sureSQL, pgx.NamedArgs{"score": minScore}).Scan(&n)
}

// MergeSure makes the job that merges all open pairs from the score up that have no conflict; the answer's Total says how many
// those are now. Each is a merge of its own that can be undone. Invalid where the score is none, Conflict where a search is under way.
func (s *Service) MergeSure(ctx context.Context, minScore float64) (Search, error) {
	return s.mergeSure(ctx, minScore, false)
}

// MergeSureHeld is MergeSure without the job: the caller does the work with Run.
func (s *Service) MergeSureHeld(ctx context.Context, minScore float64) (Search, error) {
	return s.mergeSure(ctx, minScore, true)
}

func (s *Service) mergeSure(ctx context.Context, minScore float64, hold bool) (Search, error) {
	if !(minScore >= leastSure && minScore <= 1) {
		return Search{}, fault.BadField("min_score", "must be between %v and 1: what is less sure is for people to look at", leastSure)
	}
	total, err := s.CountSure(ctx, minScore)
	if err != nil {
		return Search{}, err
	}
	return s.start(ctx, "merge", NewSearch{Threshold: minScore, Review: minScore, Hold: hold}, total)
}

// leastSure is the least score from which pairs are merged without being looked at one by one.
const leastSure = 0.9

const sureRows = 500

// mergeAll merges pair after pair, the best first, each in a transaction of its own. Merges make new pairs of old ones, so it goes
// round until nothing is left to merge. What cannot be merged just now is left for another time.
func (s *Service) mergeAll(ctx context.Context, search Search) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	p := &progress{s: s, id: search.ID, cancel: cancel}
	merged, passed := search.Pairs, map[couple]bool{}
	for round := true; round; {
		round = false
		after := Cursor{Score: 2}
		for {
			rows, err := s.Pool.Query(ctx, `SELECT d.customer_id, d.other_id, d.score`+sureSQL+`
				AND d.score <= @below AND (d.score < @below OR (d.customer_id, d.other_id) > (@a, @b))
				ORDER BY d.score DESC, d.customer_id, d.other_id LIMIT @limit`, pgx.NamedArgs{"score": search.Threshold, "below": after.Score,
				"a": after.CustomerID, "b": after.OtherID, "limit": sureRows})
			if err != nil {
				return err
			}
			pairs, err := pgx.CollectRows(rows, pgx.RowToStructByPos[edge])
			if err != nil {
				return err
			}
			for _, e := range pairs {
				after = Cursor{e.Score, e.A, e.B}
				if passed[couple{e.A, e.B}] {
					continue
				}
				done, err := s.mergeOne(ctx, search, e)
				if err != nil {
					return err
				}
				if done {
					merged, round = merged+1, true
				} else {
					passed[couple{e.A, e.B}] = true
				}
				if err := p.report(ctx, "merging", merged, max(search.Total, merged+int64(len(passed)))); err != nil {
					return err
				}
			}
			if len(pairs) < sureRows {
				break
			}
		}
	}
	_, err := s.Pool.Exec(ctx, `UPDATE duplicate_searches SET pairs = @merged, for_review = @left, total = @merged WHERE run_id = @id`,
		pgx.NamedArgs{"merged": merged, "left": len(passed), "id": search.ID})
	return err
}

// mergeOne merges a pair if it is still open; false where it is not, or has to wait. Count and merge are stored together.
func (s *Service) mergeOne(ctx context.Context, search Search, e edge) (done bool, err error) {
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		var state string
		if err := tx.QueryRow(ctx, `SELECT state FROM duplicate_searches WHERE run_id = @id FOR UPDATE`, pgx.NamedArgs{"id": search.ID}).Scan(&state); err != nil {
			return err
		}
		if state != Running {
			return errStopped
		}
		survivor, old, err := chooseSurvivor(ctx, tx, e)
		if err != nil {
			return err
		}
		if survivor == 0 {
			return errLeft
		}
		if _, err := s.mergeTx(ctx, tx, survivor, old, nil, true); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE duplicate_searches SET pairs = pairs + 1 WHERE run_id = @id`, pgx.NamedArgs{"id": search.ID})
		return err
	})
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, errLeft), fault.Is(err, fault.Conflict), fault.Is(err, fault.NotFound):
		return false, nil
	}
	return false, err
}

var errLeft = errors.New("the pair is left as it is")

// chooseSurvivor takes who is known to the shop by an external id, then who has more orders, then the older number. 0 where the pair
// is not open any more.
func chooseSurvivor(ctx context.Context, tx pgx.Tx, e edge) (survivor, old int64, err error) {
	rows, err := tx.Query(ctx, `
		SELECT c.customer_id FROM duplicates d JOIN customers c ON c.customer_id IN (d.customer_id, d.other_id)
		WHERE d.customer_id = @a AND d.other_id = @b AND d.state = 'open'
		ORDER BY c.external_id IS NULL, c.rented, c.orders_count DESC, c.customer_id`, pgx.NamedArgs{"a": e.A, "b": e.B})
	if err != nil {
		return 0, 0, err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil || len(ids) != 2 {
		return 0, 0, err
	}
	return ids[0], ids[1], nil
}
