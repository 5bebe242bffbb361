package segments

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strings"
	"testing"

	"aldine/internal/fault"
	"aldine/internal/pgtest"
)

// Scores end where the limits say, follow from the facts of the moment, and are the same in SQL, in memory and in files.
func TestScores(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	s := New(pool, clock)
	exec(t, pool, `INSERT INTO rfm_limits (days, orders, spent, customers, made_at) VALUES ('{2025-01-31,2025-06-30,2025-06-30,2026-01-31}', '{1,2,2,10}', '{-5,0,99.9999,922337203685477.5807}', 1, $1)`, testNow)
	exec(t, pool, `INSERT INTO customers (customer_id, household_id, created_at, updated_at) SELECT i, CASE WHEN i < 3 THEN 1 END, $1, $1 FROM generate_series(1, 9) i`, testNow)
	for i, c := range []struct {
		orders      int
		last, spent string
		rfm         int
	}{
		{1, "2025-01-31 23:59:59.999999+00", "-5", 111},
		{2, "2025-02-01 00:00:00+00", "-4.9999", 222},
		{3, "2025-06-30 23:59:59+00", "0", 242},
		{10, "2025-07-01 00:00:00+00", "0.0001", 443},
		{11, "2026-01-31 23:00:00+00", "99.9999", 453},
		{2147483647, "2026-02-01 00:00:00+00", "100", 554},
		{1, "2026-02-01 00:30:00+01", "922337203685477.5807", 414},
		{1, "9999-12-31 23:59:59+00", "922337203685477.5808", 515},
	} {
		exec(t, pool, `UPDATE customers SET orders_count = $2, last_order_at = $3::text::timestamptz, total_spent = $4::text::numeric WHERE customer_id = $1`, i+1, c.orders, c.last, c.spent)
		facts := allFacts(t, pool)
		for expression, want := range map[string]bool{
			fmt.Sprintf("rfm == %d and recency_score == %d and frequency_score == %d and monetary_score == %d", c.rfm, c.rfm/100, c.rfm/10%10, c.rfm%10): true,
			fmt.Sprintf("rfm + 0 in [%d] and rfm > %d - 0.5 and rfm %% 10 == %d and rfm / 100 < 6", c.rfm, c.rfm, c.rfm%10):                              true,
			"not is_known(rfm) or rfm < 111 or recency_score + frequency_score > 10":                                                                     false,
			fmt.Sprintf("any(household, .rfm == %d and .monetary_score == %d)", c.rfm, c.rfm%10):                                                         true,
			fmt.Sprintf("max(map(household, .rfm)) >= %d and household(rfm == %d)", c.rfm, c.rfm):                                                        true,
		} {
			if err := disagreement(t.Context(), s, pool, facts, expression); err != nil {
				t.Error(err)
			}
			compiled, err := s.Compile(t.Context(), expression, testNow)
			if err != nil {
				t.Fatal(err)
			}
			if ok, err := compiled.Match(facts[int64(i+1)]); ok != want || err != nil {
				t.Errorf("customer %d, %s: %v, %v", i+1, expression, ok, err)
			}
		}
		if rfm, err := s.RFM(t.Context(), int64(i+1)); rfm != c.rfm || err != nil {
			t.Errorf("customer %d: %d, %v; want %d", i+1, rfm, err, c.rfm)
		}
	}
	if count, err := s.Count(t.Context(), "is_known(rfm) or is_known(recency_score) or monetary_score >= 0", Exact); err != nil || count.Count != 8 {
		t.Errorf("without an order: %+v, %v", count, err)
	}
	facts := allFacts(t, pool)
	for _, literal := range []string{"-1", "0", "1", "99", "110", "222", "399", "400", "414", "415", "443", "450", "453", "460", "499", "515", "555", "999", "1000", "414.5", "3000000000"} {
		for operator := range sqlOperators {
			for _, expression := range []string{"rfm " + operator + " " + literal, "not (rfm " + operator + " " + literal + ")", "any(household, .rfm " + operator + " " + literal + ")"} {
				if err := disagreement(t.Context(), s, pool, facts, expression); err != nil {
					t.Errorf("%s: %v", expression, err)
				}
			}
		}
	}
	if top, err := s.Count(t.Context(), "top(2, rfm) and rfm > 500", Exact); err != nil || top.Count != 2 {
		t.Errorf("the best two: %+v, %v", top, err)
	}
	for _, id := range []int64{9, 77} {
		if rfm, err := s.RFM(t.Context(), id); rfm != 0 || err != nil {
			t.Errorf("customer %d: %d, %v", id, rfm, err)
		}
	}
	write, err := s.Export(t.Context(), Segment{Name: "all"})
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := write(&file); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(file.Bytes(), []byte("\ufeff")))).ReadAll()
	if err != nil || len(rows) != 10 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if at := slices.Index(rows[0], "rfm"); at < 0 || rows[2][at] != "222" || rows[9][at] != "" {
		t.Errorf("%q", rows)
	}
}

// Without limits scores are a fault that says what comes; a file has no columns for them. Of a day past nothing says who stood where.
func TestScoresWithoutLimits(t *testing.T) {
	t.Parallel()
	s, pool := world(t, 5)
	if err := s.Check(t.Context(), `as_of("2025-01-01", rfm > 400)`); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "rfm is known only as it is now") {
		t.Error(err)
	}
	exec(t, pool, `INSERT INTO segments (name, expression, created_by, created_at, updated_at) VALUES ('best', 'rfm >= 400', 'test', $1, $1)`, testNow)
	if err := s.Check(t.Context(), `in_segment("best")`); err != nil {
		t.Error(err)
	}
	exec(t, pool, `DELETE FROM rfm_limits`)
	for _, expression := range []string{"rfm >= 400", "monetary_score in [4, 5]", "any(household, .frequency_score == 5)", "household(recency_score == 5)", `in_segment("best")`, "top(5, rfm)"} {
		if err := s.Check(t.Context(), expression); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), noLimits) {
			t.Errorf("%s: %v", expression, err)
		}
	}
	if rfm, err := s.RFM(t.Context(), 1); rfm != 0 || err != nil {
		t.Errorf("%d, %v", rfm, err)
	}
	write, err := s.Export(t.Context(), Segment{Name: "all"})
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := write(&file); err != nil || strings.Contains(file.String(), "rfm") {
		t.Errorf("%v\n%s", err, file.String())
	}
}
