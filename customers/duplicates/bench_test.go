package duplicates_test

import (
	"fmt"
	"testing"

	"aldine/customers/duplicates"
)

// BenchmarkSearch searches a house file of 100,000, of whom one in ten is there twice.
func BenchmarkSearch(b *testing.B) {
	h := setup(b)
	h.town(90_000)
	h.exec(`INSERT INTO customers (first_name, last_name, email, phone, street, city, postal_code, country, created_at, updated_at)
		SELECT left(first_name, 2) || substr(first_name, 4), last_name, email, NULL, street, city, postal_code, country, created_at, updated_at
		FROM customers WHERE customer_id % 9 = 0 ORDER BY customer_id`)
	for b.Loop() {
		s := h.find(duplicates.NewSearch{})
		b.ReportMetric(float64(s.Pairs), "pairs")
		b.Logf("%s: %d pairs, %d below the threshold; people %s", fmt.Sprint(s.State), s.Pairs, s.ForReview, h.text(`SELECT count(DISTINCT person_id)::text FROM customers`))
	}
}
