package segments

import (
	"errors"
	"strings"
	"testing"
	"time"

	"aldine/internal/fault"
)

// A count that takes too long ends with a plain message.
func TestCountsEndInTime(t *testing.T) {
	t.Parallel()
	s, pool := world(t, 5)
	s.timeout = time.Second
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(t.Context()) }()
	if _, err := tx.Exec(t.Context(), `LOCK TABLE customers`); err != nil {
		t.Fatal(err)
	}
	_, counted := s.Count(t.Context(), "vip", Exact)
	_, sampled := s.Sample(t.Context(), "vip", 5)
	for what, err := range map[string]error{"count": counted, "sample": sampled} {
		const want = "Counting took longer than 1 seconds: ask for an estimate, or narrow the expression"
		var f *fault.Error
		if !fault.Is(err, fault.Unavailable) || !errors.As(err, &f) || f.Message != want {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// What is too large is refused quickly and in plain words, however it is too large: whole or faulty.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	_, pool := world(t, 0)
	catalog, err := LoadCatalog(t.Context(), pool)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ expression, says string }{
		{strings.Repeat("a", 9000), "longer than 8192 bytes"},
		{strings.Repeat("é", 4097), "longer than 8192 bytes"},
		{strings.Repeat("vip and ", 501) + "vip", "at most 500 parts"},
		{strings.Repeat("not ", 400) + "vip", "too large"},
		{strings.Repeat("not (", 300) + "vip" + strings.Repeat(")", 300), "nested at most 200 deep"},
		{strings.Repeat("(vip ? ", 260) + "vip" + strings.Repeat(" : vip)", 260), "too large"},
		{"score > " + strings.Repeat("1 + ", 51) + "score", "computes too much"},
		{strings.Repeat("count(orders) > 1 or ", 101) + "vip", "at most 100 looks"},
		{"city in [" + strings.Repeat(`"a", `, 600) + `"b"]`, "601 values are too many"},
		{"city matches \"" + strings.Repeat("a", 201) + `"`, "longer than 200 characters"},
		{"(" + strings.Repeat("vip or (", 900), "never closed"},
		{strings.Repeat("[", 8000), "never closed"},
		{strings.Repeat(")", 8000), "no opening bracket"},
		{strings.Repeat("any(orders, ", 600), "never closed"},
		{strings.Repeat("vip = ", 1300), "write =="},
		{strings.Repeat("a.b(", 2000), ""},
		{strings.Repeat("vip and (", 400) + "vip =" + strings.Repeat(")", 400), ""},
		{strings.Repeat("city = 1 and ", 600) + "vip", "write =="},
		{strings.Repeat("\"", 8001), ""},
		{strings.Repeat("{", 8000), "never closed"},
		{strings.Repeat("?:", 4000), ""},
		{strings.Repeat(",", 8000), ""},
		{strings.Repeat("-", 8000) + "1 > 0", "too large"},
	} {
		begun := time.Now()
		_, err := catalog.Compile(c.expression, testNow)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%.40s: %v", c.expression, err)
		}
		if took := time.Since(begun); took > 3*time.Second {
			t.Errorf("%.40s: took %v", c.expression, took)
		}
	}
}
