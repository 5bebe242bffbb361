package customers

import (
	"context"
	"fmt"
	"hash/maphash"
	"strconv"

	"github.com/jackc/pgx/v5"

	"aldine/internal/settings"
)

// orderLoader imports orders. Rows of one order stand together: where they name products they are its lines, and
// quantity and amount add up; without products only the first counts, and the others are duplicates.
type orderLoader struct {
	service *Service
	imp     Import
	header  []string
	base    string // currency of rows that do not say
	at      map[string]int

	seed    maphash.Seed
	named   map[uint64]struct{} // hashes of the order numbers in chunks stored
	pending []uint64
}

// orderRow is one row of an orders file.
type orderRow struct {
	Order
	line OrderLine // without SKU where the row names no product
}

func newOrderLoader(s *Service, imp Import, header []string, columns map[string]int, v settings.Values) *orderLoader {
	return &orderLoader{service: s, imp: imp, header: header, base: v.BaseCurrency, at: columns,
		seed: maphash.MakeSeed(), named: map[uint64]struct{}{}}
}

func (l *orderLoader) same(before, row []string) bool {
	i := l.at["order_id"]
	return i < len(before) && i < len(row) && before[i] != "" && before[i] == row[i]
}

func (l *orderLoader) parse(it *item) {
	o := &orderRow{}
	bad := func(field string, err error) {
		column := l.at[field]
		it.reject = fmt.Sprintf("%s: %q %v", short(l.header[column]), short(it.fields[column]), err)
	}
	get := func(field string) string {
		if i, ok := l.at[field]; ok {
			return it.fields[i]
		}
		return ""
	}
	for field, to := range map[string]*string{"order_id": &o.Ref, "customer_external_id": &o.CustomerExternalID, "place": &o.Place,
		"reason": &o.Reason, "keycode": &o.Keycode, "sku": &o.line.SKU, "currency": &o.Currency} {
		text, err := cleanText(get(field))
		if err != nil {
			bad(field, err)
			return
		}
		*to = text
	}
	for _, field := range orderNeeds {
		if get(field) == "" {
			it.reject = field + ": is missing"
			return
		}
	}
	var err error
	if o.OrderedAt, err = parseTime(get("ordered_at")); err != nil {
		bad("ordered_at", err)
		return
	}
	if o.Amount, err = parseMoney(get("amount")); err != nil {
		bad("amount", err)
		return
	}
	o.Quantity = 1
	if q := get("quantity"); q != "" {
		if o.Quantity, err = strconv.Atoi(q); err != nil {
			bad("quantity", fmt.Errorf("is not a whole number"))
			return
		}
	}
	if o.Currency == "" {
		if o.Currency = l.base; o.Currency == "" {
			it.reject = "currency: is missing"
			return
		}
	}
	o.line.Quantity, o.line.Amount = o.Quantity, o.Amount
	if o.line.SKU != "" {
		o.Lines = []OrderLine{o.line}
	}
	it.order = o
}

func (l *orderLoader) hash(ref string) uint64 { return maphash.String(l.seed, ref) }

func (l *orderLoader) replay(_ context.Context, items []item) error {
	for i := range items {
		if o := items[i].order; o != nil {
			l.named[l.hash(o.Ref)] = struct{}{}
		}
	}
	return nil
}

func (l *orderLoader) stored() {
	for _, h := range l.pending {
		l.named[h] = struct{}{}
	}
}

// group is the rows of one order.
type group struct {
	order Order
	rows  []int // indexes of items
}

func (l *orderLoader) storeTx(ctx context.Context, tx pgx.Tx, items []item) (counts, error) {
	groups, n := l.groupRows(items)
	orders := make([]Order, len(groups))
	for i, g := range groups {
		orders[i] = g.order
	}
	out, err := l.service.recordOrdersTx(ctx, tx, orders, l.imp.ID)
	if err != nil {
		return counts{}, err
	}
	for i, o := range out {
		rows := int64(len(groups[i].rows))
		for _, r := range groups[i].rows {
			items[r].verdict = string(o.State)
		}
		switch o.State {
		case OrderCreated:
			n.created += rows
		case OrderUpdated:
			n.updated += rows
		case OrderUnchanged:
			n.unchanged += rows
		default:
			for _, r := range groups[i].rows {
				items[r].reject = o.Reason
			}
		}
	}
	return n, nil
}

// groupRows joins rows to orders, counting duplicates and rejecting rows that do not fit their order.
func (l *orderLoader) groupRows(items []item) ([]group, counts) {
	var groups []group
	var n counts
	l.pending = l.pending[:0]
	inChunk := map[uint64]bool{}
	for i := range items {
		o := items[i].order
		if o == nil || items[i].reject != "" {
			continue
		}
		if last := len(groups) - 1; last >= 0 && groups[last].order.Ref == o.Ref {
			g := &groups[last]
			if o.line.SKU == "" || len(g.order.Lines) == 0 {
				n.duplicates++
				items[i].verdict, items[i].ofLine = VerdictDuplicate, items[g.rows[0]].line
				continue
			}
			if reason := g.add(o); reason != "" {
				items[i].reject = reason
				continue
			}
			g.rows = append(g.rows, i)
			continue
		}
		h := l.hash(o.Ref)
		if _, before := l.named[h]; before || inChunk[h] {
			if o.line.SKU == "" {
				n.duplicates++
				items[i].verdict = VerdictDuplicate
			} else {
				items[i].reject = fmt.Sprintf("order_id: order %q began further up; the rows of one order must stand together", short(o.Ref))
			}
			continue
		}
		inChunk[h] = true
		l.pending = append(l.pending, h)
		groups = append(groups, group{order: o.Order, rows: []int{i}})
	}
	return groups, n
}

// add joins one more line to an order; it tells why the row does not fit.
func (g *group) add(o *orderRow) string {
	switch {
	case o.CustomerExternalID != g.order.CustomerExternalID:
		return fmt.Sprintf("customer_external_id: the rows above name another customer for order %q", short(o.Ref))
	case !o.OrderedAt.Equal(g.order.OrderedAt):
		return fmt.Sprintf("ordered_at: the rows above name another time for order %q", short(o.Ref))
	case o.Currency != g.order.Currency:
		return fmt.Sprintf("currency: the rows above name another currency for order %q", short(o.Ref))
	}
	amount, err := g.order.Amount.Add(o.Amount)
	if err != nil || fitsMoney(amount) != nil {
		return "amount: the order's amount becomes too large"
	}
	g.order.Amount = amount
	g.order.Quantity += o.Quantity
	g.order.Lines = append(g.order.Lines, o.line)
	for _, t := range [][2]*string{{&g.order.Place, &o.Place}, {&g.order.Reason, &o.Reason}, {&g.order.Keycode, &o.Keycode}} {
		if *t[0] == "" {
			*t[0] = *t[1]
		}
	}
	return ""
}
