package tracking

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aldine/customers"
	"aldine/internal/id"
	"aldine/internal/settings"
	"aldine/internal/tally"
)

// Register adds the workers that credit orders to campaigns, judge stored hits again and keep the months of responses.
func (s *Service) Register(workers *river.Workers) {
	river.AddWorker(workers, &attributionWorker{service: s})
	river.AddWorker(workers, &reclassifyWorker{service: s})
	river.AddWorker(workers, &monthsWorker{service: s})
}

type attributionWorker struct {
	river.WorkerDefaults[customers.OrdersRecordedArgs]
	service *Service
}

// Work credits the job's orders.
func (w *attributionWorker) Work(ctx context.Context, job *river.Job[customers.OrdersRecordedArgs]) error {
	return w.service.AttributeOrders(ctx, job.Args.Refs)
}

// AttributeOrders credits the orders with these numbers, each to exactly one campaign or to none: by keycode, else as
// the reporter said, else by the latest click within its medium's window, else by matchback to the latest touch within
// the window. A return
// without a keycode takes from the campaign that was credited with the customer's latest order before. What was
// credited to those orders earlier is replaced, so that doing it again changes nothing.
func (s *Service) AttributeOrders(ctx context.Context, refs []string) error {
	v, err := s.settings.Get(ctx)
	if err != nil {
		return err
	}
	if err := s.SettleSoon(ctx); err != nil {
		return err
	}
	const slice = 5000
	for len(refs) > 0 {
		n := min(slice, len(refs))
		err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error { return s.attributeTx(ctx, tx, refs[:n], v) })
		if err != nil {
			return err
		}
		refs = refs[n:]
	}
	return nil
}

func (s *Service) attributeTx(ctx context.Context, tx pgx.Tx, refs []string, v settings.Values) error {
	// Look-up first, then the customers' own rows. They are locked, so that two transactions that credit the same order
	// follow one another.
	rows, err := tx.Query(ctx, `SELECT customer_id, order_ref FROM order_refs WHERE order_ref = ANY(@refs) ORDER BY customer_id, order_ref`,
		pgx.NamedArgs{"refs": refs})
	if err != nil {
		return err
	}
	var people []int64
	var numbers []string
	var customer int64
	var ref string
	if _, err := pgx.ForEachRow(rows, []any{&customer, &ref}, func() error {
		people, numbers = append(people, customer), append(numbers, ref)
		return nil
	}); err != nil || len(people) == 0 {
		return err
	}
	args := pgx.NamedArgs{"people": people, "refs": numbers, "now": s.now()}
	args["channels"], args["seconds"] = windows(v)
	// What returns take follows from the orders, so all returns of these customers are looked at again.
	found, err := tx.Query(ctx, withReturns, args)
	if err != nil {
		return err
	}
	people, numbers = nil, nil
	if _, err := pgx.ForEachRow(found, []any{&customer, &ref}, func() error {
		people, numbers = append(people, customer), append(numbers, ref)
		return nil
	}); err != nil {
		return err
	}
	args["people"], args["refs"] = people, numbers
	for _, sql := range []string{lockCustomers, lockOrders} {
		if _, err := tx.Exec(ctx, sql, args); err != nil {
			return err
		}
	}
	if err := s.markOrdersTx(ctx, tx, args); err != nil { // what they were credited to
		return err
	}
	for _, sql := range []string{clearCredits, creditOrders, creditReturns} {
		if _, err := tx.Exec(ctx, sql, args); err != nil {
			return err
		}
	}
	if err := s.creditedTx(ctx, tx, args); err != nil {
		return err
	}
	return s.markOrdersTx(ctx, tx, args) // and what to now
}

