package customers

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// claimRefs writes the order numbers. One that exists, or that another transaction is just writing, is not claimed:
// it is known already when this statement returns, and compare looks at it.
func (r *orderRun) claimRefs(ctx context.Context) error {
	open := r.open("")
	if len(open) == 0 {
		return nil
	}
	refs, ids := make([]string, len(open)), make([]ID, len(open))
	for n, i := range open {
		refs[n], ids[n] = r.orders[i].Ref, r.orders[i].CustomerID
	}
	rows, err := r.tx.Query(ctx, `
		INSERT INTO order_refs (order_ref, customer_id)
		SELECT ref, id FROM unnest(@refs::text[], @ids::bigint[]) AS t (ref, id) ORDER BY ref
		ON CONFLICT DO NOTHING RETURNING order_ref`, pgx.NamedArgs{"refs": refs, "ids": ids})
	if err != nil {
		return err
	}
	claimed := make(map[string]bool, len(open))
	var ref string
	if _, err := pgx.ForEachRow(rows, []any{&ref}, func() error { claimed[ref] = true; return nil }); err != nil {
		return err
	}
	for _, i := range open {
		if claimed[r.orders[i].Ref] {
			r.out[i].State = OrderCreated
		}
	}
	return nil
}

// compare decides about orders that are known.
func (r *orderRun) compare(ctx context.Context) error {
	known := make(map[string]int)
	for _, i := range r.open("") {
		known[r.orders[i].Ref] = i
	}
	if len(known) == 0 {
		return nil
	}
	stored, err := loadOrders(ctx, r.tx, known)
	if err != nil {
		return err
	}
	for ref, i := range known {
		o := stored[ref]
		switch {
		case o == nil || o.CustomerID != r.orders[i].CustomerID:
			r.reject(i, "order_id: %q belongs to another customer", short(ref))
		case sameOrder(o, &r.orders[i]):
			r.out[i].State = OrderUnchanged
		default:
			r.out[i].State = OrderUpdated
		}
	}
	return nil
}

func loadOrders(ctx context.Context, q Querier, known map[string]int) (map[string]*Order, error) {
	refs := slices.Sorted(maps.Keys(known))
	// Two statements: the look-up table and the orders may live on different nodes.
	found, err := lookUp(ctx, q, `SELECT order_ref, customer_id FROM order_refs WHERE order_ref = ANY(@keys) ORDER BY order_ref`, refs)
	if err != nil {
		return nil, err
	}
	// Whole keys, in their order: with a list of customers and one of order numbers, each customer would be searched
	// for all of the numbers.
	slices.SortFunc(found, func(a, b lookedUp[string]) int { return cmp.Or(cmp.Compare(a.id, b.id), strings.Compare(a.key, b.key)) })
	ids := make([]ID, len(found))
	for i, f := range found {
		refs[i], ids[i] = f.key, f.id
	}
	args := pgx.NamedArgs{"refs": refs[:len(found)], "ids": ids}
	rows, err := q.Query(ctx, `
		SELECT o.customer_id, o.order_ref, o.ordered_at, o.quantity, o.amount, o.currency, coalesce(o.place, ''), coalesce(o.reason, ''), coalesce(o.keycode, '')
		FROM unnest(@ids::bigint[], @refs::text[]) AS t (id, ref) JOIN orders o ON o.customer_id = t.id AND o.order_ref = t.ref`, args)
	if err != nil {
		return nil, err
	}
	stored := make(map[string]*Order, len(refs))
	orders, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (o Order, err error) {
		return o, row.Scan(&o.CustomerID, &o.Ref, &o.OrderedAt, &o.Quantity, &o.Amount, &o.Currency, &o.Place, &o.Reason, &o.Keycode)
	})
	if err != nil {
		return nil, err
	}
	for i := range orders {
		stored[orders[i].Ref] = &orders[i]
	}
	rows, err = q.Query(ctx, `
		SELECT l.order_ref, l.sku, l.quantity, l.amount
		FROM unnest(@ids::bigint[], @refs::text[]) AS t (id, ref) JOIN order_lines l ON l.customer_id = t.id AND l.order_ref = t.ref
		ORDER BY l.customer_id, l.order_ref, l.line_no`, args)
	if err != nil {
		return nil, err
	}
	var ref string
	var l OrderLine
	_, err = pgx.ForEachRow(rows, []any{&ref, &l.SKU, &l.Quantity, &l.Amount}, func() error {
		if o := stored[ref]; o != nil {
			o.Lines = append(o.Lines, l)
		}
		return nil
	})
	return stored, err
}

