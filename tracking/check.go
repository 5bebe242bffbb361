package tracking

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"aldine/customers"
	"aldine/customers/normal"
	"aldine/internal/fault"
	"aldine/internal/id"
)

// item is one response on its way into the database.
type item struct {
	n      int // its place in the batch
	single bool
	again  []int // places of the same ref in the batch
	r      Response
	id     uuid.UUID

	people                     []int64 // who it may be: none is not known, several share an address
	campaignID, stepID, cellID int64
	channel                    string
	method                     string
	destination                string // of the touch it answers
	unmatched                  string // why it belongs nowhere
	note                       string
}

func (it *item) customer() int64 {
	if len(it.people) == 0 || it.unmatched != "" {
		return 0
	}
	return it.people[0]
}

// field names a field as the caller wrote it.
func (it *item) field(name string) string {
	if it.single {
		return name
	}
	return fmt.Sprintf("responses[%d].%s", it.n, name)
}

func (it *item) row() row {
	return row{
		customerID: it.customer(), campaignID: it.campaignID, stepID: it.stepID, cellID: it.cellID, id: it.id, kind: it.r.Kind,
		at: it.r.At, channel: it.channel, keycode: it.r.Keycode, order: it.r.OrderRef, method: it.method, detail: it.r.Detail,
	}
}

func (it *item) order() customers.Order {
	o := customers.Order{
		Ref: it.r.OrderRef, CustomerID: it.customer(), OrderedAt: it.r.At, Quantity: it.r.Quantity, Amount: it.r.Amount,
		Currency: it.r.Currency, Place: it.r.Place, Keycode: it.r.Keycode,
	}
	for _, l := range it.r.Lines {
		o.Lines = append(o.Lines, customers.OrderLine{SKU: l.SKU, Quantity: l.Quantity, Amount: l.Amount})
	}
	return o
}

var kinds = map[Kind]bool{
	KindOpen: true, KindClick: true, KindReply: true, KindCall: true, KindVisit: true, KindCoupon: true, KindOrder: true,
	KindSurvey: true, KindComplaint: true, KindBounce: true, KindUnsubscribe: true,
}

const (
	maxRef    = 200
	maxDetail = 8 << 10 // bytes of JSON
	ahead     = 24 * time.Hour
)

// check brings responses into normal form; all faults of the batch are reported at once.
func check(responses []Response, country string, now time.Time) ([]*item, error) {
	if len(responses) > MaxBatch {
		return nil, fault.BadField("responses", "at most %d responses can be reported at once, this is %d", MaxBatch, len(responses))
	}
	var faults []fault.Field
	items := make([]*item, len(responses))
	for i, r := range responses {
		it := &item{n: i, single: len(responses) == 1, r: r, id: id.New()}
		items[i] = it
		bad := func(name, format string, args ...any) {
			faults = append(faults, fault.Field{Name: it.field(name), Message: fmt.Sprintf(format, args...)})
		}
		it.check(country, now, bad)
	}
	if len(faults) > 0 {
		return nil, fault.Bad("The response is not valid", faults...)
	}
	return items, nil
}

func (it *item) check(country string, now time.Time, bad func(name, format string, args ...any)) {
	r := &it.r
	if !kinds[r.Kind] {
		bad("kind", "%q is not a kind of response: use open, click, reply, call, visit, coupon, order, survey, complaint, bounce or unsubscribe", r.Kind)
	}
	for _, f := range []struct {
		name  string
		value *string
		max   int
	}{
		{"ref", &r.Ref, maxRef}, {"external_id", &r.ExternalID, 200}, {"campaign", &r.Campaign, 200}, {"order_ref", &r.OrderRef, maxRef},
		{"currency", &r.Currency, 3}, {"place", &r.Place, 200}, {"email", &r.Email, 400}, {"phone", &r.Phone, 100},
	} {
		*f.value = strings.TrimSpace(*f.value)
		if !utf8.ValidString(*f.value) || strings.ContainsRune(*f.value, 0) {
			bad(f.name, "holds characters that are not text")
		} else if utf8.RuneCountInString(*f.value) > f.max {
			bad(f.name, "is too long: at most %d characters", f.max)
		}
	}
	if r.CustomerID == 0 && r.ExternalID == "" && r.Email == "" && r.Phone == "" && strings.TrimSpace(r.Keycode+r.Coupon) == "" {
		bad("customer_id", "is missing: say who answered (customer_id, external_id, email or phone) or give the keycode")
	}
	switch r.Channel {
	case "", "email", "sms", "post", "calls":
	default:
		bad("channel", "%q is not a channel: use email, sms, post or calls", r.Channel)
	}
	if r.At.IsZero() {
		r.At = now
	} else if r.At.After(now.Add(ahead)) {
		bad("at", "lies in the future: %s", r.At.UTC().Format(time.RFC3339))
	} else if r.At.Year() < 1900 {
		bad("at", "lies too far in the past: %s", r.At.UTC().Format(time.RFC3339))
	}
	if r.CustomerID < 0 {
		bad("customer_id", "is negative")
	}
	if r.Email != "" {
		clean, err := normal.Email(r.Email)
		if err != nil {
			bad("email", "%s", err)
		}
		r.Email = clean
	}
	if r.Phone != "" {
		clean, err := normal.Phone(r.Phone, country)
		if err != nil {
			bad("phone", "%s", err)
		}
		r.Phone = clean
	}
	it.checkCodes(bad)
	it.checkOrder(bad)
	if detail, err := json.Marshal(r.Detail); err != nil || len(detail) > maxDetail {
		bad("detail", "is too large: at most %d bytes of JSON", maxDetail)
	}
}

func (it *item) checkCodes(bad func(name, format string, args ...any)) {
	r := &it.r
	it.method = "direct"
	if r.Kind == KindCall || r.Channel == "calls" {
		it.method = "phone"
	}
	for _, c := range []struct {
		name, method string
		value        *string
	}{{"coupon", "coupon", &r.Coupon}, {"keycode", "keycode", &r.Keycode}} {
		if strings.TrimSpace(*c.value) == "" {
			*c.value = ""
			continue
		}
		normal, problem := checkKeycode(*c.value)
		if problem != "" {
			bad(c.name, "%s", problem)
		}
		*c.value, it.method = normal, c.method
	}
	if r.Coupon == "" {
		return
	}
	if r.Keycode != "" && r.Keycode != r.Coupon {
		bad("coupon", "is another code than keycode")
	}
	r.Keycode, it.method = r.Coupon, "coupon"
}

func (it *item) checkOrder(bad func(name, format string, args ...any)) {
	r := &it.r
	if r.Kind != KindOrder {
		return
	}
	if r.OrderRef == "" {
		bad("order_ref", "is missing: an order is known by its number")
	} else if r.Ref == "" {
		r.Ref = "order:" + r.OrderRef
	}
	if r.Currency == "" {
		bad("currency", "is missing: an order needs its amount and currency")
	}
}
