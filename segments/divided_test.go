package segments

import (
	"testing"
)

// Slices count what one statement counts, whatever the number of customers says about how many there are.
func TestSlicesCountAlike(t *testing.T) {
	t.Parallel()
	s, pool := world(t, 300)
	exec(t, pool, `UPDATE pg_class SET reltuples = 5e6 WHERE oid = 'customers'::regclass`)
	for _, expression := range []string{
		`count(orders) >= 2`, `count(orders, .amount > 10) < 2`, `sum(orders, .amount) > 20 and count(touches) < 3`, `mean(map(orders, .amount)) > 15 or country == "DE"`,
		`not (max(map(orders, .at)) > ago("60d"))`, `last(orders).place == "a" or in_segment("quiet")`, `sum(orders, .amount) / count(orders) <= 20`, `count(orders) > 1 and any(responses, .interest)`,
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
		got, err := s.Count(t.Context(), expression, Exact)
		if err != nil || got.Count != int64(len(want)) || len(want) == 0 {
			t.Errorf("%s: %+v, %v; want %d", expression, got, err, len(want))
		}
	}
	for _, expression := range []string{`country == "DE"`, `any(orders, .amount > 10)`, `bought("a")`, `any(responses, .interest)`, `top(5, count(orders))`, `household(count(orders) > 1)`, `count(household) > 1 and count(orders) > 1`} {
		if c, err := s.Compile(t.Context(), expression, testNow); err != nil || c.divisible() {
			t.Errorf("%s: %v, in slices", expression, err)
		}
	}
}
