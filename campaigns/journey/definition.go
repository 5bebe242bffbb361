package journey

import (
	"encoding/json"
	"time"

	"github.com/govalues/decimal"
)

// Kinds of steps.
const (
	Wait   = "wait"
	Branch = "branch"
	Split  = "split"
	Send   = "send" // types email, sms, post, calls
	Goal   = "goal"
	End    = "end"
)

// Definition is a journey as a marketer writes it.
type Definition struct {
	Start string    `json:"start"`
	Steps []StepDef `json:"steps"`
}

// StepDef is one step as written. Which fields count depends on Type.
type StepDef struct {
	Key  string `json:"key"`
	Type string `json:"type"` // email, sms, post, calls, wait, branch, split, goal or end

	Template string           `json:"template,omitempty"` // name or id of a template; frozen journeys hold the id
	UnitCost *decimal.Decimal `json:"unit_cost,omitempty"`
	Dedup    string           `json:"dedup,omitempty"` // customer (default), household, email, phone or address

	For           string     `json:"for,omitempty"` // "72h", "3d", "2w"
	Until         *time.Time `json:"until,omitempty"`
	UntilResponse string     `json:"until_response,omitempty"` // a kind of response: click, order, ...
	Timeout       string     `json:"timeout,omitempty"`

	If   string `json:"if,omitempty"` // an expression; "this" names the campaign itself: clicked("this")
	Then string `json:"then,omitempty"`
	Else string `json:"else,omitempty"`
	Arms []Arm  `json:"arms,omitempty"`

	Next string `json:"next,omitempty"` // empty ends the journey
}

// Arm is one way out of a split; weights are relative.
type Arm struct {
	Weight int    `json:"weight"`
	Next   string `json:"next,omitempty"`
}

// Parse reads and checks a journey. An Invalid error has a field for each fault, named like journey.steps[2].next.
// Templates and expressions are checked by whoever knows them, see Definition.Sends and Definition.Conditions.
func Parse(raw json.RawMessage) (Definition, error) { panic("TODO") }
