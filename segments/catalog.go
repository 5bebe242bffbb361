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
	Events     []string    `json:"events"`    // names that there have been

	everybody []field // the facts that every customer has
	fields    []field // the attributes, ordered by name
	hidden    []string
	segments  map[string]string
	lists     map[string]int64
	campaigns map[string]int64
	coming    map[string]bool // attributes that are being added; private ones are true
	limits    *limits         // nil where there are none yet
	reader    bool            // a role that may not use private attributes
}

// ForReader gives the catalog for a role that may not use private attributes.
func (c *Catalog) ForReader() *Catalog {
	own := *c
	own.reader = true
	own.Attributes = slices.DeleteFunc(slices.Clone(c.Attributes), func(a Attribute) bool { return a.Private })
	return &own
}

// Attribute is a field that a marketer defined.
type Attribute struct {
	Name        string `json:"name"`
	Label       string `json:"label"`
	Type        string `json:"type"`
	Description string `json:"description"`
	Private     bool   `json:"private"` // not for the read-only role
}

// LoadCatalog reads the catalog.
func LoadCatalog(ctx context.Context, q Querier) (*Catalog, error) {
	if err := loadZones(ctx, q); err != nil {
		return nil, err
	}
	c := &Catalog{segments: map[string]string{}, lists: map[string]int64{}, campaigns: map[string]int64{}, coming: map[string]bool{}}
	// One trip: kind, name, and for an attribute label, type, column and description; for others the id or the expression.
	rows, err := q.Query(ctx, `
		SELECT 'attribute' AS what, name, label, type, column_name, description, 0::bigint, private FROM attributes
		UNION ALL SELECT 'coming', name, '', '', '', '', 0, private FROM coming_attributes
		UNION ALL SELECT 'segment', name, expression, '', '', '', segment_id, false FROM segments
		UNION ALL SELECT 'list', name, '', '', '', '', list_id, false FROM lists
		UNION ALL SELECT 'campaign', code, '', '', '', '', campaign_id, false FROM campaigns
		UNION ALL SELECT 'event', name, '', '', '', '', 0, false FROM event_names
		UNION ALL SELECT 'rfm', (x.day - date '1970-01-01')::text, x.orders::text, x.spent::text, '', '', 0, false
			FROM rfm_limits l CROSS JOIN unnest(l.days, l.orders, l.spent) AS x (day, orders, spent)
		ORDER BY 1, 2`)
	if err != nil {
		return nil, err
	}
	var what, name, label, typ, column, description string
	var id int64
	var private bool
	_, err = pgx.ForEachRow(rows, []any{&what, &name, &label, &typ, &column, &description, &id, &private}, func() error {
		switch what {
		case "attribute":
			c.add(Attribute{Name: name, Label: label, Type: typ, Description: description, Private: private}, column)
		case "coming":
			c.coming[name] = private
		case "segment":
			c.Segments, c.segments[name] = append(c.Segments, name), label
		case "list":
			c.Lists, c.lists[name] = append(c.Lists, name), id
		case "rfm":
			c.addLimits(name, label, typ)
		case "event":
			c.Events = append(c.Events, name)
		case "campaign":
			c.Campaigns, c.campaigns[name] = append(c.Campaigns, name), id
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(c.fields, func(a, b field) int { return cmp.Compare(a.name, b.name) })
	c.bind()
	return c, nil
}

// Hidden gives the attributes that no expression reaches, since every customer has a fact of the name. New ones are refused.
func (c *Catalog) Hidden() []string { return c.hidden }

func (c *Catalog) add(a Attribute, column string) {
	if isStored(a.Name) {
		c.hidden = append(c.hidden, a.Name)
		return
	}
	f := field{name: a.Name, column: pgx.Identifier{column}.Sanitize(), doc: a.Description, private: a.Private}
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
