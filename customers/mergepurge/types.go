package mergepurge

import (
	"io"
	"time"

	"github.com/govalues/decimal"
)

// Kinds of inputs.
const (
	House       = "house"
	Rented      = "rented"
	Suppression = "suppression"
)

// Levels at which one name is kept.
const (
	Person    = "person"
	Household = "household"
	Residence = "residence"
	Company   = "company"
)

// Allocations: which rented list keeps a name that several have.
const (
	Hierarchy             = "hierarchy"               // the list with the lowest priority number; of equal ones the first record
	Random                = "random"                  // any of the lists, by the seed
	RandomWithinHierarchy = "random_within_hierarchy" // any of those with the lowest priority number
)

// States of a run.
const (
	Draft     = "draft" // inputs can be added and removed
	Waiting   = "waiting"
	Running   = "running"
	Finished  = "finished" // the report is there; nothing outside the run has changed
	Applying  = "applying"
	Applied   = "applied"
	Failed    = "failed"
	Cancelled = "cancelled"
)

// Phases of a run that is running or applying.
const (
	Loading    = "loading"
	Matching   = "matching"
	Allocating = "allocating"
	Reporting  = "reporting"
)

// Verdicts on records. The records of suppression files that can be used have none ("").
const (
	Net        = "net"
	Rejected   = "rejected"
	Suppressed = "suppressed"
	Duplicate  = "duplicate"
)

// Reasons of duplicates. At another level than person, a record that was dropped for somebody else of the household, residence or
// company has the reason followed by that level in brackets: "intra (household)".
const (
	Intra      = "intra" // the same list has the name already
	Inter      = "inter" // another list keeps the name
	HouseMatch = "house" // a rented name that the house file has
)

// Run is one merge/purge run.
type Run struct {
	ID         int64      `json:"id"`
	Name       string     `json:"name"`
	Level      string     `json:"level"`
	Allocation string     `json:"allocation"`
	Channel    string     `json:"channel"` // whose suppressions count, besides those for all channels; "all": only those
	Seed       int64      `json:"seed"`
	Threshold  float64    `json:"threshold"`
	Review     float64    `json:"review"`
	State      string     `json:"state"`
	Phase      string     `json:"phase,omitempty"`
	Done       int64      `json:"done"` // of the phase
	Total      int64      `json:"total"`
	Inputs     []Input    `json:"inputs"`
	Report     *Report    `json:"report,omitempty"`
	ListID     int64      `json:"list_id,omitempty"` // the merged list, once applied
	Error      string     `json:"error,omitempty"`
	CreatedBy  string     `json:"created_by"`
	CreatedAt  time.Time  `json:"created_at"`
	StartedAt  *time.Time `json:"started_at,omitempty"`
	FinishedAt *time.Time `json:"finished_at,omitempty"`
	EmptiedAt  *time.Time `json:"emptied_at,omitempty"` // since when what its files said is forgotten
}

// Input is one list of a run.
type Input struct {
	No         int               `json:"no"`
	Kind       string            `json:"kind"`
	Name       string            `json:"name"`
	ListID     int64             `json:"list_id,omitempty"` // of a rented list that is in the database
	Priority   int               `json:"priority"`          // lower wins, among rented lists
	Expression string            `json:"expression,omitempty"`
	Hidden     bool              `json:"hidden,omitempty"` // the expression asks for private attributes, which the actor may not see
	FileName   string            `json:"file_name,omitempty"`
	FileSize   int64             `json:"file_size,omitempty"`
	BytesDone  int64             `json:"bytes_done"`
	Rows       int64             `json:"rows"` // loaded
	Loaded     bool              `json:"loaded"`
	Mapping    map[string]string `json:"mapping,omitempty"` // column -> field
	Header     []string          `json:"header,omitempty"`  // of the file, while it is kept
	Deal       *Deal             `json:"deal,omitempty"`

	path string
}

// NewRun is a run to create. What is left out is taken as: level person, allocation random_within_hierarchy, channel
// all, the matcher's own thresholds.
type NewRun struct {
	Name       string  `json:"name"`
	Level      string  `json:"level"`
	Allocation string  `json:"allocation"`
	Channel    string  `json:"channel"`
	Seed       int64   `json:"seed"`
	Threshold  float64 `json:"threshold"`
	Review     float64 `json:"review"`
}

// NewInput is an input to add.
type NewInput struct {
	Kind       string
	Name       string            // of the house file "house" if left out, else the file's name without its ending
	Priority   int               // 0: after all that are there
	Expression string            // house: which customers take part; "" for all
	FileName   string            // as the user knows it
	Mapping    map[string]string // column -> field, where the header's own proposal is not right; "" leaves a column out
	Body       io.Reader
	Deal       *Deal // rented: nil means that of the list with the name, if there is one
}

