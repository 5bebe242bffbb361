package web

import (
	"net/url"

	"github.com/labstack/echo/v4"

	"aldine/segments"
)

type segmentListPage struct {
	frame
	Search      string
	Folder, Tag string
	Folders     []segments.Label
	Tags        []segments.Label
	Segments    []segments.Segment
	First, Next string // addresses of pages
}

var segmentListView = pageView[segmentListPage]("segments")

const rowsPerPage = 50

func (p *Pages) segmentList(c echo.Context) error {
	page := segmentListPage{frame: p.frame(c, segmentsPlace, "Segments"), Search: c.QueryParam("q")}
	page.Folder, page.Tag = c.QueryParam("folder"), c.QueryParam("tag")
	after := c.QueryParam("after")
	list, err := p.Segments.List(ctx(c), segments.Query{Search: page.Search, Folder: page.Folder, Tag: page.Tag, After: after, Limit: rowsPerPage + 1})
	if err != nil {
		return err
	}
	if page.Folders, err = p.Segments.Folders(ctx(c)); err != nil {
		return err
	}
	if page.Tags, err = p.Segments.Tags(ctx(c)); err != nil {
		return err
	}
	query := url.Values{"q": {page.Search}}
	for name, v := range map[string]string{"folder": page.Folder, "tag": page.Tag} {
		if v != "" {
			query.Set(name, v)
		}
	}
	if len(list) > rowsPerPage {
		list = list[:rowsPerPage]
		page.Next = "/segments?" + query.Encode() + "&after=" + url.QueryEscape(list[rowsPerPage-1].Name)
	}
	if after != "" {
		page.First = "/segments?" + query.Encode()
	}
	page.Segments = list
	return show(p, c, segmentListView, page)
}
