package segments

import (
	"context"
	"errors"
	"math"
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

// Count is the size of an audience; Low and High enclose it with 95 % confidence and equal it where Exact.
type Count struct {
	Count int64 `json:"count"`
	Low   int64 `json:"low"`
	High  int64 `json:"high"`
	Exact bool  `json:"exact"`
}

const (
	countTimeout = 30 * time.Second
	estimateFrom = 50_000 // customers; fewer are counted
	sampleRows   = 20_000 // customers looked at for an estimate
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
		if _, err := tx.Exec(ctx, `SELECT set_config('statement_timeout', $1::text, true)`, countTimeout.String()); err != nil {
			return err
		}
		return do(tx)
	})
	var stopped *pgconn.PgError
	if errors.As(err, &stopped) && stopped.Code == "57014" && ctx.Err() == nil { // query_canceled
		return fault.Wrap(fault.Unavailable, err, "Counting took longer than %d seconds: ask for an estimate, or narrow the expression", int(countTimeout.Seconds()))
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

// estimate counts in a sample of the table's pages. Customers of one page came together, often from one list, so the
// interval rests on how the pages differ (a ratio estimate over clusters), not on the customers as if drawn singly.
// It is not done where the table is small or its size not known yet.
func estimate(ctx context.Context, tx pgx.Tx, c *Compiled, count *Count) (done bool, err error) {
	var total, pages float64
	if err := tx.QueryRow(ctx, `SELECT reltuples, relpages FROM pg_class WHERE oid = 'customers'::regclass`).Scan(&total, &pages); err != nil {
		return false, err
	}
	if total < estimateFrom {
		return false, nil
	}
	where, args := c.whereFew("c", "p")
	args["percent"] = min(100, 100*sampleRows/total)
	var m, n, k, kk, nk, nn float64 // pages, customers, hits; sums of squares over pages
	if err := tx.QueryRow(ctx, `
		SELECT count(*), coalesce(sum(n), 0)::float8, coalesce(sum(k), 0)::float8, coalesce(sum(k * k), 0)::float8,
			coalesce(sum(n * k), 0)::float8, coalesce(sum(n * n), 0)::float8
		FROM (
			SELECT (c.ctid::text::point)[0]::bigint AS page, count(*) AS n, count(*) FILTER (WHERE `+where+`) AS k
			FROM customers c TABLESAMPLE SYSTEM (@percent::float4) REPEATABLE (1)
			GROUP BY 1
		) pages`, args).Scan(&m, &n, &k, &kk, &nk, &nn); err != nil {
		return false, err
	}
	if m < 30 {
		return false, nil
	}
	*count = interval(total, m, n, k, kk, nk, nn)
	return true, nil
}

// interval gives the estimate from sums over m sampled pages: n customers and k hits, and sums of k*k, n*k and n*n. It
// is Wilson's interval for a share, widened by the design effect of the pages.
func interval(total, m, n, k, kk, nk, nn float64) Count {
	p := k / n
	design := 1.0
	if p > 0 && p < 1 {
		clustered := m / (m - 1) * max(0, kk-2*p*nk+p*p*nn) / (n * n)
		design = max(1, clustered/(p*(1-p)/n))
	}
	const z = 1.96
	size := n / design
	middle := (p + z*z/(2*size)) / (1 + z*z/size)
	half := z / (1 + z*z/size) * math.Sqrt(p*(1-p)/size+z*z/(4*size*size))
	low, high := max(k, total*(middle-half)), min(total-(n-k), total*(middle+half))
	best := math.Round(total * p)
	return Count{Count: int64(best), Low: int64(min(best, math.Floor(low))), High: int64(max(best, math.Ceil(high)))}
}
