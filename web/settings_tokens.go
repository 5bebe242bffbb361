package web

import (
	"time"

	"github.com/labstack/echo/v4"

	"aldine/internal/access"
	"aldine/internal/fault"
)

type tokensPage struct {
	settingsFrame
	Tokens            []access.Token
	Roles             []option
	SecretFor, Secret string // shown this once
	Now               time.Time
}

var tokensView = pageView[tokensPage]("settings-tokens")

func (p *Pages) tokenList(c echo.Context) error {
	return p.showTokens(c, formWith("role", "readonly"), "", "")
}

func (p *Pages) showTokens(c echo.Context, f form, secretFor, secret string) error {
	tokens, err := p.Access.ListTokens(ctx(c))
	if err != nil {
		return err
	}
	return showStatus(p, c, f.status(), tokensView, tokensPage{p.settingsFrame(c, "Tokens", f), tokens, roleOptions(), secretFor, secret, p.Now()})
}

func (p *Pages) tokenAdd(c echo.Context) error {
	f, err := formOf(c)
	if err != nil {
		return err
	}
	var expires *time.Time
	if day := f.Text("expires_at"); day != "" {
		t, parseErr := time.Parse("2006-01-02", day)
		if parseErr != nil {
			err = fault.BadField("expires_at", "Write the day as 2026-12-31")
		}
		expires = &t
	}
	var t access.Token
	var secret string
	if err == nil {
		t, secret, err = p.Access.CreateToken(ctx(c), f.Text("name"), access.Role(f.Get("role")), expires)
	}
	if err != nil {
		if err := f.refused(err); err != nil {
			return err
		}
		return p.showTokens(c, f, "", "")
	}
	return p.showTokens(c, formWith("role", "readonly"), t.Name, secret)
}

func (p *Pages) tokenRevoke(c echo.Context) error {
	id, err := idParam(c)
	if err != nil {
		return err
	}
	if err := p.Access.RevokeToken(ctx(c), id); err != nil {
		return err
	}
	return p.done(c, "/settings/tokens", "The token is revoked.")
}
