package insights

import (
	"context"
	"slices"
	"strings"
	"time"

	"aldine/internal/fault"
	"github.com/govalues/decimal"
)

// Scheme says how customers with orders are scored by the day of their last order (R), the number of their orders (F) and
// their sum (M, in the base currency). Scores run from 1 to 5, 5 being the latest, most and highest.
//
// Independent (the default): each measure by itself is cut at its quintiles. Equal values get equal scores, the value at a cut the
// lower one; so cells are of uneven size, and a score may be missing where a value is frequent. Nested: R is cut into
// fifths, F within each R, M within each RF; equal values are told apart by the other two measures and then by the customer's
// number, so that the 125 cells are nearly equal. Own limits: as independent, with cuts that are given.
type Scheme struct {
	Nested  bool
	AsOf    time.Time // orders before this day (UTC) count; zero: all
	Returns bool      // orders with a negative amount or without a quantity above 0 count as orders, too
	Limits  *Limits
}

// Limits are up to four cuts per measure, ascending. A score is one more than the number of cuts that the value is above;
// for recency, which is in days before the day of the question, it is the other way round.
type Limits struct {
	Days   []int
	Orders []int
	Spent  []decimal.Decimal
}

// Cell is the customers with the same three scores.
type Cell struct {
	R         int             `json:"r"`
	F         int             `json:"f"`
	M         int             `json:"m"`
	Customers int64           `json:"customers"`
	Orders    int64           `json:"orders"`
	Spent     decimal.Decimal `json:"spent"`
}

// Grid is a house file in cells, those without customers left out, by R, F and M.
type Grid struct {
	Cells     []Cell `json:"cells"`
	Customers int64  `json:"customers"`
	Cuts      *Cuts  `json:"cuts"` // nil where nested

	At time.Time `json:"at"` // when it was counted

	gone int64 // how many were erased or merged by then, see goneSince
}

// Cuts are where the scores end: a value above the first has a score of 2 or more, and so on.
type Cuts struct {
	Days   []time.Time       `json:"days"` // of the last order
	Orders []int64           `json:"orders"`
	Spent  []decimal.Decimal `json:"spent"`
}

// derived tells whether the facts kept with each customer are the ones asked for; else orders are added up.
func (sc Scheme) derived() bool { return sc.Returns && sc.AsOf.IsZero() }

func (sc Scheme) check() error {
	l := sc.Limits
	if l == nil {
		return nil
	}
	if sc.Nested {
		return fault.BadField("limits", "own limits are for independent scores: nested ones are always fifths")
	}
	for _, n := range []int{len(l.Days), len(l.Orders), len(l.Spent)} {
		if n < 1 || n > 4 {
			return fault.BadField("limits", "give one to four limits for each of recency, frequency and value")
		}
	}
	if !slices.IsSorted(l.Days) || l.Days[0] < 0 || l.Days[len(l.Days)-1] > 36_500 || !slices.IsSorted(l.Orders) || l.Orders[0] < 0 || l.Orders[len(l.Orders)-1] > 1<<30 ||
		!slices.IsSortedFunc(l.Spent, decimal.Decimal.Cmp) {
		return fault.BadField("limits", "limits grow from left to right, and are not negative")
	}
	return nil
}

// today is the day from which days are counted back.
func (s *Service) today(sc Scheme) time.Time {
	if !sc.AsOf.IsZero() {
		return sc.AsOf.UTC().Truncate(24 * time.Hour)
	}
	return s.now().UTC().Truncate(24 * time.Hour)
}

// baseSQL gives number, day (since 1970), orders and sum (in ten thousandths) of everybody in the house file with an order: whole
// numbers, which are read and compared several times as fast as numeric.
func (sc Scheme) baseSQL() string {
	return `SELECT b.customer_id, ((b.last AT TIME ZONE 'UTC')::date - date '1970-01-01')::bigint, b.orders::bigint, (b.spent * 10000)::bigint
		FROM (` + sc.amountSQL() + `) b`
}

// amountSQL gives number, last order, orders and sum.
func (sc Scheme) amountSQL() string {
	if sc.derived() {
		return `SELECT c.customer_id, c.last_order_at AS last, c.orders_count AS orders, c.total_spent AS spent
			FROM customers c WHERE c.orders_count > 0 AND NOT c.rented`
	}
	var where []string
	if !sc.AsOf.IsZero() {
		where = append(where, `o.ordered_at < @as_of::timestamptz`)
	}
	if !sc.Returns {
		where = append(where, `o.quantity > 0 AND o.base_amount >= 0`)
	}
	return `SELECT o.customer_id, o.last, o.orders, o.spent
		FROM (SELECT o.customer_id, max(o.ordered_at) AS last, count(*) AS orders, sum(o.base_amount) AS spent
			FROM orders o WHERE ` + strings.Join(where, " AND ") + ` GROUP BY o.customer_id) o
		JOIN customers c ON c.customer_id = o.customer_id AND NOT c.rented`
}

// RFM scores everybody who ordered and gives the cells. It fails with Invalid and with Unavailable.
func (s *Service) RFM(ctx context.Context, sc Scheme) (Grid, error) {
	if err := sc.check(); err != nil {
		return Grid{}, err
	}
	done, err := s.alone(ctx)
	if err != nil {
		return Grid{}, err
	}
	defer done()
	return s.score(ctx, sc)
}

func (s *Service) score(ctx context.Context, sc Scheme) (Grid, error) {
	at := s.now()
	gone, err := goneSince(ctx, s.pool, at) // before the look: whoever goes in between lets the grid be made again
	if err != nil {
		return Grid{}, err
	}
	list, err := s.shoppers(ctx, sc)
	if err != nil {
		return Grid{}, err
	}
	g := Grid{Customers: int64(len(list)), At: at, gone: gone}
	if len(list) == 0 {
		return g, nil
	}
	if sc.Nested {
		nested(list, func(r, f, m int, part []shopper) { g.Cells = append(g.Cells, cellOf(r, f, m, part)) })
		return g, nil
	}
	cuts := quintiles(list)
	if sc.Limits != nil {
		if cuts, err = sc.Limits.marks(s.today(sc)); err != nil {
			return Grid{}, err
		}
	}
	g.Cells = cuts.cells(list)
	g.Cuts = cuts.words()
	return g, nil
}
