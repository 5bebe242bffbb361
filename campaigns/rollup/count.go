package rollup

import (
	"fmt"
	"strings"

	"aldine/customers"
)

// answers are the kinds of response by which a person takes up an offer.
const answers = `('click', 'reply', 'call', 'visit', 'coupon', 'order', 'survey')`

// The statements below count slices s (slice, first and last customer) and ledger slices h (slice, from and till). Customers are
// found by ranges of the primary key: without statistics on a new campaign the planner takes it to be very small and would
// read all of it for each slice, so the campaign is written as an expression, which no index fits. A whole campaign is counted
// without ranges, as one slice of number 0.
func within(alias string, whole bool) string {
	if whole {
		return alias + `.campaign_id = @campaign`
	}
	return alias + `.campaign_id + 0 = @campaign AND ` + alias + `.customer_id BETWEEN s.first AND s.last`
}

func of(alias string, whole bool) string {
	if whole {
		return alias + `.campaign_id = @campaign`
	}
	return alias + `.campaign_id = @campaign AND ` + alias + `.at >= h.from_at AND ` + alias + `.at < h.till_at`
}

// countSQL gives slice, dim, item and the measures of all lines of the slices.
func countSQL(whole bool) string {
	const dims = `(slice), (slice, step_id), (slice, cell_id), (slice, list_id), (slice, keycode), (slice, channel), (slice, day)`
	const dim = `GROUPING(step_id, cell_id, list_id, keycode, channel, day)`
	const item = `coalesce(step_id::text, cell_id::text, list_id::text, keycode, channel, day::text, '')`
	const people = `count(DISTINCT customer_id) FILTER (WHERE customer_id <> 0)`
	const touched = `count(DISTINCT touch) FILTER (WHERE customer_id <> 0) + count(*) FILTER (WHERE customer_id = 0)`
	const bought = `count(DISTINCT order_ref) FILTER (WHERE amount > 0`
	number := func(d Dim) string { return fmt.Sprint(int(d)) }
	stage := func(name, sql string) string {
		return lines(number(Funnel), `'`+name+`'`, sql+` GROUP BY slice`, map[string]string{"customers": people})
	}
	return `
	WITH s AS (
		SELECT slice, first, last FROM unnest(@slices::bigint[], @firsts::bigint[], @lasts::bigint[]) AS s (slice, first, last)
	), h AS (
		SELECT slice, from_at, till_at FROM unnest(@hours::bigint[], @froms::timestamptz[], @tills::timestamptz[]) AS h (slice, from_at, till_at)
	), t AS MATERIALIZED (
		SELECT s.slice, t.* FROM s CROSS JOIN LATERAL (
			SELECT t.customer_id, t.step_id, t.cell_id, t.list_id, t.keycode, t.channel, t.state, coalesce(t.reason, '') AS reason,
				CASE WHEN t.state IN ('sent', 'bounced') THEN (t.sent_at AT TIME ZONE @zone)::date END AS day
			FROM touches t WHERE ` + within("t", whole) + ` OFFSET 0) t
	), r AS MATERIALIZED (
		-- A response knows its step, medium and keycode; the cell and the list follow from the enrollment, or from the
		-- keycode where the person is not known. Touches are numbered, because distinct pairs are slow to count.
		SELECT r.slice, r.customer_id, r.kind, r.machine, r.link_id, coalesce(r.step_id, k.step_id) AS step_id,
			dense_rank() OVER (ORDER BY r.customer_id, coalesce(r.step_id, k.step_id, 0)) AS touch,
			coalesce(r.cell_id, e.cell_id, k.cell_id) AS cell_id, coalesce(e.list_id, k.list_id) AS list_id,
			coalesce(r.keycode, t.keycode) AS keycode, coalesce(r.channel, t.channel, k.medium) AS channel,
			(r.at AT TIME ZONE @zone)::date AS day
		FROM (SELECT s.slice, r.* FROM s CROSS JOIN LATERAL (SELECT * FROM responses r WHERE ` + within("r", whole) + ` OFFSET 0) r) r
		LEFT JOIN enrollments e ON e.customer_id = r.customer_id AND e.campaign_id = @campaign
		LEFT JOIN touches t ON t.customer_id = r.customer_id AND t.campaign_id = @campaign AND t.step_id = r.step_id
		LEFT JOIN keycodes k ON k.keycode = r.keycode
	), a AS MATERIALIZED (
		SELECT a.slice, a.customer_id, o.order_ref, o.amount, a.method <> 'matchback' AS direct, o.base_amount * a.weight AS credit,
			nullif(a.step_id, 0) AS step_id, coalesce(a.cell_id, e.cell_id, k.cell_id) AS cell_id,
			coalesce(e.list_id, k.list_id) AS list_id, coalesce(a.keycode, t.keycode) AS keycode,
			coalesce(a.channel, t.channel, k.medium) AS channel, (o.ordered_at AT TIME ZONE @zone)::date AS day
		FROM (SELECT s.slice, a.* FROM s CROSS JOIN LATERAL (SELECT * FROM attributions a WHERE ` + within("a", whole) + ` OFFSET 0) a) a
		JOIN orders o ON o.customer_id = a.customer_id AND o.order_ref = a.order_ref
		LEFT JOIN enrollments e ON e.customer_id = a.customer_id AND e.campaign_id = @campaign
		LEFT JOIN touches t ON t.customer_id = a.customer_id AND t.campaign_id = @campaign AND t.step_id = a.step_id
		LEFT JOIN keycodes k ON k.keycode = a.keycode
	), e AS MATERIALIZED (
		SELECT s.slice, e.* FROM s CROSS JOIN LATERAL (
			SELECT e.customer_id, e.cell_id, e.state, coalesce(e.step_id, 0) AS step_id FROM enrollments e WHERE ` + within("e", whole) + ` OFFSET 0) e
	), b AS MATERIALIZED (
		SELECT e.slice, e.customer_id, e.cell_id, count(*) FILTER (WHERE o.amount > 0) AS orders, sum(o.base_amount) AS revenue
		FROM e JOIN orders o ON o.customer_id = e.customer_id
		WHERE ` + customers.PlacedBySQL("o") + ` >= @from::timestamptz AND o.ordered_at <= coalesce(@end::timestamptz, 'infinity') GROUP BY 1, 2, 3
	), c AS MATERIALIZED (
		SELECT h.slice, c.* FROM h CROSS JOIN LATERAL (
			SELECT c.kind, c.step_id, c.cell_id, c.list_id, c.keycode, c.channel, c.amount, (c.at AT TIME ZONE @zone)::date AS day
			FROM cost_entries c WHERE ` + of("c", whole) + ` OFFSET 0) c
	), line AS (` + strings.Join([]string{
		lines(dim, item, `t GROUP BY GROUPING SETS (`+dims+`)`, map[string]string{
			"planned": `count(*) FILTER (WHERE state <> 'excluded')`, "quantity": `count(*) FILTER (WHERE state IN ('sent', 'bounced'))`,
			"open": `count(*) FILTER (WHERE state IN ('planned', 'sending'))`, "failed": `count(*) FILTER (WHERE state = 'failed')`,
			"bounced": `count(*) FILTER (WHERE state = 'bounced')`, "unconfirmed": `count(*) FILTER (WHERE state = 'unconfirmed')`,
			"excluded": `count(*) FILTER (WHERE state = 'excluded')`}),
		lines(dim, item, `c GROUP BY GROUPING SETS (`+dims+`)`, map[string]string{"cost": `sum(amount)`}),
		lines(dim, item, `r WHERE NOT machine AND kind IN `+answers+` GROUP BY GROUPING SETS (`+dims+`)`, map[string]string{"responses": touched, "customers": people}),
		lines(dim, item, `a GROUP BY GROUPING SETS (`+dims+`)`, map[string]string{
			"orders": bought + `)`, "direct_orders": bought + ` AND direct)`, "matchback_orders": bought + ` AND NOT direct)`,
			"revenue": `coalesce(sum(credit), 0)`, "direct_revenue": `coalesce(sum(credit) FILTER (WHERE direct), 0)`,
			"matchback_revenue": `coalesce(sum(credit) FILTER (WHERE NOT direct), 0)`}),
		lines(number(State), `step_id || ' ' || state || ' ' || reason`, `t GROUP BY slice, step_id, state, reason`, map[string]string{"number": `count(*)`}),
		lines(number(Enrolled), `step_id || ' ' || state`, `e GROUP BY slice, step_id, state`, map[string]string{"number": `count(*)`}),
		lines(number(Kind), `kind`, `r WHERE NOT machine GROUP BY slice, kind`, map[string]string{"responses": touched, "customers": people}),
		lines(number(Machine), `kind`, `r WHERE machine GROUP BY slice, kind`, map[string]string{"number": `count(*)`}),
		lines(number(Traffic), `day || ' ' || kind`, `r WHERE NOT machine GROUP BY slice, day, kind`, map[string]string{"number": `count(*)`}),
		lines(number(Link), `link_id::text`, `r WHERE NOT machine AND kind = 'click' AND link_id IS NOT NULL GROUP BY slice, link_id`,
			map[string]string{"number": `count(*)`, "responses": touched, "customers": people}),
		lines(number(Funnel), `'entered'`, `e GROUP BY slice`, map[string]string{"customers": `count(*)`}),
		lines(number(Funnel), `'planned'`, `t WHERE state <> 'excluded' GROUP BY slice`, map[string]string{"customers": `count(DISTINCT customer_id)`}),
		lines(number(Funnel), `'reached'`, `t WHERE state IN ('sent', 'bounced') GROUP BY slice`, map[string]string{"customers": `count(DISTINCT customer_id)`}),
		stage("opened", `r WHERE NOT machine AND (kind = 'open' OR kind IN `+answers+`)`),
		stage("responded", `r WHERE NOT machine AND kind IN `+answers),
		stage("ordered", `a WHERE amount > 0`),
		lines(number(CostKind), `kind`, `c GROUP BY slice, kind`, map[string]string{"cost": `sum(amount)`}),
		lines(number(Reserved), `''`, `h CROSS JOIN LATERAL (SELECT v.amount FROM reservations v WHERE `+of("v", whole)+` OFFSET 0) v GROUP BY slice`,
			map[string]string{"cost": `sum(amount)`}),
		lines(number(Assigned), `cell_id::text`, `e GROUP BY slice, cell_id`, map[string]string{"customers": `count(*)`}),
		lines(number(Answered), `cell_id::text`, `(SELECT e.slice, e.cell_id, r.customer_id FROM e JOIN r ON r.customer_id = e.customer_id
			WHERE NOT r.machine AND r.kind IN `+answers+`) r GROUP BY slice, cell_id`, map[string]string{"customers": people}),
		lines(number(Bought), `cell_id::text`, `b GROUP BY slice, cell_id`, map[string]string{
			"customers": `count(*) FILTER (WHERE orders > 0)`, "orders": `sum(orders)::bigint`, "revenue": `sum(revenue)`, "squares": `sum(revenue * revenue)`}),
	}, "\n\t\tUNION ALL ") + `)
	SELECT slice, dim, item, ` + summed() + ` FROM line GROUP BY slice, dim, item`
}

// lines is SQL for the lines of one source; measures that it does not give are 0.
func lines(dim, item, from string, values map[string]string) string {
	out := make([]string, 0, len(measures))
	for _, m := range measures {
		v := values[m]
		if v == "" {
			v = "0"
		}
		out = append(out, v+" AS "+m)
	}
	return `SELECT slice, ` + dim + ` AS dim, ` + item + ` AS item, ` + strings.Join(out, ", ") + ` FROM ` + from
}

func summed() string {
	var out []string
	for _, m := range counted {
		out = append(out, `sum(`+m+`)::bigint AS `+m)
	}
	for _, m := range amounts {
		out = append(out, `sum(`+m+`)::numeric AS `+m)
	}
	return strings.Join(out, ", ")
}
