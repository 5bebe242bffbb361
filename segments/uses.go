package segments

import (
	"context"
	"fmt"
	"slices"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"
	"github.com/jackc/pgx/v5"
)

// userOf gives who uses a segment, in words ("the campaign \"spring\""), "" for nobody: a segment, or a campaign or
// merge/purge run not yet over, whose expressions name it, and with links a campaign of any state that has it as its audience.
func userOf(ctx context.Context, tx pgx.Tx, of Segment, links bool) (string, error) {
	rows, err := tx.Query(ctx, `
		SELECT 'campaign' AS what, code, '' AS expression, true AS link FROM campaigns WHERE segment_id = @id
		UNION ALL SELECT 'segment', name, expression, false FROM segments WHERE segment_id <> @id
		UNION ALL SELECT 'campaign', code, expression, false FROM campaigns WHERE state NOT IN ('finished', 'cancelled')
		UNION ALL SELECT 'campaign', c.code, e #>> '{}', false FROM campaigns c
			JOIN journeys j ON j.campaign_id = c.campaign_id AND j.version = c.version
			CROSS JOIN LATERAL jsonb_path_query(j.definition, 'lax $.steps[*].if') e
			WHERE c.state NOT IN ('finished', 'cancelled')
		UNION ALL SELECT 'merge/purge run', r.name, i.expression, false FROM merge_inputs i JOIN merge_runs r ON r.run_id = i.run_id
			WHERE r.state IN ('draft', 'waiting', 'running')
		ORDER BY 1, 2`, pgx.NamedArgs{"id": of.ID})
	if err != nil {
		return "", err
	}
	var what, name, user string
	var expression *string
	var link bool
	_, err = pgx.ForEachRow(rows, []any{&what, &name, &expression, &link}, func() error {
		if user == "" && (link && links || expression != nil && Uses(*expression, of.Name)) {
			user = fmt.Sprintf("the %s %q", what, name)
		}
		return nil
	})
	return user, err
}

// Uses tells whether an expression pulls in the segment of the name itself.
func Uses(expression, name string) bool { return slices.Contains(uses(expression), name) }

// uses gives the names of the segments that an expression pulls in; none where it cannot be read.
func uses(expression string) (names []string) {
	defer func() {
		if recover() != nil { // the parser's, see checker.parse
			names = nil
		}
	}()
	if len(expression) > maxSource {
		return nil
	}
	tree, err := parser.Parse(expression)
	if err != nil {
		return nil
	}
	ast.Walk(&tree.Node, visit(func(n *ast.Node) {
		call, ok := (*n).(*ast.CallNode)
		if !ok || len(call.Arguments) != 1 {
			return
		}
		callee, ok := call.Callee.(*ast.IdentifierNode)
		literal, isText := call.Arguments[0].(*ast.StringNode)
		if ok && isText && callee.Value == "in_segment" {
			names = append(names, literal.Value)
		}
	}))
	return names
}

type visit func(*ast.Node)

func (v visit) Visit(n *ast.Node) { v(n) }
