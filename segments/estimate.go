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

const (
	estimateFrom = 50_000                 // customers; fewer are counted
	estimateTime = 32 * time.Millisecond  // until the last draw is asked for
	stuckAfter   = 500 * time.Millisecond // a few draws that take this long are given up
	firstDraws   = 250                    // show how fast the others go
	mostDraws    = 5_000
	sparsest     = 8 // numbers to a customer; customers whose numbers lie further apart are counted
)

// estimate asks customers whose numbers are drawn at random, always the same ones, from the first number to the last, as many
// as there is time for. Hits among the draws give the range by themselves: neither old statistics nor gaps between numbers nor
// customers of one kind who came together can mislead it. everyone is the house file. It is not done where the table is small.
func (s *Service) estimate(ctx context.Context, c *Compiled, start time.Time) (count, everyone Count, done bool, err error) {
	err = s.reading(ctx, func(tx pgx.Tx) error {
		done, err = c.estimate(ctx, tx, start, &count, &everyone)
		return err
	})
	if stopped := (*pgconn.PgError)(nil); !errors.As(err, &stopped) || stopped.Code != "57014" || ctx.Err() != nil {
		return count, everyone, done, err
	}
	err = s.reading(ctx, func(tx pgx.Tx) error { return c.foresee(ctx, tx, &count, &everyone) })
	return count, everyone, true, err
}

func (c *Compiled) estimate(ctx context.Context, tx pgx.Tx, start time.Time, count, everyone *Count) (done bool, err error) {
	frame, err := numbersOf(ctx, tx)
	if err != nil || frame.customers < estimateFrom || frame.numbers > sparsest*frame.customers {
		return false, err
	}
	if _, err := tx.Exec(ctx, `SELECT set_config('statement_timeout', $1::text, true)`, stuckAfter.String()); err != nil {
		return false, err
	}
	ranked := c.ranking()
	where, args := c.whereSampled("c", "p", ranked.as)
	r := rand.New(rand.NewPCG(1, 1))
	var draws, hits, house float64
	for n := float64(firstDraws); n >= 1; {
		ids := make([]int64, int(n))
		for i := range ids {
			ids[i] = frame.first + r.Int64N(int64(frame.numbers))
		}
		args["ids"] = ids
		asked := time.Now()
		var in, of float64
		// Looked up one by one (OFFSET), and asked as a value: as a filter it would be joined with whole tables.
		if err := tx.QueryRow(ctx, `
			SELECT count(*) FILTER (WHERE `+where+`), count(*) FILTER (WHERE NOT c.rented) FROM unnest(@ids::bigint[]) d (id)
			CROSS JOIN LATERAL (SELECT * FROM customers WHERE customer_id = d.id OFFSET 0) c`, pgx.QueryExecModeDescribeExec, args).Scan(&in, &of); err != nil {
			return false, err
		}
		draws, hits, house = draws+n, hits+in, house+of
		each := time.Since(asked).Seconds() / n
		n = min(mostDraws-draws, math.Floor((estimateTime-time.Since(start)).Seconds()/each), 4*draws)
		if n < firstDraws {
			break
		}
	}
	*count, *everyone = ranked.limit(interval(frame.numbers, draws, hits), int64(frame.numbers)), interval(frame.numbers, draws, house)
	return true, nil
}

// foresee gives the planner's guess; the truth is anywhere.
func (c *Compiled) foresee(ctx context.Context, tx pgx.Tx, count, everyone *Count) error {
	frame, err := numbersOf(ctx, tx)
	if err != nil {
		return err
	}
	where, args := c.whereSampled("c", "p", c.ranking().as)
	var plans []struct {
		Plan struct {
			Rows float64 `json:"Plan Rows"`
		}
	}
	if err := tx.QueryRow(ctx, `EXPLAIN (FORMAT JSON) SELECT c.customer_id FROM customers c WHERE `+where, pgx.QueryExecModeDescribeExec, args).Scan(&plans); err != nil {
		return err
	}
	if len(plans) != 1 {
		return fault.New(fault.Unavailable, "The size cannot be estimated at the moment")
	}
	*count = Count{Count: int64(min(plans[0].Plan.Rows, frame.numbers)), High: int64(frame.numbers)}
	*everyone = Count{Count: int64(frame.customers), High: int64(frame.numbers)}
	return nil
}

// frame is the customers' numbers, from the first to the last, and about how many customers have one.
type frame struct {
	first              int64
	numbers, customers float64
}

func numbersOf(ctx context.Context, tx pgx.Tx) (f frame, err error) {
	var first, last *int64
	err = tx.QueryRow(ctx, `SELECT (SELECT reltuples FROM pg_class WHERE oid = 'customers'::regclass),
		(SELECT min(customer_id) FROM customers), (SELECT max(customer_id) FROM customers)`).Scan(&f.customers, &first, &last)
	if err == nil && first != nil {
		f.first, f.numbers = *first, float64(*last)-float64(*first)+1
	} else {
		f.customers = 0
	}
	return f, err
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
