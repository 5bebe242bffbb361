package mergepurge

import (
	"context"
	"testing"

	"aldine/segments"
)

// A house input that ranks customers takes those who are at the top of all at one moment, though the file is read in slices and
// customers change meanwhile; the next input takes who is left.
func TestHouseRanking(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if _, err := b.pool.Exec(b.ctx, `INSERT INTO customers (customer_id, last_name, orders_count, total_spent, created_at, updated_at)
		SELECT i, 'N' || i, 1, 1000 - i, $1, $1 FROM generate_series(1, 100) i`, b.at); err != nil {
		t.Fatal(err)
	}
	of := segments.New(b.pool, b.now)
	b.audience = func(ctx context.Context, expression, prefix string, first, last int64) (Selection, error) {
		if first > 1 { // between two slices
			if _, err := b.pool.Exec(ctx, `UPDATE customers SET total_spent = customer_id`); err != nil {
				return Selection{}, err
			}
		}
		compiled, err := of.Compile(ctx, expression, b.at)
		if err != nil {
			return Selection{}, err
		}
		where, args := compiled.WhereSlice("c", prefix, first, last)
		return Selection{where, args, compiled.Ranks()}, nil
	}
	b.sizes.customers = 10
	run := b.create(NewRun{})
	_, err := b.AddInput(b.ctx, run.ID, NewInput{Kind: House, Name: "best", Expression: `top(25, total_spent)`})
	b.ok(err)
	_, err = b.AddInput(b.ctx, run.ID, NewInput{Kind: House, Name: "some", Expression: `total_spent > 900`})
	b.ok(err)
	_, err = b.AddInput(b.ctx, run.ID, NewInput{Kind: House, Name: "rest"})
	b.ok(err)
	run = b.work(run)
	for i, want := range [][3]int64{{25, 1, 25}, {74, 26, 99}, {1, 100, 100}} {
		var got [3]int64
		b.ok(b.pool.QueryRow(b.ctx, `SELECT count(*), min(customer_id), max(customer_id) FROM merge_records WHERE run_id = $1 AND input_no = $2`, run.ID, i+1).
			Scan(&got[0], &got[1], &got[2]))
		if got != want {
			t.Errorf("input %d has %v, want %v", i+1, got, want)
		}
	}
}
