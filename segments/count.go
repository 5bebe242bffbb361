package segments

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
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

const (
	countTimeout = 30 * time.Second
	estimateFrom = 50_000 // customers; fewer are counted
	sampleRows   = 4_000  // customers looked at for an estimate: fewer the more of their behaviour is asked, down to
	leastRows    = 1_000
	maxDraws     = 40_000 // numbers drawn for that; customers whose numbers lie too far apart are counted
)

// Count counts the customers for whom expression holds: all of them, or where the mode is Estimate and they are many, a
// sample. It fails with Invalid for a bad expression or mode, and with Unavailable after 30 seconds.
func (s *Service) Count(ctx context.Context, expression string, mode Mode) (Count, error) {
	if mode != Exact && mode != Estimate {
		return Count{}, fault.BadField("mode", "%q is not a mode: use exact or estimate", string(mode))
	}
	compiled, err := s.Compile(ctx, expression, s.now())
	if err != nil {
		return Count{}, err
	}
	var count Count
	err = s.reading(ctx, func(tx pgx.Tx) error {
		if mode == Estimate {
			done, err := estimate(ctx, tx, compiled, &count)
			if done || err != nil {
				return err
			}
		}
		return exact(ctx, tx, compiled, &count)
	})
	return count, err
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

func exact(ctx context.Context, tx pgx.Tx, c *Compiled, count *Count) error {
	where, args := c.Where("c", "p")
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM customers c WHERE `+where, args).Scan(&count.Count); err != nil {
		return err
	}
	count.Low, count.High, count.Exact = count.Count, count.Count, true
	return nil
}

// estimate asks customers whose numbers are drawn at random, always the same ones, from the first number to the last. Hits
// among the draws give the range by themselves: neither old statistics nor gaps between numbers nor customers of one kind who
// came together can mislead it. It is not done where the table is small, or the expression ranks customers.
func estimate(ctx context.Context, tx pgx.Tx, c *Compiled, count *Count) (done bool, err error) {
	if c.ranked {
		return false, nil
	}
	var total float64
	var first, last *int64
	if err := tx.QueryRow(ctx, `SELECT (SELECT reltuples FROM pg_class WHERE oid = 'customers'::regclass),
		(SELECT min(customer_id) FROM customers), (SELECT max(customer_id) FROM customers)`).Scan(&total, &first, &last); err != nil {
		return false, err
	}
	if total < estimateFrom || first == nil {
		return false, nil
	}
	numbers := float64(*last) - float64(*first) + 1
	draws := math.Ceil(max(leastRows, sampleRows/float64(1+c.scans)) * max(1, numbers/total))
	if draws > maxDraws {
		return false, nil
	}
	r := rand.New(rand.NewPCG(1, 1))
	ids := make([]int64, int(draws))
	for i := range ids {
		ids[i] = *first + r.Int64N(*last-*first+1)
	}
	where, args := c.whereFew("c", "p")
	args["ids"] = ids
	var hits float64
	// Looked up one by one (OFFSET), and asked as a value: as a filter it would be joined with whole tables.
	err = tx.QueryRow(ctx, `
		SELECT count(*) FILTER (WHERE `+where+`) FROM unnest(@ids::bigint[]) d (id)
		CROSS JOIN LATERAL (SELECT * FROM customers WHERE customer_id = d.id OFFSET 0) c`, args).Scan(&hits)
	*count = interval(numbers, draws, hits)
	return true, err
}

// interval gives the estimate from hits among draws out of numbers, by Wilson's interval for a share.
func interval(numbers, draws, hits float64) Count {
	const z = 2.576 // 99 %
	p := hits / draws
	middle := (p + z*z/(2*draws)) / (1 + z*z/draws)
	half := z / (1 + z*z/draws) * math.Sqrt(p*(1-p)/draws+z*z/(4*draws*draws))
	best := math.Round(numbers * p)
	low, high := math.Floor(numbers*(middle-half)), math.Ceil(numbers*(middle+half))
	return Count{Count: int64(best), Low: int64(max(0, min(best, low))), High: int64(min(numbers, max(best, high)))}
}
