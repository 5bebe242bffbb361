package customers

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aldine/internal/settings"
)

// RecordOrders stores orders, see RecordOrdersTx.
func (s *Service) RecordOrders(ctx context.Context, orders []Order) ([]OrderOutcome, error) {
	var out []OrderOutcome
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) (err error) {
		out, err = s.RecordOrdersTx(ctx, tx, orders)
		return err
	})
	return out, err
}

// RecordOrdersTx stores orders within the caller's transaction and gives the outcome of each, in the order given: the
// same order again is unchanged, one with other content updated; a wrong one is rejected with its reason and keeps
// none of the others back. The derived facts of the customers follow, and OrdersRecordedArgs are enqueued for all
// that is new or changed.
func (s *Service) RecordOrdersTx(ctx context.Context, tx pgx.Tx, orders []Order) ([]OrderOutcome, error) {
	return s.recordOrdersTx(ctx, tx, orders, 0)
}

func (s *Service) recordOrdersTx(ctx context.Context, tx pgx.Tx, orders []Order, importID int64) ([]OrderOutcome, error) {
	r := &orderRun{service: s, tx: tx, orders: slices.Clone(orders), out: make([]OrderOutcome, len(orders)), importID: importID}
	for _, step := range []func(context.Context) error{r.check, r.findCustomers, r.convert, r.lockCustomers, r.claimRefs, r.compare, r.store, r.derive, r.enqueue} {
		if err := step(ctx); err != nil {
			return nil, fmt.Errorf("record orders: %w", err)
		}
	}
	return r.out, nil
}

// orderRun is one call of recordOrdersTx; its steps run in the order in which they are named there. A rejected order
// is passed over by all later steps.
type orderRun struct {
	service  *Service
	tx       pgx.Tx
	orders   []Order // cleaned
	out      []OrderOutcome
	importID int64

	base  string
	rates []decimal.Decimal // of each order, to the base currency
	sums  []decimal.Decimal // in the base currency
}

func (r *orderRun) reject(i int, format string, args ...any) {
	r.out[i].State, r.out[i].Reason = OrderRejected, fmt.Sprintf(format, args...)
}

// open gives the indexes of orders whose state is the one given; "" is not decided yet.
func (r *orderRun) open(states ...OrderState) []int {
	var open []int
	for i := range r.out {
		if slices.Contains(states, r.out[i].State) {
			open = append(open, i)
		}
	}
	return open
}

// check looks at each order by itself, and at orders named twice.
func (r *orderRun) check(context.Context) error {
	first := make(map[string]int, len(r.orders))
	for i := range r.orders {
		o := &r.orders[i]
		fault := o.clean()
		r.out[i].Ref = o.Ref
		if fault != "" {
			r.reject(i, "%s", fault)
			continue
		}
		if j, again := first[o.Ref]; again {
			if o.CustomerID == r.orders[j].CustomerID && o.CustomerExternalID == r.orders[j].CustomerExternalID && sameOrder(o, &r.orders[j]) {
				r.out[i].State = OrderUnchanged
			} else {
				r.reject(i, "order %s is named twice with different content", short(o.Ref))
			}
			continue
		}
		first[o.Ref] = i
	}
	return nil
}