// store writes what is new and rewrites what has changed.
func (r *orderRun) store(ctx context.Context) error {
	changed := r.open(OrderUpdated)
	if len(changed) > 0 {
		ids, refs := make([]ID, len(changed)), make([]string, len(changed))
		for n, i := range changed {
			ids[n], refs[n] = r.orders[i].CustomerID, r.orders[i].Ref
		}
		args := pgx.NamedArgs{"ids": ids, "refs": refs}
		for _, table := range []string{"order_lines", "orders"} {
			if _, err := r.tx.Exec(ctx, `DELETE FROM `+table+` o USING unnest(@ids::bigint[], @refs::text[]) AS t (id, ref)
				WHERE o.customer_id = t.id AND o.order_ref = t.ref`, args); err != nil {
				return err
			}
		}
	}
	now := r.service.now()
	write := r.open(OrderCreated, OrderUpdated)
	if len(write) == 0 {
		return nil
	}
	// Rows in the order of the key cost the indexes least.
	slices.SortStableFunc(write, func(a, b int) int { return cmp.Compare(r.orders[a].CustomerID, r.orders[b].CustomerID) })
	if _, err := r.tx.CopyFrom(ctx, pgx.Identifier{"orders"}, []string{"customer_id", "order_ref", "ordered_at", "quantity", "amount", "currency",
		"rate", "base_amount", "place", "reason", "keycode", "recorded_at"}, pgx.CopyFromSlice(len(write), func(n int) ([]any, error) {
		o, i := &r.orders[write[n]], write[n]
		return []any{o.CustomerID, o.Ref, o.OrderedAt, o.Quantity, o.Amount, o.Currency, r.rates[i], r.sums[i],
			nullable(o.Place), nullable(o.Reason), nullable(o.Keycode), now}, nil
	})); err != nil {
		return err
	}
	return r.storeLines(ctx, write, now)
}

func (r *orderRun) storeLines(ctx context.Context, write []int, now time.Time) error {
	var lines [][]any
	var skus []string
	for _, i := range write {
		o := &r.orders[i]
		for n, l := range o.Lines {
			lines = append(lines, []any{o.CustomerID, o.Ref, n + 1, l.SKU, l.Quantity, l.Amount})
			skus = append(skus, l.SKU)
		}
	}
	if lines == nil {
		return nil
	}
	slices.Sort(skus)
	// Products that nobody has described yet go by their SKU.
	if _, err := r.tx.Exec(ctx, `
		INSERT INTO products (sku, name, price, created_at) SELECT sku, sku, 0, @now FROM unnest(@skus::text[]) AS t (sku) ORDER BY sku
		ON CONFLICT DO NOTHING`, pgx.NamedArgs{"skus": slices.Compact(skus), "now": now}); err != nil {
		return err
	}
	_, err := r.tx.CopyFrom(ctx, pgx.Identifier{"order_lines"}, []string{"customer_id", "order_ref", "line_no", "sku", "quantity", "amount"},
		pgx.CopyFromRows(lines))
	return err
}

// derive recomputes the facts that follow from orders, for all customers whose orders changed. Who orders is no rented name
// any more.
func (r *orderRun) derive(ctx context.Context) error {
	var ids []ID
	for _, i := range r.open(OrderCreated, OrderUpdated) {
		if id := r.orders[i].CustomerID; id != 0 {
			ids = append(ids, id)
		}
	}
	if ids == nil {
		return nil
	}
	_, err := DeriveTx(ctx, r.tx, ids)
	return err
}
