package calls

import (
	"time"

	"github.com/govalues/decimal"
)

// List is the call list of one step of a campaign with its progress.
type List struct {
	ID            int64     `json:"id"`
	Name          string    `json:"name"`
	CampaignID    int64     `json:"campaign_id"`
	Campaign      string    `json:"campaign"`       // code
	CampaignState string    `json:"campaign_state"` // calls are handed out only while it is running
	StepID        int64     `json:"step_id"`
	Total         int64     `json:"total"`
	Ready         int64     `json:"ready"`     // never tried
	Waiting       int64     `json:"waiting"`   // for another try or a call-back
	Callbacks     int64     `json:"callbacks"` // of the waiting ones
	Leased        int64     `json:"leased"`
	Done          int64     `json:"done"`
	Withdrawn     int64     `json:"withdrawn"`
	CreatedAt     time.Time `json:"created_at"`
}

// Call is a call that an agent holds, with what the agent needs to see.
type Call struct {
	ID          int64             `json:"id"`
	ListID      int64             `json:"list_id"`
	CampaignID  int64             `json:"campaign_id"`
	StepID      int64             `json:"step_id"`
	CustomerID  int64             `json:"customer_id"`
	Phone       string            `json:"phone"`
	TimeZone    string            `json:"time_zone"`
	LocalTime   string            `json:"local_time"` // "14:05", where the customer is
	DueAt       time.Time         `json:"due_at"`
	Callback    bool              `json:"callback"`
	LeasedUntil time.Time         `json:"leased_until"`
	Attempts    int               `json:"attempts"`
	Note        string            `json:"note"` // of the last attempt
	Keycode     string            `json:"keycode"`
	Name        string            `json:"name"`
	Customer    map[string]string `json:"customer"` // fields to show: company, city, country, language, ...
	Script      string            `json:"script"`
	History     []Attempt         `json:"history"` // earlier attempts, newest first
}

// Attempt is one try of a call.
type Attempt struct {
	At      time.Time `json:"at"`
	Agent   string    `json:"agent"`
	Outcome string    `json:"outcome"`
	Note    string    `json:"note"`
}

// Report is what an agent says became of a call.
type Report struct {
	Outcome    string     `json:"outcome"` // a code of Outcomes
	Note       string     `json:"note,omitempty"`
	CallBackAt *time.Time `json:"call_back_at,omitempty"` // of outcome callback
	Order      *Order     `json:"order,omitempty"`        // of outcome sale; may be left out
}

// Order is what was sold on the phone.
type Order struct {
	Ref      string          `json:"order_ref"` // the shop's order number
	Amount   decimal.Decimal `json:"amount"`
	Currency string          `json:"currency,omitempty"` // the campaign's when empty
}

// Result is where a call stands after an outcome.
type Result struct {
	CallID   int64      `json:"call_id"`
	State    string     `json:"state"` // waiting or done
	Attempts int        `json:"attempts"`
	NextAt   *time.Time `json:"next_at,omitempty"` // when it comes up again
}
