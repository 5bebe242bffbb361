package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"aldine/internal/access"
	"aldine/internal/fault"
)

type signInPage struct {
	frame
	Form form
	Next string
}

var signInView = pageView[signInPage]("sign-in")

func (p *Pages) signInForm(c echo.Context) error {
	if access.From(ctx(c)).Kind == "user" {
		return c.Redirect(http.StatusSeeOther, localPath(c.QueryParam("next")))
	}
	return show(p, c, signInView, signInPage{frame: p.frame(c, place{}, "Sign in"), Next: localPath(c.QueryParam("next"))})
}

func (p *Pages) signIn(c echo.Context) error {
	f, err := formOf(c)
	if err != nil {
		return err
	}
	actor, mustChange, err := p.Access.Authenticate(ctx(c), f.Text("email"), f.Get("password"))
	if k := fault.KindOf(err); err != nil && (k == fault.Unauthenticated || k == fault.Unavailable || k == fault.Invalid) {
		f.values.Del("password")
		f.Message = describe(err).Message
		return showStatus(p, c, http.StatusUnprocessableEntity, signInView,
			signInPage{frame: p.frame(c, place{}, "Sign in"), Form: f, Next: localPath(f.Get("next"))})
	} else if err != nil {
		return err
	}
	if err := p.enter(c, actor.UserID); err != nil {
		return err
	}
	if mustChange {
		return c.Redirect(http.StatusSeeOther, "/password")
	}
	return c.Redirect(http.StatusSeeOther, localPath(f.Get("next")))
}

func (p *Pages) signOut(c echo.Context) error {
	if err := p.sessions.Destroy(ctx(c)); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/sign-in")
}
