package insights

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"aldine/internal/fault"
)

// shopper is what is scored of a customer: 32 bytes, so that millions are scored in memory. A database sorts them three times over
// for nested scores; here they are only parted at the fifths.
type shopper struct {
	id, day, orders, units int64 // day since 1970; units are ten thousandths of the base currency
}

// shoppers reads everybody who ordered.
func (s *Service) shoppers(ctx context.Context, sc Scheme) (list []shopper, err error) {
	args := pgx.NamedArgs{}
	if !sc.AsOf.IsZero() {
		args["as_of"] = s.today(sc)
	}
	err = s.reading(ctx, func(tx pgx.Tx) error {
		var about float64 // so that the list need not grow: it would be in memory twice
		if err := tx.QueryRow(ctx, `SELECT reltuples FROM pg_class WHERE oid = 'customers'::regclass`).Scan(&about); err != nil {
			return err
		}
		list = make([]shopper, 0, int(min(max(0, about), 20e6)))
		rows, err := tx.Query(ctx, sc.baseSQL(), args)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			v := rows.RawValues() // four whole numbers of eight bytes: decoding them one by one would take as long as reading
			if len(v) != 4 || len(v[0])+len(v[1])+len(v[2])+len(v[3]) != 32 {
				return fmt.Errorf("a row of %d columns is not what is scored", len(v))
			}
			list = append(list, shopper{int64(binary.BigEndian.Uint64(v[0])), int64(binary.BigEndian.Uint64(v[1])), int64(binary.BigEndian.Uint64(v[2])), int64(binary.BigEndian.Uint64(v[3]))})
		}
		return rows.Err()
	})
	var pe *pgconn.PgError
	if errors.As(err, &pe) && pe.Code == "22003" { // numeric_value_out_of_range
		return nil, s.tooMuch(ctx, sc, args, err)
	}
	return list, err
}

// tooMuch names who spent more than can be scored: 922,337,203,685,477, which is a wrong amount or rate.
func (s *Service) tooMuch(ctx context.Context, sc Scheme, args pgx.NamedArgs, cause error) error {
	var id int64
	err := s.reading(ctx, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, `SELECT b.customer_id FROM (`+sc.amountSQL()+`) b (customer_id, last, orders, spent)
			WHERE abs(b.spent) > 9223372036854775807 / 10000.0 ORDER BY abs(b.spent) DESC, b.customer_id LIMIT 1`, args).Scan(&id)
	})
	if errors.Is(err, pgx.ErrNoRows) { // mended meanwhile
		return fault.Wrap(fault.Unavailable, cause, "The orders have just changed: try again")
	} else if err != nil {
		return err
	}
	return fault.Wrap(fault.Conflict, cause, "The orders of customer %d add up to more than can be scored (9.2e14 in the base currency): correct their amounts or the exchange rate", id)
}

// The orders in which nested scores part: each measure, then the others, then the number, so that nobody is equal.
var (
	byRecency = func(a, b shopper) int {
		return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.orders, b.orders), cmp.Compare(a.units, b.units), cmp.Compare(a.id, b.id))
	}
	byFrequency = func(a, b shopper) int {
		return cmp.Or(cmp.Compare(a.orders, b.orders), cmp.Compare(a.units, b.units), cmp.Compare(a.day, b.day), cmp.Compare(a.id, b.id))
	}
	byValue = func(a, b shopper) int {
		return cmp.Or(cmp.Compare(a.units, b.units), cmp.Compare(a.orders, b.orders), cmp.Compare(a.day, b.day), cmp.Compare(a.id, b.id))
	}
)

// nested gives the members of each cell that has any, by R, F and M; it changes the order of the list.
func nested(list []shopper, cell func(r, f, m int, part []shopper)) {
	fifths(list, byRecency, func(r int, inR []shopper) {
		fifths(inR, byFrequency, func(f int, inF []shopper) {
			fifths(inF, byValue, func(m int, inM []shopper) { cell(r, f, m, inM) })
		})
	})
}

// fifths parts a list like ntile(5): the first parts are one larger where it does not divide.
func fifths(list []shopper, order func(a, b shopper) int, part func(score int, part []shopper)) {
	size, larger := len(list)/5, len(list)%5
	for score := 1; score <= 5 && len(list) > 0; score++ {
		n := size
		if score <= larger {
			n++
		}
		if n == 0 {
			continue
		}
		partAt(list, n, order)
		part(score, list[:n])
		list = list[n:]
	}
}

// partAt moves the n lowest of a list to its front. It takes time in proportion to the list: each round halves what is open.
func partAt(list []shopper, n int, order func(a, b shopper) int) {
	for n > 0 && n < len(list) {
		if len(list) <= 32 {
			slices.SortFunc(list, order)
			return
		}
		at := split(list, order)
		switch {
		case n == at || n == at+1:
			return
		case n < at:
			list = list[:at]
		default:
			list, n = list[at+1:], n-at-1
		}
	}
}

