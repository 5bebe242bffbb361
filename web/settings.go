package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"aldine/internal/access"
)

// settingsTab is one page of the settings.
type settingsTab struct {
	Name, Path string
	needs      access.Permission
}

var settingsTabs = []settingsTab{
	{"Company and channels", "/settings/company", access.Administer},
	{"Users", "/settings/users", access.Administer},
	{"Tokens", "/settings/tokens", access.Administer},
	{"Attributes", "/settings/attributes", access.CustomersWrite},
	{"Lists", "/settings/lists", access.CustomersWrite},
	{"Products", "/settings/products", access.CustomersWrite},
	{"Exchange rates", "/settings/rates", access.Administer},
	{"Tracking", "/settings/tracking", access.Administer},
	{"Derived facts", "/settings/facts", access.Administer},
	{"Erased people", "/settings/erased", access.Administer},
	{"Audit log", "/settings/audit", access.Administer},
	{"Jobs and health", "/settings/jobs", access.Administer},
}

// settingsFrame is the frame of a settings page with its tabs.
type settingsFrame struct {
	frame
	Tabs []settingsTab
	Form form
}

func (p *Pages) settingsFrame(c echo.Context, title string, f form) settingsFrame {
	s := settingsFrame{frame: p.frame(c, settingsPlace, title), Form: f}
	for _, t := range settingsTabs {
		if s.Actor.Role.May(t.needs) {
			s.Tabs = append(s.Tabs, t)
		}
	}
	return s
}

// settingsHome leads to the first page that the role may open.
func (p *Pages) settingsHome(c echo.Context) error {
	for _, t := range settingsTabs {
		if access.From(ctx(c)).Role.May(t.needs) {
			return c.Redirect(http.StatusSeeOther, t.Path)
		}
	}
	return access.Require(ctx(c), access.Administer)
}
