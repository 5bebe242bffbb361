package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"aldine/internal/access"
	"aldine/internal/fault"
)

type usersPage struct {
	settingsFrame
	Users []access.User
	Roles []option
	// A password is shown this once, to the person who asked for it.
	SecretFor, Secret string
}

var usersView = pageView[usersPage]("settings-users")

func roleOptions() []option {
	var out []option
	for _, r := range access.Roles() {
		out = append(out, option{string(r), sayWord(r)})
	}
	return out
}

func (p *Pages) userList(c echo.Context) error {
	return p.showUsers(c, formWith("role", "marketer"), "", "")
}

func (p *Pages) showUsers(c echo.Context, f form, secretFor, secret string) error {
	users, err := p.Access.ListUsers(ctx(c))
	if err != nil {
		return err
	}
	return showStatus(p, c, f.status(), usersView, usersPage{p.settingsFrame(c, "Users", f), users, roleOptions(), secretFor, secret})
}

func (p *Pages) userAdd(c echo.Context) error {
	f, err := formOf(c)
	if err != nil {
		return err
	}
	u, oneTime, err := p.Access.CreateUser(ctx(c), f.Text("email"), f.Text("name"), access.Role(f.Get("role")), "")
	if err != nil {
		if err := f.refused(err); err != nil {
			return err
		}
		return p.showUsers(c, f, "", "")
	}
	return p.showUsers(c, formWith("role", "marketer"), u.Email, oneTime)
}

// userChange does one thing to a user: role, disable, enable or a new one-time password.
func (p *Pages) userChange(c echo.Context) error {
	id, err := idParam(c)
	if err != nil {
		return err
	}
	f, err := formOf(c)
	if err != nil {
		return err
	}
	u, err := p.Access.User(ctx(c), id)
	if err != nil {
		return err
	}
	text := ""
	switch f.Get("do") {
	case "role":
		text, err = u.Email+" is "+sayWord(f.Get("role"))+" now.", p.Access.SetRole(ctx(c), id, access.Role(f.Get("role")))
	case "disable":
		text, err = u.Email+" can't sign in any more.", p.Access.DisableUser(ctx(c), id)
	case "enable":
		text, err = u.Email+" can sign in again.", p.Access.EnableUser(ctx(c), id)
	case "password":
		secret, err := p.Access.ResetPassword(ctx(c), id)
		if err != nil {
			return err
		}
		return p.showUsers(c, formWith("role", "marketer"), u.Email, secret)
	default:
		err = fault.BadField("do", "There is no such change")
	}
	if err != nil {
		return err
	}
	p.flash(c, text)
	return c.Redirect(http.StatusSeeOther, "/settings/users")
}
