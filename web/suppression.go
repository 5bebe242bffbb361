package web

import (
	"net/url"

	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"aldine/customers"
	"aldine/internal/fault"
)

type suppressionPage struct {
	frame
	Search       string
	Form         form
	Scopes       []option
	Media        []option
	Suppressions []customers.Suppression
	First, Next  string
}

var (
	suppressionView = pageView[suppressionPage]("suppressions")
	scopeOptions    = []option{{"email", "E-mail address"}, {"phone", "Phone number"}, {"customer", "Customer number"}, {"address", "Postal address"}}
)

func (p *Pages) suppressionList(c echo.Context) error {
	return p.showSuppressions(c, formWith("channel", "all"))
}

func (p *Pages) showSuppressions(c echo.Context, f form) error {
	page := suppressionPage{frame: p.frame(c, customersPlace, "Suppression list"), Search: c.QueryParam("q"), Form: f, Scopes: scopeOptions,
		Media: []option{{"all", "All channels"}, {"email", "E-mail"}, {"sms", "SMS"}, {"post", "Letter"}, {"calls", "Call"}}}
	cursor := c.QueryParam("after")
	found, err := p.Customers.Suppressions(ctx(c), customers.SuppressionQuery{Search: page.Search, Cursor: cursor, Limit: rowsPerPage})
	if err != nil {
		return err
	}
	page.Suppressions = found.Suppressions
	query := url.Values{"q": {page.Search}}
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
	s := customers.Suppression{Scope: f.Get("scope"), Value: f.Text("value"), Channel: f.Get("channel"), Reason: f.Text("reason")}
	if s.Scope == customers.ScopeAddress {
		s.Address = &customers.Address{Street: f.Text("street"), PostalCode: f.Text("postal_code"), City: f.Text("city"), Country: f.Text("country")}
	}
	if _, err := p.Customers.Suppress(ctx(c), []customers.Suppression{s}); err != nil {
		if err := f.refused(err); err != nil {
			return err
		}
		return p.showSuppressions(c, f)
	}
	return p.done(c, "/suppressions", "Suppressed from now on, also for contacts that are planned already.")
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
