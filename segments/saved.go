package segments

import (
	"time"
)

// ID names a saved segment.
type ID int64

// Segment is a saved expression with a name.
type Segment struct {
	ID          ID         `json:"id"`
	Name        string     `json:"name"`
	Expression  string     `json:"expression"`
	Description string     `json:"description"`
	LastCount   *int64     `json:"last_count"` // nil until counted
	CountedAt   *time.Time `json:"counted_at"`
	CreatedBy   string     `json:"created_by"`
	CreatedAt   time.Time  `json:"created_at"`
	UpdatedAt   time.Time  `json:"updated_at"`
}

// Draft is what a marketer enters to save a segment.
type Draft struct {
	Name        string `json:"name"`
	Expression  string `json:"expression"`
	Description string `json:"description"`
}

// Query selects a page of saved segments by name.
type Query struct {
	Search string // part of the name, any case; "" for all
	After  string // the last name of the page before
	Limit  int    // 1 to 200, default 50
}
