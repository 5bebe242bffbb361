package web_test

import (
	"testing"
	"time"

	"aldine/internal/access"
)

// A customer's page shows the score once there are limits and an order; the editor refuses one before, and then counts it.
func TestScoreOfCustomer(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	marketer, at := s.as(access.Marketer), time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	marketer.post("/customers", "last_name", "Smith", "email", "anna@example.org").to("/customers/1")
	marketer.get("/customers/1").want(200).hasNot("RFM")
	marketer.post("/segments", "name", "best", "expression", "rfm >= 400").want(422).has("RFM limits have not been made yet")
	for _, sql := range []string{
		`INSERT INTO rfm_limits (days, orders, spent, customers, made_at) VALUES ('{2020-01-01,2021-01-01,2022-01-01,2023-01-01}', '{1,2,3,4}', '{1,2,3,4}', 1, $1)`,
		`UPDATE customers SET orders_count = 3, total_spent = 4, last_order_at = $1`,
	} {
		_, err := s.pool.Exec(t.Context(), sql, at)
		must(t, err)
	}
	marketer.get("/customers/1").want(200).has("RFM", "534")
	marketer.post("/segments", "name", "best", "expression", "rfm >= 400").to("/segments/1")
	marketer.get("/customers/1").want(200).has("best")
}
