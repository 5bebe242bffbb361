package web

import (
	"strings"

	"github.com/labstack/echo/v4"

	"aldine/customers"
)

type customerEditPage struct {
	frame
	Form       form
	Customer   *customers.Customer // ID 0 for a new one
	Attributes []customers.Attribute
	Lists      []customers.CustomerList
}

var customerEditView = pageView[customerEditPage]("customer-edit")

// customerFields are the core fields in the order of the form.
var customerFields = []string{"external_id", "title", "first_name", "last_name", "suffix", "company", "email", "phone", "street", "address2",
	"postal_code", "city", "region", "country", "language", "time_zone"}

func (p *Pages) customerNew(c echo.Context) error {
	return p.showCustomerEdit(c, customers.Customer{}, formWith())
}

func (p *Pages) customerEdit(c echo.Context) error {
	customer, err := p.customerParam(c)
	if err != nil {
		return err
	}
	vars := customer.Vars()
	f := formWith()
	for _, name := range customerFields {
		if s, ok := vars[name].(string); ok {
			f.values.Set(name, s)
		}
	}
	attributes, err := p.Customers.Attributes(ctx(c))
	if err != nil {
		return err
	}
	for _, a := range attributes {
		if value, ok := customer.Attributes[a.Name]; ok {
			f.values.Set("attributes."+a.Name, showValue(a.Type, value))
		}
	}
	return p.showCustomerEdit(c, customer, f)
}

func (p *Pages) showCustomerEdit(c echo.Context, customer customers.Customer, f form) error {
	title := "New customer"
	if customer.ID != 0 {
		title = "Change " + customer.Name()
	}
	page := customerEditPage{frame: p.frame(c, customersPlace, title), Form: f, Customer: &customer}
	var err error
	if page.Attributes, err = p.Customers.Attributes(ctx(c)); err != nil {
		return err
	}
	if page.Lists, err = p.Customers.Lists(ctx(c)); err != nil {
		return err
	}
	return showStatus(p, c, f.status(), customerEditView, page)
}

func (p *Pages) customerSave(c echo.Context) error {
	f, err := formOf(c)
	if err != nil {
		return err
	}
	attributes, err := p.Customers.Attributes(ctx(c))
	if err != nil {
		return err
	}
	var old, saved customers.Customer
	if c.Param("id") == "" {
		saved, err = p.Customers.Create(ctx(c), customerInput(f, attributes))
	} else {
		if old, err = p.customerParam(c); err != nil {
			return err
		}
		saved, err = p.Customers.Update(ctx(c), old.ID, customerPatch(f, attributes))
	}
	if err != nil {
		if err := f.refused(err); err != nil {
			return err
		}
		return p.showCustomerEdit(c, old, f)
	}
	return p.done(c, "/customers/"+number64(saved.ID), "The customer is saved.")
}

func customerInput(f form, attributes []customers.Attribute) customers.Input {
	in := customers.Input{Fields: customers.Fields{ExternalID: f.Text("external_id"), Title: f.Text("title"), FirstName: f.Text("first_name"),
		LastName: f.Text("last_name"), Suffix: f.Text("suffix"), Company: f.Text("company"), Email: f.Text("email"), Phone: f.Text("phone"),
		Street: f.Text("street"), Address2: f.Text("address2"), City: f.Text("city"), Region: f.Text("region"), PostalCode: f.Text("postal_code"),
		Country: f.Text("country"), Language: f.Text("language"), TimeZone: f.Text("time_zone")}, Attributes: map[string]any{}, Consents: map[string]bool{}}
	for _, a := range attributes {
		if v := attributeValue(f, a); v != nil {
			in.Attributes[a.Name] = v
		}
	}
	if list := f.Text("list"); list != "" {
		in.Lists = []string{list}
	}
	for _, channel := range customers.Channels {
		switch f.Get("consent." + channel) {
		case "yes":
			in.Consents[channel] = true
		case "no":
			in.Consents[channel] = false
		}
	}
	return in
}

func customerPatch(f form, attributes []customers.Attribute) customers.Patch {
	patch := customers.Patch{}
	for _, name := range customerFields {
		if f.values.Has(name) {
			patch[name] = f.Text(name)
		}
	}
	nested := map[string]any{}
	for _, a := range attributes {
		if f.values.Has("attributes." + a.Name) {
			nested[a.Name] = attributeValue(f, a)
		}
	}
	patch["attributes"] = nested
	return patch
}

// attributeValue gives what was typed for an attribute, nil where nothing was; the service checks texts of every type.
func attributeValue(f form, a customers.Attribute) any {
	typed := f.Text("attributes." + a.Name)
	switch {
	case typed == "":
		return nil
	case a.Type == customers.List:
		var items []any
		for _, item := range strings.Split(typed, ",") {
			if item = strings.TrimSpace(item); item != "" {
				items = append(items, item)
			}
		}
		return items
	}
	return typed
}
