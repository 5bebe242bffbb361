package segments

import (
	"context"
	"math"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

// PostgreSQL groups the items of millions of customers in one process. A condition over such groups is counted in slices of
// customers instead, on several connections that see the same state of the data: all processors work, and the groups of a slice
// fit into memory.

const sliceOf = 500_000 // customers

// divisible tells whether an expression is over groups, and asks no other customers than the one at hand.
func (c *Compiled) divisible() bool {
	grouped, alone := false, !c.ranked
	each(c.root, func(n node) {
		switch n := n.(type) {
		case *anyMember:
			alone = false
		case *quantifier:
			alone = alone && n.over.of.shared == "customer_id"
		case *aggregate:
			alone = alone && n.over.of.shared == "customer_id"
			grouped = grouped || !n.over.dependent
		}
	})
	return grouped && alone
}

// each visits a node and all within it.
func each(n node, visit func(node)) {
	visit(n)
	within, _ := parts(n)
	for _, part := range within {
		each(part, visit)
	}
}

// divided counts in slices; false where it is not worth it, or another count has the connections.
func (s *Service) divided(ctx context.Context, c *Compiled, total *int64) (bool, error) {
	counters := s.counters()
	if counters < 2 || !c.divisible() || !s.dividing.TryLock() {
		return false, nil
	}
	defer s.dividing.Unlock()
	worth, asked := false, ctx
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	err := s.reading(ctx, func(tx pgx.Tx) error {
		f, err := numbersOf(ctx, tx)
		if err != nil || f.customers < 2*sliceOf {
			return err
		}
		worth = true
		var snapshot string
		if err := tx.QueryRow(ctx, `SELECT pg_export_snapshot()`).Scan(&snapshot); err != nil {
			return err
		}
		slices := int64(f.customers/sliceOf) + 1
		width := int64(f.numbers)/slices + 1
		var next, sum atomic.Int64
		group, ctx := errgroup.WithContext(ctx)
		for range counters {
			group.Go(func() error {
				return s.readingAt(ctx, snapshot, func(tx pgx.Tx) error {
					for i := next.Add(1) - 1; i < slices; i = next.Add(1) - 1 {
						first, last := f.first+i*width, f.first+(i+1)*width-1
						if i == slices-1 {
							last = math.MaxInt64 // who came since the numbers were read is seen, too
						}
						n, err := countSlice(ctx, tx, c, first, last)
						if err != nil {
							return err
						}
						sum.Add(n)
					}
					return nil
				})
			})
		}
		err = group.Wait()
		*total = sum.Load()
		return err
	})
	if err != nil && ctx.Err() != nil && asked.Err() == nil {
		err = s.tookTooLong(err)
	}
	return worth, err
}

func countSlice(ctx context.Context, tx pgx.Tx, c *Compiled, first, last int64) (n int64, err error) {
	where, args := c.WhereSlice("c", "p", first, last)
	err = tx.QueryRow(ctx, `SELECT count(*) FROM customers c WHERE `+where, pgx.QueryExecModeDescribeExec, args).Scan(&n)
	return n, err
}
