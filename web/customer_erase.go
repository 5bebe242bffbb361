package web

import (
	"fmt"
	"strings"

	"github.com/labstack/echo/v4"

	"aldine/customers"
	"aldine/internal/fault"
)

type customerErasePage struct {
	frame
	Form     form
	Customer *customers.Customer
	Touches  customers.ErasePreview
}

var customerEraseView = pageView[customerErasePage]("customer-erase")

func (p *Pages) customerEraseAsk(c echo.Context) error { return p.showCustomerErase(c, form{}) }

func (p *Pages) showCustomerErase(c echo.Context, f form) error {
	customer, err := p.customerParam(c)
	if err != nil {
		return err
	}
	page := customerErasePage{frame: p.frame(c, customersPlace, "Erase "+customer.Name()), Form: f, Customer: &customer}
	if page.Touches, err = p.Customers.ErasePreview(ctx(c), customer.ID); err != nil {
		return err
	}
	return showStatus(p, c, f.status(), customerEraseView, page)
}

func (p *Pages) customerErase(c echo.Context) error {
	customer, err := p.customerParam(c)
	if err != nil {
		return err
	}
	f, err := formOf(c)
	if err != nil {
		return err
	}
	if typed := f.Text("typed"); typed != "ERASE" && !strings.EqualFold(typed, customer.Name()) {
		if err := f.refused(fault.BadField("typed", "Type ERASE, or the name %s, to confirm", customer.Name())); err != nil {
			return err
		}
		return p.showCustomerErase(c, f)
	}
	if err := p.Customers.Erase(ctx(c), customer.ID); err != nil {
		return err
	}
	return p.done(c, "/customers", "Customer "+number64(customer.ID)+" is erased and will not be taken in again.")
}

// customerExport answers with everything that is stored of a customer, as a file.
func (p *Pages) customerExport(c echo.Context) error {
	customer, err := p.customerParam(c)
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderContentType, "application/json; charset=utf-8")
	c.Response().Header().Set(echo.HeaderContentDisposition, fmt.Sprintf(`attachment; filename="customer-%d.json"`, customer.ID))
	return p.Customers.Export(ctx(c), customer.ID, c.Response())
}

type erasedPage struct{ settingsFrame }

var erasedView = pageView[erasedPage]("erased")

func (p *Pages) erasedForm(c echo.Context) error { return p.showErased(c, form{}) }

func (p *Pages) showErased(c echo.Context, f form) error {
	return showStatus(p, c, f.status(), erasedView, erasedPage{p.settingsFrame(c, "Erased people", f)})
}

// erasedLift lets somebody come in again who was erased.
func (p *Pages) erasedLift(c echo.Context) error {
	f, err := formOf(c)
	if err != nil {
		return err
	}
	if _, err := p.Customers.LiftErasure(ctx(c), customers.Fields{ExternalID: f.Text("external_id"), Email: f.Text("email"), Phone: f.Text("phone"),
		FirstName: f.Text("first_name"), LastName: f.Text("last_name"), Street: f.Text("street"), PostalCode: f.Text("postal_code"), City: f.Text("city"),
		Country: f.Text("country")}); err != nil {
		if fault.Is(err, fault.NotFound) {
			err = fault.BadField("external_id", "Nobody who was erased is recognised by this. A phone needs the name, a name the address")
		}
		if err := f.refused(err); err != nil {
			return err
		}
		return p.showErased(c, f)
	}
	return p.done(c, "/settings/erased", "Lifted: the person may be taken in again.")
}
