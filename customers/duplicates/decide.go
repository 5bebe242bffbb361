package duplicates

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"aldine/internal/access"
	"aldine/internal/audit"
	"aldine/internal/fault"
)

// Decide notes that two customers are different people, or (different false) leaves the pair open again; they cease, or begin
// again, to count as one person at once. NotFound where there is no such pair, Conflict where they were merged.
func (s *Service) Decide(ctx context.Context, a, b int64, different bool) error {
	c := coupleOf(a, b)
	return pgx.BeginFunc(ctx, s.Pool, func(tx pgx.Tx) error {
		var state string
		err := tx.QueryRow(ctx, `SELECT state FROM duplicates WHERE customer_id = @a AND other_id = @b FOR UPDATE`,
			pgx.NamedArgs{"a": c.A, "b": c.B}).Scan(&state)
		if errors.Is(err, pgx.ErrNoRows) {
			return fault.New(fault.NotFound, "No search has found customers %d and %d to be alike", c.A, c.B)
		}
		if err != nil {
			return err
		}
		to := StateOpen
		if different {
			to = StateDifferent
		}
		if state == StateMerged {
			return fault.New(fault.Conflict, "Customers %d and %d were merged; undo the merge instead", c.A, c.B)
		}
		if state == to {
			return nil
		}
		if _, err := tx.Exec(ctx, `
			UPDATE duplicates SET state = @to, decided_by = CASE WHEN @different THEN @by END, decided_at = CASE WHEN @different THEN @now::timestamptz END
			WHERE customer_id = @a AND other_id = @b`, pgx.NamedArgs{"to": to, "different": different, "by": access.From(ctx).String(), "now": s.Now(),
			"a": c.A, "b": c.B}); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT coalesce(person_id, customer_id) FROM customers WHERE customer_id IN (@a, @b) ORDER BY 1`,
			pgx.NamedArgs{"a": c.A, "b": c.B})
		if err != nil {
			return err
		}
		groups, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return err
		}
		if err := regroupTx(ctx, tx, groups); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, s.Now(), "duplicates.decide", "customer", c.A, map[string]any{"other": c.B, "state": to})
	})
}
