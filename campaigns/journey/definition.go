package journey

import (
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

// Levels are the levels at which a send step keeps touches apart: one piece for each person (customers found to be one and the
// same), customer, household, address, company, e-mail or phone.
var Levels = []string{"person", "customer", "household", "address", "company", "email", "phone"}

// Grouped tells whether a level is that of a group whose best member is addressed, whichever slice has it: such a step waits
// until all its members have come.
func Grouped(level string) bool {
	return level == "household" || level == "address" || level == "company"
}

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
	Dedup    string           `json:"dedup,omitempty"` // one of Levels; person where empty
	Window   string           `json:"window,omitempty" doc:"Of email and sms: hours of the week, as in mon-fri 09:00-20:00 (by the company's clock) or mon-fri 09:00-20:00 local (by each customer's own), or always. Empty: the settings' hours."`

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

// Condition is an expression that a step asks, with the path of its field for error messages.
type Condition struct {
	Step       int // index
	Expression string
	Field      string
}

// Sends gives the indexes of the send steps.
func (d Definition) Sends() []int {
	var out []int
	for i, s := range d.Steps {
		if s.Kind() == Send {
			out = append(out, i)
		}
	}
	return out
}

// Conditions gives the expressions of branches and goals.
func (d Definition) Conditions() []Condition {
	var out []Condition
	for i, s := range d.Steps {
		if k := s.Kind(); k == Branch || k == Goal {
			out = append(out, Condition{i, s.If, field(i, "if")})
		}
	}
	return out
}

// Kind gives the kind of step that a type makes; empty for an unknown type.
func (s StepDef) Kind() string {
	switch s.Type {
	case "email", "sms", "post", "calls":
		return Send
	case Wait, Branch, Split, Goal, End:
		return s.Type
	}
	return ""
}

// exits are the ways out of a step: the field's name and the key of the next step, "" for the end.
func (s StepDef) exits() []exit {
	switch s.Kind() {
	case Branch:
		return []exit{{"then", s.Then}, {"else", s.Else}}
	case Split:
		out := make([]exit, len(s.Arms))
		for i, a := range s.Arms {
			out[i] = exit{armField(i, "next"), a.Next}
		}
		return out
	case End:
		return nil
	}
	return []exit{{"next", s.Next}}
}

type exit struct{ field, to string }
