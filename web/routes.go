package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"aldine/internal/access"
	"aldine/internal/fault"
)

// Register adds all pages. Read it as the site map: method, address, the permission it needs, what it does.
func (p *Pages) Register(e *echo.Echo) {
	e.GET("/static/*", p.static)
	e.GET("/favicon.ico", func(c echo.Context) error { return c.Redirect(http.StatusFound, assetURL("favicon.svg")) })
	e.RouteNotFound("/*", p.chain(p.notFound))

	r := router{p, e}
	r.open("GET", "/sign-in", p.signInForm)
	r.open("POST", "/sign-in", p.signIn)
	r.open("POST", "/sign-out", p.signOut)
	r.anyone("GET", "/password", p.passwordForm)
	r.anyone("POST", "/password", p.changePassword)

	r.anyone("GET", "/", p.home)
}

// chain is what every page goes through, from the outside in.
func (p *Pages) chain(action echo.HandlerFunc) echo.HandlerFunc {
	return headers(p.withSession(p.guard(p.checkOrigin(p.identify(action)))))
}

type router struct {
	p *Pages
	e *echo.Echo
}

// on is a page for those whose role has the permission.
func (r router) on(method, path string, needs access.Permission, action echo.HandlerFunc) {
	r.anyone(method, path, func(c echo.Context) error {
		if err := access.Require(ctx(c), needs); err != nil {
			return err
		}
		return action(c)
	})
}

// anyone is a page for all who are signed in and have a password of their own.
func (r router) anyone(method, path string, action echo.HandlerFunc) {
	r.open(method, path, func(c echo.Context) error {
		if access.From(ctx(c)).Kind != "user" {
			return fault.New(fault.Unauthenticated, "Sign in first")
		}
		if c.Get("must_change") == true && path != "/password" {
			return c.Redirect(http.StatusSeeOther, "/password")
		}
		return action(c)
	})
}

// open is a page for strangers too.
func (r router) open(method, path string, action echo.HandlerFunc) {
	r.e.Add(method, path, r.p.chain(action))
}
