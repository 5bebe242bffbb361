package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"aldine/internal/access"
	"aldine/internal/fault"
)

// ctx is the request's context, with the actor and the session.
func ctx(c echo.Context) context.Context { return c.Request().Context() }

// withSession loads the session and writes it back with the answer.
func (p *Pages) withSession(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		var result error
		p.sessions.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			before := c.Response().Writer
			c.SetRequest(r)
			c.Response().Writer = w
			c.Set("session", true)
			result = next(c)
			c.Response().Writer = before
		})).ServeHTTP(c.Response().Writer, c.Request())
		return result
	}
}

func (p *Pages) hasSession(c echo.Context) bool { return c.Get("session") == true }

// enter makes the session the user's. Its token is a new one: one planted before is worth nothing.
func (p *Pages) enter(c echo.Context, userID int64) error {
	user, err := p.Access.User(ctx(c), userID)
	if err != nil {
		return err
	}
	if err := p.sessions.RenewToken(ctx(c)); err != nil {
		return err
	}
	p.sessions.Put(ctx(c), "user", user.ID)
	p.sessions.Put(ctx(c), "stamp", user.Stamp)
	return nil
}

// identify puts the session's user into the context as the actor. The user is read again each time, so that a
// changed role, a disabled user or a new password counts at once.
func (p *Pages) identify(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		id := p.sessions.GetInt64(ctx(c), "user")
		if id == 0 {
			return next(c)
		}
		user, err := p.Access.User(ctx(c), id)
		if fault.Is(err, fault.NotFound) || err == nil && (user.DisabledAt != nil || user.Stamp != p.sessions.GetString(ctx(c), "stamp")) {
			if err := p.sessions.Destroy(ctx(c)); err != nil {
				return err
			}
			return next(c)
		} else if err != nil {
			return err
		}
		c.SetRequest(c.Request().WithContext(access.With(ctx(c), user.Actor())))
		c.Set("person", user.Name)
		c.Set("must_change", user.MustChange)
		return next(c)
	}
}

// flash keeps a line for the next page.
func (p *Pages) flash(c echo.Context, text string) { p.sessions.Put(ctx(c), "flash", text) }

// done answers a form that worked: the line is shown on the page that follows.
func (p *Pages) done(c echo.Context, to, text string) error {
	p.flash(c, text)
	return c.Redirect(http.StatusSeeOther, to)
}

// checkOrigin refuses unsafe requests that another site made a browser send.
func (p *Pages) checkOrigin(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := p.origin.Check(c.Request()); err != nil {
			return fault.Wrap(fault.Forbidden, err, "This form was sent from another site")
		}
		return next(c)
	}
}

// localPath gives a path of this site to go on to, or "/" where the wish leads elsewhere.
func localPath(wish string) string {
	u, err := url.Parse(wish)
	if err != nil || u.Scheme != "" || u.Host != "" || u.Opaque != "" || u.User != nil || !strings.HasPrefix(wish, "/") ||
		strings.HasPrefix(wish, "//") || strings.HasPrefix(u.RequestURI(), "//") || strings.ContainsAny(wish, "\\\r\n\t") {
		return "/"
	}
	return u.RequestURI()
}
