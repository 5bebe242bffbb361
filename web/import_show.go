package web

import (
	"bytes"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"aldine/customers"
)

type importPage struct {
	frame
	Import  customers.Import
	Report  *customers.ImportReport // nil until it is known
	Rejects []customers.Reject      // the first ones
	Live    bool
	Now     time.Time
}

var (
	importView     = pageView[importPage]("import")
	importLiveView = partView[importPage]("import-live")
)

func (p *Pages) importPage(c echo.Context) (importPage, error) {
	id, err := idParam(c)
	if err != nil {
		return importPage{}, err
	}
	imp, err := p.Customers.Import(ctx(c), id)
	if err != nil {
		return importPage{}, err
	}
	page := importPage{frame: p.frame(c, customersPlace, "Import of "+imp.FileName), Import: imp, Report: imp.Report, Now: p.Now(),
		Live: imp.State == customers.ImportWaiting || imp.State == customers.ImportRunning}
	if imp.Rejected > 0 {
		page.Rejects, err = p.Customers.Rejects(ctx(c), id, 0, 20)
	}
	return page, err
}

func (p *Pages) importShow(c echo.Context) error {
	page, err := p.importPage(c)
	if err != nil {
		return err
	}
	return show(p, c, importView, page)
}

// importLive answers the poll of the page of a running import.
func (p *Pages) importLive(c echo.Context) error {
	page, err := p.importPage(c)
	if err != nil {
		return err
	}
	return show(p, c, importLiveView, page)
}

// importRejects gives the rows that were not taken, with line and reason.
func (p *Pages) importRejects(c echo.Context) error {
	id, err := idParam(c)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := p.Customers.WriteRejects(ctx(c), id, &b); err != nil {
		return err
	}
	return download(c, "rejects-"+number64(id)+".csv", "text/csv; charset=utf-8", b.Bytes())
}

// importNow imports in earnest what a dry run has read.
func (p *Pages) importNow(c echo.Context) error {
	id, err := idParam(c)
	if err != nil {
		return err
	}
	if _, err := p.Customers.ImportNow(ctx(c), id, false); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/imports/"+number64(id))
}

func (p *Pages) importCancel(c echo.Context) error {
	id, err := idParam(c)
	if err != nil {
		return err
	}
	imp, err := p.Customers.Import(ctx(c), id)
	if err != nil {
		return err
	}
	if err := p.Customers.Cancel(ctx(c), id); err != nil {
		return err
	}
	if imp.DryRun {
		return p.done(c, "/imports", "The dry run is thrown away; nothing was changed.")
	}
	return p.done(c, "/imports/"+c.Param("id"), "The import is cancelled; the rows done so far stay.")
}
