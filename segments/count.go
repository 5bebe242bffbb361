package segments

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"aldine/internal/fault"
)

// Mode says how to count.
type Mode string

// The modes.
const (
	Exact    Mode = "exact"
	Estimate Mode = "estimate"
)

// Count is the size of an audience; Low and High enclose it with 99 % confidence and equal it where Exact.
type Count struct {
	Count int64 `json:"count"`
	Low   int64 `json:"low"`
	High  int64 `json:"high"`
	Exact bool  `json:"exact"`
}

const countTimeout = 30 * time.Second

// Count counts the customers for whom expression holds: all of them, or where the mode is Estimate and they are many, a
// sample. It fails with Invalid for a bad expression or mode, and with Unavailable after 30 seconds. Where ctx ends, so does
// the query in the database.
func (s *Service) Count(ctx context.Context, expression string, mode Mode) (Count, error) {
	count, _, err := s.Audience(ctx, expression, mode)
	return count, err
}

// Audience is Count, and beside it the size of the whole house file, by an estimate where it is large.
func (s *Service) Audience(ctx context.Context, expression string, mode Mode) (count, everyone Count, err error) {
	if mode != Exact && mode != Estimate {
		return count, everyone, fault.BadField("mode", "%q is not a mode: use exact or estimate", string(mode))
	}
	start := time.Now()
	compiled, err := s.Compile(ctx, expression, s.now())
	if err != nil {
		return count, everyone, err
	}
	if mode == Estimate {
		done, err := s.estimate(ctx, compiled, start, &count, &everyone)
		if done || err != nil {
			return count, everyone, err
		}
	}
	err = s.reading(ctx, func(tx pgx.Tx) error {
		count, err = exact(ctx, tx, compiled)
		return err
	})
	if err != nil {
		return count, everyone, err
	}
	empty, err := s.Compile(ctx, "", s.now())
	if err != nil {
		return count, everyone, err
	}
	var own Count
	if done, err := s.estimate(ctx, empty, time.Now(), &own, &everyone); done || err != nil {
		return count, everyone, err
	}
	err = s.reading(ctx, func(tx pgx.Tx) error {
		everyone, err = exact(ctx, tx, empty)
		return err
	})
	return count, everyone, err
}

// Sample gives the ids of at most n customers (n up to 1,000) for whom expression holds, in no meaningful order but the
// same ones each time. It fails like Count.
func (s *Service) Sample(ctx context.Context, expression string, n int) ([]int64, error) {
	compiled, err := s.Compile(ctx, expression, s.now())
	if err != nil {
		return nil, err
	}
	var ids []int64
	err = s.reading(ctx, func(tx pgx.Tx) error {
		where, args := compiled.Where("c", "p")
		args["n"] = max(0, min(n, 1000))
		rows, err := tx.Query(ctx, `SELECT c.customer_id FROM customers c WHERE `+where+`
			ORDER BY hashint8(c.customer_id), c.customer_id LIMIT @n`, args)
		if err != nil {
			return err
		}
		ids, err = pgx.CollectRows(rows, pgx.RowTo[int64])
		return err
	})
	return ids, err
}

// reading runs a statement that may take long: read-only, stopped after countTimeout.
func (s *Service) reading(ctx context.Context, do func(pgx.Tx) error) error {
	err := pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		// Groups of millions of customers are joined in memory; compiling a statement takes longer than it gains here.
		if _, err := tx.Exec(ctx, `SELECT set_config('statement_timeout', $1::text, true), set_config('work_mem', '128MB', true), set_config('jit', 'off', true)`,
			s.timeout.String()); err != nil {
			return err
		}
		return do(tx)
	})
	var stopped *pgconn.PgError
	if errors.As(err, &stopped) && stopped.Code == "57014" && ctx.Err() == nil { // query_canceled
		return fault.Wrap(fault.Unavailable, err, "Counting took longer than %d seconds: ask for an estimate, or narrow the expression", int(s.timeout.Seconds()))
	}
	return err
}

// exact counts with a plan for the values at hand; a plan kept for any values would not know how many they mean.
func exact(ctx context.Context, tx pgx.Tx, c *Compiled) (count Count, err error) {
	where, args := c.Where("c", "p")
	err = tx.QueryRow(ctx, `SELECT count(*) FROM customers c WHERE `+where, pgx.QueryExecModeDescribeExec, args).Scan(&count.Count)
	count.Low, count.High, count.Exact = count.Count, count.Count, true
	return count, err
}
