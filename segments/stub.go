package segments

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
)

type node interface{ eval(*env) value }
type value struct{}
type env struct{ facts *Facts }

func truth(value) bool { return true }

var errTodo = errors.New("segments: not written yet")

func check(c *Catalog, expression string, now time.Time) (node, error) { return nil, errTodo }

func (c *Compiled) where(alias, prefix string, slice *[2]int64) (string, pgx.NamedArgs) {
	return "TRUE", nil
}

// Facts are all that expressions can ask of one customer.
type Facts struct{ CustomerID int64 }

// LoadFacts reads the facts of customers; one that does not exist is missing from the map.
func LoadFacts(ctx context.Context, q Querier, ids []int64) (map[int64]Facts, error) {
	return nil, errTodo
}

// Catalog is what an expression can name in this database.
type Catalog struct {
	Attributes []Attribute `json:"attributes"`
	Segments   []string    `json:"segments"`
	Lists      []string    `json:"lists"`
	Campaigns  []string    `json:"campaigns"` // codes
}

// Attribute is a field that a marketer defined.
type Attribute struct {
	Name        string `json:"name"`
	Label       string `json:"label"`
	Type        string `json:"type"`
	Description string `json:"description"`
}

// LoadCatalog reads the catalog.
func LoadCatalog(ctx context.Context, q Querier) (*Catalog, error) { return nil, errTodo }

// Mode says how to count.
type Mode string

// The modes.
const (
	Exact    Mode = "exact"
	Estimate Mode = "estimate"
)

// Count is the size of an audience; Low and High enclose it with 95 % confidence and equal it where Exact.
type Count struct {
	Count int64 `json:"count"`
	Low   int64 `json:"low"`
	High  int64 `json:"high"`
	Exact bool  `json:"exact"`
}

// Count counts the customers for whom expression holds.
func (s *Service) Count(ctx context.Context, expression string, mode Mode) (Count, error) {
	return Count{}, errTodo
}

// Sample gives the ids of at most n customers for whom expression holds, spread over the base.
func (s *Service) Sample(ctx context.Context, expression string, n int) ([]int64, error) {
	return nil, errTodo
}

// Entry describes one field or function of the language.
type Entry struct {
	Name        string `json:"name"`
	Kind        string `json:"kind"`      // field, order field or function
	Signature   string `json:"signature"` // as it is written
	Type        string `json:"type"`
	Description string `json:"description"`
}

// Reference gives the whole language.
func Reference() []Entry { return nil }

// Create saves a segment. It fails with Invalid where name or expression are not valid and Conflict where the name is taken.
func (s *Service) Create(ctx context.Context, d Draft) (Segment, error) { return Segment{}, errTodo }

// Update changes a segment. It fails like Create, with NotFound, and with Conflict where a used one would be renamed.
func (s *Service) Update(ctx context.Context, id ID, d Draft) (Segment, error) {
	return Segment{}, errTodo
}

// Delete removes a segment. It fails with NotFound, and with Conflict where a campaign or another segment uses it.
func (s *Service) Delete(ctx context.Context, id ID) error { return errTodo }

// Get gives a segment, or NotFound.
func (s *Service) Get(ctx context.Context, id ID) (Segment, error) { return Segment{}, errTodo }

// ByName gives the segment of that name, or NotFound.
func (s *Service) ByName(ctx context.Context, name string) (Segment, error) {
	return Segment{}, errTodo
}

// List gives a page of segments ordered by name.
func (s *Service) List(ctx context.Context, q Query) ([]Segment, error) { return nil, errTodo }

// CountSegment counts a saved segment exactly and keeps the number with it.
func (s *Service) CountSegment(ctx context.Context, id ID) (Count, error) { return Count{}, errTodo }
