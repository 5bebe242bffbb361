package web

import (
	"github.com/labstack/echo/v4"

	"aldine/internal/access"
	"aldine/internal/fault"
)

type passwordPage struct {
	frame
	Form form
	Must bool // a one-time password has to be replaced first
}

var passwordView = pageView[passwordPage]("password")

func (p *Pages) passwordForm(c echo.Context) error { return p.showPassword(c, form{}) }

func (p *Pages) showPassword(c echo.Context, f form) error {
	page := passwordPage{frame: p.frame(c, place{}, "Your password"), Form: f, Must: c.Get("must_change") == true}
	if page.Must {
		page.Places = nil
	}
	return showStatus(p, c, f.status(), passwordView, page)
}

func (p *Pages) changePassword(c echo.Context) error {
	f, err := formOf(c)
	if err != nil {
		return err
	}
	old, fresh, again := f.Get("old_password"), f.Get("password"), f.Get("again")
	f.values = nil // never sent back
	if fresh != again {
		err = fault.BadField("again", "The two new passwords are not the same")
	} else {
		err = p.Access.ChangePassword(ctx(c), access.From(ctx(c)).UserID, old, fresh)
	}
	if err != nil {
		if err := f.refused(err); err != nil {
			return err
		}
		return p.showPassword(c, f)
	}
	// Other sessions of this person end with the old password; this one goes on.
	if err := p.enter(c, access.From(ctx(c)).UserID); err != nil {
		return err
	}
	return p.done(c, "/", "Your password is changed.")
}