// markOrdersTx marks the campaigns that count the orders: those they are credited to, those their responses answer, and those that
// their customers take part in, for the comparison with the control cell.
func (s *Service) markOrdersTx(ctx context.Context, tx pgx.Tx, args pgx.NamedArgs) error {
	rows, err := tx.Query(ctx, `
		SELECT a.campaign_id, a.customer_id FROM attributions a JOIN `+ofOrders+` USING (customer_id, order_ref)
		UNION SELECT r.campaign_id, r.customer_id FROM `+ofOrders+`
			JOIN response_refs f ON f.source = '`+sourceOrder+`' AND f.ref = q.order_ref
			JOIN responses r ON r.customer_id = f.customer_id AND r.response_id = f.response_id WHERE r.campaign_id IS NOT NULL
		UNION SELECT e.campaign_id, e.customer_id FROM enrollments e WHERE e.customer_id = ANY(@people)
		ORDER BY 1, 2`, args)
	if err != nil {
		return err
	}
	var marks tally.Marks
	var campaign, customer int64
	if _, err := pgx.ForEachRow(rows, []any{&campaign, &customer}, func() error { marks.Add(campaign, customer); return nil }); err != nil {
		return err
	}
	return marks.SetTx(ctx, tx, s.now())
}

const ofOrders = `unnest(@people::bigint[], @refs::text[]) AS q (customer_id, order_ref)`

const withReturns = `
	SELECT customer_id, order_ref FROM ` + ofOrders + `
	UNION SELECT o.customer_id, o.order_ref FROM orders o WHERE o.customer_id = ANY(@people) AND o.customer_id <> 0 AND o.amount < 0
	ORDER BY customer_id, order_ref`

// lockCustomers comes first, as wherever orders are recorded: who credits an order while it is reported once more waits, and
// neither holds what the other wants.
const lockCustomers = `SELECT 1 FROM customers WHERE customer_id = ANY(@people) ORDER BY customer_id FOR NO KEY UPDATE`

const lockOrders = `
	SELECT 1 FROM orders o JOIN ` + ofOrders + ` USING (customer_id, order_ref)
	ORDER BY o.customer_id, o.order_ref FOR NO KEY UPDATE OF o`

// clearCredits leaves the credit to a click that is deleted by now.
const clearCredits = `
	DELETE FROM attributions a USING ` + ofOrders + ` WHERE a.customer_id = q.customer_id AND a.order_ref = q.order_ref
		AND NOT (a.method = 'token' AND EXISTS (SELECT 1 FROM rollups k WHERE k.campaign_id = a.campaign_id AND k.sealed_at IS NOT NULL))`

