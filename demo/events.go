package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/govalues/decimal"

	"aldine/customers"
	"aldine/segments"
)

// shop reports what some customers of the house did in the web shop over the last weeks, as the shop's own program would.
func (d *Demo) shop(ctx context.Context) error {
	now := d.Clock.Now()
	var batch []customers.Event
	report := func() error {
		done, err := d.Customers.RecordEvents(ctx, "web shop", batch)
		for _, o := range done {
			if o.State == customers.EventRejected {
				return fmt.Errorf("the demonstration's own event is faulty: %s", o.Reason)
			}
		}
		batch = nil
		return err
	}
	for i, p := range d.people {
		if i%3 != 0 {
			continue
		}
		for range 1 + d.rng.IntN(4) {
			at := now.Add(-time.Duration(d.rng.IntN(45*24*60)) * time.Minute)
			product := products[d.rng.IntN(len(products))]
			batch = append(batch, customers.Event{CustomerExternalID: p.id, Name: "viewed", At: at,
				Properties: customers.Properties{"product": product.sku, "category": product.category, "seconds": 5 + d.rng.IntN(240), "app": d.rng.IntN(4) == 0}})
			if d.rng.IntN(6) == 0 {
				left := decimal.MustNew(int64(product.cents*(1+d.rng.IntN(3))), 2)
				batch = append(batch, customers.Event{CustomerExternalID: p.id, Name: "basket_left", At: at.Add(4 * time.Minute), Value: &left,
					Properties: customers.Properties{"product": product.sku}})
			}
		}
		if d.rng.IntN(12) == 0 {
			batch = append(batch, customers.Event{CustomerExternalID: p.id, Name: "newsletter_signup", At: now.Add(-time.Duration(d.rng.IntN(30*24)) * time.Hour)})
		}
		if len(batch) > customers.MaxEvents-10 {
			if err := report(); err != nil {
				return err
			}
		}
	}
	if err := report(); err != nil {
		return err
	}
	_, err := d.Segments.Create(ctx, segments.Draft{Name: "Left a basket", Description: "Put something into the web shop's basket in the last two weeks, and did not order since",
		Expression: `did("basket_left", "14d") and not followed(did("basket_left", "14d"), bought())`})
	return err
}
