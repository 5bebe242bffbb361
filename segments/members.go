package segments

import (
	"context"
	"math"

	"github.com/jackc/pgx/v5"
)

// MembersTx gives the numbers of all customers above after for whom the expression holds, ascending: one look, so that they
// are the members of one moment, and customers whom top sets beside each other are ranked once. It needs 8 bytes of memory
// for each.
func (c *Compiled) MembersTx(ctx context.Context, tx pgx.Tx, after int64) ([]int64, error) {
	// As for counting: groups of millions of customers are joined in memory, and compiling a statement takes longer than it gains.
	if _, err := tx.Exec(ctx, `SELECT set_config('work_mem', '128MB', true), set_config('jit', 'off', true)`); err != nil {
		return nil, err
	}
	where, args := c.Where("c", "p")
	sql := `SELECT c.customer_id FROM customers c WHERE ` + where
	if after > everybody {
		args["after"] = after
		sql += ` AND c.customer_id > @after`
	}
	rows, err := tx.Query(ctx, sql+` ORDER BY c.customer_id`, args)
	if err != nil {
		return nil, err
	}
	var ids []int64
	var id int64
	_, err = pgx.ForEachRow(rows, []any{&id}, func() error { ids = append(ids, id); return nil })
	return ids, err
}

// everybody stands before all numbers of customers.
const everybody = math.MinInt64
