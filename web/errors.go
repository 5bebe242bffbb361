package web

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"aldine/internal/access"
	"aldine/internal/fault"
)

type errorPage struct {
	frame
	Status  int
	Heading string
	Message string
	Fields  []fault.Field
	Next    string // what to do now
	Back    string
}

var errorView = pageView[errorPage]("error")

// guard turns an action's error into a page. It is the one place that does.
func (p *Pages) guard(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		err := caught(next, c)
		if err == nil || c.Response().Committed {
			return err
		}
		return p.ErrorPage(c, err)
	}
}

// ErrorPage answers with the page for an error. Unknown errors are logged once, under a number, which is all that the
// reader is told.
func (p *Pages) ErrorPage(c echo.Context, err error) error {
	if gone := c.Request().Context().Err(); gone != nil && errors.Is(err, context.Canceled) {
		return gone // nobody is left to answer
	}
	page := describe(err)
	if page.Status == http.StatusUnauthorized {
		return p.askToSignIn(c)
	}
	if page.Status == http.StatusInternalServerError {
		number := rand.Text()[:10]
		page.Message += " Its number is " + number + "."
		p.Log.ErrorContext(ctx(c), "page failed", "number", number, "method", c.Request().Method, "path", c.Request().URL.Path, "error", err)
	}
	if isFragment(c) {
		c.Response().Header().Set("X-Message", url.PathEscape(page.Message))
		return c.String(page.Status, page.Message)
	}
	page.frame = p.frame(c, place{}, page.Heading)
	page.Back = "/"
	if c.Request().Method == http.MethodPost {
		if from, err := url.Parse(c.Request().Referer()); err == nil && from.Host == c.Request().Host {
			page.Back = localPath(from.RequestURI())
		}
	}
	return showStatus(p, c, page.Status, errorView, page)
}

func describe(err error) errorPage {
	var he *echo.HTTPError
	if errors.As(err, &he) {
		switch {
		case he.Code == http.StatusNotFound:
			err = fault.New(fault.NotFound, "There is no such page")
		case he.Code == http.StatusRequestEntityTooLarge:
			return errorPage{Status: he.Code, Heading: "Too large", Message: "The upload is larger than this page accepts.", Next: "Send a smaller file, or use the command line for very large ones."}
		case he.Code == http.StatusMethodNotAllowed:
			return errorPage{Status: he.Code, Heading: "Not possible here", Message: "This address does not take such a request.", Next: "Go back and use the buttons of the page."}
		case he.Code < 500:
			err = fault.New(fault.Invalid, "The request could not be read")
		}
	}
	page := errorPage{Message: "Something failed on our side.", Status: http.StatusInternalServerError,
		Heading: "Something went wrong", Next: "Try again in a moment. If it happens again, tell your administrator the number: the log has the details."}
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind == fault.Internal {
		return page
	}
	page.Message, page.Fields = f.Message, f.Fields
	switch f.Kind {
	case fault.Invalid:
		page.Status, page.Heading, page.Next = http.StatusUnprocessableEntity, "That is not right yet", "Go back, correct it, and send it again."
	case fault.NotFound:
		page.Status, page.Heading, page.Next = http.StatusNotFound, "Not found", "It may have been deleted, or the address is mistyped."
	case fault.Conflict:
		page.Status, page.Heading, page.Next = http.StatusConflict, "Not possible now", "Go back and reload the page: it may have changed meanwhile."
	case fault.Forbidden:
		page.Status, page.Heading, page.Next = http.StatusForbidden, "Not allowed", "Ask an administrator if you need this."
	case fault.Unauthenticated:
		page.Status = http.StatusUnauthorized
	case fault.Unavailable:
		page.Status, page.Heading, page.Next = http.StatusServiceUnavailable, "Not available just now", "Try again in a few minutes."
	}
	return page
}

// askToSignIn leads to the sign-in page, and from there back to where the reader wanted to be.
func (p *Pages) askToSignIn(c echo.Context) error {
	to := "/sign-in"
	if c.Request().Method == http.MethodGet && !isFragment(c) {
		if uri := c.Request().URL.RequestURI(); uri != "/" {
			to += "?next=" + url.QueryEscape(uri)
		}
	}
	if isFragment(c) {
		c.Response().Header().Set("HX-Redirect", to)
		return c.NoContent(http.StatusUnauthorized)
	}
	return c.Redirect(http.StatusSeeOther, to)
}

// isFragment tells whether htmx asked, for a part of a page.
func isFragment(c echo.Context) bool { return c.Request().Header.Get("HX-Request") == "true" }

// handleErrors answers with a page what no route answers: unknown addresses, wrong methods. The REST interface and tracking
// answer for themselves.
func (p *Pages) handleErrors(e *echo.Echo) {
	other := e.HTTPErrorHandler
	e.HTTPErrorHandler = func(err error, c echo.Context) {
		path := c.Request().URL.Path
		if c.Response().Committed || path == "/api" || strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, "/t/") {
			other(err, c)
			return
		}
		page := p.chain(func(c echo.Context) error {
			if access.From(ctx(c)).Kind != "user" {
				return fault.New(fault.Unauthenticated, "Sign in first")
			}
			return err
		})
		if err := page(c); err != nil {
			other(err, c)
		}
	}
}
