package segments

import (
	"slices"
	"testing"
)

// people of the examples: what each did is written beside.
const people = `
INSERT INTO attributes (name, label, type, column_name, created_at) VALUES
	('ltv', 'ltv', 'money', 'a_ltv', '2026-01-01'), ('interests', 'interests', 'list', 'a_interests', '2026-01-01'), ('birthday', 'birthday', 'date', 'a_birthday', '2026-01-01');
ALTER TABLE customers ADD COLUMN a_ltv numeric(19,4), ADD COLUMN a_interests text[], ADD COLUMN a_birthday date;
INSERT INTO lists (list_id, name, kind, created_at) OVERRIDING SYSTEM VALUE VALUES (1, 'Herb Society', 'house', '2026-01-01');
INSERT INTO campaigns (campaign_id, code, name, objective, currency, state, created_by, created_at, updated_at) OVERRIDING SYSTEM VALUE VALUES
	(1, 'spring-2026', 'Spring', 'reactivation', 'USD', 'running', 'test', '2026-01-01', '2026-01-01'), (2, 'roses', 'Roses', 'sale', 'USD', 'running', 'test', '2026-01-01', '2026-01-01');
INSERT INTO products (sku, name, category, created_at) VALUES ('ROSES', 'Roses', 'plants', '2026-01-01'), ('SEEDS-01', 'Seeds', 'seeds', '2026-01-01');
INSERT INTO customers (customer_id, first_name, city, country, email, time_zone, household_id, orders_count, total_spent, first_order_at, last_order_at, created_at, updated_at, a_ltv, a_interests, a_birthday) VALUES
	(1, 'Ann',  'Berlin', 'DE', 'ann@example.org', 'Europe/Berlin',      7,    2, 90, '2021-02-25 10:00Z', '2026-02-10 09:00Z', '2021-02-01', '2026-01-01', 500, '{roses,herbs}', '1980-02-22'),
	(2, 'Bob',  'San Jose', 'US', 'bob@example.com', 'America/New_York', 7,    1, 30, '2025-12-31 23:30Z', '2025-12-31 23:30Z', '2025-12-01', '2026-01-01', 300, '{herbs}',       '1990-07-01'),
	(3, 'Cleo', NULL,     'AT', NULL,              NULL,                NULL, 0, 0,  NULL,                NULL,                '2026-01-20', '2026-01-01', NULL, NULL,           '2000-02-29'),
	(4, 'Dan',  'Santa Fe', 'US', 'dan@example.org', 'Pacific/Honolulu', NULL, 1, 50, '2026-01-19 12:00Z', '2026-01-19 12:00Z', '2024-06-01', '2026-01-01', 400, '{}',           NULL);
INSERT INTO orders (customer_id, order_ref, ordered_at, quantity, amount, currency, rate, base_amount, place, recorded_at) VALUES
	(1, '1a', '2021-02-25 10:00Z', 1, 40, 'USD', 1, 40, 'shop', '2026-01-01'), (1, '1b', '2026-02-10 09:00Z', 2, 50, 'USD', 1, 50, 'web', '2026-01-01'),
	(2, '2a', '2025-12-31 23:30Z', 1, 30, 'USD', 1, 30, 'web', '2026-01-01'), (4, '4a', '2026-01-19 12:00Z', 1, 50, 'USD', 1, 50, 'phone', '2026-01-01');
INSERT INTO order_lines (customer_id, order_ref, line_no, sku, quantity, amount) VALUES
	(1, '1a', 1, 'SEEDS-01', 1, 40), (1, '1b', 1, 'ROSES', 2, 50), (2, '2a', 1, 'ROSES', 1, 30), (4, '4a', 1, 'SEEDS-01', 1, 50);
INSERT INTO responses (customer_id, response_id, kind, at, recorded_at, campaign_id, channel, method, machine) VALUES
	(1, gen_random_uuid(), 'click', '2026-02-05 09:00Z', '2026-02-05', 1, 'email', 'token', false), (2, gen_random_uuid(), 'click', '2026-02-01 09:00Z', '2026-02-01', 1, 'email', 'token', false),
	(4, gen_random_uuid(), 'click', '2026-02-01 09:00Z', '2026-02-01', 1, 'email', 'token', true), (4, gen_random_uuid(), 'reply', '2026-01-10 09:00Z', '2026-02-01', 2, 'post', 'number', false);
INSERT INTO touches (customer_id, campaign_id, step_id, channel, cell_id, state, planned_at, sent_at, updated_at, unit_cost) VALUES
	(1, 1, 1, 'post', 1, 'sent', '2026-02-01', '2026-02-01', '2026-02-01', 0.8), (1, 1, 2, 'post', 1, 'sent', '2026-02-01', '2026-02-03', '2026-02-01', 0.8),
	(1, 2, 1, 'post', 1, 'sent', '2026-02-01', '2026-02-04', '2026-02-01', 0.8), (2, 1, 1, 'post', 1, 'sent', '2025-10-01', '2025-10-01', '2026-02-01', 0.8), (4, 2, 1, 'email', 1, 'sent', '2026-01-01', '2026-01-05', '2026-02-01', 0.01);
INSERT INTO list_members (customer_id, list_id, added_at) VALUES (3, 1, '2026-01-01'), (4, 1, '2026-01-01');
INSERT INTO segments (name, expression, created_by, created_at, updated_at) VALUES ('buyers', 'orders_count >= 1', 'test', '2026-01-01', '2026-01-01'),
	('good buyers', 'in_segment("buyers") and ltv > 350', 'test', '2026-01-01', '2026-01-01');`

