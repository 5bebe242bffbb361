package web

import (
	"github.com/labstack/echo/v4"

	"aldine/customers"
)

type attributesPage struct {
	settingsFrame
	Attributes []customers.Attribute
	Coming     []customers.Attribute // being added
	Types      []option
}

var (
	attributesView = pageView[attributesPage]("settings-attributes")
	attributeTypes = []option{{"text", "text"}, {"number", "number"}, {"money", "money"}, {"bool", "yes or no"}, {"date", "date"}, {"time", "date and time"}, {"list", "list of texts"}}
)

func (p *Pages) attributeList(c echo.Context) error {
	return p.showAttributes(c, formWith("type", "text"))
}

func (p *Pages) showAttributes(c echo.Context, f form) error {
	coming, err := p.Customers.ComingAttributes(ctx(c)) // first: one may come between the two
	if err != nil {
		return err
	}
	list, err := p.Customers.Attributes(ctx(c))
	if err != nil {
		return err
	}
	return showStatus(p, c, f.status(), attributesView, attributesPage{p.settingsFrame(c, "Attributes", f), list, coming, attributeTypes})
}

func (p *Pages) attributeAdd(c echo.Context) error {
	f, err := formOf(c)
	if err != nil {
		return err
	}
	a, err := p.Customers.DefineAttribute(ctx(c), customers.Attribute{Name: f.Text("name"), Label: f.Text("label"),
		Type: customers.AttributeType(f.Get("type")), Description: f.Text("description"),
		Private: f.Get("private") == "yes"})
	if err != nil {
		if err := f.refused(err); err != nil {
			return err
		}
		return p.showAttributes(c, f)
	}
	if a.State == customers.AttributeComing {
		return p.done(c, "/settings/attributes", "The attribute "+a.Name+" is being added: customers are being read or written just now.")
	}
	return p.done(c, "/settings/attributes", "The attribute "+a.Name+" is ready for imports, segments and templates.")
}

// attributeCancel gives up an attribute that is being added.
func (p *Pages) attributeCancel(c echo.Context) error {
	if err := p.Customers.CancelAttribute(ctx(c), c.Param("name")); err != nil {
		return err
	}
	return p.done(c, "/settings/attributes", "The attribute "+c.Param("name")+" is given up.")
}

// attributePrivate closes an attribute to the read-only role, or opens it.
func (p *Pages) attributePrivate(c echo.Context) error {
	f, err := formOf(c)
	if err != nil {
		return err
	}
	private := f.Get("private") == "yes"
	a, err := p.Customers.SetAttributePrivate(ctx(c), c.Param("name"), private)
	if err != nil {
		return err
	}
	message := "All may see " + a.Label + " again."
	if private {
		message = "Read-only users no longer see " + a.Label + "."
	}
	return p.done(c, "/settings/attributes", message)
}
