package insights

import (
	"context"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"

	"aldine/segments"
)

// Member is a customer of a sample, with each condition of the expression and whether it holds.
type Member struct {
	CustomerID int64   `json:"customer_id"`
	Holds      []*bool `json:"holds"` // in the order of the conditions; nil where it cannot be told for one customer alone
}

// Sampled is a sample of an expression's members.
type Sampled struct {
	Conditions []string `json:"conditions"`
	Members    []Member `json:"members"`
}

// maxConditions is how many conditions are told apart; an expression of more is one condition.
const maxConditions = 24

// Sample gives at most n members of an expression, always the same ones, and why each is one: its conditions are evaluated
// in memory over the facts of each. It fails like segments.Sample.
func (s *Service) Sample(ctx context.Context, expression string, n int) (Sampled, error) {
	ids, err := s.segments.Sample(ctx, expression, n)
	if err != nil || len(ids) == 0 {
		return Sampled{}, err
	}
	catalog, err := segments.LoadCatalog(ctx, s.pool)
	if err != nil {
		return Sampled{}, err
	}
	facts, err := segments.LoadFacts(ctx, s.pool, ids)
	if err != nil {
		return Sampled{}, err
	}
	var out Sampled
	var compiled []*segments.Compiled
	now := s.now()
	for _, condition := range Conditions(expression) {
		out.Conditions = append(out.Conditions, condition)
		one, err := catalog.Compile(condition, now)
		if err != nil {
			one = nil // how it is printed is not how it can be read; the whole was valid
		} else {
			one = one.OfChosen()
		}
		compiled = append(compiled, one)
	}
	for _, id := range ids {
		mine, ok := facts[id]
		if !ok {
			continue // gone since
		}
		m := Member{CustomerID: id, Holds: make([]*bool, len(compiled))}
		for i, c := range compiled {
			if c == nil {
				continue
			}
			if holds, err := c.Match(mine); err == nil {
				m.Holds[i] = &holds
			}
		}
		out.Members = append(out.Members, m)
	}
	return out, nil
}

// Conditions takes an expression apart at and, or and not: not (a or b) gives not a, not b. What cannot be read is one condition;
// the empty expression has none.
func Conditions(expression string) (list []string) {
	if strings.TrimSpace(expression) == "" {
		return nil
	}
	defer func() {
		if recover() != nil { // the parser's
			list = []string{expression}
		}
	}()
	tree, err := parser.Parse(expression)
	if err != nil {
		return []string{expression}
	}
	list = conditions(nil, tree.Node, false)
	if len(list) > maxConditions {
		return []string{expression}
	}
	return list
}

func conditions(list []string, n ast.Node, not bool) []string {
	switch n := n.(type) {
	case *ast.UnaryNode:
		if n.Operator == "not" || n.Operator == "!" {
			return conditions(list, n.Node, !not)
		}
	case *ast.BinaryNode:
		switch n.Operator {
		case "and", "&&", "or", "||":
			return conditions(conditions(list, n.Left, not), n.Right, not)
		}
	}
	text := n.String()
	if not {
		switch n.(type) {
		case *ast.BinaryNode, *ast.ConditionalNode:
			text = "(" + text + ")"
		}
		text = "not " + text
	}
	return append(list, text)
}
