package customers

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
)

// The facts that follow from orders are kept with each customer, so that segments ask one table: number, sum, first and last time.
// Whoever changes orders brings them up to date in the same transaction, for the customers concerned alone; Recompute holds
// all of them against the orders.

// DeriveTx brings the facts that follow from orders up to date. The caller has locked the customers before changing or
// reading their orders. Who has ordered is no rented name any more.
func DeriveTx(ctx context.Context, tx pgx.Tx, ids []ID) (changed int64, err error) {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	tag, err := tx.Exec(ctx, `
		UPDATE customers c SET orders_count = o.orders, total_spent = o.spent, first_order_at = o.first, last_order_at = o.last, rented = c.rented AND o.orders = 0
		FROM unnest(@ids::bigint[]) AS i (customer_id) CROSS JOIN LATERAL ( -- each looks its own orders up, however many there are
			SELECT i.customer_id, count(*) AS orders, coalesce(sum(r.base_amount), 0) AS spent, min(r.ordered_at) AS first, max(r.ordered_at) AS last
			FROM orders r WHERE r.customer_id = i.customer_id) o
		WHERE c.customer_id = o.customer_id AND (c.orders_count, c.total_spent, c.first_order_at, c.last_order_at, c.rented)
			IS DISTINCT FROM (o.orders, o.spent, o.first, o.last, c.rented AND o.orders = 0)`, pgx.NamedArgs{"ids": slices.Compact(ids)})
	return tag.RowsAffected(), err
}

// findWrong gives the customers in (after, end] whose facts are not what their orders say, in one look at a part of both tables.
func (s *Service) findWrong(ctx context.Context, after, end ID) (wrong []ID, err error) {
	err = pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		// The sums of a part fit into memory; compiling the statement takes longer than it gains.
		if _, err := tx.Exec(ctx, `SELECT set_config('work_mem', '256MB', true), set_config('jit', 'off', true)`); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `
			SELECT c.customer_id FROM customers c
			LEFT JOIN (SELECT customer_id, count(*) AS orders, sum(base_amount) AS spent, min(ordered_at) AS first, max(ordered_at) AS last
				FROM orders WHERE customer_id > @after AND customer_id <= @end GROUP BY customer_id) o ON o.customer_id = c.customer_id
			WHERE c.customer_id > @after AND c.customer_id <= @end
				AND (c.orders_count <> coalesce(o.orders, 0) OR c.total_spent <> coalesce(o.spent, 0) OR c.first_order_at IS DISTINCT FROM o.first
					OR c.last_order_at IS DISTINCT FROM o.last OR c.rented AND o.orders IS NOT NULL)
			ORDER BY c.customer_id`, pgx.NamedArgs{"after": after, "end": end})
		if err != nil {
			return err
		}
		wrong, err = pgx.CollectRows(rows, pgx.RowTo[ID])
		return err
	})
	return wrong, err
}

// mend derives the facts of customers who were found wrong: locked first, as whoever changes their orders does, for an order may
// have come since.
func (s *Service) mend(ctx context.Context, ids []ID) (changed int64, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT FROM customers WHERE customer_id = ANY(@ids) ORDER BY customer_id FOR NO KEY UPDATE`, pgx.NamedArgs{"ids": ids}); err != nil {
			return err
		}
		changed, err = DeriveTx(ctx, tx, ids)
		return err
	})
	return changed, err
}
