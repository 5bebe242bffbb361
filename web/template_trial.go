package web

import (
	"github.com/labstack/echo/v4"

	"aldine/delivery"
	"aldine/internal/fault"
)

// templateTestSend sends the saved template once to an address, outside any campaign.
func (p *Pages) templateTestSend(c echo.Context) error {
	t, err := p.templateParam(c)
	if err != nil {
		return err
	}
	f, err := formOf(c)
	if err != nil {
		return err
	}
	var customer int64
	if wish := f.Text("customer"); wish != "" {
		found, err := p.someCustomer(c, wish)
		if err != nil {
			return err
		}
		customer = found.ID
	}
	err = p.Delivery.TestSend(ctx(c), delivery.TestMessage{TemplateID: t.ID, CustomerID: customer, To: f.Text("to")})
	if fault.Is(err, fault.Invalid) || fault.Is(err, fault.Unavailable) {
		show := formWith("name", t.Name, "subject", t.Subject, "html", t.HTML, "body", t.Body, "to", f.Get("to"), "customer", f.Get("customer"))
		if err := show.refused(err); err != nil {
			return err
		}
		return p.showTemplate(c, t, show)
	} else if err != nil {
		return err
	}
	return p.done(c, c.Request().URL.Path[:len(c.Request().URL.Path)-len("/test")], "A test went to "+f.Text("to")+".")
}
