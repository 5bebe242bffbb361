package web

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"aldine/segments"
)

// segmentUses finds the campaigns that aim at a segment and the segments that build on it.
func (p *Pages) segmentUses(ctx context.Context, s segments.Segment) ([]use, error) {
	rows, err := p.Pool.Query(ctx, `
		SELECT 'Campaign' AS kind, name || coalesce(' (version ' || segment_version || ')', ''), '/campaigns/' || campaign_id, NULL FROM campaigns WHERE segment_id = @id
		UNION ALL
		SELECT 'Segment', name, '/segments/' || segment_id, expression FROM segments WHERE segment_id <> @id AND strpos(expression, 'in_segment') > 0
		ORDER BY 1, 2`, pgx.NamedArgs{"id": s.ID})
	if err != nil {
		return nil, err
	}
	var uses []use
	var u use
	var expression *string
	_, err = pgx.ForEachRow(rows, []any{&u.Kind, &u.Name, &u.Path, &expression}, func() error {
		if len(uses) < 100 && (expression == nil || segments.Uses(*expression, s.Name)) {
			uses = append(uses, u)
		}
		return nil
	})
	return uses, err
}

// reference is what the editor offers to click: fields, attributes, functions.
func reference(names segments.Names) []referenceGroup {
	var own []referenceEntry
	for _, a := range names.Attributes {
		own = append(own, referenceEntry{a.Name, a.Name, a.Name, a.Label + " (" + a.Type + ")"})
	}
	groups := []referenceGroup{}
	if own != nil {
		groups = append(groups, referenceGroup{"Your attributes", own})
	}
	kinds := map[string]int{}
	for _, e := range names.Reference {
		kind := plainKind(e)
		i, ok := kinds[kind]
		if !ok {
			i = len(groups)
			kinds[kind] = i
			groups = append(groups, referenceGroup{Name: kind})
		}
		insert := e.Name
		if e.Kind == "function" {
			insert = e.Signature
		} else if e.Signature != e.Name { // a property
			insert += `("")`
		}
		groups[i].Entries = append(groups[i].Entries, referenceEntry{e.Name, insert, e.Signature, e.Description})
	}
	return groups
}

// ones says what one of a collection is.
var ones = map[string]string{"orders": "an order", "lines": "an order line", "responses": "a response", "touches": "a touch", "events": "an event"}

func plainKind(e segments.Entry) string {
	switch e.Kind {
	case "field":
		return "Facts of a customer"
	case "function":
		return "Functions"
	}
	of, _, _ := strings.Cut(strings.TrimPrefix(e.Example, "any("), ",")
	if one, ok := ones[of]; ok {
		return "Facts of " + one + ": " + of
	}
	return "Facts of " + of
}
