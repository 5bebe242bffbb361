package segments

import (
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/internal/fault"
)

// Compiled is a valid expression, bound to a catalog and a point in time. It is immutable and safe for concurrent use.
//
// Rented names (customers.rented) belong to it only where the expression, or a segment that it pulls in, names a list of theirs
// by in_list: they may be used under a licence, and are no part of the house file.
type Compiled struct {
	root   node
	ranked bool    // top: customers are set beside each other
	scans  int     // looks at behaviour
	lists  []int64 // named by in_list; their rented names take part
	chosen bool    // no rule for rented names
}

// Compile checks expression and gives it in a form that can be run; now is what now() in it means.
func (c *Catalog) Compile(expression string, now time.Time) (*Compiled, error) {
	checked, root, err := check(c, expression, now)
	if err != nil {
		return nil, err
	}
	return &Compiled{root: root, lists: slices.Sorted(maps.Keys(checked.lists)), ranked: checked.ranked, scans: *checked.scans}, nil
}

// CompileCondition is Compile for a question that is asked of customers one by one, such as a branch of a journey: top,
// which sets customers beside each other, is Invalid in it. The result asks rented names like anybody else.
func (c *Catalog) CompileCondition(expression string, now time.Time) (*Compiled, error) {
	compiled, err := c.Compile(expression, now)
	if err != nil {
		return nil, err
	}
	if compiled.ranked {
		return nil, fault.Bad("The expression is not valid", fault.Field{Name: "expression", Line: 1, Column: 1,
			Message: "top compares customers with each other, so it can choose an audience, but not decide for one customer in a journey"})
	}
	return compiled.OfChosen(), nil
}

// OfChosen gives the expression as a question about customers who were chosen before, such as those who walk a journey: it
// asks rented names like anybody else.
func (c *Compiled) OfChosen() *Compiled {
	return &Compiled{root: c.root, lists: c.lists, ranked: c.ranked, scans: c.scans, chosen: true}
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

// Ranks tells whether the expression sets customers beside each other by top: it has to be asked of all at once to mean one ranking.
func (c *Compiled) Ranks() bool { return c.ranked }

// Match tells whether the expression holds for one customer; it means the same as Where. It fails with Invalid where the
// expression ranks customers by top.
func (c *Compiled) Match(facts Facts) (bool, error) {
	if c.ranked {
		return false, fault.New(fault.Invalid, "top compares customers with each other: it cannot be asked of one customer alone")
	}
	return c.admits(&facts) && truth(c.root.eval(&env{facts: &facts})), nil
}