// split moves what is below some middle element to before it and gives its place.
func split(list []shopper, order func(a, b shopper) int) int {
	last := len(list) - 1
	low, middle, high := 0, last/2, last
	if last > 1000 { // a median of nine, so that hardly any order of the table is a bad one
		step := last / 8
		low, middle, high = median(list, 0, step, 2*step, order), median(list, middle-step, middle, middle+step, order), median(list, last-2*step, last-step, last, order)
	}
	pivot := median(list, low, middle, high, order)
	list[pivot], list[last] = list[last], list[pivot]
	of, at := list[last], 0
	for i := range list[:last] {
		if order(list[i], of) < 0 {
			list[i], list[at] = list[at], list[i]
			at++
		}
	}
	list[at], list[last] = list[last], list[at]
	return at
}

func median(list []shopper, a, b, c int, order func(a, b shopper) int) int {
	if order(list[a], list[b]) > 0 {
		a, b = b, a
	}
	if order(list[b], list[c]) > 0 {
		if b = c; order(list[a], list[b]) > 0 {
			b = a
		}
	}
	return b
}

func cellOf(r, f, m int, part []shopper) Cell {
	c := Cell{R: r, F: f, M: m, Customers: int64(len(part))}
	var spent sum
	for i := range part {
		c.Orders += part[i].orders
		spent.add(part[i].units)
	}
	c.Spent = spent.decimal()
	return c
}

// sum adds units up: those of millions of customers can be more than fit into one number.
type sum struct{ millions, units int64 }

const million = 1_000_000_0000 // in units

func (s *sum) add(units int64) {
	s.millions += units / million
	s.units += units % million
}

// decimal gives the sum; above ten to the 18th, which no company takes, as near as a decimal comes.
func (s sum) decimal() decimal.Decimal {
	whole, err := decimal.MustNew(s.millions, 0).Mul(decimal.MustNew(1_000_000, 0))
	if err == nil {
		whole, err = whole.Add(decimal.MustNew(s.units, 4))
	}
	if err != nil {
		return decimal.MustNew(math.MaxInt64, 0)
	}
	return whole
}

// marks are the cuts in the numbers of shoppers.
type marks struct{ days, orders, units []int64 }

// quintiles gives the four values of each measure that end the first four fifths: the lowest that at least that share does not exceed.
func quintiles(list []shopper) marks {
	cuts := func(of func(shopper) int64) (cuts []int64) {
		values := make([]int64, len(list))
		for i := range list {
			values[i] = of(list[i])
		}
		slices.Sort(values)
		for k := 1; k <= 4; k++ {
			cuts = append(cuts, values[(len(values)*k+4)/5-1])
		}
		return cuts
	}
	return marks{cuts(func(b shopper) int64 { return b.day }), cuts(func(b shopper) int64 { return b.orders }), cuts(func(b shopper) int64 { return b.units })}
}

// score is one more than the number of cuts that the value is above.
func score(value int64, cuts []int64) int {
	n := 1
	for _, cut := range cuts {
		if value > cut {
			n++
		}
	}
	return n
}

func (c marks) cells(list []shopper) (cells []Cell) {
	var sums [125]struct {
		customers, orders int64
		spent             sum
	}
	for _, b := range list {
		s := &sums[(score(b.day, c.days)-1)*25+(score(b.orders, c.orders)-1)*5+score(b.units, c.units)-1]
		s.customers++
		s.orders += b.orders
		s.spent.add(b.units)
	}
	for i, s := range sums {
		if s.customers > 0 {
			cells = append(cells, Cell{R: i/25 + 1, F: i/5%5 + 1, M: i%5 + 1, Customers: s.customers, Orders: s.orders, Spent: s.spent.decimal()})
		}
	}
	return cells
}

// words gives cuts as days, numbers and amounts.
func (c marks) words() *Cuts {
	out := &Cuts{Orders: c.orders}
	for _, day := range c.days {
		out.Days = append(out.Days, time.Unix(day*86_400, 0).UTC())
	}
	for _, units := range c.units {
		out.Spent = append(out.Spent, decimal.MustNew(units, 4))
	}
	return out
}

// marks turns days ago, the nearest first, into days, the earliest first: later than 90 days ago is a day above.
func (l Limits) marks(today time.Time) (c marks, err error) {
	for _, n := range slices.Backward(l.Days) {
		c.days = append(c.days, today.Unix()/86_400-int64(n)-1)
	}
	for _, n := range l.Orders {
		c.orders = append(c.orders, int64(n))
	}
	for _, d := range l.Spent {
		units, err := d.Mul(decimal.MustNew(10_000, 0))
		if err != nil {
			return c, fault.BadField("limits", "the limit %s is too large", d)
		}
		whole, _, ok := units.Floor(0).Int64(0)
		if !ok {
			return c, fault.BadField("limits", "the limit %s is too large", d)
		}
		c.units = append(c.units, whole)
	}
	return c, nil
}
