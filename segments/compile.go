package segments

import (
	"time"

	"github.com/jackc/pgx/v5"
)

// Compiled is a valid expression, bound to a catalog and a point in time. It is immutable and safe for concurrent use.
type Compiled struct {
	root node
}

// Compile checks expression and gives it in a form that can be run; now is what now() in it means.
func (c *Catalog) Compile(expression string, now time.Time) (*Compiled, error) {
	root, err := check(c, expression, now)
	if err != nil {
		return nil, err
	}
	return &Compiled{root: root}, nil
}

// Where gives the expression as boolean SQL over table customers as alias, with its named arguments, called prefix
// followed by 1, 2, ...; several can be embedded in one statement under different prefixes. The SQL is true, false or
// null, and null means false.
func (c *Compiled) Where(alias, prefix string) (string, pgx.NamedArgs) {
	return c.where(alias, prefix, nil)
}

// WhereSlice is Where for customers with first <= customer_id <= last only: the limits are part of the condition and
// of every look at orders, responses and touches, so that a slice does not read whole tables.
func (c *Compiled) WhereSlice(alias, prefix string, first, last int64) (string, pgx.NamedArgs) {
	return c.where(alias, prefix, &[2]int64{first, last})
}

// Match tells whether the expression holds for one customer; it means the same as Where.
func (c *Compiled) Match(facts Facts) (bool, error) {
	return truth(c.root.eval(&env{facts: &facts})), nil
}
