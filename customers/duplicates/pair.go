package duplicates

import (
	"time"

	"github.com/govalues/decimal"

	"aldine/customers"
)

// The states of a pair.
const (
	StateOpen      = "open"
	StateMerged    = "merged"
	StateDifferent = "different"
)

// Pair is two customers who may be one person. CustomerID is the lower one.
type Pair struct {
	CustomerID int64      `json:"customer_id"`
	OtherID    int64      `json:"other_id"`
	Score      float64    `json:"score"`              // probability that they are one person
	Evidence   []Evidence `json:"evidence"`           // field by field; empty of pairs beyond the number that is explained
	Conflict   string     `json:"conflict,omitempty"` // why it never merges by itself
	State      string     `json:"state"`              // open, merged or different
	FoundAt    time.Time  `json:"found_at"`
	DecidedBy  string     `json:"decided_by,omitempty"`
	DecidedAt  *time.Time `json:"decided_at,omitempty"`
	A          Side       `json:"a"` // CustomerID; empty where the customer is no more
	B          Side       `json:"b"` // OtherID
}

// Evidence is what one field says of a pair.
type Evidence struct {
	Field     string  `json:"field"`
	A         string  `json:"a"` // as written
	B         string  `json:"b"`
	StandardA string  `json:"standard_a"` // in the form in which they were compared
	StandardB string  `json:"standard_b"`
	Level     string  `json:"level"`  // exact, close, near, ..., different, missing
	Weight    float64 `json:"weight"` // in bits: positive speaks for one person
}

// Side is one customer of a pair with what a person needs to decide.
type Side struct {
	customers.Customer
	Consents []customers.Consent `json:"consents"`
	Lists    []string            `json:"lists"`
}

// Cursor marks the last pair of a page: pass it to Open for the next one. The zero value is the beginning.
type Cursor struct {
	Score      float64 `json:"score"`
	CustomerID int64   `json:"customer_id"`
	OtherID    int64   `json:"other_id"`
}

// Cursor gives the mark of a page that ends with the pair.
func (p Pair) Cursor() Cursor { return Cursor{p.Score, p.CustomerID, p.OtherID} }

// Counts tells how many pairs there are.
type Counts struct {
	Open      int64 `json:"open"`
	Sure      int64 `json:"sure"` // open, from the threshold of the last search up and without conflict
	Conflicts int64 `json:"conflicts"`
	Merged    int64 `json:"merged"`
	Different int64 `json:"different"`
}

// Search is a search over the house file, or (Kind "merge") the merging of all pairs that are sure.
type Search struct {
	ID         int64      `json:"id"`
	Kind       string     `json:"kind"` // search or merge
	State      string     `json:"state"`
	Phase      string     `json:"phase"` // loading, matching, writing, grouping; merging
	Done       int64      `json:"done"`  // of the phase
	Total      int64      `json:"total"`
	Threshold  float64    `json:"threshold"` // of a merge: the least score
	Review     float64    `json:"review"`
	Pairs      int64      `json:"pairs"`      // kept; of a merge: merged
	ForReview  int64      `json:"for_review"` // below the threshold; of a merge: left out
	Error      string     `json:"error,omitempty"`
	CreatedBy  string     `json:"created_by"`
	CreatedAt  time.Time  `json:"created_at"`
	StartedAt  *time.Time `json:"started_at,omitempty"`
	FinishedAt *time.Time `json:"finished_at,omitempty"`
}

// Choice is what a merge makes of one field. The fields of the address are chosen together as "address".
type Choice struct {
	Field    string `json:"field"`
	Survivor string `json:"survivor"` // the value as shown
	Old      string `json:"old"`
	Chosen   string `json:"chosen"` // survivor or old
	Why      string `json:"why"`
}

// Preview is what a merge would do.
type Preview struct {
	SurvivorID int64    `json:"survivor_id"`
	OldID      int64    `json:"old_id"`
	Fields     []Choice `json:"fields"`
	Conflict   string   `json:"conflict,omitempty"` // two external ids
	Refused    string   `json:"refused,omitempty"`  // why it cannot be done just now
	Campaigns  []string `json:"campaigns"`          // in which both took part: the old one's rows there stay under the old number
}

// Merged is one merge.
type Merged struct {
	ID         string           `json:"id"`
	SurvivorID int64            `json:"survivor_id"`
	OldID      int64            `json:"old_id"`
	At         time.Time        `json:"at"`
	By         string           `json:"by"`
	Fields     []Choice         `json:"fields"`
	Moved      map[string]int   `json:"moved"` // rows, by table
	UndoneAt   *time.Time       `json:"undone_at,omitempty"`
	UndoneBy   string           `json:"undone_by,omitempty"`
	Kept       []string         `json:"kept,omitempty"`        // of Undo: fields edited since the merge, which stay as they are
	Total      *decimal.Decimal `json:"total_spent,omitempty"` // of the survivor afterwards
}
