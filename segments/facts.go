package segments

import (
	"context"
	"math/big"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Facts are all that expressions can ask of one customer; LoadFacts reads them.
type Facts struct {
	CustomerID int64

	fields    map[string]value
	orders    []order
	responses []response
	touches   []touch
	lists     []int64
	rented    bool
}

type order struct {
	amount, at, quantity             value
	place, reason, currency, keycode value
	skus                             []string // of all lines
	bought                           []string // of lines that are not returns
}

// response is one that a person gave.
type response struct {
	kind     string
	campaign int64 // 0 where unknown
	at       int64
}

// touch is one that was sent.
type touch struct {
	campaign int64
	at       int64
}

// LoadFacts reads the facts of customers in a few statements for all of them; one that does not exist is missing from
// the map.
func LoadFacts(ctx context.Context, q Querier, ids []int64) (map[int64]Facts, error) {
	catalog, err := LoadCatalog(ctx, q)
	if err != nil {
		return nil, err
	}
	found := make(map[int64]*Facts, len(ids))
	for _, load := range []func(context.Context, Querier, []int64, map[int64]*Facts) error{
		catalog.loadFields, loadOrders, loadEvents,
	} {
		if err := load(ctx, q, ids, found); err != nil {
			return nil, err
		}
	}
	facts := make(map[int64]Facts, len(found))
	for id, f := range found {
		facts[id] = *f
	}
	return facts, nil
}

func (c *Catalog) loadFields(ctx context.Context, q Querier, ids []int64, into map[int64]*Facts) error {
	fields := append(append([]field(nil), coreFields...), c.fields...)
	var sql strings.Builder
	sql.WriteString("SELECT c.customer_id, c.rented")
	for _, f := range fields {
		sql.WriteString(", ")
		switch expression := f.expression("c", true); f.kind {
		case number:
			sql.WriteString(expression + "::text")
		default:
			sql.WriteString(expression)
		}
	}
	sql.WriteString(" FROM customers c WHERE c.customer_id = ANY($1) ORDER BY c.customer_id")
	rows, err := q.Query(ctx, sql.String(), ids)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return err
		}
		f := &Facts{CustomerID: values[0].(int64), rented: values[1].(bool), fields: make(map[string]value, len(fields))}
		for i, field := range fields {
			f.fields[field.name] = fromColumn(field.kind, values[i+2])
		}
		into[f.CustomerID] = f
	}
	return rows.Err()
}

// fromColumn reads a column as pgx gives it; numbers come as text. What is infinite counts as not known.
func fromColumn(k kind, v any) value {
	switch v := v.(type) {
	case string:
		if k == number {
			return numberFrom(v)
		}
		return knownText(v)
	case bool:
		return known(v)
	case time.Time:
		return knownTime(micros(v))
	case []any:
		out := value{known: true, l: make([]string, 0, len(v))}
		for _, item := range v {
			if s, ok := item.(string); ok {
				out.l = append(out.l, s)
			}
		}
		return out
	}
	return value{}
}

func numberFrom(digits string) value {
	n, ok := new(big.Rat).SetString(digits)
	return value{known: ok, n: n}
}

func loadOrders(ctx context.Context, q Querier, ids []int64, into map[int64]*Facts) error {
	rows, err := q.Query(ctx, `
		SELECT o.customer_id, o.base_amount::text, o.ordered_at, o.quantity, o.place, o.reason, o.currency::text, o.keycode,
			coalesce(l.skus, '{}'), coalesce(l.bought, '{}')
		FROM orders o
		LEFT JOIN (
			SELECT customer_id, order_ref, array_agg(sku) AS skus, array_agg(sku) FILTER (WHERE quantity > 0 AND amount >= 0) AS bought
			FROM order_lines WHERE customer_id = ANY($1) GROUP BY customer_id, order_ref
		) l ON l.customer_id = o.customer_id AND l.order_ref = o.order_ref
		WHERE o.customer_id = ANY($1)
		ORDER BY o.customer_id, o.ordered_at, o.order_ref`, ids)
	if err != nil {
		return err
	}
	var (
		id                               int64
		amount                           string
		at                               time.Time
		quantity                         int64
		place, reason, currency, keycode *string
		skus, bought                     []string
	)
	_, err = pgx.ForEachRow(rows, []any{&id, &amount, &at, &quantity, &place, &reason, &currency, &keycode, &skus, &bought}, func() error {
		if f := into[id]; f != nil {
			f.orders = append(f.orders, order{
				amount: numberFrom(amount), at: knownTime(micros(at)), quantity: knownNumber(new(big.Rat).SetInt64(quantity)),
				place: perhaps(place), reason: perhaps(reason), currency: perhaps(currency), keycode: perhaps(keycode),
				skus: append([]string(nil), skus...), bought: append([]string(nil), bought...),
			})
		}
		return nil
	})
	return err
}

func perhaps(s *string) value {
	if s == nil {
		return value{}
	}
	return knownText(*s)
}

func loadEvents(ctx context.Context, q Querier, ids []int64, into map[int64]*Facts) error {
	rows, err := q.Query(ctx, `
		SELECT customer_id, 'response' AS what, kind, coalesce(campaign_id, 0), at FROM responses
		WHERE customer_id = ANY($1) AND NOT machine
		UNION ALL SELECT customer_id, 'touch', '', campaign_id, sent_at FROM touches
		WHERE customer_id = ANY($1) AND state = 'sent'
		UNION ALL SELECT customer_id, 'list', '', list_id, NULL FROM list_members
		WHERE customer_id = ANY($1)
		ORDER BY 1, 2, 5`, ids)
	if err != nil {
		return err
	}
	var id, of int64
	var what, name string
	var at *time.Time
	_, err = pgx.ForEachRow(rows, []any{&id, &what, &name, &of, &at}, func() error {
		f := into[id]
		if f == nil {
			return nil
		}
		when := ever // a touch sent at a time that is not known
		if at != nil {
			when = micros(*at)
		}
		switch what {
		case "response":
			f.responses = append(f.responses, response{kind: name, campaign: of, at: when})
		case "touch":
			f.touches = append(f.touches, touch{campaign: of, at: when})
		case "list":
			f.lists = append(f.lists, of)
		}
		return nil
	})
	return err
}