// creditOrders prefers a keycode to the campaign that the reporter named, that to a click, and a click to a touch. Cell and step that a keycode leaves open are
// those of the customer's touch or enrollment in its campaign. An order dated by day alone follows what happened that day.
var creditOrders = `
	WITH o AS MATERIALIZED (
		SELECT o.customer_id, o.order_ref, o.ordered_at, o.keycode, o.amount, ` + customers.PlacedBySQL("o") + ` AS placed_by
		FROM orders o JOIN ` + ofOrders + ` USING (customer_id, order_ref)
		WHERE NOT EXISTS (SELECT 1 FROM attributions x WHERE x.customer_id = o.customer_id AND x.order_ref = o.order_ref)
	), w AS MATERIALIZED (
		SELECT channel, make_interval(secs => seconds) AS length FROM unnest(@channels::text[], @seconds::float8[]) AS w (channel, seconds)
	)
	INSERT INTO attributions (customer_id, order_ref, campaign_id, step_id, cell_id, channel, keycode, method, weight, at)
	SELECT o.customer_id, o.order_ref, c.campaign_id, coalesce(c.step_id, 0), c.cell_id, c.channel, c.keycode, c.method, 1, o.ordered_at
	FROM o
	LEFT JOIN LATERAL (
		SELECT r.campaign_id, r.step_id, r.cell_id, r.channel, r.method
		FROM response_refs f JOIN responses r ON r.customer_id = f.customer_id AND r.response_id = f.response_id
		WHERE f.source = '` + sourceOrder + `' AND f.ref = o.order_ref AND f.customer_id = o.customer_id
	) p ON true
	CROSS JOIN LATERAL (
		(SELECT 1 AS rank, k.campaign_id, coalesce(k.step_id, t.step_id) AS step_id, coalesce(k.cell_id, t.cell_id, e.cell_id) AS cell_id,
			k.medium AS channel, k.keycode, CASE WHEN p.method = 'coupon' THEN 'coupon' ELSE 'keycode' END AS method
		FROM keycodes k
		LEFT JOIN LATERAL (
			SELECT t.step_id, t.cell_id FROM touches t
			WHERE t.customer_id = o.customer_id AND t.campaign_id = k.campaign_id AND t.state = 'sent' AND t.sent_at <= o.placed_by
			ORDER BY (t.channel = k.medium) DESC, t.sent_at DESC, t.step_id LIMIT 1) t ON true
		LEFT JOIN enrollments e ON e.customer_id = o.customer_id AND e.campaign_id = k.campaign_id
		WHERE k.keycode = o.keycode)
		UNION ALL
		(SELECT 2, p.campaign_id, p.step_id, p.cell_id, p.channel, NULL, p.method
		WHERE p.campaign_id IS NOT NULL AND p.method IN ('direct', 'phone', 'coupon'))
		UNION ALL
		(SELECT 3, r.campaign_id, r.step_id, r.cell_id, r.channel, NULL, 'token'
		FROM responses r JOIN w ON w.channel = coalesce(r.channel, 'email')
		WHERE o.customer_id <> 0 AND o.amount >= 0 AND r.customer_id = o.customer_id AND r.kind = 'click' AND NOT r.machine
		  AND r.campaign_id IS NOT NULL AND r.at <= o.placed_by AND r.at > o.ordered_at - w.length
		ORDER BY r.at DESC, r.response_id LIMIT 1)
		UNION ALL
		(SELECT 4, t.campaign_id, t.step_id, t.cell_id, t.channel, t.keycode, 'matchback'
		FROM touches t JOIN w ON w.channel = t.channel
		WHERE o.customer_id <> 0 AND o.amount >= 0 AND t.customer_id = o.customer_id AND t.state = 'sent'
		  AND t.sent_at <= o.placed_by AND t.sent_at > o.ordered_at - w.length
		ORDER BY t.sent_at DESC, t.campaign_id, t.step_id LIMIT 1)
		ORDER BY 1 LIMIT 1
	) c
	ORDER BY o.customer_id, o.order_ref`

var creditReturns = `
	INSERT INTO attributions (customer_id, order_ref, campaign_id, step_id, cell_id, channel, keycode, method, weight, at)
	SELECT o.customer_id, o.order_ref, a.campaign_id, a.step_id, a.cell_id, a.channel, a.keycode, a.method, 1, o.ordered_at
	FROM orders o JOIN ` + ofOrders + ` USING (customer_id, order_ref)
	CROSS JOIN LATERAL (
		SELECT a.campaign_id, a.step_id, a.cell_id, a.channel, a.keycode, a.method
		FROM orders b LEFT JOIN attributions a ON a.customer_id = b.customer_id AND a.order_ref = b.order_ref
		WHERE b.customer_id = o.customer_id AND b.ordered_at <= ` + customers.PlacedBySQL("o") + ` AND b.amount > 0
		ORDER BY b.ordered_at DESC, b.order_ref DESC LIMIT 1
	) a
	WHERE o.amount < 0 AND o.customer_id <> 0 AND a.campaign_id IS NOT NULL
	  AND NOT EXISTS (SELECT 1 FROM attributions x WHERE x.customer_id = o.customer_id AND x.order_ref = o.order_ref)
	ORDER BY o.customer_id, o.order_ref`

