package web

import (
	"net/url"
	"time"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"aldine/customers"
	"aldine/internal/fault"
)

type suppressionPage struct {
	frame
	Search, Scope string
	Form          form
	Scopes        []option
	Media         []option
	Suppressions  []customers.Suppression
	First, Next   string
	Now           time.Time
}

var (
	suppressionView = pageView[suppressionPage]("suppressions")
	scopeOptions    = []option{{"email", "E-mail address"}, {"phone", "Phone number"}, {"customer", "Person, by customer number"},
		{"household", "Household, by a customer's number"}, {"address", "Postal address"}, {"domain", "E-mail domain"}}
	suppressibleMedia = []option{{"all", "All channels"}, {"email", "E-mail"}, {"sms", "SMS"}, {"post", "Letter"}, {"calls", "Call"}}
)

func (p *Pages) suppressionList(c echo.Context) error {
	return p.showSuppressions(c, formWith("channel", "all"))
}

func (p *Pages) showSuppressions(c echo.Context, f form) error {
	page := suppressionPage{frame: p.frame(c, customersPlace, "Suppression list"), Search: c.QueryParam("q"), Scope: c.QueryParam("scope"), Form: f,
		Scopes: scopeOptions, Media: suppressibleMedia, Now: p.Now()}
	cursor := c.QueryParam("after")
	found, err := p.Customers.Suppressions(ctx(c), customers.SuppressionQuery{Search: page.Search, Scope: page.Scope, Cursor: cursor, Limit: rowsPerPage})
	if err != nil {
		return err
	}
	page.Suppressions = found.Suppressions
	query := url.Values{"q": {page.Search}, "scope": {page.Scope}}
	if cursor != "" {
		page.First = "/suppressions?" + query.Encode()
	}
	if found.Next != "" {
		query.Set("after", found.Next)
		page.Next = "/suppressions?" + query.Encode()
	}
	return showStatus(p, c, f.status(), suppressionView, page)
}

func (p *Pages) suppressionAdd(c echo.Context) error {
	f, err := formOf(c)
	if err != nil {
		return err
	}
	s, err := suppressionOf(f)
	s.Value = f.Text("value")
	if s.Scope == customers.ScopeAddress {
		s.Address = &customers.Address{Street: f.Text("street"), PostalCode: f.Text("postal_code"), City: f.Text("city"), Country: f.Text("country")}
	}
	if err == nil {
		_, err = p.Customers.Suppress(ctx(c), []customers.Suppression{s})
	}
	if err != nil {
		if err := f.refused(err); err != nil {
			return err
		}
		return p.showSuppressions(c, f)
	}
	words := "Suppressed from now on, also for contacts that are planned already."
	if s.EffectiveAt != nil && s.EffectiveAt.After(p.Now()) {
		words = "Suppressed from " + s.EffectiveAt.Format("2 January 2006") + " on, also for contacts that are planned already."
	}
	return p.done(c, "/suppressions", words)
}

// suppressionOf reads what a form says of one suppression or of a file of them.
func suppressionOf(f form) (customers.Suppression, error) {
	s := customers.Suppression{Scope: f.Get("scope"), Channel: f.Get("channel"), Reason: f.Text("reason"), Source: f.Text("source")}
	for _, d := range []struct {
		name string
		into **time.Time
	}{{"received_at", &s.ReceivedAt}, {"effective_at", &s.EffectiveAt}, {"expires_at", &s.ExpiresAt}} {
		at, err := dayField(f, d.name)
		if err != nil {
			return s, err
		}
		*d.into = at
	}
	return s, nil
}

// dayField reads a day that need not be given.
func dayField(f form, name string) (*time.Time, error) {
	if f.Text(name) == "" {
		return nil, nil //nolint:nilnil // not given
	}
	at, err := time.Parse(time.DateOnly, f.Text(name))
	if err != nil {
		return nil, fault.BadField(name, "Write the day like 2026-01-31")
	}
	return &at, nil
}

func (p *Pages) suppressionRemove(c echo.Context) error {
	id, err := uuid.Parse(c.Param("id"))
	if err != nil {
		return fault.New(fault.NotFound, "There is no such suppression")
	}
	if err := p.Customers.Unsuppress(ctx(c), id); err != nil {
		return err
	}
	return p.done(c, "/suppressions", "The suppression is removed.")
}
