package segments

import (
	"cmp"
	"context"
	"errors"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// RFM gives the scores of a customer as rfm has them, 0 where they are not known.
func (s *Service) RFM(ctx context.Context, customerID int64) (int, error) {
	catalog, err := LoadCatalog(ctx, s.pool)
	if err != nil || catalog.limits == nil {
		return 0, err
	}
	w := &writer{args: pgx.NamedArgs{"id": customerID}, prefix: "p"}
	var rfm int
	err = s.pool.QueryRow(ctx, `SELECT coalesce(`+(&score{measures: "rfm", limits: catalog.limits}).sql(w, "c")+`, 0) FROM customers c WHERE c.customer_id = @id`, w.args).Scan(&rfm)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	return rfm, err
}

// limits say where the scores of all customers end: each measure's lowest values of the scores 2 to 5. They stand in table rfm_limits;
// scores follow from them and from the facts that are kept with a customer, so that an order counts at once.
type limits struct {
	days   []time.Time // midnights in UTC
	orders []int64
	spent  []*big.Rat
}

// score is a number of one digit for each of its measures: recency, frequency and value.
type score struct {
	measures string // of "rfm"
	limits   *limits
}

// noLimits says what scores wait for.
const noLimits = "RFM limits have not been made yet: they are made within two minutes of the first orders, and then once a day"

// scores are the facts that follow from limits.
var scores = []field{
	scoreField("rfm", "rfm", "rfm >= 400", "Scores of recency, frequency and monetary value as three digits, 111 to 555; the limits are renewed once a day, an order counts at once; not known without an order"),
	scoreField("recency_score", "r", "recency_score == 5", "1 to 5 by the day of the latest order, 5 being the latest fifth"),
	scoreField("frequency_score", "f", "frequency_score >= 4", "1 to 5 by the number of orders, 5 being the most"),
	scoreField("monetary_score", "m", "monetary_score >= 4", "1 to 5 by the sum of all orders, 5 being the highest"),
}

func scoreField(name, measures, example, doc string) field {
	return field{name: name, kind: number, cast: asNumber, integer: true, score: &score{measures: measures}, example: example, doc: doc}
}

// core gives the facts that every customer has.
func (c *Catalog) core() []field {
	if c == nil || c.everybody == nil { // not loaded: without limits
		return coreFields
	}
	return c.everybody
}

// bind gives scores the limits of today. An attribute of before that has the name of a score keeps it.
func (c *Catalog) bind() {
	c.everybody = slices.DeleteFunc(slices.Clone(coreFields), func(f field) bool { return f.score != nil && c.attribute(f.name) != nil })
	for i := range c.everybody {
		if s := c.everybody[i].score; s != nil {
			c.everybody[i].score = &score{measures: s.measures, limits: c.limits}
		}
	}
}

// addLimits takes up the ends of a score: a day since 1970, a number of orders and a sum, each of which still has the lower score.
func (c *Catalog) addLimits(day, orders, spent string) {
	d, errDay := strconv.ParseInt(day, 10, 64)
	n, errOrders := strconv.ParseInt(orders, 10, 64)
	sum, ok := new(big.Rat).SetString(spent)
	if errDay != nil || errOrders != nil || !ok {
		return // no such row comes from the database
	}
	if c.limits == nil {
		c.limits = &limits{}
	}
	l := c.limits
	l.days = append(l.days, time.Unix((d+1)*86_400, 0).UTC())
	l.orders = append(l.orders, n+1)
	l.spent = append(l.spent, sum.Add(sum, big.NewRat(1, 10_000))) // amounts have four decimals
	slices.SortFunc(l.days, time.Time.Compare)
	slices.Sort(l.orders)
	slices.SortFunc(l.spent, (*big.Rat).Cmp)
}

// sql gives the score of the customer at an alias as a whole number, null without an order.
func (s *score) sql(w *writer, alias string) string {
	sum := "(CASE WHEN " + alias + ".orders_count > 0 THEN " + strings.Repeat("1", len(s.measures))
	for i, measure := range s.measures {
		sum += " + " + strconv.Itoa(s.digit(i)) + " * " + s.above(w, alias, measure)
	}
	return sum + " END)"
}

// above gives how many limits of a measure the customer has reached.
func (s *score) above(w *writer, alias string, measure rune) string {
	switch measure {
	case 'r':
		return "width_bucket(" + alias + ".last_order_at, " + w.arg(s.limits.days, "timestamptz[]") + ")"
	case 'f':
		return "width_bucket(" + alias + ".orders_count::bigint, " + w.arg(s.limits.orders, "bigint[]") + ")"
	}
	list := make([]string, len(s.limits.spent))
	for i, sum := range s.limits.spent {
		list[i] = sum.FloatString(4)
	}
	return "width_bucket(" + alias + ".total_spent, " + w.arg(list, "text[]") + "::numeric[])"
}

// compared gives a comparison with a literal digit by digit, since the first one mostly decides; "" where there is
// no score or no gain.
func (s *score) compared(w *writer, alias, operator string, v any) string {
	literal, ok := v.(int64)
	if s == nil || !ok || literal < 0 || literal > 999 || len(s.measures) == 1 || operator == "IS DISTINCT FROM" {
		return ""
	}
	var left, right []string
	for i, measure := range s.measures {
		left = append(left, "1 + "+s.above(w, alias, measure))
		right = append(right, w.arg(literal/int64(s.digit(i))%10, "integer"))
	}
	return alias + ".orders_count > 0 AND (" + strings.Join(left, ", ") + ") " + operator + " (" + strings.Join(right, ", ") + ")"
}

// write writes the fact as it is stored, or a score.
func (f *itemField) write(w *writer, alias string) {
	if f.score != nil {
		w.text(f.score.sql(w, alias))
		return
	}
	f.bare.write(w, alias)
}

// digit is what the digit of a measure counts.
func (s *score) digit(i int) int { return []int{1, 10, 100}[len(s.measures)-1-i] }

// of gives the score that follows from the other facts of a customer.
func (s *score) of(facts map[string]value) value {
	orders, last, spent := facts["orders_count"], facts["last_order_at"], facts["total_spent"]
	if !orders.known || orders.n.Sign() <= 0 {
		return value{}
	}
	sum := 0
	for i, measure := range s.measures {
		above := 0
		switch measure {
		case 'r':
			if !last.known {
				return value{}
			}
			above = reached(s.limits.days, func(from time.Time) int { return cmp.Compare(last.i, micros(from)) })
		case 'f':
			above = reached(s.limits.orders, func(from int64) int { return orders.n.Cmp(new(big.Rat).SetInt64(from)) })
		case 'm':
			if !spent.known {
				return value{}
			}
			above = reached(s.limits.spent, spent.n.Cmp)
		}
		sum += (1 + above) * s.digit(i)
	}
	return whole(int64(sum))
}

// reached gives how many limits a value has reached.
func reached[T any](limits []T, compared func(T) int) (n int) {
	for _, limit := range limits {
		if compared(limit) >= 0 {
			n++
		}
	}
	return n
}
