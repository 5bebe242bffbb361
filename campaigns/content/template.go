package content

import (
	"time"

	"aldine/internal/fault"
)

// The media a template can be for.
const (
	Email = "email"
	SMS   = "sms"
	Post  = "post"
	Calls = "calls"
)

// Template is one version of the words of one contact.
type Template struct {
	ID        int64     `json:"id"`
	Name      string    `json:"name"`
	Channel   string    `json:"channel"` // email, sms, post or calls
	Version   int       `json:"version"`
	Subject   string    `json:"subject"` // e-mail only
	HTML      string    `json:"html"`    // e-mail only
	Body      string    `json:"body"`    // e-mail: the text part, made from the HTML when empty; else SMS text, letter, call script
	CreatedBy string    `json:"created_by"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`

	// Hidden tells that the words ask for private attributes, which the actor may not see: they are left out.
	Hidden bool `json:"hidden,omitempty"`
}

// Rendered is a template filled in for one customer. Text is the e-mail's text part, the SMS, the letter (a blank line
// parts paragraphs) or the call script.
type Rendered struct {
	Subject string `json:"subject"`
	HTML    string `json:"html"`
	Text    string `json:"text"`
}

// Vars are the values a template may use. Customer comes from customers.Profile.Vars.
type Vars struct {
	Customer       map[string]any
	CampaignName   string
	CampaignCode   string
	Keycode        string
	CompanyName    string
	CompanyAddress string
	UnsubscribeURL string
	Today          time.Time
}

// Map gives the values by the names that templates use.
func (v Vars) Map() map[string]any {
	return map[string]any{
		"customer":        v.Customer,
		"campaign":        map[string]any{"name": v.CampaignName, "code": v.CampaignCode},
		"company":         map[string]any{"name": v.CompanyName, "address": v.CompanyAddress},
		"keycode":         v.Keycode,
		"unsubscribe_url": v.UnsubscribeURL,
		"today":           v.Today,
	}
}

// CheckChannel fails with an Invalid error of the field where s is not a medium.
func CheckChannel(s string) error {
	switch s {
	case Email, SMS, Post, Calls:
		return nil
	}
	return fault.BadField("channel", "%q is not a medium: use email, sms, post or calls", s)
}
