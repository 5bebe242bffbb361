package segments

import (
	"context"
	"math"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

// PostgreSQL groups the items of millions of customers in one process. A condition over them is counted in slices of customers
// instead, on several connections that see the same state of the data: all processors work, and the items of a slice fit into memory.

const sliceOf = 500_000 // customers

// counting gives a statement that counts customers, of a slice where one is given; grouped tells that it puts items into groups.
func (c *Compiled) counting(slice *[2]int64) (sql string, args pgx.NamedArgs, grouped bool) {
	w := &writer{b: &strings.Builder{}, args: pgx.NamedArgs{}, prefix: "p", alias: "c", joins: new(string)}
	if of := c.sole(w); of != nil && of.housed && !c.chosen { // the groups are the customers, but for those who were erased
		found, _ := aggregatesOf(c.root)
		w.slice(slice)
		w.text(`SELECT count(*) FROM (`)
		groupsOf(w, c.root, found[of])
		w.text(`) g WHERE EXISTS (SELECT 1 FROM customers c WHERE `)
		w.within("c")
		w.text(`c.customer_id = g.customer_id)`)
		return w.b.String(), w.args, true
	}
	where, args := c.write(w, slice)
	return `SELECT count(*) FROM customers c` + *w.joins + ` WHERE ` + where, args, w.grouped
}

// sole gives the collection whose items alone decide, all in one look, and for nobody without any; nil where it is not so.
func (c *Compiled) sole(w *writer) *collection {
	root := c.root
	if all, ok := root.(*junction); ok {
		if parts := all.merged(w); len(parts) > 1 {
			return nil
		}
	}
	if one, ok := root.(*compare); ok && one.quantified(w) != nil || meetsEmpty(root) {
		return nil
	}
	return groupedBy(root)
}

// divisible tells whether an expression asks for items, and of no other customers than the one at hand.
func (c *Compiled) divisible() bool {
	items, alone := false, !c.ranked
	each(c.root, func(n node) {
		switch n := n.(type) {
		case *anyMember:
			alone = false
		case *quantifier:
			items, alone = true, alone && n.over.of.shared == "customer_id"
		case *aggregate:
			items, alone = items || n.kept == nil, alone && n.over.of.shared == "customer_id"
		}
	})
	return items && alone
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
		if err != nil || f.customers < 2*sliceOf || f.numbers > sparsest*f.customers { // most slices would be empty, one full
			return err
		}
		slices := int64(f.customers/sliceOf) + 1
		if worth, err = c.worthDividing(ctx, tx); !worth || err != nil {
			return err
		}
		var snapshot string
		if err := tx.QueryRow(ctx, `SELECT pg_export_snapshot()`).Scan(&snapshot); err != nil {
			return err
		}
		var next, sum atomic.Int64
		group, ctx := errgroup.WithContext(ctx)
		for range counters {
			group.Go(func() error {
				return s.readingAt(ctx, snapshot, func(tx pgx.Tx) error {
					for i := next.Add(1) - 1; i < slices; i = next.Add(1) - 1 {
						sql, args, _ := c.counting(f.slice(i, slices))
						var n int64
						if err := tx.QueryRow(ctx, sql, pgx.QueryExecModeDescribeExec, args).Scan(&n); err != nil {
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

// slice gives the customers' numbers of one of several parts.
func (f frame) slice(i, of int64) *[2]int64 {
	width := int64(f.numbers)/of + 1
	first, last := f.first+i*width, f.first+(i+1)*width-1
	if i == of-1 {
		last = math.MaxInt64 // who came since the numbers were read is seen, too
	}
	return &[2]int64{first, last}
}

// worthDividing asks the planner how many items a count looks at. Few, such as those of a short time, are found by one statement, which
// has indexes for them; many are grouped, or joined, far better by slices. Its costs do not tell: it expects too much of one big hash.
func (c *Compiled) worthDividing(ctx context.Context, tx pgx.Tx) (bool, error) {
	const groupedFrom, joinedFrom = 1_200_000, 6_000_000 // items, measured over 20 million orders
	sql, args, grouped := c.counting(nil)
	var plans []struct{ Plan plan }
	if err := tx.QueryRow(ctx, `EXPLAIN (FORMAT JSON) `+sql, pgx.QueryExecModeDescribeExec, args).Scan(&plans); err != nil || len(plans) != 1 {
		return false, err
	}
	items := plans[0].Plan.items()
	return items >= joinedFrom || grouped && items >= groupedFrom, nil
}

// plan is a node of what PostgreSQL is going to do.
type plan struct {
	Table    string  `json:"Relation Name"`
	Rows     float64 `json:"Plan Rows"` // of one process
	Parallel bool    `json:"Parallel Aware"`
	Plans    []plan  `json:"Plans"`
}

// items gives the most rows that are expected of a table but customers.
func (p plan) items() (most float64) {
	if p.Table != "" && p.Table != "customers" {
		if most = p.Rows; p.Parallel {
			most *= 1.7 // by one helper and, part of the time, the session itself
		}
	}
	for _, within := range p.Plans {
		most = max(most, within.items())
	}
	return most
}
