package web

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/govalues/decimal"
	"github.com/labstack/echo/v4"

	"aldine/customers"
	"aldine/internal/access"
	"aldine/internal/fault"
	"aldine/reports"
	"aldine/segments"
)

type customerPage struct {
	frame
	Customer   *customers.Customer
	Currency   string
	RFM        int // 0 where it is not known
	Facts      []fact
	Attributes []fact
	Channels   []channelState
	Segments   []segments.Segment // that the customer is in
	Events     []eventLine
	Next       string // of the time line
	Identity   customerIdentity
}

type fact struct{ Name, Value string }

// channelState is what may be done over one channel with a customer, and why not.
type channelState struct {
	Channel     string
	Known       bool
	Granted     bool
	Source      string
	At          time.Time
	Needed      bool // a recorded yes is needed
	Suppression *customers.Suppression
}

// Open tells whether the customer may be contacted.
func (s channelState) Open() bool {
	return s.Suppression == nil && (s.Known && s.Granted || !s.Known && !s.Needed)
}

// eventLine is one line of the time line, in words.
type eventLine struct {
	reports.Event
	Icon, Text, Why string
	WhyCustomer     string // path of the customer who is the reason
}

var (
	customerView = pageView[customerPage]("customer")
	timelineView = partView[customerPage]("timeline")
)

const eventsPerPage = 50

func (p *Pages) customerShow(c echo.Context) error {
	customer, err := p.customerParam(c)
	if err != nil {
		return err
	}
	if asked, _ := idParam(c); asked != customer.ID { // an old number leads to who it is now
		return p.done(c, "/customers/"+number64(customer.ID), "Number "+number64(asked)+" was merged into this customer.")
	}
	page := customerPage{frame: p.frame(c, customersPlace, customer.Name()), Customer: &customer, Facts: factsOf(customer)}
	if page.Identity, err = p.identityOf(ctx(c), customer.ID); err != nil {
		return err
	}
	if page.RFM, err = p.Segments.RFM(ctx(c), customer.ID); err != nil {
		return err
	}
	v, err := p.Settings.Get(ctx(c))
	if err != nil {
		return err
	}
	page.Currency = v.BaseCurrency
	attributes, err := p.Customers.Attributes(ctx(c))
	if err != nil {
		return err
	}
	for _, a := range attributes {
		if value, ok := customer.Attributes[a.Name]; ok {
			page.Attributes = append(page.Attributes, fact{a.Label, showValue(a.Type, value)})
		}
	}
	said, err := p.Customers.Consents(ctx(c), customer.ID)
	if err != nil {
		return err
	}
	for _, channel := range customers.Channels {
		s := channelState{Channel: channel, Needed: v.ConsentRequired(channel)}
		for _, consent := range said {
			if consent.Channel == channel {
				s.Known, s.Granted, s.Source, s.At = true, consent.Granted, consent.Source, consent.At
			}
		}
		if s.Suppression, err = p.Customers.SuppressionFor(ctx(c), customer.ID, channel); err != nil {
			return err
		}
		page.Channels = append(page.Channels, s)
	}
	if page.Actor.Role.May(access.SegmentsRead) {
		if page.Segments, err = p.Segments.Memberships(ctx(c), customer.ID); err != nil {
			return err
		}
	}
	if err := p.events(c, &page); err != nil {
		return err
	}
	return show(p, c, customerView, page)
}

// customerTimeline answers with the next events.
func (p *Pages) customerTimeline(c echo.Context) error {
	customer, err := p.customerParam(c)
	if err != nil {
		return err
	}
	page := customerPage{frame: p.frame(c, customersPlace, ""), Customer: &customer}
	if err := p.events(c, &page); err != nil {
		return err
	}
	return show(p, c, timelineView, page)
}

func (p *Pages) customerParam(c echo.Context) (customers.Customer, error) {
	id, err := idParam(c)
	if err != nil {
		return customers.Customer{}, err
	}
	return p.Customers.Get(ctx(c), id)
}

func (p *Pages) events(c echo.Context, page *customerPage) error {
	events, next, err := p.Reports.History(ctx(c), page.Customer.ID, c.QueryParam("after"), eventsPerPage)
	if err != nil {
		return err
	}
	for _, e := range events {
		page.Events = append(page.Events, inWords(e))
	}
	page.Next = next
	return nil
}

