package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"aldine/customers"
	"aldine/internal/access"
	"aldine/internal/fault"
	"aldine/reports"
	"aldine/tracking"
)

// customerDetails is one customer with what they allow.
type customerDetails struct {
	customers.Customer
	Consents []customers.Consent `json:"consents"`
}

type listCustomers struct {
	Limits
	Search string `query:"search" doc:"Number, external id, e-mail, phone, or the beginning of the last name."`
	List   int64  `query:"list" doc:"Only members of the list with this id."`
	Names  string `query:"names" enum:"house,rented,all" doc:"House customers, rented names or all. Without it the house file, and all names where a list or a search is given."`
	After  int64  `query:"after"`
}

func (a *API) customers() {
	const tag = "Customers"
	add(a, op{id: "listCustomers", method: http.MethodGet, path: "/customers", summary: "Search customers", tag: tag, need: access.CustomersRead},
		func(ctx context.Context, in *listCustomers) (page[customers.Customer], error) {
			p, err := a.Customers.List(ctx, customers.Query{Search: in.Search, List: in.List, Names: in.Names, After: in.After, Limit: in.Limit})
			return paged(p.Customers, p.Next), err
		})
	add(a, op{id: "createCustomer", method: http.MethodPost, path: "/customers", summary: "Add a customer", tag: tag,
		need: access.CustomersWrite, status: http.StatusCreated},
		func(ctx context.Context, in *body[customers.Input]) (customers.Customer, error) {
			return a.Customers.Create(ctx, in.Body)
		})
	add(a, op{id: "getCustomer", method: http.MethodGet, path: "/customers/{id}", summary: "One customer, with consents", tag: tag, need: access.CustomersRead},
		func(ctx context.Context, in *One) (d customerDetails, err error) {
			if d.Customer, err = a.Customers.Get(ctx, in.ID); err != nil {
				return d, err
			}
			d.Consents, err = a.Customers.Consents(ctx, in.ID)
			return d, err
		})
	add(a, op{id: "updateCustomer", method: http.MethodPatch, path: "/customers/{id}", summary: "Change some fields of a customer", tag: tag, need: access.CustomersWrite,
		doc: "Fields and attributes by name; null empties one. What is not named stays."},
		func(ctx context.Context, in *with[customers.Patch]) (customers.Customer, error) {
			return a.Customers.Update(ctx, in.ID, in.Body)
		})
	act(a, op{id: "eraseCustomer", method: http.MethodDelete, path: "/customers/{id}", summary: "Erase a customer's identity", tag: tag, need: access.CustomersWrite,
		doc: "Name, addresses and attributes are removed for good, with the customers merged into this one; touches, responses and orders stay without " +
			"identity, so that reports do not change. Keyed hashes stay: an import that brings the person again has the row rejected."},
		func(ctx context.Context, in *One) error { return a.Customers.Erase(ctx, in.ID) })
	type history struct {
		One
		Limits
		After string `query:"after"`
	}
	add(a, op{id: "customerHistory", method: http.MethodGet, path: "/customers/{id}/history", summary: "What happened with a customer, newest first", tag: tag,
		need: access.CustomersRead, doc: "Touches with why they were not sent, responses, orders, events and consents on one time line."},
		func(ctx context.Context, in *history) (page[reports.Event], error) {
			if _, err := a.Customers.Get(ctx, in.ID); err != nil {
				return page[reports.Event]{}, err
			}
			events, next, err := a.Reports.History(ctx, in.ID, in.After, in.Limit)
			return paged(events, next), err
		})
	type consents struct {
		One
		Body map[string]bool `doc:"Channel (email, sms, post, calls) to yes or no." example:"{\"email\":true}"`
	}
	add(a, op{id: "setConsents", method: http.MethodPut, path: "/customers/{id}/consents", summary: "Record what a customer allows", tag: tag, need: access.CustomersWrite},
		func(ctx context.Context, in *consents) (out page[customers.Consent], err error) {
			if _, err := a.Customers.Get(ctx, in.ID); err != nil {
				return out, err
			}
			var list []customers.Consent
			for _, channel := range customers.Channels {
				if granted, ok := in.Body[channel]; ok {
					list = append(list, customers.Consent{CustomerID: in.ID, Channel: channel, Granted: granted, Source: "api", At: a.Now()})
				}
			}
			if len(list) != len(in.Body) || len(list) == 0 {
				return out, fault.Bad("The input is not valid", fault.Field{Name: "body", Message: "Name channels among " + strings.Join(customers.Channels, ", ")})
			}
			if err := a.Customers.SetConsents(ctx, list); err != nil {
				return out, err
			}
			now, err := a.Customers.Consents(ctx, in.ID)
			return paged(now, nil), err
		})
	a.attributes()
}

