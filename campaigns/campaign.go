package campaigns

import (
	"encoding/json"
	"time"

	"github.com/govalues/decimal"

	"aldine/campaigns/journey"
)

// Campaign is a campaign without what hangs on it.
type Campaign struct {
	ID             int64            `json:"id"`
	Code           string           `json:"code"` // for expressions: clicked("spring-2026")
	Name           string           `json:"name"`
	Objective      string           `json:"objective"`
	Currency       string           `json:"currency"`
	Budget         *decimal.Decimal `json:"budget"`
	FixedCost      decimal.Decimal  `json:"fixed_cost"`
	MarginRate     decimal.Decimal  `json:"margin_rate"` // contribution per unit of revenue, 0 to 1
	SegmentID      *int64           `json:"segment_id"`
	SegmentName    string           `json:"segment_name,omitempty"`
	SegmentVersion *int             `json:"segment_version,omitempty"` // of the segment, once approved: what it said then stays this campaign's audience
	Expression     string           `json:"expression"`                // the audience; frozen at approval, empty means everybody
	State          State            `json:"state"`
	Version        int              `json:"version"`     // of the journey
	RowVersion     int              `json:"row_version"` // grows with each change; send it back to guard against lost updates
	Audience       *int64           `json:"audience"`    // customers entered; null until entry is complete
	EntryDoneAt    *time.Time       `json:"entry_done_at"`
	CreatedBy      string           `json:"created_by"`
	CreatedAt      time.Time        `json:"created_at"`
	UpdatedAt      time.Time        `json:"updated_at"`
	ApprovedBy     *string          `json:"approved_by"`
	ApprovedAt     *time.Time       `json:"approved_at"`
	LaunchedAt     *time.Time       `json:"launched_at"`
	FinishedAt     *time.Time       `json:"finished_at"`
	EndsAt         *time.Time       `json:"ends_at"` // what is not sent by then never will be; null: no such time

	// Hidden tells that the audience asks for private attributes, which the actor may not see: its expression is left out.
	Hidden bool `json:"hidden,omitempty"`
}

// Cell is a part of the audience that is treated alike.
type Cell struct {
	ID      int64           `json:"id"`
	Name    string          `json:"name"`
	Share   decimal.Decimal `json:"share"` // percent; the shares of a campaign add up to 100
	Control bool            `json:"control"`
}

// Details are a campaign with all that hangs on it and how far it has come.
type Details struct {
	Campaign
	Cells       []Cell             `json:"cells"`
	Journey     journey.Definition `json:"journey"`
	Steps       []StepCounts       `json:"steps"` // of the frozen journey
	Touches     TouchCounts        `json:"touches"`
	Enrollments map[string]int64   `json:"enrollments"` // by state
	Entered     int64              `json:"entered"`     // customers entered so far
	Money       Money              `json:"money"`
	AsOf        *time.Time         `json:"as_of,omitempty"`    // where so much has happened that it was not counted yet
	Warnings    []string           `json:"warnings,omitempty"` // of an approval
	Troubles    []Trouble          `json:"troubles,omitempty"` // why pieces have to wait
	Waits       []Wait             `json:"waits,omitempty"`    // what rules let pieces wait, and until when
}

// StepCounts are a frozen step with the touches planned there and the customers standing there.
type StepCounts struct {
	journey.Step
	Standing int64            `json:"standing"`
	Touches  map[string]int64 `json:"touches"` // by state
	Excluded map[string]int64 `json:"excluded"`
}

// TouchCounts count the touches of a campaign.
type TouchCounts struct {
	Total    int64            `json:"total"`
	ByState  map[string]int64 `json:"by_state"`
	ByReason map[string]int64 `json:"by_reason"` // of the excluded ones
}

// Money is where a campaign's budget stands. Available is null without a budget.
type Money struct {
	Budget    *decimal.Decimal `json:"budget"`
	Spent     decimal.Decimal  `json:"spent"`
	Reserved  decimal.Decimal  `json:"reserved"`
	Available *decimal.Decimal `json:"available"`
}

