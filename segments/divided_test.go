package segments

import (
	"testing"
)

// Slices count what one statement counts, whatever the number of customers says about how many there are.
func TestSlicesCountAlike(t *testing.T) {
	t.Parallel()
	s, pool := world(t, 300)
	exec(t, pool, `UPDATE pg_class SET reltuples = CASE relname WHEN 'customers' THEN 5e6 ELSE 2e7 END
		WHERE relname IN ('customers', 'orders', 'order_lines', 'touches') OR relname LIKE 'responses\_%' AND relkind = 'r'`)
	divided := 0 // the others were not worth it
	for _, expression := range []string{
		`count(orders, .amount > 5) >= 2`, `count(orders, .amount > 10) < 2`, `sum(orders, .quantity) > 2 and count(touches) < 3`, `mean(map(orders, .quantity)) > 1 or country == "DE"`,
		`not (max(map(orders, .quantity)) == 3)`, `last(orders).place == "a" or in_segment("quiet")`, `sum(orders, .amount) / sum(orders, .quantity) <= 20`,
		`count(orders) > 1 and sum(orders, .quantity) > total_spent * 0.1 and any(responses, .interest)`, `last(orders).place == "a"`, `first(touches).channel != "post"`,
	} {
		c, err := s.Compile(t.Context(), expression, testNow)
		if err != nil {
			t.Fatal(err)
		}
		if !c.divisible() {
			t.Errorf("%s is not counted in slices", expression)
		}
		where, args := c.Where("c", "p")
		want, err := selected(t.Context(), pool, where, args)
		if err != nil {
			t.Fatal(err)
		}
		var got int64
		done, err := s.divided(t.Context(), c, &got)
		if err != nil || done && got != int64(len(want)) || len(want) == 0 {
			t.Errorf("%s: %d, %v; want %d", expression, got, err, len(want))
		}
		if done {
			divided++
		}
	}
	if divided < 7 {
		t.Errorf("%d of 10 counted in slices", divided)
	}
	for _, expression := range []string{`country == "DE"`, `count(orders) > 2`, `birthday_within("7d")`, `top(5, count(orders))`, `household(count(orders) > 1)`, `count(household) > 1 and count(orders) > 1`} {
		if c, err := s.Compile(t.Context(), expression, testNow); err != nil || c.divisible() {
			t.Errorf("%s: %v, in slices", expression, err)
		}
	}
}
