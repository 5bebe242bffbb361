package web

import (
	"net/url"
	"strconv"

	"github.com/labstack/echo/v4"

	"aldine/campaigns"
)

type campaignListPage struct {
	frame
	Search, State string
	States        []option
	Campaigns     []campaigns.Summary
	First, Next   string
}

var campaignListView = pageView[campaignListPage]("campaigns")

func stateOptions() []option {
	out := []option{{"", "All states"}}
	for _, s := range []campaigns.State{campaigns.Draft, campaigns.Approved, campaigns.Running, campaigns.Paused, campaigns.Finished, campaigns.Cancelled} {
		out = append(out, option{string(s), string(s)})
	}
	return out
}

func (p *Pages) campaignList(c echo.Context) error {
	page := campaignListPage{frame: p.frame(c, campaignsPlace, "Campaigns"), Search: c.QueryParam("q"), State: c.QueryParam("state"), States: stateOptions()}
	before, _ := strconv.ParseInt(c.QueryParam("before"), 10, 64)
	list, err := p.Campaigns.List(ctx(c), campaigns.Query{Search: page.Search, State: campaigns.State(page.State), Before: before, Limit: rowsPerPage + 1})
	if err != nil {
		return err
	}
	query := url.Values{"q": {page.Search}, "state": {page.State}}
	if before > 0 {
		page.First = "/campaigns?" + query.Encode()
	}
	if len(list) > rowsPerPage {
		list = list[:rowsPerPage]
		query.Set("before", strconv.FormatInt(list[rowsPerPage-1].ID, 10))
		page.Next = "/campaigns?" + query.Encode()
	}
	page.Campaigns = list
	return show(p, c, campaignListView, page)
}
