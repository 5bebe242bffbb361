package web

import (
	"net/url"

	"github.com/labstack/echo/v4"

	"aldine/campaigns/content"
)

type templateListPage struct {
	frame
	Search, Channel string
	Channels        []option
	Templates       []content.Template
	First, Next     string
}

var templateListView = pageView[templateListPage]("templates")

// option is a choice of a select.
type option struct{ Value, Label string }

var mediaOptions = []option{{"email", "E-mail"}, {"sms", "SMS"}, {"post", "Letter"}, {"calls", "Call script"}}

func (p *Pages) templateList(c echo.Context) error {
	page := templateListPage{frame: p.frame(c, campaignsPlace, "Templates"), Search: c.QueryParam("q"), Channel: c.QueryParam("channel"),
		Channels: append([]option{{"", "All media"}}, mediaOptions...)}
	after := c.QueryParam("after")
	list, err := p.Campaigns.Templates().List(ctx(c), content.Query{Search: page.Search, Channel: page.Channel, After: after, Limit: rowsPerPage + 1})
	if err != nil {
		return err
	}
	query := url.Values{"q": {page.Search}, "channel": {page.Channel}}
	if after != "" {
		page.First = "/templates?" + query.Encode()
	}
	if len(list) > rowsPerPage {
		list = list[:rowsPerPage]
		query.Set("after", list[rowsPerPage-1].Name)
		page.Next = "/templates?" + query.Encode()
	}
	page.Templates = list
	return show(p, c, templateListView, page)
}
