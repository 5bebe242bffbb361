package customers

import (
	"fmt"

	"github.com/govalues/decimal"
)

var thousand = decimal.MustNew(1000, 0)

// NetNames says how a rented list's names are paid for under a net-name deal: the names used, but at least the share of the gross,
// rounded up to a whole name, at the full price; the rest of the gross at the running charge. Gross is the number of names
// delivered.
func NetNames(used, gross int64, share decimal.Decimal) (chargeable, unused int64, err error) {
	n, err := decimal.New(gross, 0)
	if err != nil {
		return 0, 0, err
	}
	if n, err = n.Mul(share); err != nil {
		return 0, 0, err
	}
	least, _, ok := n.Ceil(0).Int64(0)
	if !ok {
		return 0, 0, fmt.Errorf("%d names are too many", gross)
	}
	chargeable = max(used, least)
	return chargeable, max(0, gross-chargeable), nil
}

// PerThousand gives what names cost at a price per thousand, to a hundredth of a cent.
func PerThousand(price decimal.Decimal, names int64) (decimal.Decimal, error) {
	n, err := decimal.New(names, 0)
	if err != nil {
		return n, err
	}
	if n, err = n.Mul(price); err != nil {
		return n, err
	}
	n, err = n.Quo(thousand)
	return n.Round(4), err
}
