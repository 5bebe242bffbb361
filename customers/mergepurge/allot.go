package mergepurge

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aldine/customers/match"
)

// allot matches and allocates all records, and stores their verdicts. What is known in between is not kept: a process
// that dies in here begins again with matching.
func (s *Service) allot(ctx context.Context, run *Run) error {
	spool, matched, err := s.matchRecords(ctx, run)
	if err != nil {
		return err
	}
	b, err := joinMatched(run, matched)
	var review int64
	if err == nil {
		review, err = reviewPairs(ctx, run, matched)
	}
	if closeErr := spool.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer func() { // tables of the connection go with it
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if _, err := conn.Exec(ctx, `DROP TABLE IF EXISTS pg_temp.merge_keys`); err != nil {
			_ = conn.Conn().Close(ctx)
		}
		conn.Release()
	}()
	total, done := 3*int64(b.n), int64(0)
	step := func(n int64) error {
		done += n
		return s.phase(ctx, run, Allocating, min(done, total), total)
	}
	if err := step(0); err != nil {
		return err
	}
	if err := joinKnown(ctx, conn, b); err != nil {
		return err
	}
	if err := s.joinLevel(ctx, conn, b); err != nil {
		return err
	}
	if err := s.suppressRecords(ctx, conn, b, step); err != nil {
		return err
	}
	if done = int64(b.n); step(0) != nil {
		return errStopped
	}
	if err := s.rankHouse(ctx, conn, b); err != nil {
		return err
	}
	return s.storeVerdicts(ctx, b, review, func(n int64) error { return step(2 * n) })
}

// joinMatched puts what the matcher found on a board.
func joinMatched(run *Run, matched *match.Matched) (*board, error) {
	b := newBoard(run)
	return b, matched.Clusters(func(rows []int) error {
		if last := rows[len(rows)-1]; last >= int(b.n) {
			return fmt.Errorf("the matcher knows row %d of %d", last, b.n)
		}
		for _, row := range rows[1:] {
			b.joinPersons(int32(rows[0]), int32(row))
		}
		return nil
	})
}

// reviewPairs counts the pairs just below the threshold.
func reviewPairs(ctx context.Context, run *Run, matched *match.Matched) (n int64, err error) {
	return n, matched.Pairs(run.Review, func(p match.Pair) error {
		if p.Score < run.Threshold {
			n++
		}
		return ctx.Err()
	})
}

// joinKnown makes one person of house names that are known to be one.
func joinKnown(ctx context.Context, conn *pgxpool.Conn, b *board) error {
	return joinBy(ctx, conn, b, `SELECT m.record_no, c.person_id AS key FROM merge_records m JOIN customers c ON c.customer_id = m.customer_id
		WHERE m.run_id = @run AND c.person_id IS NOT NULL`, b.joinPersons)
}

// joinLevel makes one group of those who share the key of the run's level.
func (s *Service) joinLevel(ctx context.Context, conn *pgxpool.Conn, b *board) error {
	key := map[string]string{Household: "household_id", Residence: "residence_id", Company: "company_id"}[b.run.Level]
	if key == "" {
		return nil
	}
	mailed := ""
	for _, in := range b.run.Inputs {
		if in.Kind == Suppression && in.Rows > 0 { // they suppress persons, whatever the level
			first := b.run.first(in.No)
			mailed += fmt.Sprintf(" AND m.record_no NOT BETWEEN %d AND %d", first, first+in.Rows-1)
		}
	}
	return joinBy(ctx, conn, b, `SELECT c.record_no, c.`+key+` AS key FROM (`+subjects+mailed+`) c WHERE c.`+key+` IS NOT NULL`,
		func(x, y int32) { join(b.group, x, y) })
}

// joinBy joins the records that have the same key.
func joinBy(ctx context.Context, conn *pgxpool.Conn, b *board, sql string, join func(x, y int32)) error {
	rows, err := conn.Query(ctx, `SELECT record_no, key FROM (`+sql+`) k ORDER BY key, record_no`, pgx.NamedArgs{"run": b.run.ID, "from": 1, "to": b.n})
	if err != nil {
		return err
	}
	var record, key, before, of int64
	_, err = pgx.ForEachRow(rows, []any{&record, &key}, func() error {
		if before != 0 && key == of {
			join(int32(before-1), int32(record-1))
		}
		before, of = record, key
		return nil
	})
	return err
}

// rankHouse orders the house names of each group that has several: the highest spending first, then the latest
// buyer, then the lowest number.
func (s *Service) rankHouse(ctx context.Context, conn *pgxpool.Conn, b *board) error {
	var batch []int64
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		rows, err := conn.Query(ctx, `SELECT m.record_no FROM merge_records m LEFT JOIN customers c ON c.customer_id = m.customer_id
			WHERE m.run_id = @run AND m.record_no = ANY(@records)
			ORDER BY c.total_spent DESC NULLS LAST, c.last_order_at DESC NULLS LAST, m.record_no`, pgx.NamedArgs{"run": b.run.ID, "records": batch})
		if err != nil {
			return err
		}
		var record int64
		place := int32(0)
		_, err = pgx.ForEachRow(rows, []any{&record}, func() error {
			place++
			b.rank[int32(record-1)] = place
			return nil
		})
		batch = batch[:0]
		return err
	}
	err := b.groups(func(members []int32) error {
		before := len(batch)
		for _, m := range members {
			if b.isHouse(m) {
				batch = append(batch, int64(m)+1)
			}
		}
		if len(batch) == before+1 {
			batch = batch[:before]
		}
		if int64(len(batch)) < s.sizes.records {
			return nil
		}
		return flush()
	})
	if err != nil {
		return err
	}
	return flush()
}