// Input describes a new campaign. Segment (id or name) and Expression exclude each other; without both the audience is
// everybody. Without cells there is one, "all".
type Input struct {
	Name       string           `json:"name"`
	Code       string           `json:"code,omitempty"` // made from the name when empty
	Objective  string           `json:"objective,omitempty"`
	Currency   string           `json:"currency,omitempty"` // the base currency when empty
	Budget     *decimal.Decimal `json:"budget,omitempty"`
	FixedCost  *decimal.Decimal `json:"fixed_cost,omitempty"`
	MarginRate *decimal.Decimal `json:"margin_rate,omitempty"`
	Segment    string           `json:"segment,omitempty"`
	Expression string           `json:"expression,omitempty"`
	Cells      []CellInput      `json:"cells,omitempty"`
	Journey    json.RawMessage  `json:"journey,omitempty"`
	EndsAt     string           `json:"ends_at,omitempty" doc:"What is not sent by then never will be, as in 2026-12-24T18:00:00Z."`
}

// CellInput describes a cell; Share is in percent with up to two decimals.
type CellInput struct {
	Name    string          `json:"name"`
	Share   decimal.Decimal `json:"share"`
	Control bool            `json:"control,omitempty"`
}

// Patch changes a draft; what is nil stays. RowVersion, when not 0, must be the campaign's present one.
type Patch struct {
	RowVersion int              `json:"row_version,omitempty"`
	Name       *string          `json:"name,omitempty"`
	Code       *string          `json:"code,omitempty"`
	Objective  *string          `json:"objective,omitempty"`
	Currency   *string          `json:"currency,omitempty"`
	Budget     *decimal.Decimal `json:"budget,omitempty"`
	FixedCost  *decimal.Decimal `json:"fixed_cost,omitempty"`
	MarginRate *decimal.Decimal `json:"margin_rate,omitempty"`
	Segment    *string          `json:"segment,omitempty"`
	Expression *string          `json:"expression,omitempty"`
	Cells      *[]CellInput     `json:"cells,omitempty"`
	Journey    json.RawMessage  `json:"journey,omitempty"`
	EndsAt     *string          `json:"ends_at,omitempty" doc:"What is not sent by then never will be; an empty text for no end."`
}

// Query picks campaigns, newest first.
type Query struct {
	State  State  // empty: all
	Search string // part of name or code
	Before int64  // id of the last one of the page before
	Limit  int    // 0 means 50
}

// Summary is a campaign in a list.
type Summary struct {
	Campaign
	Entered int64           `json:"entered"`
	Sent    int64           `json:"sent"` // pieces in the ledger
	Spent   decimal.Decimal `json:"spent"`
}

// Forecast tells before the launch how much a campaign will do and cost at most.
type Forecast struct {
	Currency string           `json:"currency"`
	Audience int64            `json:"audience"`
	Cells    []CellForecast   `json:"cells"`
	Steps    []StepForecast   `json:"steps"`
	Fixed    decimal.Decimal  `json:"fixed_cost"`
	Lists    decimal.Decimal  `json:"list_cost"`
	UsedUp   int64            `json:"names_used_up"` // rented names in the audience whose licence is over
	Total    decimal.Decimal  `json:"total_cost"`
	Budget   *decimal.Decimal `json:"budget"`
	Warnings []string         `json:"warnings"`

	lists []*int64 // lists that the audience comes from
}

// CellForecast is the expected size of a cell.
type CellForecast struct {
	Name      string `json:"name"`
	Control   bool   `json:"control"`
	Customers int64  `json:"customers"`
}

// StepForecast is the most that a send step can do: everybody outside the control cell comes by.
type StepForecast struct {
	Key      string          `json:"key"`
	Channel  string          `json:"channel"`
	Volume   int64           `json:"volume"`
	UnitCost decimal.Decimal `json:"unit_cost"`
	Cost     decimal.Decimal `json:"cost"`
	Capped   int64           `json:"capped"` // of them, who got as many messages of the medium lately as the settings allow, as of now; above 20,000 customers an estimate
}
