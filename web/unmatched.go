package web

import (
	"github.com/google/uuid"
	"github.com/labstack/echo/v4"

	"aldine/internal/fault"
	"aldine/tracking"
)

type unmatchedPage struct {
	frame
	Responses   []tracking.UnmatchedResponse
	First, Next string
}

var unmatchedView = pageView[unmatchedPage]("unmatched")

// unmatched lists responses that belong to no campaign or nobody, for a person to decide.
func (p *Pages) unmatched(c echo.Context) error {
	after := c.QueryParam("after")
	found, err := p.Tracking.Unmatched(ctx(c), after, rowsPerPage)
	if err != nil {
		return err
	}
	page := unmatchedPage{frame: p.frame(c, reportsPlace, "Responses to review"), Responses: found.Responses}
	if after != "" {
		page.First = "/reports/unmatched"
	}
	if found.Next != "" {
		page.Next = "/reports/unmatched?after=" + escapeQuery(found.Next)
	}
	return show(p, c, unmatchedView, page)
}

func (p *Pages) unmatchedResolve(c echo.Context) error {
	id, err := uuid.Parse(c.Param("id"))
	if err != nil {
		return fault.New(fault.NotFound, "There is no such response")
	}
	f, err := formOf(c)
	if err != nil {
		return err
	}
	r := tracking.Resolution{Keycode: f.Text("keycode"), Dismiss: f.Get("do") == "dismiss"}
	if r.CustomerID, err = wholeNumber(f.Text("customer")); err != nil {
		return fault.BadField("customer", "Give the customer's number")
	}
	if _, err := p.Tracking.Resolve(ctx(c), id, r); err != nil {
		return err
	}
	if r.Dismiss {
		return p.done(c, "/reports/unmatched", "The response is dismissed.")
	}
	return p.done(c, "/reports/unmatched", "The response is recorded.")
}
