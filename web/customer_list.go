package web

import (
	"net/url"
	"strconv"

	"github.com/labstack/echo/v4"

	"aldine/customers"
)

type customerListPage struct {
	frame
	Search      string
	List        int64
	Names       string
	Lists       []option
	Customers   []customers.Customer
	Currency    string
	First, Next string
}

var customerListView = pageView[customerListPage]("customers")

func (p *Pages) customerList(c echo.Context) error {
	page := customerListPage{frame: p.frame(c, customersPlace, "Customers"), Search: c.QueryParam("q")}
	page.List, _ = strconv.ParseInt(c.QueryParam("list"), 10, 64)
	page.Names = c.QueryParam("names")
	after, _ := strconv.ParseInt(c.QueryParam("after"), 10, 64)
	v, err := p.Settings.Get(ctx(c))
	if err != nil {
		return err
	}
	page.Currency = v.BaseCurrency
	found, err := p.Customers.List(ctx(c), customers.Query{Search: page.Search, List: page.List, Names: page.Names, After: after, Limit: rowsPerPage})
	if err != nil {
		return err
	}
	lists, err := p.Customers.Lists(ctx(c))
	if err != nil {
		return err
	}
	for _, l := range lists {
		page.Lists = append(page.Lists, option{number64(l.ID), l.Name})
	}
	query := url.Values{"q": {page.Search}}
	if page.List != 0 {
		query.Set("list", number64(page.List))
	}
	if page.Names != "" {
		query.Set("names", page.Names)
	}
	if after != 0 {
		page.First = "/customers?" + query.Encode()
	}
	if found.Next != 0 {
		query.Set("after", number64(found.Next))
		page.Next = "/customers?" + query.Encode()
	}
	page.Customers = found.Customers
	return show(p, c, customerListView, page)
}

// ListValue is the chosen list as an option's value.
func (p customerListPage) ListValue() string {
	if p.List == 0 {
		return ""
	}
	return number64(p.List)
}
