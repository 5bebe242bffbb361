package segments

import (
	"regexp"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Nobody's household is looked for among all customers, however little memory there is to put them into groups.
func TestHouseholdsInLittleMemory(t *testing.T) {
	t.Parallel()
	s, pool := world(t, 100)
	exec(t, pool, `INSERT INTO customers (customer_id, created_at, updated_at, household_id, a_vip)
		SELECT 1000 + n, $1, $1, CASE WHEN n % 3 > 0 THEN n / 2 END, n % 2 = 0 FROM generate_series(1, 30000) n`, testNow)
	exec(t, pool, `ANALYZE customers`)
	scanned := regexp.MustCompile(`SubPlan \d+\n +-> +(Parallel )?Seq Scan`)
	for _, expression := range []string{`household(vip)`, `not household(vip)`, `household(vip) or country == "DE"`, `(household(vip) ? score : 1) > 0`,
		`not (country == "DE" and not household(vip))`, `top(500, score, household(vip) or country == "DE")`, `any(household, .vip) or country == "DE"`} {
		c, err := s.Compile(t.Context(), expression, testNow)
		if err != nil {
			t.Fatal(err)
		}
		err = pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(t.Context(), `SELECT set_config('work_mem', '64kB', true)`); err != nil {
				return err
			}
			where, args := c.Where("c", "p")
			rows, err := tx.Query(t.Context(), `EXPLAIN SELECT count(*) FROM customers c WHERE `+where, pgx.QueryExecModeDescribeExec, args)
			if err != nil {
				return err
			}
			plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
			if text := strings.Join(plan, "\n"); scanned.MatchString(text) {
				t.Errorf("%s:\n%s", expression, text)
			}
			return err
		})
		if err != nil {
			t.Errorf("%s: %v", expression, err)
		}
	}
}

// Of somebody alone whose own fact is not known, a household does not hold; it is not unknown whether it does.
func TestHouseholdsOfWhatIsNotKnown(t *testing.T) {
	t.Parallel()
	s, pool := world(t, 60)
	facts := allFacts(t, pool)
	for _, expression := range []string{`household(vip) == (country == "DE")`, `household(vip) != is_known(city)`, `not household(vip) and is_known(last_name) == household(vip)`} {
		if err := disagreement(t.Context(), s, pool, facts, expression); err != nil {
			t.Errorf("%s: %v", expression, err)
		}
	}
}
