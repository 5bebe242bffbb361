package customers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/govalues/decimal"
)

// Event is something that a customer did elsewhere, in a shop or an app, by a name that the sender gives. It is neither an order
// nor a response to a campaign, so it credits nobody and takes no rented name into the house file.
type Event struct {
	ID                 uuid.UUID        `json:"id"`
	Ref                string           `json:"ref,omitempty"` // the sender's own id, which makes reporting it again harmless
	CustomerID         ID               `json:"customer_id,omitempty"`
	CustomerExternalID string           `json:"customer_external_id,omitempty"`
	Name               string           `json:"name"`
	At                 time.Time        `json:"at"`              // zero: when it is recorded
	Value              *decimal.Decimal `json:"value,omitempty"` // what the sender means by it: a sum, minutes, stars
	Properties         Properties       `json:"properties,omitempty"`
}

// Limits of what is reported as events.
const (
	MaxEvents       = 5000 // in one call
	maxEventNames   = 1000 // in one database: names are kinds, and what differs each time is a property
	maxEventName    = 100  // bytes
	maxProperties   = 20
	maxProperty     = 500  // bytes of a text
	maxPropertySize = 4096 // bytes of all of them
)

// EventState says what became of an event that was reported.
type EventState string

// The states.
const (
	EventRecorded EventState = "recorded"
	EventRepeated EventState = "repeated" // it was known by its ref, exactly so
	EventRejected EventState = "rejected"
)

// EventOutcome is what became of one event; Reason says in words why it was rejected.
type EventOutcome struct {
	ID         uuid.UUID  `json:"id,omitzero"`
	Ref        string     `json:"ref,omitempty"`
	CustomerID ID         `json:"customer_id,omitempty"`
	State      EventState `json:"state"`
	Reason     string     `json:"reason,omitempty"`
}

// Properties are what else is known of an event: texts, exact numbers (json.Number) and yes or no, by name.
type Properties map[string]any

// UnmarshalJSON keeps every digit of a number.
func (p *Properties) UnmarshalJSON(data []byte) error {
	var m map[string]any
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(&m); err != nil {
		return errors.New("must be an object of names and values")
	}
	*p = m
	return nil
}

var propertyName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,49}$`)

// clean brings the properties into normal form, as they are stored, and tells what is wrong with one, "" if nothing.
func (p Properties) clean() (Properties, string) {
	out := make(Properties, len(p))
	for name, v := range p {
		if !propertyName.MatchString(name) {
			return nil, fmt.Sprintf("%q cannot be a name: use up to 50 letters, digits, _ . and -, beginning with a letter", short(name))
		}
		switch v := v.(type) {
		case nil: // not known
		case bool:
			out[name] = v
		case string:
			switch {
			case len(v) > maxProperty:
				return nil, fmt.Sprintf("%s is longer than %d characters", name, maxProperty)
			case strings.ContainsRune(v, 0) || !utf8.ValidString(v):
				return nil, name + " holds a character that cannot be stored"
			}
			out[name] = v
		case json.Number, int, int64, float64:
			d, err := decimal.Parse(fmt.Sprint(v))
			if err != nil || !fitsEvent(d) && !(d.IsInt() && d.CmpAbs(maxWhole) < 0) {
				return nil, fmt.Sprintf("%s is no number with at most 12 digits before the decimal point and 6 after it, or 15 in all if it is whole", name)
			}
			out[name] = json.Number(d.Trim(0).String())
		default:
			return nil, fmt.Sprintf("%s must be a text, a number, true or false; lists and objects cannot be asked for", name)
		}
	}
	if len(out) > maxProperties {
		return nil, fmt.Sprintf("there are %d, and at most %d are kept", len(out), maxProperties)
	}
	if raw, err := json.Marshal(out); err != nil || len(raw) > maxPropertySize {
		return nil, fmt.Sprintf("they take more than %d bytes together", maxPropertySize)
	}
	return out, ""
}

// same tells whether both say the same; both are in normal form.
func (p Properties) same(other Properties) bool {
	if len(p) != len(other) {
		return false
	}
	for name, v := range p {
		if o, ok := other[name]; !ok || o != v {
			return false
		}
	}
	return true
}

var (
	maxEventValue = decimal.MustNew(1_000_000_000_000, 0)
	maxWhole      = decimal.MustNew(1_000_000_000_000_000, 0) // such as a time in milliseconds
)

func fitsEvent(d decimal.Decimal) bool { return d.Trim(0).Scale() <= 6 && d.CmpAbs(maxEventValue) < 0 }

// clean brings an event into normal form and tells what is wrong with it, "" if nothing.
func (e *Event) clean(now time.Time) string {
	for _, t := range []struct {
		name  string
		value *string
		most  int
	}{{"ref", &e.Ref, 200}, {"customer_external_id", &e.CustomerExternalID, 200}, {"name", &e.Name, maxEventName}} {
		clean, err := cleanText(*t.value)
		if err == nil && len(clean) > t.most {
			err = fmt.Errorf("is longer than %d characters", t.most)
		}
		if err != nil {
			return fmt.Sprintf("%s: %q %v", t.name, short(*t.value), err)
		}
		*t.value = clean
	}
	switch {
	case e.Name == "":
		return "name: is missing: say what the customer did, such as viewed"
	case strings.ContainsFunc(e.Name, func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control) }):
		return fmt.Sprintf("name: %q holds a line break or the like", short(e.Name))
	case e.CustomerID == 0 && e.CustomerExternalID == "":
		return "customer_external_id: is missing: say who did it, or give customer_id"
	}
	if !e.At.IsZero() {
		e.At = e.At.UTC().Truncate(time.Microsecond)
		switch {
		case e.At.Year() < 1900:
			return "at: is before 1900"
		case e.At.After(now.Add(24 * time.Hour)):
			return "at: is in the future"
		}
	}
	if e.Value != nil {
		if !fitsEvent(*e.Value) {
			return fmt.Sprintf("value: %q has more than 12 digits before the decimal point or 6 after it", e.Value)
		}
		v := e.Value.Trim(0)
		e.Value = &v
	}
	var wrong string
	if e.Properties, wrong = e.Properties.clean(); wrong != "" {
		return "properties: " + wrong
	}
	return ""
}

// same tells whether a report says what is stored already; a report that leaves the time open says nothing of it.
func (e *Event) same(stored *Event) bool {
	return e.CustomerID == stored.CustomerID && e.Name == stored.Name && (e.At.IsZero() || e.At.Equal(stored.At)) &&
		(e.Value == nil) == (stored.Value == nil) && (e.Value == nil || e.Value.Cmp(*stored.Value) == 0) && e.Properties.same(stored.Properties)
}
