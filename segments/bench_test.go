package segments

import (
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// BenchmarkExpressions counts 30 expressions exactly and beside each the best SQL written by hand for the same question, in
// one run, so that the ratio is worth something on a busy machine; and it estimates each and tells whether the truth lies in
// the range. ALDINE_BENCH_CUSTOMERS sets the number of customers, each with 4 orders on average.
func BenchmarkExpressions(b *testing.B) {
	total := 100_000
	if n, err := strconv.Atoi(os.Getenv("ALDINE_BENCH_CUSTOMERS")); err == nil {
		total = n
	}
	ctx, pool := context.Background(), benchDatabase(b, total)
	s, patient := New(pool, clock), New(pool, clock)
	patient.timeout = 10 * time.Minute
	var within, asked int
	for _, e := range representative {
		b.Run(e.name, func(b *testing.B) {
			var ours, hand, guess, cpuOurs, cpuHand []float64
			for b.Loop() {
				var got Count
				var want int64
				both := []func(){
					func() {
						took, spent := measure(b, pool, func() (err error) {
							got, err = s.Count(ctx, e.expression, Exact)
							return err
						})
						ours, cpuOurs = append(ours, took), append(cpuOurs, spent)
					},
					func() {
						took, spent := measure(b, pool, func() error {
							return patient.reading(ctx, func(tx pgx.Tx) error {
								return tx.QueryRow(ctx, "SELECT count(*) FROM customers c WHERE "+strings.Replace("NOT rented AND "+e.sql, "NOT rented AND +", "", 1), pgx.QueryExecModeExec).Scan(&want)
							})
						})
						hand, cpuHand = append(hand, took), append(cpuHand, spent)
					},
				}
				if len(ours)%2 == 1 { // who comes second finds the pages in memory
					slices.Reverse(both)
				}
				for _, count := range both {
					count()
				}
				if got.Count != want || want == 0 {
					b.Fatalf("counted %d, by hand %d", got.Count, want)
				}
				var estimate Count
				took, _ := measure(b, pool, func() (err error) {
					estimate, err = s.Count(ctx, e.expression, Estimate)
					return err
				})
				guess = append(guess, took)
				if asked++; estimate.Low <= want && want <= estimate.High {
					within++
				}
			}
			// The best of each: what others do on the machine only adds. The processor's time bears that better, where it is long
			// enough to be measured.
			b.ReportMetric(slices.Min(ours)*1000, "ms")
			b.ReportMetric(slices.Min(hand)*1000, "floor-ms")
			b.ReportMetric(slices.Min(ours)/slices.Min(hand), "ratio")
			b.ReportMetric(slices.Min(cpuOurs)*1000, "cpu-ms")
			if by := slices.Min(cpuHand); by >= 0.2 {
				b.ReportMetric(slices.Min(cpuOurs)/by, "cpu-ratio")
			}
			b.ReportMetric(slices.Min(guess)*1000, "ms/estimate")
			b.ReportMetric(0, "ns/op")
		})
	}
	b.Logf("%d of %d estimates had the truth in their range", within, asked)
}

// representative are questions that marketers ask, with the SQL that somebody who knows PostgreSQL would write; rented names are
// left out unless it begins with a plus.
var representative = []struct{ name, expression, sql string }{
	{"equal", `country == "DE"`, `country = 'DE'`},
	{"three", `country == "DE" and orders_count >= 3 and postal_code >= "5"`, `country = 'DE' AND orders_count >= 3 AND postal_code COLLATE "C" >= '5'`},
	{"in", `country in ["DE", "AT"] and orders_count >= 3 and last_order_at < ago("90d")`, `country IN ('DE', 'AT') AND orders_count >= 3 AND last_order_at < timestamptz '2026-02-20 12:00Z' - interval '90 days'`},
	{"text", `email endsWith "@example.org" and city != "City7"`, `email LIKE '%@example.org' AND city <> 'City7'`},
	{"pattern", `city matches "^City1.*5$"`, `city ~ '^City1.*5$'`},
	{"not", `not (country == "US") and is_known(email)`, `country IS DISTINCT FROM 'US' AND email IS NOT NULL`},
	{"tags", `tags contains "garden" and score > 50`, `'garden' = ANY(a_tags) AND a_score > 50`},
	{"sum", `total_spent / orders_count > 60`, `orders_count > 0 AND total_spent / orders_count > 60.0000005`},
	{"calendar", `month(last_order_at) == 12`, `extract(month FROM last_order_at AT TIME ZONE time_zone) = 12`},
	{"birthday", `birthday_within("7d")`, `to_char(a_birthday, 'MMDD') IN ('0220', '0221', '0222', '0223', '0224', '0225', '0226', '0227')`},
	{"any", `any(orders, .amount > 99)`, `EXISTS (SELECT FROM orders o WHERE o.customer_id = c.customer_id AND base_amount > 99)`},
	{"none", `none(orders, .at > ago("1y"))`, `NOT EXISTS (SELECT FROM orders o WHERE o.customer_id = c.customer_id AND ordered_at > timestamptz '2025-02-20 12:00Z')`},
	{"all", `orders_count > 0 and all(orders, .place == "web")`, `orders_count > 0 AND NOT EXISTS (SELECT FROM orders o WHERE o.customer_id = c.customer_id AND place IS DISTINCT FROM 'web')`},
	{"count", `count(orders, .amount > 50) >= 3`, `customer_id IN (SELECT customer_id FROM orders WHERE base_amount > 50 GROUP BY 1 HAVING count(*) >= 3)`},
	{"few", `count(orders, .amount > 50) < 2`, `NOT EXISTS (SELECT FROM (SELECT customer_id FROM orders WHERE base_amount > 50 GROUP BY 1 HAVING count(*) >= 2) o WHERE o.customer_id = c.customer_id)`},
	{"total", `sum(filter(orders, .at > ago("1y")), .amount) > 200`, `customer_id IN (SELECT customer_id FROM orders WHERE ordered_at > timestamptz '2025-02-20 12:00Z' GROUP BY 1 HAVING sum(base_amount) > 200)`},
	{"mean", `mean(map(orders, .amount)) > 70`, `customer_id IN (SELECT customer_id FROM orders GROUP BY 1 HAVING sum(base_amount) >= 70.000001 * count(*))`},
	{"arithmetic", `sum(orders, .amount) / count(orders) > 70`, `customer_id IN (SELECT customer_id FROM orders GROUP BY 1 HAVING sum(base_amount) >= 70.000001 * count(*))`},
	{"two", `count(orders) >= 5 and max(map(orders, .amount)) > 95`, `customer_id IN (SELECT customer_id FROM orders GROUP BY 1 HAVING count(*) >= 5 AND max(base_amount) > 95)`},
	{"beside", `sum(filter(orders, .at > ago("1y")), .amount) > total_spent * 0.5`,
		`customer_id IN (SELECT customer_id FROM customers LEFT JOIN (SELECT customer_id, sum(base_amount) AS s FROM orders WHERE ordered_at > timestamptz '2025-02-20 12:00Z' GROUP BY 1) o USING (customer_id) WHERE coalesce(s, 0) > total_spent * 0.5)`},
	{"last", `last(orders).place == "shop"`, `customer_id IN (SELECT customer_id FROM (SELECT DISTINCT ON (customer_id) customer_id, place FROM orders ORDER BY customer_id, ordered_at DESC, order_ref COLLATE "C" DESC) o WHERE place = 'shop')`},
	{"bought", `bought("SKU-7")`, `EXISTS (SELECT FROM order_lines l WHERE l.customer_id = c.customer_id AND sku = 'SKU-7' AND quantity > 0 AND amount >= 0)`},
	{"lately", `bought("SKU-7", "1y") and country == "DE"`,
		`country = 'DE' AND EXISTS (SELECT FROM order_lines l JOIN orders o USING (customer_id, order_ref) WHERE l.customer_id = c.customer_id AND sku = 'SKU-7' AND l.quantity > 0 AND l.amount >= 0 AND ordered_at >= timestamptz '2025-02-20 12:00Z')`},
	{"clicked", `clicked("c3", "90d") and not bought("", "90d")`,
		`EXISTS (SELECT FROM responses r WHERE r.customer_id = c.customer_id AND campaign_id = 3 AND kind = 'click' AND NOT machine AND at >= timestamptz '2025-11-22 12:00Z')
		AND NOT EXISTS (SELECT FROM orders o WHERE o.customer_id = c.customer_id AND quantity > 0 AND base_amount >= 0 AND ordered_at >= timestamptz '2025-11-22 12:00Z')`},
	{"contacts", `contacts("post", "90d") <= 1`,
		`NOT EXISTS (SELECT FROM (SELECT customer_id FROM touches WHERE state = 'sent' AND channel = 'post' AND sent_at >= timestamptz '2025-11-22 12:00Z' GROUP BY 1 HAVING count(*) > 1) t WHERE t.customer_id = c.customer_id)`},
	{"objective", `any(responses, .objective == "reactivation" and .interest)`,
		`EXISTS (SELECT FROM responses r JOIN campaigns k USING (campaign_id) WHERE r.customer_id = c.customer_id AND NOT machine AND objective = 'reactivation' AND kind IN ('click', 'reply', 'call', 'visit', 'coupon', 'order', 'survey'))`},
	{"followed", `followed(clicked(), bought(), "7d")`,
		`EXISTS (SELECT FROM responses r JOIN orders o ON o.customer_id = r.customer_id AND o.ordered_at > r.at AND o.ordered_at <= r.at + interval '7 days'
		WHERE r.customer_id = c.customer_id AND r.kind = 'click' AND NOT machine AND quantity > 0 AND base_amount >= 0)`},
	{"list", `in_list("Club") and not contacted("", "30d")`,
		`+EXISTS (SELECT FROM list_members m WHERE m.customer_id = c.customer_id AND list_id = 1) AND NOT EXISTS (SELECT FROM touches t WHERE t.customer_id = c.customer_id AND state = 'sent' AND sent_at >= timestamptz '2026-01-21 12:00Z')`},
	{"household", `household(any(orders, .amount > 99)) and orders_count > 0`,
		`orders_count > 0 AND (household_id IN (SELECT household_id FROM customers h WHERE NOT rented AND EXISTS (SELECT FROM orders o WHERE o.customer_id = h.customer_id AND base_amount > 99))
		OR household_id IS NULL AND EXISTS (SELECT FROM orders o WHERE o.customer_id = c.customer_id AND base_amount > 99))`},
	{"sample", `nth(10) and bucket("seed", 0, 50)`, `customer_id % 10 = 0 AND mod(('x' || left(md5('seed:' || customer_id), 8))::bit(32)::bigint, 100) < 50`},
	{"top", `top(5000, total_spent, country == "DE")`, `customer_id IN (SELECT customer_id FROM customers WHERE NOT rented AND country = 'DE' ORDER BY total_spent DESC, customer_id LIMIT 5000)`},
}