func inWords(e reports.Event) eventLine {
	line := eventLine{Event: e, Icon: mediumIcon(e.Channel)}
	switch e.Kind {
	case "touch":
		line.Text = mediumName(e.Channel) + " " + sayWord(e.What)
		if e.What == "excluded" {
			line.Icon = "ban"
			line.Text = mediumName(e.Channel) + " not sent"
			line.Why = whyNot(e.Reason)
			if _, of, ok := strings.Cut(e.ReasonOf, " "); ok && e.Reason == "licence" { // "list:5 Herb Society"
				line.Why += ": " + of
			}
			if _, register, ok := customers.RegisterOf(e.ReasonOf); ok {
				line.Why = onRegister(e.Reason, register)
			}
			if isNumber(e.ReasonOf) {
				line.WhyCustomer = "/customers/" + e.ReasonOf
			}
		} else if e.Reason != "" {
			line.Why = e.Reason
		}
	case "response":
		line.Icon, line.Text = "click", strings.ToUpper(e.What[:min(1, len(e.What))])+e.What[min(1, len(e.What)):]
		switch e.What {
		case "open":
			line.Icon = "mail-opened"
		case "unsubscribe", "complaint", "bounce":
			line.Icon = "alert-triangle"
		case "order":
			line.Icon = "shopping-cart"
		case "call":
			line.Icon = "phone"
		}
		line.Why = e.Reason
		if e.Machine {
			line.Why = "by a program, not a person"
		}
	case "call":
		line.Icon, line.Text, line.Why = "phone", "Call: "+strings.ReplaceAll(e.What, "_", " "), e.Reason
	case "order":
		line.Icon, line.Text, line.Why = "shopping-cart", "Order "+e.What, e.Reason
	case "consent":
		line.Icon, line.Text, line.Why = "shield-check", mediumName(e.Channel)+" consent "+e.What, e.Reason
	case "event":
		line.Icon, line.Text, line.Why = "activity", e.What, propertiesInWords(e.Properties)
		if e.Value != "" {
			line.Text += ", " + e.Value
		}
	default:
		line.Icon, line.Text = "info-circle", e.Kind+" "+e.What
	}
	return line
}

// propertiesInWords gives what else is known of an event: "app: yes, page: /roses".
func propertiesInWords(properties customers.Properties) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		v := properties[name]
		switch v {
		case true:
			v = "yes"
		case false:
			v = "no"
		}
		parts = append(parts, fmt.Sprintf("%s: %v", name, v))
	}
	return strings.Join(parts, ", ")
}

// onRegister explains what a do-not-call register had against a contact.
func onRegister(reason, register string) string {
	if reason == "register_stale" {
		return "the do-not-call register was missing or too old: " + register
	}
	return "listed in the do-not-call register " + register
}

// whyNot explains an exclusion: why did she not get it?
func whyNot(reason string) string {
	switch reason {
	case "control":
		return "in the control group, which is contacted by nobody"
	case "no_address":
		return "no usable address for this medium"
	case "suppressed":
		return "on the suppression list"
	case "no_consent":
		return "no consent for this medium"
	case "duplicate":
		return "the same person, e-mail address or phone number is at this step already"
	case "household":
		return "one piece for the household"
	case "company":
		return "one piece for the company"
	case "licence":
		return "a rented name: its licence allows no further use"
	case "register_stale":
		return "the do-not-call file for the country is missing or too old"
	case "address":
		return "one piece for the address"
	case "budget":
		return "the budget was used up"
	case "cancelled":
		return "the campaign was cancelled"
	}
	return sayWord(reason)
}

func isNumber(s string) bool {
	n, err := wholeNumber(s)
	return err == nil && n > 0
}

func factsOf(c customers.Customer) []fact {
	var out []fact
	add := func(name, value string) {
		if value != "" {
			out = append(out, fact{name, value})
		}
	}
	add("External id", c.ExternalID)
	add("Name", strings.Join(strings.Fields(c.Title+" "+c.FirstName+" "+c.LastName+" "+c.Suffix), " "))
	add("Company", c.Company)
	add("E-mail", c.Email)
	add("Phone", c.Phone)
	add("Address", strings.Join(strings.Fields(strings.Join([]string{c.Street, c.Address2}, " ")), " "))
	add("Place", strings.Join(strings.Fields(strings.Join([]string{c.PostalCode, c.City, c.Region, c.Country}, " ")), " "))
	add("Language", c.Language)
	add("Time zone", c.TimeZone)
	return out
}

// showValue writes an attribute's value for people; the editor reads it back.
func showValue(kind customers.AttributeType, value any) string {
	switch v := value.(type) {
	case bool:
		if v {
			return "yes"
		}
		return "no"
	case time.Time:
		if kind == customers.Date {
			return v.Format("2006-01-02")
		}
		return v.UTC().Format(time.RFC3339)
	case []string:
		return strings.Join(v, ", ")
	case decimal.Decimal:
		return v.Trim(2).String()
	case float64:
		return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.6f", v), "0"), ".")
	}
	return fmt.Sprint(value)
}

// customerConsent records what the customer said about one channel.
func (p *Pages) customerConsent(c echo.Context) error {
	id, err := idParam(c)
	if err != nil {
		return err
	}
	f, err := formOf(c)
	if err != nil {
		return err
	}
	var granted bool
	switch f.Get("said") {
	case "yes":
		granted = true
	case "no":
	default:
		return fault.BadField("said", "Say yes or no")
	}
	err = p.Customers.SetConsents(ctx(c), []customers.Consent{{CustomerID: id, Channel: f.Get("channel"), Granted: granted, Source: access.From(ctx(c)).String()}})
	if err != nil {
		return err
	}
	return p.done(c, "/customers/"+c.Param("id"), "The consent is recorded.")
}
