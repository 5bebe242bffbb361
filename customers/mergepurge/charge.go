package mergepurge

import (
	"fmt"

	"github.com/govalues/decimal"
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

var (
	one         = decimal.One
	perThousand = decimal.MustNew(1000, 0)
)

// charge computes what a list costs of which used names out of gross are mailed: chargeable = max(used, share x gross),
// total = chargeable x price/1000 + (gross - chargeable) x running/1000 + gross x extra/1000. Amounts are rounded to
// four places.
func charge(d Deal, gross, used int64) (*Charge, error) {
	c := &Charge{Gross: gross, Used: used, Currency: d.Currency}
	var err error
	do := func(f func(decimal.Decimal, decimal.Decimal) (decimal.Decimal, error), a, b decimal.Decimal) decimal.Decimal {
		if err != nil {
			return decimal.Decimal{}
		}
		var v decimal.Decimal
		v, err = f(a, b)
		return v
	}
	whole, names := decimal.MustNew(gross, 0), decimal.MustNew(used, 0)
	floor := do(decimal.Decimal.Mul, d.NetShare, whole)
	c.Chargeable = floor.Max(names).Min(whole.Max(names)).Trim(0)
	thousand := func(n, price decimal.Decimal) decimal.Decimal {
		return do(decimal.Decimal.Quo, do(decimal.Decimal.Mul, n, price), perThousand).Round(4).Trim(2)
	}
	c.Base = thousand(c.Chargeable, d.PricePerThousand)
	c.Running = thousand(do(decimal.Decimal.Sub, whole.Max(c.Chargeable), c.Chargeable), d.RunningCharge)
	c.Extra = thousand(whole, d.ExtraPerThousand)
	c.Total = do(decimal.Decimal.Add, do(decimal.Decimal.Add, c.Base, c.Running), c.Extra)
	if err != nil {
		return nil, fmt.Errorf("charge of %d names: %w", gross, err)
	}
	return c, nil
}
