package mergepurge

import (
	"context"
	"fmt"
	"maps"

	"github.com/jackc/pgx/v5"
)

// measureHouse fixes the last customer that takes part, so that those who come in during a run do not.
func (s *Service) measureHouse(ctx context.Context, run *Run) error {
	for i := range run.Inputs {
		in := &run.Inputs[i]
		if in.Kind != House || in.FileSize != 0 {
			continue
		}
		if err := s.pool.QueryRow(ctx, `UPDATE merge_inputs SET file_size = coalesce((SELECT max(customer_id) FROM customers), 0)
			WHERE run_id = @run AND input_no = @no RETURNING file_size`, pgx.NamedArgs{"run": run.ID, "no": in.No}).Scan(&in.FileSize); err != nil {
			return err
		}
	}
	return nil
}

// loadHouse makes a record of each customer that the input's expression selects, by slices of customer numbers; by one look where
// it ranks customers, since a ranking for each slice would not be of one moment. A customer whom an earlier house input selects too
// belongs to that one.
func (s *Service) loadHouse(ctx context.Context, run *Run, in *Input) error {
	base := run.first(in.No)
	for {
		first, last := in.BytesDone+1, min(in.BytesDone+s.sizes.customers, in.FileSize)
		where, args, ranked, err := s.houseWhere(ctx, run, in, first, last)
		if err == nil && ranked {
			first, last = in.BytesDone+1, in.FileSize
			where, args, err = s.houseRanked(ctx, run, in, first, last)
		}
		if err != nil {
			return err
		}
		end := last >= in.FileSize
		args["run"], args["no"], args["base"], args["first"], args["last"], args["end"] = run.ID, in.No, base+in.Rows-1, first, last, end
		err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
			tag, err := tx.Exec(ctx, `
				INSERT INTO merge_records (run_id, record_no, input_no, customer_id, verdict, lists)
				SELECT @run, @base + row_number() OVER (ORDER BY c.customer_id), @no, c.customer_id, 'net', 0
				FROM customers c WHERE c.customer_id BETWEEN @first AND @last AND NOT c.rented AND `+where+` ORDER BY c.customer_id`, args)
			if err != nil {
				return err
			}
			in.Rows, in.BytesDone = in.Rows+tag.RowsAffected(), last
			if err := run.room(); err != nil {
				return err
			}
			return s.loadedTx(ctx, tx, run, in, end)
		})
		if err != nil || end {
			return err
		}
	}
}

// houseWhere gives the condition for the customers of an input, and whether it, or one before it, ranks customers.
func (s *Service) houseWhere(ctx context.Context, run *Run, in *Input, first, last int64) (where string, args pgx.NamedArgs, ranked bool, err error) {
	where, args = "true", pgx.NamedArgs{}
	for _, other := range run.Inputs {
		if other.Kind != House || other.No > in.No {
			continue
		}
		sql := "true"
		if other.Expression != "" {
			of, err := s.audience(ctx, other.Expression, fmt.Sprintf("e%d_", other.No), first, last)
			if err != nil {
				return "", nil, false, err
			}
			sql, ranked = of.Where, ranked || of.Ranked
			maps.Copy(args, of.Args)
		}
		if other.No < in.No {
			where += " AND (" + sql + ") IS NOT TRUE"
		} else {
			where += " AND (" + sql + ")"
		}
	}
	return where, args, ranked, nil
}

// houseRanked is houseWhere for all customers at once: who has a record by an earlier house input is known by that, lest the ranking
// is made again.
func (s *Service) houseRanked(ctx context.Context, run *Run, in *Input, first, last int64) (where string, args pgx.NamedArgs, err error) {
	where, args = "true", pgx.NamedArgs{}
	if in.Expression != "" {
		of, err := s.audience(ctx, in.Expression, "e_", first, last)
		if err != nil {
			return "", nil, err
		}
		where, args = "("+of.Where+")", of.Args
	}
	var before []int
	for _, other := range run.Inputs {
		if other.Kind == House && other.No < in.No {
			before = append(before, other.No)
		}
	}
	if before != nil {
		where += " AND NOT EXISTS (SELECT 1 FROM merge_records b WHERE b.run_id = @run AND b.input_no = ANY(@before::integer[]) AND b.customer_id = c.customer_id)"
		args["before"] = before
	}
	return where, args, nil
}

// loadedTx stores how far an input is, in the transaction that has loaded so much.
func (s *Service) loadedTx(ctx context.Context, tx pgx.Tx, run *Run, in *Input, end bool) error {
	if _, err := tx.Exec(ctx, `UPDATE merge_inputs SET rows = @rows, bytes_done = @bytes, loaded = @end WHERE run_id = @run AND input_no = @no`,
		pgx.NamedArgs{"rows": in.Rows, "bytes": in.BytesDone, "end": end, "run": run.ID, "no": in.No}); err != nil {
		return err
	}
	done, _ := run.bytes()
	return stepTx(ctx, tx, run, done)
}
