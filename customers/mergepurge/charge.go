package mergepurge

import (
	"fmt"

	"github.com/govalues/decimal"

	"aldine/customers"
)

// Charge is what a rented list costs under its deal.
type Charge struct {
	Gross      int64           `json:"gross"`
	Used       int64           `json:"used"`       // net names
	Chargeable decimal.Decimal `json:"chargeable"` // names paid for at the base price
	Base       decimal.Decimal `json:"base"`
	Running    decimal.Decimal `json:"running"`
	Extra      decimal.Decimal `json:"extra"`
	Total      decimal.Decimal `json:"total"`
	Currency   string          `json:"currency,omitempty"`
}

var one = decimal.One

// charge computes what a list costs of which used names out of gross are mailed: chargeable = max(used, share x gross, rounded up),
// total = chargeable x price/1000 + (gross - chargeable) x running/1000 + gross x extra/1000. Amounts are rounded to
// four places.
func charge(d Deal, gross, used int64) (*Charge, error) {
	c := &Charge{Gross: gross, Used: used, Currency: d.Currency}
	chargeable, unused, err := customers.NetNames(used, gross, d.NetShare)
	if err != nil {
		return nil, err
	}
	if c.Chargeable, err = decimal.New(chargeable, 0); err != nil {
		return nil, err
	}
	for _, part := range []struct {
		into  *decimal.Decimal
		price decimal.Decimal
		names int64
	}{{&c.Base, d.PricePerThousand, chargeable}, {&c.Running, d.RunningCharge, unused}, {&c.Extra, d.ExtraPerThousand, gross}} {
		amount, err := customers.PerThousand(part.price, part.names)
		if err != nil {
			return nil, fmt.Errorf("charge of %d names: %w", gross, err)
		}
		*part.into = amount.Trim(2)
		if c.Total, err = c.Total.Add(*part.into); err != nil {
			return nil, fmt.Errorf("charge of %d names: %w", gross, err)
		}
	}
	return c, nil
}
