package segments

import (
	"cmp"
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
)

// Catalog is what an expression can name in this database.
type Catalog struct {
	Attributes []Attribute `json:"attributes"`
	Segments   []string    `json:"segments"`
	Lists      []string    `json:"lists"`
	Campaigns  []string    `json:"campaigns"` // codes

	fields    []field // the attributes, ordered by name
	segments  map[string]string
	lists     map[string]int64
	campaigns map[string]int64
}

// Attribute is a field that a marketer defined.
type Attribute struct {
	Name        string `json:"name"`
	Label       string `json:"label"`
	Type        string `json:"type"`
	Description string `json:"description"`
}

// LoadCatalog reads the catalog.
func LoadCatalog(ctx context.Context, q Querier) (*Catalog, error) {
	c := &Catalog{segments: map[string]string{}, lists: map[string]int64{}, campaigns: map[string]int64{}}
	// One trip: kind, name, and for an attribute label, type, column and description; for others the id or the expression.
	rows, err := q.Query(ctx, `
		SELECT 'attribute' AS what, name, label, type, column_name, description, 0::bigint FROM attributes
		UNION ALL SELECT 'segment', name, expression, '', '', '', segment_id FROM segments
		UNION ALL SELECT 'list', name, '', '', '', '', list_id FROM lists
		UNION ALL SELECT 'campaign', code, '', '', '', '', campaign_id FROM campaigns
		ORDER BY 1, 2`)
	if err != nil {
		return nil, err
	}
	var what, name, label, typ, column, description string
	var id int64
	_, err = pgx.ForEachRow(rows, []any{&what, &name, &label, &typ, &column, &description, &id}, func() error {
		switch what {
		case "attribute":
			c.add(Attribute{Name: name, Label: label, Type: typ, Description: description}, column)
		case "segment":
			c.Segments, c.segments[name] = append(c.Segments, name), label
		case "list":
			c.Lists, c.lists[name] = append(c.Lists, name), id
		case "campaign":
			c.Campaigns, c.campaigns[name] = append(c.Campaigns, name), id
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(c.fields, func(a, b field) int { return cmp.Compare(a.name, b.name) })
	return c, nil
}

func (c *Catalog) add(a Attribute, column string) {
	f := field{name: a.Name, column: pgx.Identifier{column}.Sanitize(), doc: a.Description}
	switch a.Type {
	case "text":
		f.kind = text
	case "number", "money":
		f.kind, f.cast = number, asNumber
	case "bool":
		f.kind = boolean
	case "date":
		f.kind, f.cast = instant, asTime
	case "time":
		f.kind = instant
	case "list":
		f.kind = texts
	default:
		return // a type of a newer version: not for this one's expressions
	}
	c.Attributes = append(c.Attributes, a)
	c.fields = append(c.fields, f)
}
