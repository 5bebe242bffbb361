package web

import (
	"io"
	"strconv"

	"github.com/labstack/echo/v4"

	"aldine/customers"
	"aldine/internal/fault"
)

type registerPage struct {
	frame
	Form      form
	Load      form // of the register LoadID
	LoadID    int64
	Registers []customers.Register
	Channels  []option
}

var registerView = pageView[registerPage]("registers")

func (p *Pages) registerList(c echo.Context) error {
	return p.showRegisters(c, formWith("channel", "calls", "required", "yes", "consent", "yes"), formWith(), 0)
}

func (p *Pages) showRegisters(c echo.Context, f, load form, id int64) error {
	page := registerPage{frame: p.frame(c, customersPlace, "Do-not-call registers"), Form: f, Load: load, LoadID: id, Channels: []option{{"calls", "Calls"}, {"sms", "SMS"}}}
	var err error
	if page.Registers, err = p.Customers.Registers(ctx(c)); err != nil {
		return err
	}
	return showStatus(p, c, max(f.status(), load.status()), registerView, page)
}

func (p *Pages) registerSave(c echo.Context) error {
	f, err := formOf(c)
	if err != nil {
		return err
	}
	r := customers.Register{Name: f.Text("name"), Country: f.Text("country"), Channel: f.Get("channel"), Required: f.Has("required", "yes"), ConsentExempts: f.Has("consent", "yes")}
	for _, n := range []struct {
		name string
		into *int
	}{{"max_age_days", &r.MaxAgeDays}, {"relation_months", &r.RelationMonths}} {
		if f.Text(n.name) == "" || err != nil {
			continue
		}
		if *n.into, err = strconv.Atoi(f.Text(n.name)); err != nil {
			err = fault.BadField(n.name, "Write a whole number")
		}
	}
	if err == nil {
		_, err = p.Customers.SaveRegister(ctx(c), r)
	}
	if err != nil {
		if err := f.refused(err); err != nil {
			return err
		}
		return p.showRegisters(c, f, formWith(), 0)
	}
	return p.done(c, "/registers", "The register is saved. Calls to its country wait until its file is loaded, where it is required.")
}

// registerUpload takes a register's file and leads to the progress of its import.
func (p *Pages) registerUpload(c echo.Context) error {
	id, err := idParam(c)
	if err != nil {
		return err
	}
	var started customers.Import
	f, err := p.takeFile(c, func(f form, name string, file io.Reader) error {
		day, err := dayField(f, "scrubbed_on")
		if err != nil {
			return err
		}
		if day == nil {
			return fault.BadField("scrubbed_on", "Say from which day the file is")
		}
		started, err = p.Customers.LoadRegister(ctx(c), customers.LoadRegister{RegisterID: id, ScrubbedOn: *day, FileName: name, Column: f.Text("column"), Body: file})
		return err
	})
	if err != nil {
		if err := f.refused(err); err != nil {
			return err
		}
		return p.showRegisters(c, formWith("channel", "calls", "required", "yes", "consent", "yes"), f, id)
	}
	return c.Redirect(303, "/imports/"+number64(started.ID))
}

func (p *Pages) registerRemove(c echo.Context) error {
	id, err := idParam(c)
	if err != nil {
		return err
	}
	if err := p.Customers.DeleteRegister(ctx(c), id); err != nil {
		return err
	}
	return p.done(c, "/registers", "The register is removed; its numbers are not looked at any more.")
}