// recomputations hold the facts that follow from orders against the orders.
func (a *API) recomputations() {
	const tag = "Customers"
	add(a, op{id: "startRecomputation", method: http.MethodPost, path: "/recomputations", summary: "Hold the facts kept with customers against their orders", tag: tag,
		need: access.Administer, status: http.StatusCreated, doc: "Number, sum and times of orders follow every order at once; this proves it, and mends what differs, in the background. Conflict while one is under way."},
		func(ctx context.Context, _ *none) (customers.Recomputation, error) {
			return a.Customers.StartRecomputation(ctx, false)
		})
	add(a, op{id: "listRecomputations", method: http.MethodGet, path: "/recomputations", summary: "Recomputations, newest first", tag: tag, need: access.Administer},
		func(ctx context.Context, in *Limits) (page[customers.Recomputation], error) {
			list, err := a.Customers.Recomputations(ctx, in.Limit)
			return paged(list, nil), err
		})
	add(a, op{id: "getRecomputation", method: http.MethodGet, path: "/recomputations/{id}", summary: "How far a recomputation is", tag: tag, need: access.Administer},
		func(ctx context.Context, in *One) (customers.Recomputation, error) {
			return a.Customers.Recomputation(ctx, in.ID)
		})
	add(a, op{id: "cancelRecomputation", method: http.MethodPost, path: "/recomputations/{id}/cancel", summary: "Stop a recomputation", tag: tag, need: access.Administer,
		doc: "What is mended stays."},
		func(ctx context.Context, in *One) (customers.Recomputation, error) {
			return a.Customers.CancelRecomputation(ctx, in.ID)
		})
	add(a, op{id: "resumeRecomputation", method: http.MethodPost, path: "/recomputations/{id}/resume", summary: "Carry on a recomputation that was stopped", tag: tag, need: access.Administer,
		status: http.StatusAccepted, doc: "It goes on after the last customer that was looked at."},
		func(ctx context.Context, in *One) (customers.Recomputation, error) {
			return a.Customers.ResumeRecomputation(ctx, in.ID)
		})
}

