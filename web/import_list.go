package web

import (
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"aldine/customers"
)

type importListPage struct {
	frame
	Imports     []customers.Import
	First, Next string
	Now         time.Time
}

var importListView = pageView[importListPage]("imports")

func (p *Pages) importList(c echo.Context) error {
	before, _ := strconv.ParseInt(c.QueryParam("before"), 10, 64)
	list, err := p.Customers.Imports(ctx(c), before, rowsPerPage+1)
	if err != nil {
		return err
	}
	page := importListPage{frame: p.frame(c, customersPlace, "Imports"), Now: p.Now()}
	if before > 0 {
		page.First = "/imports"
	}
	if len(list) > rowsPerPage {
		list = list[:rowsPerPage]
		page.Next = "/imports?before=" + number64(list[rowsPerPage-1].ID)
	}
	page.Imports = list
	return show(p, c, importListView, page)
}

type importNewPage struct {
	frame
	Form  form
	Kinds []option
	Lists []customers.CustomerList
}

var (
	importNewView = pageView[importNewPage]("import-new")
	importKinds   = []option{{"customers", "Customers"}, {"orders", "Orders"}}
)

func (p *Pages) importNew(c echo.Context) error {
	return p.showImportNew(c, formWith("kind", "customers"))
}

func (p *Pages) showImportNew(c echo.Context, f form) error {
	lists, err := p.Customers.Lists(ctx(c))
	if err != nil {
		return err
	}
	return showStatus(p, c, f.status(), importNewView, importNewPage{p.frame(c, customersPlace, "Import a file"), f, importKinds, lists})
}
