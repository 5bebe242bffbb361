package segments

import (
	"context"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Facts are all that expressions can ask of one customer; LoadFacts reads them.
type Facts struct {
	CustomerID int64

	fields    map[string]value
	orders    []item
	lines     []item
	responses []item
	touches   []item
	events    []item
	lists     []int64
	rented    bool
	household []*Facts // other members of the house file, by number
}

// LoadFacts reads the facts of customers in a few statements for all of them; one that does not exist is missing from
// the map.
func LoadFacts(ctx context.Context, q Querier, ids []int64) (map[int64]Facts, error) {
	catalog, err := LoadCatalog(ctx, q)
	if err != nil {
		return nil, err
	}
	// Households first: their members are read with the customers.
	households := map[int64][]int64{}
	rows, err := q.Query(ctx, `
		SELECT c.customer_id, m.customer_id FROM customers c
		JOIN customers m ON m.household_id = c.household_id AND NOT m.rented AND m.customer_id <> c.customer_id
		WHERE c.customer_id = ANY($1) ORDER BY 1, 2`, ids)
	if err != nil {
		return nil, err
	}
	var id, member int64
	all := slices.Clone(ids)
	if _, err := pgx.ForEachRow(rows, []any{&id, &member}, func() error {
		households[id] = append(households[id], member)
		all = append(all, member)
		return nil
	}); err != nil {
		return nil, err
	}
	found := make(map[int64]*Facts, len(all))
	for _, load := range []func(context.Context, Querier, []int64, map[int64]*Facts) error{
		catalog.loadFields, loadOrders, loadLines, loadContacts, loadEvents,
	} {
		if err := load(ctx, q, all, found); err != nil {
			return nil, err
		}
	}
	facts := make(map[int64]Facts, len(ids))
	for _, id := range ids {
		f := found[id]
		if f == nil {
			continue
		}
		own := *f
		for _, member := range households[id] {
			if m := found[member]; m != nil {
				own.household = append(own.household, m)
			}
		}
		facts[id] = own
	}
	return facts, nil
}

func (c *Catalog) loadFields(ctx context.Context, q Querier, ids []int64, into map[int64]*Facts) error {
	fields := slices.DeleteFunc(slices.Concat(c.core(), c.fields), func(f field) bool { return f.score != nil })
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
		SELECT o.customer_id, o.base_amount::text, o.ordered_at, o.quantity, o.place, o.reason, o.currency::text, o.keycode, coalesce(l.skus, '{}')
		FROM orders o
		LEFT JOIN (
			SELECT customer_id, order_ref, array_agg(sku) AS skus FROM order_lines WHERE customer_id = ANY($1) GROUP BY customer_id, order_ref
		) l ON l.customer_id = o.customer_id AND l.order_ref = o.order_ref
		WHERE o.customer_id = ANY($1)
		ORDER BY o.customer_id, o.ordered_at, o.order_ref COLLATE "C"`, ids)
	if err != nil {
		return err
	}
	var (
		id                               int64
		amount                           string
		at                               time.Time
		quantity                         int64
		place, reason, currency, keycode *string
		skus                             []string
	)
	_, err = pgx.ForEachRow(rows, []any{&id, &amount, &at, &quantity, &place, &reason, &currency, &keycode, &skus}, func() error {
		if f := into[id]; f != nil {
			f.orders = append(f.orders, item{at: micros(at), skus: slices.Clone(skus), values: map[string]value{
				"amount": numberFrom(amount), "at": knownTime(micros(at)), "quantity": whole(quantity),
				"place": perhaps(place), "reason": perhaps(reason), "currency": perhaps(currency), "keycode": perhaps(keycode),
			}})
		}
		return nil
	})
	return err
}

func loadLines(ctx context.Context, q Querier, ids []int64, into map[int64]*Facts) error {
	rows, err := q.Query(ctx, `
		SELECT l.customer_id, l.sku, p.category, l.quantity, (l.amount * o.rate)::text, o.ordered_at, o.place
		FROM order_lines l JOIN orders o ON o.customer_id = l.customer_id AND o.order_ref = l.order_ref LEFT JOIN products p ON p.sku = l.sku
		WHERE l.customer_id = ANY($1)
		ORDER BY l.customer_id, o.ordered_at, l.order_ref COLLATE "C", l.line_no`, ids)
	if err != nil {
		return err
	}
	var (
		id              int64
		sku, amount     string
		category, place *string
		quantity        int64
		at              time.Time
	)
	_, err = pgx.ForEachRow(rows, []any{&id, &sku, &category, &quantity, &amount, &at, &place}, func() error {
		if f := into[id]; f != nil {
			f.lines = append(f.lines, item{at: micros(at), values: map[string]value{
				"product": knownText(sku), "category": perhaps(category), "quantity": whole(quantity), "amount": numberFrom(amount),
				"at": knownTime(micros(at)), "place": perhaps(place),
			}})
		}
		return nil
	})
	return err
}

func whole(n int64) value { return knownNumber(new(big.Rat).SetInt64(n)) }

func perhaps(s *string) value {
	if s == nil {
		return value{}
	}
	return knownText(*s)
}

// loadContacts reads responses, touches and lists.
func loadContacts(ctx context.Context, q Querier, ids []int64, into map[int64]*Facts) error {
	rows, err := q.Query(ctx, `
		SELECT r.customer_id, 'response' AS what, r.kind, coalesce(r.campaign_id, 0), r.at, r.channel, r.keycode, c.code, c.objective, '0',
			r.response_id::text COLLATE "C" AS tie, 0::bigint AS step
		FROM responses r LEFT JOIN campaigns c ON c.campaign_id = r.campaign_id
		WHERE r.customer_id = ANY($1) AND NOT r.machine
		UNION ALL SELECT t.customer_id, 'touch', t.channel, t.campaign_id, t.sent_at, t.channel, t.keycode, c.code, c.objective, t.unit_cost::text,
			'', t.step_id
		FROM touches t LEFT JOIN campaigns c ON c.campaign_id = t.campaign_id
		WHERE t.customer_id = ANY($1) AND t.state = 'sent'
		UNION ALL SELECT customer_id, 'list', '', list_id, NULL, NULL, NULL, NULL, NULL, '0', '', 0 FROM list_members
		WHERE customer_id = ANY($1)
		ORDER BY 1, 2, 5 NULLS FIRST, tie, 4, step`, ids)
	if err != nil {
		return err
	}
	var id, of, step int64
	var what, name, cost, tie string
	var at *time.Time
	var channel, keycode, code, objective *string
	_, err = pgx.ForEachRow(rows, []any{&id, &what, &name, &of, &at, &channel, &keycode, &code, &objective, &cost, &tie, &step}, func() error {
		f := into[id]
		if f == nil {
			return nil
		}
		it := item{at: ever, kind: name, campaign: of, values: map[string]value{
			"channel": perhaps(channel), "keycode": perhaps(keycode), "campaign": perhaps(code), "objective": perhaps(objective),
		}}
		if at != nil {
			it.at = micros(*at)
			it.values["at"] = knownTime(it.at)
		}
		switch what {
		case "response":
			it.values["kind"], it.values["interest"] = knownText(name), known(slices.Contains(humanKinds, name))
			f.responses = append(f.responses, it)
		case "touch":
			it.values["cost"] = numberFrom(cost)
			f.touches = append(f.touches, it)
		case "list":
			f.lists = append(f.lists, of)
		}
		return nil
	})
	return err
}
