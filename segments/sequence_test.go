package segments

import (
	"context"
	"strings"
	"testing"
	"time"
)

// Whoever did something often is found as fast as others: the ways through events multiply, the moments reached do not.
func TestFollowedOften(t *testing.T) {
	t.Parallel()
	s, pool := world(t, 3)
	exec(t, pool, `DELETE FROM responses`)
	exec(t, pool, `INSERT INTO responses (customer_id, response_id, kind, at, recorded_at, method, machine)
		SELECT c, gen_random_uuid(), 'click', $1::timestamptz - n * interval '1 day', $1, 'direct', false FROM unnest('{1,2}'::bigint[]) c, generate_series(1, 60) n
		WHERE c = 1 OR n <= 3`, testNow)
	exec(t, pool, `UPDATE customers SET rented = false`)
	exec(t, pool, `ANALYZE`)
	facts := allFacts(t, pool)
	clicks := func(n int, within string) string { return strings.Repeat(`clicked(), `, n-1) + `clicked()` + within }
	for expression, want := range map[string][]int64{
		`followed(` + clicks(9, "") + `)`: {1},
		`followed(` + clicks(3, "") + `)`: {1, 2},
		`followed(clicked(), clicked(), "30d", clicked(), "30d", clicked(), "1mo", clicked(), "60d")`: {1},
		`followed(` + clicks(8, "") + `, opened())`:                                                   nil,
		`followed(` + clicks(8, "") + `, any(responses, .at > created_at and hour(.at) > 30))`:        nil,
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		if err := disagreement(ctx, s, pool, facts, expression); err != nil {
			t.Errorf("%s: %v", expression, err)
		}
		if ids, err := s.Sample(ctx, expression, 10); err != nil || len(ids) != len(want) {
			t.Errorf("%s: %v, %v; want %v", expression, ids, err, want)
		}
		cancel()
	}
}
