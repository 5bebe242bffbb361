package web

import (
	"net/url"

	"github.com/labstack/echo/v4"

	"aldine/segments"
)

type segmentListPage struct {
	frame
	Search      string
	Segments    []segments.Segment
	First, Next string // addresses of pages
}

var segmentListView = pageView[segmentListPage]("segments")

const rowsPerPage = 50

func (p *Pages) segmentList(c echo.Context) error {
	page := segmentListPage{frame: p.frame(c, segmentsPlace, "Segments"), Search: c.QueryParam("q")}
	after := c.QueryParam("after")
	list, err := p.Segments.List(ctx(c), segments.Query{Search: page.Search, After: after, Limit: rowsPerPage + 1})
	if err != nil {
		return err
	}
	if len(list) > rowsPerPage {
		list = list[:rowsPerPage]
		page.Next = "/segments?" + url.Values{"q": {page.Search}, "after": {list[rowsPerPage-1].Name}}.Encode()
	}
	if after != "" {
		page.First = "/segments?" + url.Values{"q": {page.Search}}.Encode()
	}
	page.Segments = list
	return show(p, c, segmentListView, page)
}