// Deal says what a rented list costs and how it may be used. Chargeable are max(names used, NetShare x gross).
type Deal struct {
	PricePerThousand decimal.Decimal `json:"price_per_thousand"`
	NetShare         decimal.Decimal `json:"net_share"`          // 0.85; 0 means that only names used are paid for
	RunningCharge    decimal.Decimal `json:"running_charge"`     // per thousand names that are not charged for
	ExtraPerThousand decimal.Decimal `json:"extra_per_thousand"` // per thousand of the gross
	Currency         string          `json:"currency,omitempty"`
	Gross            int64           `json:"gross,omitempty"`   // names delivered; 0: the file's rows
	Uses             int             `json:"uses,omitempty"`    // campaigns that each name may be used in; 0 means 1
	MailBy           string          `json:"mail_by,omitempty"` // last day of use, as 2027-03-31
}

// Preview is the first rows of an input's file, as the run would take them.
type Preview struct {
	Header  []string          `json:"header"`
	Mapping map[string]string `json:"mapping"` // column -> field
	Fields  []string          `json:"fields"`  // that a column may be mapped to
	Rows    []PreviewRow      `json:"rows"`
}

// PreviewRow is one row; Verdict is "taken", or "rejected: " and why.
type PreviewRow struct {
	Line     int64             `json:"line"`
	Cells    []string          `json:"cells"`
	Standard map[string]string `json:"standard"` // field -> value in normal form
	Verdict  string            `json:"verdict"`
}

// Filter says which records to give; zero values mean any.
type Filter struct {
	Input   int
	Verdict string
	Reason  string
}

// Record is one row of an input, with what became of it.
type Record struct {
	No         int64             `json:"no"`
	Input      int               `json:"input"`
	InputName  string            `json:"input_name"`
	Line       int64             `json:"line,omitempty"`
	CustomerID int64             `json:"customer_id,omitempty"`
	Name       string            `json:"name"`             // to show
	Fields     map[string]string `json:"fields,omitempty"` // in normal form
	Verdict    string            `json:"verdict"`
	Reason     string            `json:"reason,omitempty"`
	Lists      int               `json:"lists"` // of a name that stays: rented lists that have it
	Winner     *Winner           `json:"winner,omitempty"`
}

// Winner is the record that was kept instead, or that suppresses.
type Winner struct {
	No         int64  `json:"no"`
	Input      int    `json:"input"`
	InputName  string `json:"input_name"`
	Line       int64  `json:"line,omitempty"`
	CustomerID int64  `json:"customer_id,omitempty"`
	Name       string `json:"name"`
}

// Report tells what became of all names.
type Report struct {
	Inputs       []InputReport `json:"inputs"`
	Overlap      [][]int64     `json:"overlap"`       // names of the row's list that are also on the column's; its own: distinct names
	Multi        map[int]int64 `json:"multi"`         // rented names that stay and are on 2, 3 ... rented lists
	HouseFlagged int64         `json:"house_flagged"` // house names that a rented list has too
	Net          int64         `json:"net"`
	ReviewPairs  int64         `json:"review_pairs"` // just below the threshold
	Seconds      float64       `json:"seconds"`
	Skipped      int64         `json:"skipped,omitempty"` // on applying: house customers who are not there any more
}

// InputReport is one list's part. Input = Rejected + Suppressed + IntraDuplicates + InterDuplicates + HouseMatches + Net;
// of a suppression file, Input = Rejected + Entries.
type InputReport struct {
	No              int              `json:"no"`
	Kind            string           `json:"kind"`
	Name            string           `json:"name"`
	Input           int64            `json:"input"`
	Rejected        int64            `json:"rejected"`
	Suppressed      int64            `json:"suppressed"`
	SuppressedBy    map[string]int64 `json:"suppressed_by"`
	IntraDuplicates int64            `json:"intra_duplicates"`
	InterDuplicates int64            `json:"inter_duplicates"`
	HouseMatches    int64            `json:"house_matches"`
	ByLevel         int64            `json:"by_level"` // of the duplicates: not the same person, but of one household, residence or company
	Net             int64            `json:"net"`
	MultiBuyers     int64            `json:"multi_buyers"` // of Net: on more than one rented list
	Entries         int64            `json:"entries"`      // of a suppression file
	Suppresses      int64            `json:"suppresses"`   // names that a suppression file took out
	Charge          *Charge          `json:"charge,omitempty"`
}