// clean brings an order into normal form and tells what is wrong with it, "" if nothing.
func (o *Order) clean() string {
	texts := []struct {
		name  string
		value *string
	}{{"order_id", &o.Ref}, {"customer_external_id", &o.CustomerExternalID}, {"place", &o.Place}, {"reason", &o.Reason}, {"keycode", &o.Keycode}}
	o.Lines = slices.Clone(o.Lines)
	for i := range o.Lines {
		texts = append(texts, struct {
			name  string
			value *string
		}{"sku", &o.Lines[i].SKU})
	}
	for _, t := range texts {
		clean, err := cleanText(*t.value)
		if err == nil && len(clean) > 200 {
			err = fmt.Errorf("is longer than 200 characters")
		}
		if err != nil {
			return fmt.Sprintf("%s: %q %v", t.name, short(*t.value), err)
		}
		*t.value = clean
	}
	o.count()
	var err error
	if o.Ref == "" {
		return "order_id: is missing"
	}
	if o.OrderedAt.IsZero() || o.OrderedAt.Year() < 1 || o.OrderedAt.Year() > 9999 {
		return "ordered_at: is missing"
	}
	o.OrderedAt = o.OrderedAt.UTC().Truncate(time.Microsecond)
	given := o.Currency
	if o.Currency, err = cleanCurrency(o.Currency); err != nil {
		return fmt.Sprintf("currency: %q %v", short(given), err)
	}
	if err := fitsMoney(o.Amount); err != nil {
		return fmt.Sprintf("amount: %q %v", o.Amount, err)
	}
	if o.Quantity > maxQuantity || o.Quantity < -maxQuantity {
		return "quantity: is too large"
	}
	for _, l := range o.Lines {
		if l.SKU == "" {
			return "sku: is missing"
		}
		if err := fitsMoney(l.Amount); err != nil {
			return fmt.Sprintf("amount: %q %v", l.Amount, err)
		}
		if l.Quantity > maxQuantity || l.Quantity < -maxQuantity {
			return "quantity: is too large"
		}
	}
	return ""
}

// count fills in a quantity that was left out: that of the lines, else one piece, sold or returned.
func (o *Order) count() {
	if o.Quantity != 0 {
		return
	}
	for _, l := range o.Lines {
		o.Quantity += l.Quantity
	}
	if len(o.Lines) == 0 {
		if o.Quantity = 1; o.Amount.IsNeg() {
			o.Quantity = -1
		}
	}
}

const maxQuantity = 1_000_000_000

func sameOrder(a, b *Order) bool {
	return a.OrderedAt.Equal(b.OrderedAt) && a.Quantity == b.Quantity && a.Amount.Cmp(b.Amount) == 0 && a.Currency == b.Currency &&
		a.Place == b.Place && a.Reason == b.Reason && a.Keycode == b.Keycode &&
		slices.EqualFunc(a.Lines, b.Lines, func(x, y OrderLine) bool {
			return x.SKU == y.SKU && x.Quantity == y.Quantity && x.Amount.Cmp(y.Amount) == 0
		})
}

// findCustomers turns external ids into numbers.
func (r *orderRun) findCustomers(ctx context.Context) error {
	var names []string
	for _, i := range r.open("") {
		if o := &r.orders[i]; o.CustomerID == 0 && o.CustomerExternalID != "" {
			names = append(names, o.CustomerExternalID)
		}
	}
	ids, err := externalIDs(ctx, r.tx, names)
	if err != nil {
		return err
	}
	now, err := r.merged(ctx)
	if err != nil {
		return err
	}
	for _, i := range r.open("") {
		o := &r.orders[i]
		if o.CustomerID == 0 && o.CustomerExternalID != "" {
			if o.CustomerID = ids[o.CustomerExternalID]; o.CustomerID == 0 {
				r.reject(i, "customer_external_id: there is no customer %q", short(o.CustomerExternalID))
			}
		}
		if survivor, ok := now[o.CustomerID]; ok {
			o.CustomerID = survivor
		}
		r.out[i].CustomerID = o.CustomerID
	}
	return nil
}

// merged gives the survivors of those customers who are named by a number that was merged into another.
func (r *orderRun) merged(ctx context.Context) (map[ID]ID, error) {
	var ids []ID
	for _, i := range r.open("") {
		if id := r.orders[i].CustomerID; id != 0 {
			ids = append(ids, id)
		}
	}
	if ids == nil {
		return nil, nil
	}
	return ResolveAll(ctx, r.tx, ids)
}

// externalIDs looks up customers by external id.
func externalIDs(ctx context.Context, q Querier, names []string) (map[string]ID, error) {
	ids := make(map[string]ID, len(names))
	if len(names) == 0 {
		return ids, nil
	}
	slices.Sort(names)
	rows, err := q.Query(ctx, `SELECT external_id, customer_id FROM customer_external_ids WHERE external_id = ANY(@names) ORDER BY external_id`,
		pgx.NamedArgs{"names": slices.Compact(names)})
	if err != nil {
		return nil, err
	}
	var name string
	var id ID
	_, err = pgx.ForEachRow(rows, []any{&name, &id}, func() error { ids[name] = id; return nil })
	return ids, err
}

