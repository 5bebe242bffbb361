package customers

import (
	"time"

	"github.com/govalues/decimal"
	"github.com/riverqueue/river"

	"aldine/internal/queue"
)

// Order is one transaction of a customer. The customer is named by number or by external id; with neither, the order
// is that of a person not known. A return has negative quantity and amount.
type Order struct {
	Ref                string          `json:"order_id"` // the shop's number, unique over all customers
	CustomerID         ID              `json:"customer_id,omitempty"`
	CustomerExternalID string          `json:"customer_external_id,omitempty"`
	OrderedAt          time.Time       `json:"ordered_at"`
	Quantity           int             `json:"quantity"` // 0: that of the lines, else one piece
	Amount             decimal.Decimal `json:"amount"`
	Currency           string          `json:"currency"`         // ISO 4217
	Place              string          `json:"place,omitempty"`  // web, shop, phone, mail
	Reason             string          `json:"reason,omitempty"` // why it was placed
	Keycode            string          `json:"keycode,omitempty"`
	Lines              []OrderLine     `json:"lines,omitempty"`
}

// PlacedBySQL is the last moment at which an order, in SQL as alias, may have been placed: who dates orders by day alone
// gives midnight (UTC), and such an order may be of any hour of its day. Compare with it what must have come before.
func PlacedBySQL(alias string) string {
	at := alias + ".ordered_at"
	return `CASE WHEN ` + at + ` = date_trunc('day', ` + at + `, 'UTC') THEN ` + at + ` + interval '1 day - 1 microsecond' ELSE ` + at + ` END`
}

// OrderLine is one product of an order; the amount is in the order's currency.
type OrderLine struct {
	SKU      string          `json:"sku"`
	Quantity int             `json:"quantity"`
	Amount   decimal.Decimal `json:"amount"`
}

// OrderState says what became of an order that was reported.
type OrderState string

// The states.
const (
	OrderCreated   OrderState = "created"
	OrderUpdated   OrderState = "updated"   // it was known with other content
	OrderUnchanged OrderState = "unchanged" // it was known exactly so
	OrderRejected  OrderState = "rejected"
)

// OrderOutcome is what became of one order; Reason says in words why it was rejected.
type OrderOutcome struct {
	Ref        string     `json:"order_id"`
	CustomerID ID         `json:"customer_id,omitempty"`
	State      OrderState `json:"state"`
	Reason     string     `json:"reason,omitempty"`
}

// OrdersRecordedArgs says that orders were stored or changed; the worker, in tracking, credits them to campaigns.
// Inserted in the transaction that stores the orders, at most a thousand to a job.
type OrdersRecordedArgs struct {
	Refs     queue.Packed[string] `json:"refs"`
	ImportID int64                `json:"import_id,omitempty"`
}

// Kind names the job.
func (OrdersRecordedArgs) Kind() string { return "orders_recorded" }

// InsertOpts names the queue.
func (OrdersRecordedArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: queue.Tracking}
}
