package campaigns

import (
	"fmt"

	"github.com/govalues/decimal"

	"aldine/customers"
)

// deal is what a rented list costs, in the campaign's currency. Net names: of the names delivered at least a share is paid for at
// the full price, names used above that one by one; the rest costs the running charge; selections and delivery go by the gross.
//
//	chargeable = max(names used, share x gross)
//	cost = chargeable x price/M + (gross - chargeable) x running/M + gross x extra/M
//
// The deal is for the list, not for a campaign: names used are counted over all campaigns that use it, each once, and a
// campaign pays what is not booked yet.
type deal struct {
	list                  int64
	name                  string
	price, running, extra decimal.Decimal // per thousand
	share                 decimal.Decimal
	gross                 int64 // 0: as many as are used
	booked                map[string]int64
}

// The components of a deal, as the ledger has them.
const (
	dealNames   = "names"   // used
	dealMinimum = "minimum" // paid for at the full price though not used
	dealUnused  = "unused"  // at the running charge
	dealExtra   = "extra"   // selections and delivery
)

// used is how many names of a cell are used that no campaign has used before.
type used struct {
	cell  *int64 // nil: of all cells together
	names int64
}

// entries gives what a campaign that uses names has to pay: a row for each cell, and one for each other component. Quantities
// may be negative: a name that was paid for as a minimum, or at the running charge, and is used now.
func (d deal) entries(cells []used) ([]entry, error) {
	if d.price.IsZero() && d.running.IsZero() && d.extra.IsZero() {
		return nil, nil
	}
	total := d.booked[dealNames]
	for _, c := range cells {
		total += c.names
	}
	if total == 0 {
		return nil, nil // nobody of the list is in: nothing was ordered
	}
	gross := d.gross
	if gross == 0 {
		gross = total
	}
	chargeable, unused, err := customers.NetNames(total, gross, d.share)
	if err != nil {
		return nil, err
	}
	var out []entry
	var sum int64
	paid := decimal.Zero
	for _, c := range cells { // each cell's amount is a difference of rounded sums, so that together they are exact
		if c.names == 0 {
			continue
		}
		sum += c.names
		upTo, err := customers.PerThousand(d.price, sum)
		if err != nil {
			return nil, err
		}
		e, err := d.entry(dealNames, c.names, d.price, "%s: names used, %s per thousand", d.name, d.price.Trim(2))
		if err != nil {
			return nil, err
		}
		if e.amount, err = upTo.Sub(paid); err != nil {
			return nil, err
		}
		e.cellID, paid = c.cell, upTo
		out = append(out, e)
	}
	for _, x := range []struct {
		component string
		quantity  int64
		price     decimal.Decimal
		note      string
	}{
		{dealMinimum, chargeable - total, d.price, fmt.Sprintf("paid for though not used, at least %s %% of %d", percentText(d.share), gross)},
		{dealUnused, unused, d.running, "running charge for names not used"},
		{dealExtra, gross, d.extra, "selections and delivery"},
	} {
		more := x.quantity - d.booked[x.component]
		if more == 0 || x.price.IsZero() {
			continue
		}
		e, err := d.entry(x.component, more, x.price, "%s: %s, %s per thousand", d.name, x.note, x.price.Trim(2))
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

func (d deal) entry(component string, quantity int64, price decimal.Decimal, note string, args ...any) (entry, error) {
	e := entry{kind: "list", listID: &d.list, component: component, quantity: quantity, note: fmt.Sprintf(note, args...)}
	var err error
	if e.unitCost, err = customers.PerThousand(price, 1); err != nil {
		return e, err
	}
	e.amount, err = customers.PerThousand(price, quantity)
	return e, err
}

func percentText(share decimal.Decimal) string {
	p, err := share.Mul(decimal.Hundred)
	if err != nil {
		return share.String()
	}
	return p.Trim(0).String()
}