func (a *API) lists() {
	const tag = "Lists, products and orders"
	add(a, op{id: "listLists", method: http.MethodGet, path: "/lists", summary: "Lists with their prices and sizes", tag: tag, need: access.CustomersRead},
		func(ctx context.Context, _ *none) (page[customers.CustomerList], error) {
			list, err := a.Customers.Lists(ctx)
			return paged(list, nil), err
		})
	add(a, op{id: "saveList", method: http.MethodPut, path: "/lists", summary: "Add or change a list, by name", tag: tag, need: access.CustomersWrite,
		doc: "The deal of a rented list: how many campaigns may use each name and until when, and net names: chargeable = max(names used, net_share x gross), the rest of the gross at the running charge."},
		func(ctx context.Context, in *body[customers.CustomerList]) (customers.CustomerList, error) {
			return a.Customers.SaveList(ctx, in.Body)
		})
	type listProducts struct {
		Limits
		After string `query:"after" doc:"The last SKU of the page before."`
	}
	add(a, op{id: "listProducts", method: http.MethodGet, path: "/products", summary: "Products", tag: tag, need: access.CustomersRead},
		func(ctx context.Context, in *listProducts) (page[customers.Product], error) {
			list, err := a.Customers.Products(ctx, in.After, in.Limit)
			return cut(list, in.Limit, func(p customers.Product) any { return p.SKU }), err
		})
	act(a, op{id: "saveProduct", method: http.MethodPut, path: "/products", summary: "Add or change a product, by SKU", tag: tag, need: access.CustomersWrite},
		func(ctx context.Context, in *body[customers.Product]) error {
			return a.Customers.SaveProduct(ctx, in.Body)
		})
	addMany(a, op{id: "recordOrders", method: http.MethodPost, path: "/orders", summary: "Record one order or several", tag: tag, need: access.ResponsesWrite,
		doc: "Idempotent by order_id: the same order again changes nothing. Orders are credited to campaigns by keycode, else by matchback; one that is " +
			"dated by day alone follows what happened on that day. Each order has an outcome of its own; when all are rejected the request is."},
		func(ctx context.Context, in *oneOrMany[order]) (oneOrPage[orderOutcome], error) {
			return a.recordOrders(ctx, in)
		})
	type listSuppressions struct {
		Limits
		Search string `query:"search" doc:"The value or the beginning of it, as entered or in normal form."`
		Scope  string `query:"scope" doc:"Only this scope."`
		After  string `query:"after"`
	}
	const suppression = "Suppression"
	add(a, op{id: "listSuppressions", method: http.MethodGet, path: "/suppressions", summary: "Who must not be contacted", tag: suppression, need: access.CustomersRead},
		func(ctx context.Context, in *listSuppressions) (page[customers.Suppression], error) {
			p, err := a.Customers.Suppressions(ctx, customers.SuppressionQuery{Search: in.Search, Scope: in.Scope, Cursor: in.After, Limit: in.Limit})
			return paged(p.Suppressions, p.Next), err
		})
	addMany(a, op{id: "suppress", method: http.MethodPost, path: "/suppressions", summary: "Suppress one or several", tag: suppression,
		need: access.CustomersWrite, doc: "By scope customer, household (of the customer whose number is the value), address, phone, email or domain (with the domains below it), for one " +
			"channel or all. It acts from effective_at on, at once where that is null, on what is planned already too."},
		func(ctx context.Context, in *oneOrMany[customers.Suppression]) (out oneOrPage[customers.Suppression], err error) {
			list, err := in.take("suppression")
			if err != nil {
				return out, err
			}
			for i := range list {
				if list[i].Reason == "" {
					list[i].Reason = "reported without a reason"
				}
			}
			out.created = true
			out.items, err = a.Customers.Suppress(ctx, list)
			return out, err
		})
	type unsuppress struct {
		ID uuid.UUID `path:"id"`
	}
	act(a, op{id: "unsuppress", method: http.MethodDelete, path: "/suppressions/{id}", summary: "Remove a suppression", tag: suppression, need: access.CustomersWrite},
		func(ctx context.Context, in *unsuppress) error { return a.Customers.Unsuppress(ctx, in.ID) })
}

// order is one to record.
type order struct {
	customers.Order
	OrderedAt moment `json:"ordered_at"`
}

// orderOutcome is what became of an order.
type orderOutcome struct {
	ID string `json:"id" doc:"The order_id again."`
	customers.OrderOutcome
}

func (a *API) recordOrders(ctx context.Context, in *oneOrMany[order]) (out oneOrPage[orderOutcome], err error) {
	given, err := in.take("order")
	if err != nil {
		return out, err
	}
	out.items = make([]orderOutcome, len(given))
	var list []customers.Order
	var places []int
	for i, o := range given {
		o.Order.OrderedAt = o.OrderedAt.Time
		if o.Keycode != "" {
			if o.Order.Keycode, err = tracking.CheckKeycode(o.Keycode); err != nil { // else the order would be credited to nobody, unnoticed
				out.items[i].OrderOutcome = customers.OrderOutcome{Ref: o.Ref, State: customers.OrderRejected, Reason: "keycode: " + reasonOf(err)}
				continue
			}
		}
		list, places = append(list, o.Order), append(places, i)
	}
	done, err := a.Customers.RecordOrders(ctx, list)
	if err != nil {
		return out, err
	}
	for i, o := range done {
		out.items[places[i]].OrderOutcome = o
	}
	var rejected []fault.Field
	for i := range out.items {
		o := &out.items[i]
		o.ID = o.Ref
		if o.State == customers.OrderRejected {
			rejected = append(rejected, in.fault(i, o.Reason))
		}
		out.created = o.State == customers.OrderCreated
	}
	if len(rejected) == len(out.items) {
		return out, fault.Bad("No order was recorded", rejected...)
	}
	return out, nil
}

// reasonOf gives what an error says of the one field that it is about.
func reasonOf(err error) string {
	var f *fault.Error
	if errors.As(err, &f) && len(f.Fields) == 1 {
		return f.Fields[0].Message
	}
	return err.Error()
}
