package insights

import (
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aldine/internal/access"
	"aldine/internal/fault"
	"aldine/internal/pgtest"
	"aldine/internal/settings"
	"aldine/internal/testdata"
	"aldine/segments"
)

var testNow = time.Date(1998, 7, 1, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return testNow }

func newService(pool *pgxpool.Pool) *Service {
	return New(pool, segments.New(pool, clock), settings.New(pool, clock), clock)
}

func exec(t testing.TB, pool *pgxpool.Pool, sql string, args ...any) {
	t.Helper()
	if _, err := pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func must(g Grid, err error) Grid {
	if err != nil {
		panic(err)
	}
	return g
}

type purchase struct {
	customer int64
	day      time.Time
	cents    int64
	quantity int
}

type buyer struct {
	id, day, orders, cents int64 // day since 1970
}

func readCSV(t *testing.T, name string) [][]string {
	t.Helper()
	file, err := os.Open(testdata.Path(t, name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows[1:]
}

// cdnow stores the real orders of a CD shop, with every hundredth turned into a return.
func cdnow(t *testing.T) (*Service, []purchase) {
	rows := readCSV(t, "cdnow-sample/orders.csv")
	pool := pgtest.New(t)
	var all []purchase
	var orders [][]any
	ids := map[string]int64{}
	for i, row := range rows {
		if ids[row[1]] == 0 {
			ids[row[1]] = int64(len(ids) + 1)
		}
		day, err := time.Parse(time.DateOnly, row[2])
		if err != nil {
			t.Fatal(err)
		}
		amount, err := strconv.ParseFloat(row[4], 64)
		if err != nil {
			t.Fatal(err)
		}
		p := purchase{customer: ids[row[1]], day: day, cents: int64(amount*100 + 0.5), quantity: 1}
		if i%100 == 99 {
			p.cents, p.quantity = -p.cents, -1
		}
		all = append(all, p)
		text := fmt.Sprintf("%d.%02d", abs(p.cents)/100, abs(p.cents)%100)
		if p.cents < 0 {
			text = "-" + text
		}
		orders = append(orders, []any{p.customer, "o" + strconv.Itoa(i), day, p.quantity, text, "USD", "1", text, testNow})
	}
	exec(t, pool, `INSERT INTO customers (customer_id, created_at, updated_at) SELECT i, $1, $1 FROM generate_series(1, $2::int + 3) i`, testNow, len(ids))
	if _, err := pool.CopyFrom(t.Context(), pgx.Identifier{"orders"},
		[]string{"customer_id", "order_ref", "ordered_at", "quantity", "amount", "currency", "rate", "base_amount", "recorded_at"}, pgx.CopyFromRows(orders)); err != nil {
		t.Fatal(err)
	}
	exec(t, pool, `UPDATE customers c SET orders_count = o.n, total_spent = o.spent, first_order_at = o.first, last_order_at = o.last
		FROM (SELECT customer_id, count(*) AS n, sum(base_amount) AS spent, min(ordered_at) AS first, max(ordered_at) AS last FROM orders GROUP BY 1) o
		WHERE o.customer_id = c.customer_id`)
	exec(t, pool, `ANALYZE`)
	return newService(pool), all
}

func abs(n int64) int64 { return max(n, -n) }

// buyers adds up purchases as a scheme says, in plain Go.
func buyers(all []purchase, sc Scheme) []buyer {
	by := map[int64]*buyer{}
	for _, p := range all {
		if !sc.AsOf.IsZero() && !p.day.Before(sc.AsOf) || !sc.Returns && (p.quantity <= 0 || p.cents < 0) {
			continue
		}
		b := by[p.customer]
		if b == nil {
			b = &buyer{id: p.customer}
			by[p.customer] = b
		}
		b.day, b.orders, b.cents = max(b.day, p.day.Unix()/86400), b.orders+1, b.cents+p.cents
	}
	var list []buyer
	for _, b := range by {
		list = append(list, *b)
	}
	return list
}

// cells scores buyers by sorting them, which is how a person would.
func cells(list []buyer, nested bool) map[[3]int]Cell {
	scores := map[int64][3]int{}
	keys := []func(buyer) [4]int64{
		func(b buyer) [4]int64 { return [4]int64{b.day, b.orders, b.cents, b.id} },
		func(b buyer) [4]int64 { return [4]int64{b.orders, b.cents, b.day, b.id} },
		func(b buyer) [4]int64 { return [4]int64{b.cents, b.orders, b.day, b.id} },
	}
	var fifths func(part []buyer, level int)
	fifths = func(part []buyer, level int) {
		slices.SortFunc(part, func(a, b buyer) int { x, y := keys[level](a), keys[level](b); return slices.Compare(x[:], y[:]) })
		for i, from := 1, 0; i <= 5; i++ {
			size := len(part) / 5
			if i <= len(part)%5 {
				size++
			}
			for _, b := range part[from : from+size] {
				s := scores[b.id]
				s[level] = i
				scores[b.id] = s
			}
			if level < 2 && nested {
				fifths(slices.Clone(part[from:from+size]), level+1)
			}
			from += size
		}
	}
	if nested {
		fifths(slices.Clone(list), 0)
	} else {
		for level := range 3 {
			sorted := slices.Clone(list)
			slices.SortFunc(sorted, func(a, b buyer) int { return int(keys[level](a)[0] - keys[level](b)[0]) })
			for _, b := range list {
				score := 1
				for k := 1; k <= 4; k++ {
					if keys[level](b)[0] > keys[level](sorted[(len(sorted)*k+4)/5-1])[0] {
						score++
					}
				}
				s := scores[b.id]
				s[level] = score
				scores[b.id] = s
			}
		}
	}
	out := map[[3]int]Cell{}
	for _, b := range list {
		s := scores[b.id]
		c := out[s]
		c.R, c.F, c.M = s[0], s[1], s[2]
		c.Customers, c.Orders = c.Customers+1, c.Orders+b.orders
		c.Spent, _ = c.Spent.Add(decimal.MustNew(b.cents, 2))
		out[s] = c
	}
	return out
}

// Cells are those of a plain program over the same orders, and the expression of each finds as many.
func TestCDNOW(t *testing.T) {
	t.Parallel()
	s, all := cdnow(t)
	ctx := access.With(t.Context(), access.System)
	for name, sc := range map[string]Scheme{
		"as kept":               {Returns: true},
		"without returns":       {},
		"as of":                 {Returns: true, AsOf: time.Date(1997, 10, 1, 0, 0, 0, 0, time.UTC)},
		"as of without returns": {AsOf: time.Date(1997, 10, 1, 0, 0, 0, 0, time.UTC)},
		"nested":                {Nested: true, Returns: true},
		"nested as of":          {Nested: true, AsOf: time.Date(1997, 10, 1, 0, 0, 0, 0, time.UTC)},
	} {
		list := buyers(all, sc)
		want := cells(list, sc.Nested)
		g, err := s.RFM(ctx, sc)
		if err != nil || len(g.Cells) != len(want) || g.Customers != int64(len(list)) || (g.Cuts == nil) != sc.Nested {
			t.Fatalf("%s: %d cells of %d, %d customers of %d, %v", name, len(g.Cells), len(want), g.Customers, len(list), err)
		}
		for i, c := range g.Cells {
			w := want[[3]int{c.R, c.F, c.M}]
			if c.Customers != w.Customers || c.Orders != w.Orders || c.Spent.Cmp(w.Spent) != 0 {
				t.Errorf("%s: %+v, want %+v", name, c, w)
			}
			if sc.Nested || i%5 != 0 {
				continue
			}
			expression, err := s.Expression(ctx, sc, c.R, c.F, c.M)
			if err != nil {
				t.Fatal(err)
			}
			if n, err := s.segments.Count(ctx, expression, segments.Exact); err != nil || n.Count != c.Customers {
				t.Errorf("%s: cell %d%d%d has %d, its expression %d (%v)\n%s", name, c.R, c.F, c.M, c.Customers, n.Count, err, expression)
			}
		}
	}
	if kept, err := s.RecentRFM(ctx, Scheme{}); err != nil || kept.Customers == 0 {
		t.Fatal(kept, err)
	}
	exec(t, s.pool, `UPDATE customers SET rented = true WHERE customer_id = (SELECT min(customer_id) FROM customers WHERE orders_count > 0)`)
	kept, err := s.RecentRFM(ctx, Scheme{})
	fresh, other := must(s.RFM(ctx, Scheme{})), must(s.RecentRFM(ctx, Scheme{Returns: true}))
	if err != nil || kept.Customers != fresh.Customers+1 || other.Customers < fresh.Customers {
		t.Errorf("kept %d, fresh %d, of another scheme %d, %v", kept.Customers, fresh.Customers, other.Customers, err)
	}
	exec(t, s.pool, `UPDATE customers SET rented = false`)
	nested, err := s.RFM(ctx, Scheme{Nested: true})
	if err != nil || len(nested.Cells) != 125 {
		t.Fatalf("%d cells, %v", len(nested.Cells), err)
	}
	for _, c := range nested.Cells {
		if c.Customers < 18 || c.Customers > 19 {
			t.Errorf("an uneven cell: %+v", c)
		}
	}
	saved, err := s.SaveCell(ctx, Scheme{Nested: true}, 5, 5, 5, "Best")
	if err != nil || saved.Folder != "RFM" {
		t.Fatal(saved, err)
	}
	if n, err := s.segments.Count(ctx, saved.Expression, segments.Exact); err != nil || n.Count != nested.Cells[124].Customers {
		t.Errorf("%s: %+v, %v", saved.Expression, n, err)
	}
	if _, err := s.SaveCell(ctx, Scheme{Nested: true}, 5, 5, 5, "Best"); !fault.Is(err, fault.Conflict) {
		t.Errorf("a name twice: %v", err)
	}
	if _, err := s.SaveCell(ctx, Scheme{Nested: true}, 5, 5, 6, "None"); !fault.Is(err, fault.NotFound) {
		t.Errorf("a cell that is not: %v", err)
	}
	if _, err := s.SaveCell(ctx, Scheme{}, 5, 0, 5, "None"); !fault.Is(err, fault.Invalid) {
		t.Errorf("a score that is not: %v", err)
	}
	if _, err := s.SaveCell(ctx, Scheme{Returns: true}, 5, 5, 5, "Also best"); err != nil {
		t.Error(err)
	}
}

// A book club's own codes for its limits come out of the same limits.
func TestCatalogMail(t *testing.T) {
	t.Parallel()
	rows := readCSV(t, "catalog-mail/CharlesBookClub.csv")
	pool := pgtest.New(t)
	want := map[[3]int]int64{}
	var list [][]any
	for i, row := range rows { // Seq#,ID#,Gender,M,R,F,...,Mcode,Rcode,Fcode
		months, _ := strconv.Atoi(row[4])
		at := testNow.Truncate(24*time.Hour).AddDate(0, 0, -30*months)
		orders, _ := strconv.Atoi(row[5])
		m, _ := strconv.Atoi(row[19])
		r, _ := strconv.Atoi(row[20])
		f, _ := strconv.Atoi(row[21])
		list = append(list, []any{int64(i + 1), int32(orders), row[3], at, at, at})
		want[[3]int{5 - r, f, m}]++
	}
	if _, err := pool.CopyFrom(t.Context(), pgx.Identifier{"customers"}, []string{"customer_id", "orders_count", "total_spent", "last_order_at", "created_at", "updated_at"},
		pgx.CopyFromRows(list)); err != nil {
		t.Fatal(err)
	}
	dollars := func(n ...int64) (out []decimal.Decimal) {
		for _, d := range n {
			out = append(out, decimal.MustNew(d, 0))
		}
		return out
	}
	s := newService(pool)
	sc := Scheme{Returns: true, Limits: &Limits{Days: []int{60, 180, 360}, Orders: []int{1, 2}, Spent: dollars(25, 50, 100, 200)}}
	g, err := s.RFM(t.Context(), sc)
	if err != nil || g.Customers != 4000 || len(g.Cells) != len(want) {
		t.Fatalf("%d customers in %d cells, want %d; %v", g.Customers, len(g.Cells), len(want), err)
	}
	for _, c := range g.Cells {
		if c.Customers != want[[3]int{c.R, c.F, c.M}] {
			t.Errorf("%+v, the club has %d", c, want[[3]int{c.R, c.F, c.M}])
		}
	}
	for _, bad := range []Scheme{{Nested: true, Limits: sc.Limits}, {Limits: &Limits{}}, {Limits: &Limits{Days: []int{5, 1}, Orders: []int{1}, Spent: dollars(1)}}} {
		if _, err := s.RFM(t.Context(), bad); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// BenchmarkRFM scores a million customers.
func BenchmarkRFM(b *testing.B) {
	pool := pgtest.New(b)
	exec(b, pool, `INSERT INTO customers (customer_id, orders_count, total_spent, last_order_at, created_at, updated_at)
		SELECT i, 1 + (random() * random() * 20)::int, (random() * random() * 900)::numeric(19,2), $1::timestamptz - random() * interval '900 days', $1, $1
		FROM generate_series(1, 1000000) i`, testNow)
	exec(b, pool, `ANALYZE customers`)
	s := newService(pool)
	for _, nested := range []bool{false, true} {
		b.Run(fmt.Sprintf("nested=%v", nested), func(b *testing.B) {
			for b.Loop() {
				if _, err := s.RFM(b.Context(), Scheme{Nested: nested, Returns: true}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Parting a list gives what sorting it would, whatever the order it comes in.
func TestPartAt(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{1, 2, 5, 33, 100, 1001, 20_000} {
		for _, distinct := range []int64{1, 3, 1 << 40} {
			for how := range 3 {
				list := make([]shopper, n)
				for i := range list {
					list[i] = shopper{id: int64(i), day: r.Int64N(distinct), orders: r.Int64N(distinct), units: r.Int64N(distinct)}
				}
				if how > 0 {
					slices.SortFunc(list, byRecency)
				}
				if how > 1 {
					slices.Reverse(list)
				}
				sorted := slices.Clone(list)
				slices.SortFunc(sorted, byRecency)
				at := r.IntN(n) + 1
				partAt(list, at, byRecency)
				slices.SortFunc(list[:at], byRecency)
				slices.SortFunc(list[at:], byRecency)
				if !slices.Equal(list, sorted) {
					t.Fatalf("%d of %d with %d values", at, n, distinct)
				}
			}
		}
	}
}
