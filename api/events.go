package api

import (
	"context"
	"net/http"
	"time"

	"github.com/govalues/decimal"

	"aldine/customers"
	"aldine/internal/access"
	"aldine/internal/fault"
)

// event is one to record.
type event struct {
	Ref                string               `json:"ref,omitempty" doc:"Your own id of it: the same one again is not recorded twice." example:"pageview-881"`
	CustomerID         customers.ID         `json:"customer_id,omitempty"`
	CustomerExternalID string               `json:"customer_external_id,omitempty" doc:"Who did it, by your number; or give customer_id."`
	Name               string               `json:"name" doc:"What the customer did, one of few names of your choice, at most 100 characters." example:"viewed"`
	At                 *moment              `json:"at,omitempty" doc:"When; without it, now."`
	Value              *decimal.Decimal     `json:"value,omitempty" doc:"What it was worth, how long it took: what you mean by it. Up to six decimals."`
	Properties         customers.Properties `json:"properties,omitempty" doc:"What else is known of it: at most 20 names with a text, a number, true or false each, 4 KB in all." example:"{\"page\":\"/roses\",\"seconds\":42}"`
}

func (a *API) events() {
	const tag = "Events"
	addMany(a, op{id: "recordEvents", method: http.MethodPost, path: "/events", summary: "Report one event or several", tag: tag, need: access.ResponsesWrite,
		doc: "What customers did elsewhere, in a shop, an app or at a till, to be asked for in segments: did(\"viewed\", \"30d\"), any(events, .value > 100). At most 5,000 at once. " +
			"Idempotent by ref, per token: the same event again is repeated, another one under the same ref is rejected. Each event has an outcome of its own; when all " +
			"are rejected the request is. An event is no response: it is credited to no campaign, and a rented name stays one."},
		func(ctx context.Context, in *oneOrMany[event]) (out oneOrPage[customers.EventOutcome], err error) {
			given, err := in.take("event")
			if err != nil {
				return out, err
			}
			list := make([]customers.Event, len(given))
			for i, e := range given {
				list[i] = customers.Event{Ref: e.Ref, CustomerID: e.CustomerID, CustomerExternalID: e.CustomerExternalID, Name: e.Name, Value: e.Value, Properties: e.Properties}
				if e.At == nil {
					continue
				}
				if list[i].At = e.At.Time; e.At.IsZero() { // what programs write for no time at all, which is not now
					list[i].At = time.Time{}.Add(time.Hour)
				}
			}
			if out.items, err = a.Customers.RecordEvents(ctx, access.From(ctx).Name, list); err != nil {
				return out, err
			}
			var rejected []fault.Field
			for i, o := range out.items {
				if o.State == customers.EventRejected {
					rejected = append(rejected, in.fault(i, o.Reason))
				}
				out.created = o.State == customers.EventRecorded
			}
			if len(rejected) == len(out.items) {
				return out, fault.Bad("No event was recorded", rejected...)
			}
			return out, nil
		})
	type list struct {
		One
		Limits
		Name  string `query:"name" doc:"Only events of this name."`
		After string `query:"after"`
	}
	add(a, op{id: "listEvents", method: http.MethodGet, path: "/customers/{id}/events", summary: "What a customer did elsewhere, newest first", tag: tag, need: access.CustomersRead},
		func(ctx context.Context, in *list) (page[customers.Event], error) {
			p, err := a.Customers.Events(ctx, in.ID, customers.EventQuery{Name: in.Name, Cursor: in.After, Limit: in.Limit})
			return paged(p.Events, p.Next), err
		})
}