// convert computes the amounts in the base currency, which is that of the first money ever recorded.
func (r *orderRun) convert(ctx context.Context) error {
	r.rates, r.sums = make([]decimal.Decimal, len(r.orders)), make([]decimal.Decimal, len(r.orders))
	open := r.open("")
	if len(open) == 0 {
		return nil
	}
	v, err := r.service.settings.Get(ctx)
	if err != nil {
		return err
	}
	if v.BaseCurrency == "" {
		v, err = r.service.settings.UpdateTx(ctx, r.tx, func(v *settings.Values) error {
			if v.BaseCurrency == "" {
				v.BaseCurrency = r.orders[open[0]].Currency
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	r.base = v.BaseCurrency
	rates := map[string]decimal.Decimal{}
	rows, err := r.tx.Query(ctx, `SELECT currency, rate FROM exchange_rates ORDER BY currency`)
	if err != nil {
		return err
	}
	var code string
	var rate decimal.Decimal
	if _, err := pgx.ForEachRow(rows, []any{&code, &rate}, func() error { rates[code] = rate; return nil }); err != nil {
		return err
	}
	rates[r.base] = decimal.One
	for _, i := range open {
		o := &r.orders[i]
		rate, ok := rates[o.Currency]
		if !ok {
			r.reject(i, "currency: there is no exchange rate from %s to %s", o.Currency, r.base)
			continue
		}
		sum, err := o.Amount.Mul(rate)
		if err != nil || sum.CmpAbs(maxMoney) >= 0 {
			r.reject(i, "amount: %q is too large", o.Amount)
			continue
		}
		r.rates[i], r.sums[i] = rate, sum.Round(4)
	}
	return nil
}

// lockCustomers makes the sums that derive reads right when two calls record orders of one customer at once. Whoever was merged
// since the look-up is gone: the order is the survivor's.
func (r *orderRun) lockCustomers(ctx context.Context) error {
	found, err := r.lock(ctx)
	if err != nil {
		return err
	}
	if gone := r.missing(found); gone != nil {
		now, err := r.merged(ctx)
		if err != nil {
			return err
		}
		for _, i := range gone {
			if survivor, ok := now[r.orders[i].CustomerID]; ok {
				r.orders[i].CustomerID, r.out[i].CustomerID = survivor, survivor
			}
		}
		if found, err = r.lock(ctx); err != nil {
			return err
		}
	}
	for _, i := range r.missing(found) {
		r.reject(i, "customer_id: there is no customer %d", r.orders[i].CustomerID)
	}
	return nil
}

// lock locks the orders' customers and gives those that there are, in order.
func (r *orderRun) lock(ctx context.Context) ([]ID, error) {
	var ids []ID
	for _, i := range r.open("") {
		if r.orders[i].CustomerID != 0 {
			ids = append(ids, r.orders[i].CustomerID)
		}
	}
	slices.Sort(ids)
	rows, err := r.tx.Query(ctx, `SELECT customer_id FROM customers WHERE customer_id = ANY(@ids) ORDER BY customer_id FOR NO KEY UPDATE`,
		pgx.NamedArgs{"ids": slices.Compact(ids)})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[ID])
}

// missing gives the open orders whose customers were not found.
func (r *orderRun) missing(found []ID) (gone []int) {
	for _, i := range r.open("") {
		if id := r.orders[i].CustomerID; id != 0 {
			if _, ok := slices.BinarySearch(found, id); !ok {
				gone = append(gone, i)
			}
		}
	}
	return gone
}

// enqueue tells attribution what is new or changed.
func (r *orderRun) enqueue(ctx context.Context) error {
	var jobs []river.InsertManyParams
	var refs []string
	for _, i := range r.open(OrderCreated, OrderUpdated) {
		refs = append(refs, r.orders[i].Ref)
	}
	sort.Strings(refs)
	for part := range slices.Chunk(refs, 1000) {
		jobs = append(jobs, river.InsertManyParams{Args: OrdersRecordedArgs{Refs: part, ImportID: r.importID}})
	}
	if len(jobs) == 0 {
		return nil
	}
	_, err := r.service.jobs.InsertManyFastTx(ctx, r.tx, jobs)
	return err
}