// creditedTx keeps the responses of orders in step with their credits: one for each credited order, and returns, which
// are no responses, left out.
func (s *Service) creditedTx(ctx context.Context, tx pgx.Tx, args pgx.NamedArgs) error {
	rows, err := tx.Query(ctx, `
		SELECT o.customer_id, o.order_ref, o.ordered_at, a.campaign_id, a.step_id, coalesce(a.cell_id, 0), coalesce(a.channel, ''),
			coalesce(o.keycode, ''), a.method
		FROM orders o JOIN `+ofOrders+` USING (customer_id, order_ref)
		JOIN attributions a USING (customer_id, order_ref)
		WHERE o.amount >= 0
		ORDER BY o.order_ref`, args)
	if err != nil {
		return err
	}
	credited, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (row, error) {
		c := row{id: id.New(), kind: KindOrder}
		return c, r.Scan(&c.customerID, &c.order, &c.at, &c.campaignID, &c.stepID, &c.cellID, &c.channel, &c.keycode, &c.method)
	})
	if err != nil {
		return err
	}
	if _, err := s.orderResponsesTx(ctx, tx, credited); err != nil {
		return err
	}
	// Responses that were there already follow a credit that changed; those whose credit is gone answer no campaign.
	changed, err := tx.Query(ctx, `
		UPDATE responses r SET campaign_id = a.campaign_id, step_id = nullif(a.step_id, 0), cell_id = a.cell_id, channel = a.channel, 
			method = coalesce(a.method, 'direct'), at = o.ordered_at
		FROM `+ofOrders+`
		JOIN orders o USING (customer_id, order_ref)
		JOIN response_refs f ON f.source = '`+sourceOrder+`' AND f.ref = o.order_ref
		LEFT JOIN attributions a ON a.customer_id = o.customer_id AND a.order_ref = o.order_ref
		WHERE r.customer_id = f.customer_id AND r.response_id = f.response_id AND r.customer_id = q.customer_id
		  AND (r.campaign_id, r.step_id, r.cell_id, r.channel, r.method, r.at)
			IS DISTINCT FROM (a.campaign_id, nullif(a.step_id, 0), a.cell_id, a.channel, coalesce(a.method, 'direct'), o.ordered_at)
		RETURNING r.customer_id, coalesce(r.campaign_id, 0)`, args)
	if err != nil {
		return err
	}
	moved, err := pgx.CollectRows(changed, func(r pgx.CollectableRow) (row, error) {
		var m row
		return m, r.Scan(&m.customerID, &m.campaignID)
	})
	if err != nil {
		return err
	}
	return s.wakeTx(ctx, tx, moved)
}

// orderResponsesTx stores the response of each order unless it has one, and gives the response's id by order number.
func (s *Service) orderResponsesTx(ctx context.Context, tx pgx.Tx, rows []row) (map[string]uuid.UUID, error) {
	kept := map[string]uuid.UUID{}
	if len(rows) == 0 {
		return kept, nil
	}
	n := len(rows)
	people, refs, ids := make([]int64, n), make([]string, n), make([]uuid.UUID, n)
	for i, r := range rows {
		people[i], refs[i], ids[i] = r.customerID, r.order, r.id
	}
	args := pgx.NamedArgs{"source": sourceOrder, "people": people, "refs": refs, "ids": ids}
	if _, err := tx.Exec(ctx, `
		INSERT INTO response_refs (source, ref, customer_id, response_id)
		SELECT @source, ref, customer_id, response_id
		FROM unnest(@people::bigint[], @refs::text[], @ids::uuid[]) AS r (customer_id, ref, response_id)
		ORDER BY ref
		ON CONFLICT (source, ref) DO NOTHING`, args); err != nil {
		return nil, err
	}
	found, err := tx.Query(ctx, `SELECT ref, response_id FROM response_refs WHERE source = @source AND ref = ANY(@refs) ORDER BY ref`, args)
	if err != nil {
		return nil, err
	}
	var ref string
	var response uuid.UUID
	if _, err := pgx.ForEachRow(found, []any{&ref, &response}, func() error { kept[ref] = response; return nil }); err != nil {
		return nil, err
	}
	var fresh []row
	for _, r := range rows {
		if kept[r.order] == r.id {
			fresh = append(fresh, r)
		}
	}
	return kept, s.storeTx(ctx, tx, fresh)
}
