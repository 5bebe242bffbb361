package tracking_test

import (
	"testing"

	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"

	"aldine/tracking"
)

// Who answers is no rented name any more; what is no answer of a person changes nothing.
func TestResponsesMakeCustomers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for kind, joins := range map[tracking.Kind]bool{
		tracking.KindClick: true, tracking.KindReply: true, tracking.KindCall: true, tracking.KindVisit: true, tracking.KindSurvey: true, tracking.KindOrder: true,
		tracking.KindCoupon: true, tracking.KindOpen: false, tracking.KindBounce: false, tracking.KindUnsubscribe: false, tracking.KindComplaint: false,
	} {
		w.exec(`UPDATE customers SET rented = true`)
		r := tracking.Response{Kind: kind, CustomerID: 1, At: start}
		switch kind {
		case tracking.KindCoupon:
			r.Coupon = w.code
		case tracking.KindOrder:
			r.OrderRef, r.Amount, r.Currency = "o1", decimal.MustParse("10"), "USD"
		}
		if _, err := w.s.Record(t.Context(), "test", []tracking.Response{r}); err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		var rented, other bool
		if err := w.pool.QueryRow(t.Context(), `SELECT rented, (SELECT bool_and(rented) FROM customers WHERE customer_id <> 1) FROM customers WHERE customer_id = @id`,
			pgx.NamedArgs{"id": 1}).Scan(&rented, &other); err != nil {
			t.Fatal(err)
		}
		if rented == joins || !other {
			t.Errorf("after %s: rented %v, the others %v", kind, rented, other)
		}
	}
	var touches int
	if err := w.pool.QueryRow(t.Context(), `SELECT count(*) FROM touches WHERE customer_id = 1 AND state IN ('sent', 'bounced')`).Scan(&touches); err != nil || touches == 0 {
		t.Errorf("the history has %d touches: %v", touches, err)
	}
}