// What marketers ask, part by part of what the language promises; it is noon of 20 February 2026 in UTC.
func TestQuestionsOfMarketers(t *testing.T) {
	t.Parallel()
	s, pool := world(t, 0)
	exec(t, pool, `TRUNCATE attributes, lists, campaigns, products, segments, segment_versions CASCADE`)
	exec(t, pool, `ALTER TABLE customers DROP COLUMN a_birthday`)
	exec(t, pool, people)
	facts := allFacts(t, pool)
	for _, example := range []struct {
		about, expression string
		who               []int64
	}{
		{"comparison", `total_spent >= 50 and country != "US"`, []int64{1}},
		{"in", `country in ["DE", "AT"]`, []int64{1, 3}},
		{"not in", `country not in ["DE", "AT"]`, []int64{2, 4}},
		{"contains", `email contains "@example"`, []int64{1, 2, 4}},
		{"startsWith", `city startsWith "San"`, []int64{2, 4}},
		{"endsWith", `email endsWith "@example.org"`, []int64{1, 4}},
		{"matches", `city matches "(?i)^san "`, []int64{2}},
		{"arithmetic", `total_spent / orders_count > 40`, []int64{1, 4}},
		{"arithmetic: rest", `orders_count % 2 == 1`, []int64{2, 4}},
		{"and or not", `country == "US" and not (city == "Santa Fe") or first_name == "Cleo"`, []int64{2, 3}},
		{"ternary", `(country == "DE" ? total_spent > 80 : total_spent > 40)`, []int64{1, 4}},
		{"??", `(city ?? "nowhere") == "nowhere"`, []int64{3}},
		{"dates: before", `created_at < date("2025-01-01")`, []int64{1, 4}},
		{"durations", `now() - last_order_at <= duration("30d")`, []int64{1}},
		{"months of the calendar", `last_order_at < ago("1mo")`, []int64{2, 4}},
		{"months of the calendar: who was last here a month ago to the day", `last_order_at + duration("1mo1d") >= now()`, []int64{1, 4}},
		{"years of the calendar: of age", `now() - birthday >= duration("26y")`, []int64{1, 2}},
		{"anniversaries", `anniversary_within(first_order_at, "7d")`, []int64{1}},
		{"birthdays, of 29 February too", `birthday_within("10d")`, []int64{1, 3}},
		{"the customer's time zone: ordered this year by their own calendar", `any(orders, year(.at) == 2026)`, []int64{1, 4}},
		{"the customer's time zone: buys in the morning", `any(orders, hour(.at) < 6)`, []int64{4}},
		{"the customer's time zone: their day now", `weekday(now()) == 5 and hour(now()) < 7`, []int64{4}},
		{"list attributes", `interests contains "herbs"`, []int64{1, 2}},
		{"list attributes: not", `not ("roses" in interests)`, []int64{2, 3, 4}},
		{"is_known", `is_known(city)`, []int64{1, 2, 4}},
		{"orders: any", `any(orders, .product == "SEEDS-01" and .amount > 45)`, []int64{4}},
		{"orders: all", `orders_count > 0 and all(orders, .place == "web")`, []int64{2}},
		{"orders: none", `none(orders, .at > ago("1y"))`, []int64{3}},
		{"orders: one", `one(orders, .amount >= 50)`, []int64{1, 4}},
		{"orders: count in a window", `count(orders, .at > ago("90d")) >= 1`, []int64{1, 2, 4}},
		{"orders: sum of some", `sum(filter(orders, .place == "web"), .amount) > 40`, []int64{1}},
		{"orders: max", `max(map(orders, .amount)) == 50`, []int64{1, 4}},
		{"orders: min", `min(map(orders, .amount)) <= 30`, []int64{2}},
		{"orders: mean", `mean(map(orders, .amount)) == 45`, []int64{1}},
		{"orders: first", `first(orders).place == "shop"`, []int64{1}},
		{"orders: last", `last(orders).amount > first(orders).amount`, []int64{1}},
		{"order lines: category", `any(lines, .category == "plants" and .quantity > 1)`, []int64{1}},
		{"order lines: sum", `sum(filter(lines, .category == "seeds"), .amount) >= 50`, []int64{4}},
		{"responses", `count(responses, .kind == "click") > 0`, []int64{1, 2}},
		{"responses: last", `last(responses).at < ago("30d")`, []int64{4}},
		{"touches: cost", `sum(touches, .cost) > 1`, []int64{1}},
		{"events in a window", `clicked("spring-2026", "17d")`, []int64{1}},
		{"never did", `never(bought("ROSES")) and never(clicked())`, []int64{3, 4}},
		{"never did in a window", `never(bought("", "45d"))`, []int64{2, 3}},
		{"clicked A and then bought B within 7 days", `followed(clicked("spring-2026"), bought("ROSES"), "7d")`, []int64{1}},
		{"and then at any time", `followed(any(orders, .place == "shop"), clicked(), bought())`, []int64{1}},
		{"in_segment", `in_segment("good buyers")`, []int64{1, 4}},
		{"in_list", `in_list("Herb Society")`, []int64{3, 4}},
		{"household: whoever lives with a buyer of roses by web", `household(any(orders, .product == "ROSES" and .amount < 40))`, []int64{1, 2}},
		{"household: together", `sum(household, .total_spent) > 100`, []int64{1, 2}},
		{"household: one of each", `count(household) >= 2`, []int64{1, 2}},
		{"contacted by post at most twice in 90 days", `contacts("post", "90d") <= 2`, []int64{2, 3, 4}},
		{"the same over touches", `count(touches, .channel == "post" and .at > ago("90d")) <= 2`, []int64{2, 3, 4}},
		{"responded to any campaign of a type", `any(responses, .interest and .objective == "sale")`, []int64{4}},
		{"contacted, no response", `contacted("roses") and never(responded("roses"))`, []int64{1}},
		{"sampling: every second", `nth(2)`, []int64{2, 4}},
		{"sampling: a share and its rest", `bucket("test", 0, 20) or bucket("test", 20, 100)`, []int64{1, 2, 3, 4}},
		{"top", `top(2, ltv)`, []int64{1, 4}},
		{"top among some", `top(1, total_spent, country == "US")`, []int64{4}},
		{"as-of dates", `as_of("2026-01-01", count(orders) == 1)`, []int64{1, 2}},
		{"as-of dates: a window before", `as_of("2026-02-01", bought("", "31d"))`, []int64{4}},
	} {
		where, args := must(t, s, example.expression).Where("c", "p")
		who, err := selected(t.Context(), pool, where, args)
		if err != nil || !slices.Equal(who, example.who) {
			t.Errorf("%s: %s chooses %v, %v; want %v", example.about, example.expression, who, err, example.who)
		}
		if err := disagreement(t.Context(), s, pool, facts, example.expression); err != nil {
			t.Errorf("%s: %s: %v", example.about, example.expression, err)
		}
	}
}

func must(t *testing.T, s *Service, expression string) *Compiled {
	t.Helper()
	compiled, err := s.Compile(t.Context(), expression, testNow)
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return compiled
}
