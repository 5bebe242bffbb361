package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"aldine/internal/access"
)

// place is one entry of the side bar. A role sees it when it has one of the permissions.
type place struct {
	Name, Path, Icon string
	needs            []access.Permission
}

// The places, in the order of the side bar.
var (
	homePlace      = place{"Home", "/", "home", []access.Permission{access.CampaignsRead, access.ReportsRead, access.CustomersRead}}
	customersPlace = place{"Customers", "/customers", "users", []access.Permission{access.CustomersRead}}
	segmentsPlace  = place{"Segments", "/segments", "filter", []access.Permission{access.SegmentsRead}}
	campaignsPlace = place{"Campaigns", "/campaigns", "speakerphone", []access.Permission{access.CampaignsRead}}
	callsPlace     = place{"Calls", "/calls", "phone", []access.Permission{access.CallsRead, access.CallsWork}}
	reportsPlace   = place{"Reports", "/reports", "chart-bar", []access.Permission{access.ReportsRead}}
	outboxPlace    = place{"Outbox", "/outbox", "inbox", []access.Permission{access.CampaignsWrite}}
	settingsPlace  = place{"Settings", "/settings", "settings", []access.Permission{access.Administer, access.CustomersWrite}}

	places = []place{homePlace, customersPlace, segmentsPlace, campaignsPlace, callsPlace, reportsPlace, outboxPlace, settingsPlace}
)

func (pl place) openTo(role access.Role) bool {
	for _, p := range pl.needs {
		if role.May(p) {
			return true
		}
	}
	return false
}

// frame is what every page has around its content.
type frame struct {
	Title  string
	Place  string
	Places []place
	Actor  access.Actor
	Person string // the signed-in person's name
	Theme  string // light, dark or "" to follow the system
	Flash  string // what the last action did
	Path   string
}

// May tells a template what the person may do: {{if .May "campaigns.write"}}.
func (f frame) May(permission string) bool { return f.Actor.Role.May(access.Permission(permission)) }

// SignedIn tells whether somebody is.
func (f frame) SignedIn() bool { return f.Actor.UserID != 0 }

func (p *Pages) frame(c echo.Context, at place, title string) frame {
	actor := access.From(ctx(c))
	if actor.Kind != "user" {
		actor = access.Actor{}
	}
	f := frame{Title: title, Place: at.Name, Actor: actor, Theme: theme(c.Request()), Path: c.Request().URL.Path}
	for _, pl := range places {
		if pl.openTo(actor.Role) {
			f.Places = append(f.Places, pl)
		}
	}
	f.Person, _ = c.Get("person").(string)
	if p.hasSession(c) {
		f.Flash = p.sessions.PopString(ctx(c), "flash")
	}
	return f
}

func theme(r *http.Request) string {
	if cookie, err := r.Cookie("theme"); err == nil && (cookie.Value == "light" || cookie.Value == "dark") {
		return cookie.Value
	}
	return ""
}
