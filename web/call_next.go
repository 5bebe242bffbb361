package web

import (
	"strings"
	"time"

	"github.com/govalues/decimal"
	"github.com/labstack/echo/v4"

	"aldine/delivery/calls"
	"aldine/internal/fault"
)

type callPage struct {
	frame
	List     calls.List
	Call     *calls.Call // nil: nothing to call now
	Outcomes []outcomeKey
	Form     form
	Hours    string
	Why      string // why there is nothing
	Held     []calls.Held
	Now      time.Time
	Facts    []fact
}

// outcomeKey is an outcome with the key that records it.
type outcomeKey struct {
	calls.Outcome
	Key string
}

var callView = pageView[callPage]("call")

// callNext shows the call the agent holds, or the next one.
func (p *Pages) callNext(c echo.Context) error {
	id, err := idParam(c)
	if err != nil {
		return err
	}
	return p.showCall(c, id, form{})
}

func (p *Pages) showCall(c echo.Context, listID int64, f form) error {
	list, err := p.Delivery.Calls().List(ctx(c), listID)
	if err != nil {
		return err
	}
	v, err := p.Settings.Get(ctx(c))
	if err != nil {
		return err
	}
	page := callPage{frame: p.frame(c, callsPlace, list.Name), List: list, Form: f, Now: p.Now(), Hours: hour(v.CallFromHour) + " to " + hour(v.CallToHour)}
	found, err := p.Delivery.Calls().Lease(ctx(c), listID, agentOf(c), 1)
	switch {
	case fault.Is(err, fault.Conflict):
		page.Why = describe(err).Message
	case err != nil:
		return err
	case len(found) > 0:
		page.Call = &found[0]
		page.Facts = callFacts(found[0].Customer)
	}
	if page.Held, err = p.Delivery.Calls().Held(ctx(c), listID); err != nil {
		return err
	}
	keys := "1234567890"
	for i, o := range calls.Outcomes {
		k := outcomeKey{Outcome: o}
		if i < len(keys) {
			k.Key = keys[i : i+1]
		}
		page.Outcomes = append(page.Outcomes, k)
	}
	return showStatus(p, c, f.status(), callView, page)
}

// callFacts puts what an agent needs first; the name stands above already.
func callFacts(known map[string]string) []fact {
	var out []fact
	for _, f := range []struct{ name, label string }{{"company", "Company"}, {"street", "Street"}, {"postal_code", "Postal code"}, {"city", "City"},
		{"region", "Region"}, {"country", "Country"}, {"language", "Language"}, {"email", "E-mail"}, {"external_id", "External id"},
		{"orders_count", "Orders"}, {"total_spent", "Spent"}, {"last_order_at", "Last order"}} {
		value := known[f.name]
		if f.name == "total_spent" {
			if d, err := decimal.Parse(value); err == nil {
				value = number(d.Round(2).Pad(2))
			}
		}
		if value != "" {
			out = append(out, fact{f.label, value})
		}
	}
	return out
}

func hour(h int) string { return number(h) + ":00" }

// callOutcome records what became of a call and goes on to the next one.
func (p *Pages) callOutcome(c echo.Context) error {
	listID, err := idParam(c)
	if err != nil {
		return err
	}
	f, err := formOf(c)
	if err != nil {
		return err
	}
	callID, err := wholeNumber(f.Get("call"))
	if err != nil {
		return fault.BadField("call", "This is not a call's number")
	}
	if f.Get("outcome") == "release" {
		if err := p.Delivery.Calls().Release(ctx(c), callID, agentOf(c)); err != nil {
			return err
		}
		return p.done(c, "/calls", "The call was given back.")
	}
	report, err := callReport(f)
	var result calls.Result
	if err == nil {
		result, err = p.Delivery.Calls().Outcome(ctx(c), callID, agentOf(c), report)
	}
	if fault.Is(err, fault.Invalid) {
		if err := f.refused(err); err != nil {
			return err
		}
		return p.showCall(c, listID, f)
	} else if err != nil {
		return err
	}
	label := f.Get("outcome")
	if o, ok := calls.Find(label); ok {
		label = o.Label
	}
	text := "Recorded: " + label + "."
	if result.NextAt != nil {
		text += " It comes up again on " + result.NextAt.UTC().Format("2 Jan 15:04") + " UTC."
	}
	return p.done(c, "/calls/"+number64(listID)+"/next", text)
}

// callReport reads the agent's form. A call-back is entered in the customer's local time.
func callReport(f form) (calls.Report, error) {
	r := calls.Report{Outcome: f.Get("outcome"), Note: f.Text("note")}
	if r.Outcome == "callback" {
		zones := f.Get("zone") // of the number, then of the address: the last is where the person is
		zone, err := time.LoadLocation(zones[strings.LastIndex(zones, ",")+1:])
		if err != nil {
			zone = time.UTC
		}
		at, err := time.ParseInLocation("2006-01-02T15:04", f.Text("call_back_at"), zone)
		if err != nil {
			return r, fault.BadField("call_back_at", "Give the day and time of the call-back")
		}
		r.CallBackAt = &at
	}
	ref, amount := f.Text("order_ref"), strings.ReplaceAll(f.Text("amount"), ",", "")
	if r.Outcome == "sale" && (ref != "" || amount != "") {
		d, err := decimal.Parse(amount)
		if err != nil {
			return r, fault.BadField("amount", "Write the amount as a number such as 49.90")
		}
		r.Order = &calls.Order{Ref: ref, Amount: d}
	}
	return r, nil
}
