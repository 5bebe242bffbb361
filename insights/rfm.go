package insights

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"

	"aldine/internal/fault"
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

// baseSQL gives customer_id, day, orders and spent of everybody in the house file with an order.
func (sc Scheme) baseSQL() string {
	if sc.derived() {
		return `SELECT c.customer_id, (c.last_order_at AT TIME ZONE 'UTC')::date AS day, c.orders_count::bigint AS orders, c.total_spent AS spent
			FROM customers c WHERE c.orders_count > 0 AND NOT c.rented`
	}
	var where []string
	if !sc.AsOf.IsZero() {
		where = append(where, `o.ordered_at < @as_of::timestamptz`)
	}
	if !sc.Returns {
		where = append(where, `o.quantity > 0 AND o.base_amount >= 0`)
	}
	return `SELECT o.customer_id, (max(o.ordered_at) AT TIME ZONE 'UTC')::date AS day, count(*) AS orders, sum(o.base_amount) AS spent
		FROM orders o JOIN customers c ON c.customer_id = o.customer_id AND NOT c.rented
		WHERE ` + strings.Join(where, " AND ") + ` GROUP BY o.customer_id`
}

// cutSQL gives the four values that end the first four fifths of a column: the lowest that at least that share does not exceed.
// Values are counted first, so only different ones are sorted.
func cutSQL(column string) string {
	return `(SELECT array_agg(cut ORDER BY k) FROM (
		SELECT k, min(v) AS cut FROM (
			SELECT v, sum(n) OVER (ORDER BY v) AS upto, sum(n) OVER () AS total FROM (SELECT ` + column + ` AS v, count(*) AS n FROM base GROUP BY 1) h
		) d JOIN generate_series(1, 4) k ON upto * 5 >= k * total GROUP BY k) cuts)`
}

// scoredSQL gives CTEs that end with scored: customer_id, r, f, m, orders, spent.
func (sc Scheme) scoredSQL() string {
	if sc.Nested {
		// Whole numbers sort several times as fast as numeric: day and orders in one, the sum in its smallest unit.
		return `WITH base AS (
			SELECT customer_id, ((day - date '2000-01-01')::bigint << 31) + orders AS dayorders, (spent * 10000)::bigint AS units FROM (` + sc.baseSQL() + `) b
		), by_r AS (
			SELECT *, ntile(5) OVER (ORDER BY dayorders, units, customer_id) AS r FROM base
		), by_f AS (
			SELECT customer_id, r, dayorders & 2147483647 AS orders, dayorders, units,
				ntile(5) OVER (PARTITION BY r ORDER BY dayorders & 2147483647, units, dayorders, customer_id) AS f FROM by_r
		), scored AS (
			SELECT customer_id, r, f, orders, units * 0.0001 AS spent,
				ntile(5) OVER (PARTITION BY r, f ORDER BY units, orders, dayorders, customer_id) AS m FROM by_f
		)`
	}
	base := `WITH base AS MATERIALIZED (` + sc.baseSQL() + `), `
	cuts := `SELECT ` + cutSQL("day") + ` AS r, ` + cutSQL("orders") + ` AS f, ` + cutSQL("spent") + ` AS m`
	if sc.Limits != nil {
		cuts = `SELECT @days::date[] AS r, @orders::bigint[] AS f, @spent::text[]::numeric[] AS m`
	}
	// What is missing in an array of own limits is null, and above null is nothing.
	score := func(value, cut string) string {
		parts := []string{"1"}
		for i := 1; i <= 4; i++ {
			parts = append(parts, fmt.Sprintf("coalesce((%s > (cuts.%s)[%d])::int, 0)", value, cut, i))
		}
		return strings.Join(parts, " + ")
	}
	return base + `cuts AS MATERIALIZED (` + cuts + `), scored AS (
		SELECT customer_id, day, orders, spent, ` + score("day", "r") + ` AS r, ` + score("orders", "f") + ` AS f, ` + score("spent", "m") + ` AS m
		FROM base, cuts
	)`
}

func (s *Service) args(sc Scheme) pgx.NamedArgs {
	args := pgx.NamedArgs{}
	if !sc.AsOf.IsZero() {
		args["as_of"] = s.today(sc)
	}
	if sc.Limits != nil {
		cuts := sc.Limits.cuts(s.today(sc))
		spent := make([]string, len(cuts.Spent))
		for i, d := range cuts.Spent {
			spent[i] = d.String()
		}
		args["days"], args["orders"], args["spent"] = cuts.Days, cuts.Orders, spent
	}
	return args
}

// cuts turns days ago, the nearest first, into days, the earliest first: later than 90 days ago is a day above.
func (l Limits) cuts(today time.Time) Cuts {
	c := Cuts{Spent: l.Spent}
	for _, n := range slices.Backward(l.Days) {
		c.Days = append(c.Days, today.AddDate(0, 0, -n-1))
	}
	for _, n := range l.Orders {
		c.Orders = append(c.Orders, int64(n))
	}
	return c
}

// RFM scores everybody who ordered and gives the cells. It fails with Invalid and with Unavailable.
func (s *Service) RFM(ctx context.Context, sc Scheme) (Grid, error) {
	if err := sc.check(); err != nil {
		return Grid{}, err
	}
	var g Grid
	err := s.reading(ctx, func(tx pgx.Tx) error {
		cuts := `NULL::date[], NULL::bigint[], NULL::text[]`
		from := ``
		if !sc.Nested {
			cuts, from = `(cuts.r), (cuts.f), (cuts.m)::text[]`, `, cuts`
		}
		rows, err := tx.Query(ctx, sc.scoredSQL()+`
			SELECT cells.*, `+cuts+` FROM (
				SELECT r, f, m, count(*), sum(orders)::bigint, sum(spent) FROM scored GROUP BY r, f, m
			) cells`+from+` ORDER BY cells.r, cells.f, cells.m`, s.args(sc))
		if err != nil {
			return err
		}
		var cell Cell
		var days []time.Time
		var orders []int64
		var spent []string
		_, err = pgx.ForEachRow(rows, []any{&cell.R, &cell.F, &cell.M, &cell.Customers, &cell.Orders, &cell.Spent, &days, &orders, &spent}, func() error {
			g.Cells = append(g.Cells, cell)
			g.Customers += cell.Customers
			if g.Cuts != nil || sc.Nested {
				return nil
			}
			g.Cuts = &Cuts{Days: slices.Clone(days), Orders: slices.Clone(orders)}
			for _, text := range spent {
				d, err := decimal.Parse(text)
				if err != nil {
					return err
				}
				g.Cuts.Spent = append(g.Cuts.Spent, d)
			}
			return nil
		})
		return err
	})
	return g, err
}
