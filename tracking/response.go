package tracking

import (
	"time"

	"github.com/google/uuid"
	"github.com/govalues/decimal"
	"github.com/riverqueue/river"

	"aldine/internal/queue"
)

// Kind is what came back.
type Kind string

// The kinds of responses.
const (
	KindOpen        Kind = "open"
	KindClick       Kind = "click"
	KindReply       Kind = "reply"
	KindCall        Kind = "call"
	KindVisit       Kind = "visit"
	KindCoupon      Kind = "coupon"
	KindOrder       Kind = "order"
	KindSurvey      Kind = "survey"
	KindComplaint   Kind = "complaint"
	KindBounce      Kind = "bounce"
	KindUnsubscribe Kind = "unsubscribe"
)

// Response is one response as another program reports it. Who answers is told by the first of CustomerID, ExternalID,
// Email and Phone that is given, or left open where a Keycode or Coupon is; what it answers by Keycode, Coupon or
// Campaign, narrowed by StepID.
type Response struct {
	Ref  string    `json:"ref,omitempty"` // the caller's own id: the same one again stores nothing
	Kind Kind      `json:"kind"`
	At   time.Time `json:"at,omitzero"` // zero: now

	CustomerID int64  `json:"customer_id,omitempty"`
	ExternalID string `json:"external_id,omitempty"`
	Email      string `json:"email,omitempty"`
	Phone      string `json:"phone,omitempty"`

	Keycode    string `json:"keycode,omitempty"`
	Coupon     string `json:"coupon,omitempty"`      // a keycode that was handed in as a coupon
	Campaign   string `json:"campaign,omitempty"`    // the campaign's code, where there is no keycode
	CampaignID int64  `json:"campaign_id,omitempty"` // the same by number
	StepID     int64  `json:"step_id,omitempty"`
	Channel    string `json:"channel,omitempty"` // email, sms, post or calls; known by itself from keycode or step

	// Of an order. Ref may be left out: the order's number does for it.
	OrderRef string          `json:"order_ref,omitempty"`
	Amount   decimal.Decimal `json:"amount,omitzero"`
	Currency string          `json:"currency,omitempty"`
	Quantity int             `json:"quantity,omitempty"` // 0: that of the lines, else 1
	Place    string          `json:"place,omitempty"`
	Lines    []Line          `json:"lines,omitempty"`

	Hard   bool           `json:"hard,omitempty"` // of a bounce: the address does not exist
	Detail map[string]any `json:"detail,omitempty"`
}

// Line is one line of an order; Amount is in the order's currency.
type Line struct {
	SKU      string          `json:"sku"`
	Quantity int             `json:"quantity"`
	Amount   decimal.Decimal `json:"amount"`
}

// The states of an outcome.
const (
	Recorded  = "recorded"
	Unmatched = "unmatched" // kept for a person to look at; Reason says why
	Dropped   = "dropped"   // by mail only: it would have to be looked at, and as many wait as a person can bear
)

// Outcome is what became of a response.
type Outcome struct {
	Ref        string    `json:"ref,omitempty"`
	State      string    `json:"state"` // recorded or unmatched
	Reason     string    `json:"reason,omitempty"`
	Repeated   bool      `json:"repeated"` // the ref was known: this is the first outcome again
	ResponseID uuid.UUID `json:"response_id"`
	CustomerID int64     `json:"customer_id"` // 0: not known
	CampaignID int64     `json:"campaign_id,omitempty"`
}

// RecordedArgs says that people answered a campaign; enqueued with what was recorded, one job per commit and
// campaign. The worker lives with the journeys.
type RecordedArgs struct {
	CampaignID  int64               `json:"campaign_id"`
	CustomerIDs queue.Packed[int64] `json:"customer_ids"`
}

// Kind names the job.
func (RecordedArgs) Kind() string { return "tracking_recorded" }

// InsertOpts puts the job in the journeys' queue.
func (RecordedArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: queue.Journeys} }
