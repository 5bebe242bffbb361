package segments

import (
	"context"
	"errors"
	"strconv"
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
	start := time.Now()
	if mode != Exact && mode != Estimate {
		return Count{}, fault.BadField("mode", "%q is not a mode: use exact or estimate", string(mode))
	}
	compiled, err := s.Compile(ctx, expression, s.now())
	if err != nil {
		return Count{}, err
	}
	if mode == Estimate {
		if found, _, done, err := s.estimate(ctx, compiled, start); done || err != nil {
			return found, err
		}
	}
	return s.exact(ctx, compiled)
}

// Audience is Count, and beside it the size of the whole house file, by an estimate where it is large.
func (s *Service) Audience(ctx context.Context, expression string, mode Mode) (count, everyone Count, err error) {
	start := time.Now()
	compiled, err := s.Compile(ctx, expression, s.now())
	if err != nil {
		return count, everyone, err
	}
	if mode == Estimate {
		if count, everyone, done, err := s.estimate(ctx, compiled, start); done || err != nil {
			return count, everyone, err
		}
	}
	if count, err = s.Count(ctx, expression, Exact); err != nil {
		return count, everyone, err
	}
	everyone, err = s.Count(ctx, "", Estimate)
	return count, everyone, err
}

// Sample gives the ids of at most n customers (n up to 1,000) for whom expression holds, in no meaningful order but the
// same ones each time. It fails like Count.
func (s *Service) Sample(ctx context.Context, expression string, n int) ([]int64, error) {
	compiled, err := s.Compile(ctx, expression, s.now())
	if err != nil {
		return nil, err
	}
	leave, err := s.Room(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
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
	return s.readingAt(ctx, "", do)
}

// readingAt is reading of what another transaction sees, in one process; "" for anything by itself.
func (s *Service) readingAt(ctx context.Context, snapshot string, do func(pgx.Tx) error) error {
	options := pgx.TxOptions{AccessMode: pgx.ReadOnly}
	if snapshot != "" {
		options.IsoLevel = pgx.RepeatableRead
	}
	err := pgx.BeginTxFunc(ctx, s.pool, options, func(tx pgx.Tx) error {
		if snapshot != "" {
			if _, err := tx.Exec(ctx, `SET TRANSACTION SNAPSHOT '`+snapshot+`'`); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `SET LOCAL max_parallel_workers_per_gather = 0`); err != nil {
				return err
			}
		}
		// Groups of millions of customers are joined in memory; compiling a statement takes longer than it gains here.
		if _, err := tx.Exec(ctx, `SELECT set_config('statement_timeout', $1::text, true), set_config('work_mem', '128MB', true), set_config('jit', 'off', true)`,
			strconv.FormatInt(s.timeout.Milliseconds(), 10)); err != nil {
			return err
		}
		return do(tx)
	})
	var stopped *pgconn.PgError
	if errors.As(err, &stopped) && stopped.Code == "57014" && ctx.Err() == nil { // query_canceled
		return s.tookTooLong(err)
	}
	return err
}

func (s *Service) tookTooLong(err error) error {
	return fault.Wrap(fault.Unavailable, err, "Counting took longer than %d seconds: ask for an estimate, or narrow the expression", int(s.timeout.Seconds()))
}

// exact counts with a plan for the values at hand; a plan kept for any values would not know how many they mean.
func (s *Service) exact(ctx context.Context, c *Compiled) (Count, error) {
	leave, err := s.Room(ctx)
	if err != nil {
		return Count{}, err
	}
	defer leave()
	var n int64
	done, err := s.divided(ctx, c, &n)
	if !done && err == nil {
		err = s.reading(ctx, func(tx pgx.Tx) error {
			sql, args, _ := c.counting(nil)
			return tx.QueryRow(ctx, sql, pgx.QueryExecModeDescribeExec, args).Scan(&n)
		})
	}
	return Count{Count: n, Low: n, High: n, Exact: true}, err
}
