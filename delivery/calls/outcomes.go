package calls

import "time"

// Outcome is one thing that may become of a call, and the rule that follows.
type Outcome struct {
	Code    string        `json:"code"`
	Label   string        `json:"label"`
	Final   bool          `json:"final"`       // no further try
	Reached bool          `json:"reached"`     // a person answered
	Failed  bool          `json:"failed"`      // the touch counts as failed: nobody could be reached this way
	Retry   time.Duration `json:"retry_after"` // until the next try, in nanoseconds
	Max     int           `json:"max_tries"`   // tries of this kind; the setting on attempts bounds them all
}

// Outcomes is the table of outcomes in the order in which pages show them.
var Outcomes = []Outcome{
	{Code: "sale", Label: "Sale", Final: true, Reached: true},
	{Code: "interested", Label: "Interested", Final: true, Reached: true},
	{Code: "refused", Label: "Not interested", Final: true, Reached: true},
	{Code: "callback", Label: "Call back later", Reached: true},
	{Code: "no_answer", Label: "No answer", Retry: 4 * time.Hour, Max: 4},
	{Code: "busy", Label: "Busy", Retry: 20 * time.Minute, Max: 3},
	{Code: "machine", Label: "Answering machine", Retry: 24 * time.Hour, Max: 3},
	{Code: "wrong_number", Label: "Wrong number", Final: true, Failed: true},
	{Code: "disconnected", Label: "Disconnected", Final: true, Failed: true},
	{Code: "do_not_call", Label: "Do not call again", Final: true, Reached: true},
}

// Find gives the outcome with a code.
func Find(code string) (Outcome, bool) {
	for _, o := range Outcomes {
		if o.Code == code {
			return o, true
		}
	}
	return Outcome{}, false
}
