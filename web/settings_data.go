package web

import (
	"strconv"
	"strings"

	"github.com/govalues/decimal"
	"github.com/labstack/echo/v4"

	"aldine/customers"
	"aldine/internal/fault"
	"aldine/reports"
)

type listsPage struct {
	settingsFrame
	Lists []customers.CustomerList
	Kinds []option
}

var listsView = pageView[listsPage]("settings-lists")

func (p *Pages) listList(c echo.Context) error {
	f := formWith("kind", "rented")
	if name := c.QueryParam("change"); name != "" { // the form is filled with what is known
		lists, err := p.Customers.Lists(ctx(c))
		if err != nil {
			return err
		}
		for _, l := range lists {
			if l.Name == name {
				f = formWith("name", l.Name, "kind", l.Kind, "price_per_thousand", l.PricePerThousand.Trim(2).String(), "currency", l.Currency,
					"uses", strconv.Itoa(l.Uses), "mail_by", l.MailBy, "net_percent", percentOf(*l.NetShare), "running_charge", l.RunningCharge.Trim(2).String(),
					"extra_per_thousand", l.ExtraPerThousand.Trim(2).String(), "gross", number64(l.Gross))
			}
		}
	}
	return p.showLists(c, f)
}

func (p *Pages) showLists(c echo.Context, f form) error {
	lists, err := p.Customers.Lists(ctx(c))
	if err != nil {
		return err
	}
	return showStatus(p, c, f.status(), listsView, listsPage{p.settingsFrame(c, "Lists", f), lists, []option{{"house", "own customers"}, {"rented", "rented"}}})
}

func (p *Pages) listSave(c echo.Context) error {
	f, err := formOf(c)
	if err != nil {
		return err
	}
	l, err := typedList(f)
	if err == nil {
		_, err = p.Customers.SaveList(ctx(c), l)
	}
	if err != nil {
		if err := f.refused(err); err != nil {
			return err
		}
		return p.showLists(c, f)
	}
	return p.done(c, "/settings/lists", "The list is saved.")
}

// typedList reads the form of a list; its net names are in percent there.
func typedList(f form) (customers.CustomerList, error) {
	l := customers.CustomerList{Name: f.Text("name"), Kind: f.Get("kind"), Currency: f.Text("currency"), MailBy: f.Text("mail_by")}
	var err error
	for name, into := range map[string]*decimal.Decimal{"price_per_thousand": &l.PricePerThousand, "running_charge": &l.RunningCharge, "extra_per_thousand": &l.ExtraPerThousand} {
		if *into, err = typedAmount(f, name); err != nil {
			return l, err
		}
	}
	if f.Text("net_percent") != "" {
		percent, err := typedAmount(f, "net_percent")
		if err != nil {
			return l, err
		}
		share, err := percent.Quo(decimal.Hundred)
		if err != nil || percent.IsNeg() || percent.Cmp(decimal.Hundred) > 0 || percent.Trim(0).Scale() > 4 {
			return l, fault.BadField("net_percent", "Give 0 to 100 percent")
		}
		l.NetShare = &share
	}
	if s := strings.ReplaceAll(f.Text("gross"), ",", ""); s != "" {
		if l.Gross, err = strconv.ParseInt(s, 10, 64); err != nil {
			return l, fault.BadField("gross", "Write a whole number")
		}
	}
	if s := f.Text("uses"); s != "" {
		if l.Uses, err = strconv.Atoi(s); err != nil || l.Uses == 0 {
			return l, fault.BadField("uses", "Write a whole number, 1 or more")
		}
	}
	return l, nil
}

// percentOf shows a share in percent.
func percentOf(share decimal.Decimal) string {
	percent, err := share.Mul(decimal.Hundred)
	if err != nil {
		return share.String()
	}
	return percent.Trim(0).String()
}

// typedAmount reads an amount; "" is zero.
func typedAmount(f form, name string) (decimal.Decimal, error) {
	s := strings.ReplaceAll(f.Text(name), ",", "")
	if s == "" {
		return decimal.Decimal{}, nil
	}
	d, err := decimal.Parse(s)
	if err != nil {
		return d, fault.BadField(name, "Write a number such as 120.00")
	}
	return d, nil
}

type productsPage struct {
	settingsFrame
	Products    []customers.Product
	First, Next string
}

var productsView = pageView[productsPage]("settings-products")

func (p *Pages) productList(c echo.Context) error { return p.showProducts(c, formWith()) }

func (p *Pages) showProducts(c echo.Context, f form) error {
	after := c.QueryParam("after")
	list, err := p.Customers.Products(ctx(c), after, rowsPerPage+1)
	if err != nil {
		return err
	}
	page := productsPage{settingsFrame: p.settingsFrame(c, "Products", f)}
	if after != "" {
		page.First = "/settings/products"
	}
	if len(list) > rowsPerPage {
		list = list[:rowsPerPage]
		page.Next = "/settings/products?after=" + escapeQuery(list[rowsPerPage-1].SKU)
	}
	page.Products = list
	return showStatus(p, c, f.status(), productsView, page)
}

func (p *Pages) productSave(c echo.Context) error {
	f, err := formOf(c)
	if err != nil {
		return err
	}
	price, err := typedAmount(f, "price")
	if err == nil {
		err = p.Customers.SaveProduct(ctx(c), customers.Product{SKU: f.Text("sku"), Name: f.Text("name"), Category: f.Text("category"), Price: price, Currency: f.Text("currency")})
	}
	if err != nil {
		if err := f.refused(err); err != nil {
			return err
		}
		return p.showProducts(c, f)
	}
	return p.done(c, "/settings/products", "The product is saved.")
}

type ratesPage struct {
	settingsFrame
	Base  string
	Rates []reports.ExchangeRate
}

var ratesView = pageView[ratesPage]("settings-rates")

func (p *Pages) rateList(c echo.Context) error { return p.showRates(c, formWith()) }

func (p *Pages) showRates(c echo.Context, f form) error {
	v, err := p.Settings.Get(ctx(c))
	if err != nil {
		return err
	}
	rates, err := p.Reports.ExchangeRates(ctx(c))
	if err != nil {
		return err
	}
	return showStatus(p, c, f.status(), ratesView, ratesPage{p.settingsFrame(c, "Exchange rates", f), v.BaseCurrency, rates})
}

func (p *Pages) rateSave(c echo.Context) error {
	f, err := formOf(c)
	if err != nil {
		return err
	}
	rate, err := typedAmount(f, "rate")
	if err == nil {
		err = p.Customers.SetExchangeRate(ctx(c), f.Text("currency"), rate)
	}
	if err != nil {
		if err := f.refused(err); err != nil {
			return err
		}
		return p.showRates(c, f)
	}
	return p.done(c, "/settings/rates", "The rate is saved; orders recorded before keep theirs.")
}
