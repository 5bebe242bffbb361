package demo

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"

	"aldine/campaigns/content"
	"aldine/customers"
	"aldine/internal/settings"
	"aldine/segments"
)

// company sets up Alder & Finch Garden: settings, attributes, products, lists, n customers and their orders.
func (d *Demo) company(ctx context.Context, n int) error {
	if _, err := d.Settings.Update(ctx, func(v *settings.Values) error {
		v.BaseCurrency, v.DefaultCountry = "USD", "US"
		v.CompanyName, v.CompanyAddress = "Alder & Finch Garden", "12 Orchard Street, Burlington VT 05401, USA"
		v.FromName, v.FromEmail, v.SMSSender = "Alder & Finch Garden", "garden@alderfinch.example", "ALDERFINCH"
		return nil
	}); err != nil {
		return err
	}
	for _, a := range []customers.Attribute{
		{Name: "birthday", Label: "Birthday", Type: customers.Date},
		{Name: "garden_size", Label: "Garden size", Type: customers.Number, Description: "Square metres, from the order form"},
		{Name: "interests", Label: "Interests", Type: customers.List, Description: "What the customer ticked on the catalogue card"},
	} {
		if _, err := d.Customers.DefineAttribute(ctx, a); err != nil {
			return err
		}
		if _, err := d.Customers.AwaitAttribute(ctx, a.Name, nil); err != nil {
			return err
		}
	}
	if err := d.catalogue(ctx); err != nil {
		return err
	}
	return d.customers(ctx, n)
}

func (d *Demo) catalogue(ctx context.Context) error {
	for _, p := range products {
		if err := d.Customers.SaveProduct(ctx, customers.Product{SKU: p.sku, Name: p.name, Category: p.category,
			Price: cents(p.cents), Currency: "USD"}); err != nil {
			return err
		}
	}
	for _, l := range []customers.CustomerList{
		{Name: "House file", Kind: "house"},
		{Name: "Green Fingers subscribers", Kind: "rented", PricePerThousand: decimal.MustParse("95"), Currency: "USD"},
		{Name: "Herb Society", Kind: "rented", PricePerThousand: decimal.MustParse("120"), Currency: "USD"},
	} {
		if _, err := d.Customers.SaveList(ctx, l); err != nil {
			return err
		}
	}
	now := d.Clock.Now()
	_, err := d.Pool.Exec(ctx, `
		INSERT INTO exchange_rates (currency, rate, updated_at) VALUES ('EUR', 1.09, @now), ('GBP', 1.28, @now)
		ON CONFLICT (currency) DO NOTHING`, pgx.NamedArgs{"now": now})
	return err
}

// customers imports the house file and two rented lists, which overlap with it, and the orders of the house file.
func (d *Demo) customers(ctx context.Context, n int) error {
	house := people(d.rng, n*8/10, 0, "AF")
	fingers := people(d.rng, n-len(house)-n/12, len(house), "")
	herbs := people(d.rng, n/12, len(house)+len(fingers), "")
	fingers, herbs = rented(fingers, house), rented(herbs, house)
	d.people = house
	share := decimal.MustParse("0.85") // net names: a tenth and more are in the house file already
	if _, err := d.Customers.SaveList(ctx, customers.CustomerList{Name: "Green Fingers subscribers", Kind: customers.KindRented, PricePerThousand: decimal.MustParse("95"),
		Currency: "USD", NetShare: &share, RunningCharge: decimal.MustParse("6"), ExtraPerThousand: decimal.MustParse("12"), Gross: int64(len(fingers))}); err != nil {
		return err
	}
	for _, f := range []struct {
		list string
		all  []person
	}{{"House file", house}, {"Green Fingers subscribers", fingers}, {"Herb Society", herbs}} {
		var body bytes.Buffer
		if err := writeCustomers(&body, f.all); err != nil {
			return err
		}
		if err := d.load(ctx, "customers", f.list, &body); err != nil {
			return err
		}
	}
	var body bytes.Buffer
	if _, err := writeOrders(&body, d.rng, house, d.start.Add(-48*time.Hour)); err != nil {
		return err
	}
	return d.load(ctx, "orders", "", &body)
}

// rented makes persons a rented list: every twelfth name is one of the house file's as well, and none has an external
// id.
func rented(own, house []person) []person {
	list := own
	for i := range own {
		if i%12 == 0 {
			if known := house[(i*7)%len(house)]; known.email != "" {
				list = append(list, known)
			}
		}
	}
	for i := range list {
		list[i].id = ""
	}
	return list
}

func (d *Demo) load(ctx context.Context, kind, list string, body io.Reader) error {
	name := kind + ".csv"
	begun := time.Now()
	im, err := d.Customers.StartImport(ctx, customers.StartImport{Kind: kind, FileName: name, List: list, Body: body, Hold: true})
	if err != nil {
		return err
	}
	im, err = d.Customers.RunImport(ctx, im.ID)
	if err != nil {
		return err
	}
	if im.State != "finished" {
		return fmt.Errorf("import of %s: %s", name, im.State)
	}
	d.Say("Imported %d rows of %s %s in %.1f s: %d new, %d known, %d rejected", im.Rows, kind, list, time.Since(begun).Seconds(),
		im.Created, im.Updated+im.Unchanged+im.Duplicates, im.Rejected)
	if im.Rejected > 0 {
		rejects, err := d.Customers.Rejects(ctx, im.ID, 0, 5)
		if err != nil {
			return err
		}
		return fmt.Errorf("the demonstration's own file has %d faulty rows, the first: %+v", im.Rejected, rejects)
	}
	return nil
}

// templates saves the templates and a few segments.
func (d *Demo) templates(ctx context.Context) error {
	for _, t := range []content.Template{
		{Name: "Spring mail", Channel: content.Email, Subject: springMailSubject, HTML: springMailHTML},
		{Name: "Spring text", Channel: content.SMS, Body: springSMS},
		{Name: "Spring letter", Channel: content.Post, Body: springLetter},
		{Name: "Spring call", Channel: content.Calls, Body: springScript},
		{Name: "Autumn mail", Channel: content.Email, Subject: autumnMailSubject, HTML: autumnMailHTML},
		{Name: "Autumn call", Channel: content.Calls, Body: autumnScript},
	} {
		if _, err := d.Campaigns.Templates().Save(ctx, t); err != nil {
			return err
		}
	}
	for _, s := range []segments.Draft{
		{Name: springSegment, Expression: springAudience, Description: "Everybody we can reach at home for the spring mailing"},
		{Name: "Best customers", Expression: `total_spent > 250 and last_order_at > ago("2y")`, Description: "Bought for more than 250 dollars, not long ago"},
		{Name: "Rose lovers", Expression: `interests contains "roses" or bought("ROSE-ALBA") or bought("ROSE-CLIMB")`},
		{Name: "Sleeping", Expression: `orders_count >= 1 and last_order_at < ago("18mo")`, Description: "Ordered once, silent for a year and a half"},
		{Name: "Germany", Expression: `country == "DE"`},
	} {
		if _, err := d.Segments.Create(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func cents(n int) decimal.Decimal { return decimal.MustNew(int64(n), 2) }
