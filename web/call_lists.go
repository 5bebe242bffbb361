package web

import (
	"bytes"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"aldine/delivery/calls"
	"aldine/internal/access"
	"aldine/internal/fault"
)

type callListsPage struct {
	frame
	Lists       []calls.List
	First, Next string
}

var callListsView = pageView[callListsPage]("calls")

func (p *Pages) callLists(c echo.Context) error {
	before, _ := strconv.ParseInt(c.QueryParam("before"), 10, 64)
	list, err := p.Delivery.Calls().Lists(ctx(c), 0, before, rowsPerPage+1)
	if err != nil {
		return err
	}
	page := callListsPage{frame: p.frame(c, callsPlace, "Calls")}
	if before > 0 {
		page.First = "/calls"
	}
	if len(list) > rowsPerPage {
		list = list[:rowsPerPage]
		page.Next = "/calls?before=" + number64(list[rowsPerPage-1].ID)
	}
	page.Lists = list
	return show(p, c, callListsView, page)
}

// agentOf names the agent who acts, as calls remember it.
func agentOf(c echo.Context) string { return access.From(ctx(c)).Name }

// callsCSV hands a number of calls to the agent as a file.
func (p *Pages) callsCSV(c echo.Context) error {
	id, err := idParam(c)
	if err != nil {
		return err
	}
	f, err := formOf(c)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(f.Text("n"))
	if err != nil {
		return fault.BadField("n", "Say how many calls, 1 to 5,000")
	}
	var b bytes.Buffer
	if err := p.Delivery.Calls().ExportCSV(ctx(c), &b, id, agentOf(c), n); err != nil {
		return err
	}
	return download(c, "calls-"+number64(id)+".csv", "text/csv; charset=utf-8", b.Bytes())
}

// download answers with a file to save.
func download(c echo.Context, name, kind string, body []byte) error {
	c.Response().Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	return c.Blob(http.StatusOK, kind, body)
}
