package segments

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"pgregory.net/rapid"

	"aldine/internal/pgtest"
)

// universe is a database whose attributes, names, customers and segments were drawn, and the time it is there.
type universe struct {
	s       *Service
	pool    *pgxpool.Pool
	catalog *Catalog
	facts   map[int64]Facts
	now     time.Time
	facets  map[kind][]string // facts of customers by type
	saved   savedNames
	collate string // of columns with text; "" for the database's own
}

// savedNames are the segments, by where they can stand.
type savedNames struct{ plain, nested, home, quiet string }

// attributeNames hold words of SQL and of the language that customers may choose all the same.
var attributeNames = []string{"select", "user", "group", "order_by", "table", "a", "c", "p1", "x_1", "score", "vip", "note", "tags", "seen_at", "income", "points", "plan", "level",
	"member_since", "prefers", "weight", "at", "product", "amount", "kind", "channel", "place", "some_very_long_name_of_an_attribute_up_to_50_letters"}

// newUniverse draws one.
func newUniverse(t testing.TB, seed uint64) *universe {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 3))
	u := &universe{pool: pgtest.New(t), now: testNow}
	switch r.IntN(4) {
	case 0, 1:
		u.now = moment(pick(r, moments[2:])).Add(time.Duration(r.IntN(3)) * time.Microsecond)
	case 2: // when 29 February is near
		u.now = time.Date(2023+r.IntN(4), 2, 24+r.IntN(6), r.IntN(24), 30, 0, 0, time.UTC)
	}
	u.s = New(u.pool, func() time.Time { return u.now })
	u.elsewhere(t, r)
	columns := u.define(t, r)
	u.names(t, r)
	u.people(t, r, columns)
	u.limits(t, r)
	u.refresh(t)
	u.segments(t, r)
	u.refresh(t)
	exec(t, u.pool, `ANALYZE`)
	u.facts = allFacts(t, u.pool)
	return u
}

// elsewhere makes the database one of another country: another time zone of its sessions, another order of letters.
func (u *universe) elsewhere(t testing.TB, r *rand.Rand) {
	t.Helper()
	config := u.pool.Config()
	config.ConnConfig.RuntimeParams["timezone"] = pick(r, []string{"UTC", "Asia/Kathmandu", "America/New_York"})
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	u.pool = pool
	u.s = New(pool, func() time.Time { return u.now })
	if r.IntN(2) == 0 {
		return
	}
	u.collate = ` COLLATE "` + pick(r, []string{"sv-x-icu", "en-x-icu", "tr-x-icu"}) + `"`
	rows, err := pool.Query(t.Context(), `
		SELECT format('ALTER TABLE %I ALTER COLUMN %I TYPE %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod))
		FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
		WHERE c.relnamespace = 'public'::regnamespace AND NOT c.relispartition AND a.attnum > 0 AND a.attcollation <> 0 AND
			c.relname IN ('customers', 'orders', 'order_lines', 'responses', 'touches', 'events', 'event_names', 'campaigns', 'lists', 'products', 'segments') AND c.relkind IN ('r', 'p')`)
	if err != nil {
		t.Fatal(err)
	}
	changes, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range changes {
		exec(t, pool, change+u.collate)
	}
}

// refresh reads what can be named.
func (u *universe) refresh(t testing.TB) {
	t.Helper()
	catalog, err := LoadCatalog(t.Context(), u.pool)
	if err != nil {
		t.Fatal(err)
	}
	u.catalog, u.facets = catalog, facetsOf(catalog)
}

func facetsOf(c *Catalog) map[kind][]string {
	facets := map[kind][]string{}
	for _, f := range c.core() {
		if f.score != nil && f.score.limits == nil {
			continue
		}
		facets[f.kind] = append(facets[f.kind], f.name)
	}
	for range 3 { // as often as the many that everybody has
		for _, f := range c.fields {
			facets[f.kind] = append(facets[f.kind], f.name)
		}
	}
	return facets
}

// define draws attributes: one of each type at least, a birthday, some private. It gives their types by column.
func (u *universe) define(t testing.TB, r *rand.Rand) (columns [][2]string) {
	types := map[string]string{"text": "text" + u.collate, "number": "numeric", "money": "numeric(19,4)", "bool": "boolean", "date": "date", "time": "timestamptz", "list": "text[]" + u.collate}
	add := func(name, typ string) {
		exec(t, u.pool, `INSERT INTO attributes (name, label, type, column_name, private, created_at) VALUES ($1, $1, $2, $3, $4, $5)`, name, typ, "a_"+name, r.IntN(4) == 0, u.now)
		exec(t, u.pool, `ALTER TABLE customers ADD COLUMN `+pgx.Identifier{"a_" + name}.Sanitize()+` `+types[typ])
		columns = append(columns, [2]string{pgx.Identifier{"a_" + name}.Sanitize(), typ})
	}
	names := slices.Clone(attributeNames)
	r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	every := []string{"text", "number", "money", "bool", "date", "time", "list"}
	for i := range len(every) + r.IntN(8) {
		if i < len(every) {
			add(names[i], every[i])
		} else {
			add(names[i], pick(r, every))
		}
	}
	add(pick(r, []string{"birthday", "date_of_birth", "birth_date", "dob"}), "date")
	return columns
}

// names draws lists, campaigns and products.
func (u *universe) names(t testing.TB, r *rand.Rand) {
	lists := []string{"House", "Rented A", u.text(r) + " list", "Größe \"x\" 'y' \\"}
	for i, name := range lists {
		exec(t, u.pool, `INSERT INTO lists (name, kind, created_at) VALUES ($1, $2, $3)`, name, []string{"house", "rented"}[i%2], u.now)
	}
	for _, code := range []string{"spring", "autumn", "été-2026"} {
		exec(t, u.pool, `INSERT INTO campaigns (code, name, objective, currency, state, created_by, created_at, updated_at) VALUES ($1, $1, $3, 'USD', 'running', 'test', $2, $2)`,
			code, u.now, pick(r, []string{"win", "keep", "", "ẞ"}))
	}
	for _, name := range eventNames {
		exec(t, u.pool, `INSERT INTO event_names (name, created_at) VALUES ($1, $2)`, name, u.now)
	}
	for _, sku := range []string{"a", "DE", "b", "ß", "İ"} {
		exec(t, u.pool, `INSERT INTO products (sku, name, category, created_at) VALUES ($1, $1, $2, $3)`, sku, pick(r, []string{"seeds", "", "Σ", "bulbs"}), u.now)
	}
}

// limits draws those of scores: none at all, those that the customers' own facts give, and such as stand close together or far off.
func (u *universe) limits(t testing.TB, r *rand.Rand) {
	t.Helper()
	how := r.IntN(6)
	if how == 0 {
		return
	}
	var days, orders, spent []string
	for range 4 {
		if how < 4 { // of a customer's own
			var day, n, sum string
			if err := u.pool.QueryRow(t.Context(), `SELECT to_char(last_order_at AT TIME ZONE 'UTC' - $2 * interval '1 day', 'YYYY-MM-DD'), orders_count::text, greatest(total_spent - $3, -999999999999999.9999)::text FROM customers
				WHERE orders_count > 0 ORDER BY customer_id % 97 * $1 % 97, customer_id LIMIT 1`, 1+r.IntN(96), r.IntN(2), r.IntN(2)).Scan(&day, &n, &sum); err != nil {
				t.Fatal(err)
			}
			days, orders, spent = append(days, day), append(orders, n), append(spent, sum)
			continue
		}
		days = append(days, pick(r, []string{"0001-01-01", "9999-12-31", "1969-12-31", "1970-01-01", u.now.Format(time.DateOnly)}))
		orders = append(orders, pick(r, []string{"0", "1", "2", "2147483647", "-5"}))
		spent = append(spent, pick(r, []string{"0", "-0.0001", "999999999999999.9999", "-999999999999999.9999", "20.5"}))
	}
	slices.Sort(days)
	exec(t, u.pool, `INSERT INTO rfm_limits (days, orders, spent, customers, made_at)
		SELECT $1::text[]::date[], (SELECT array_agg(x ORDER BY x) FROM unnest($2::text[]::bigint[]) x), (SELECT array_agg(x ORDER BY x) FROM unnest($3::text[]::numeric[]) x), 1, $4`,
		days, orders, spent, u.now)
}

// segments draws saved ones, one within the other.
func (u *universe) segments(t testing.TB, r *rand.Rand) {
	u.saved = savedNames{plain: "vip " + pick(r, []string{"", "\"q\"", "ß", "\\"}), nested: "nested", home: "home", quiet: "quiet'"}
	none := u.saved
	save := func(name string, with source) {
		with.u = u
		for i := range 50 {
			expression := rapid.Custom(func(rt *rapid.T) string { with := with; with.t = rt; return with.cond(2) }).Example(int(r.Uint64()>>40) + i)
			if _, err := u.catalog.Compile(expression, u.now); err != nil || len(expression) > 600 {
				continue
			}
			exec(t, u.pool, `INSERT INTO segments (name, expression, created_by, created_at, updated_at) VALUES ($1, $2, 'test', $3, $3)`, name, expression, u.now)
			u.refresh(t)
			return
		}
	}
	u.saved = savedNames{}
	save(none.quiet, source{asOf: true, member: true, unranked: true})
	u.saved.quiet = none.quiet
	save(none.plain, source{member: true, unranked: true})
	u.saved.plain = none.plain
	save(none.home, source{unranked: true})
	u.saved.home = none.home
	save(none.nested, source{member: true, unranked: true})
	u.saved.nested = none.nested
}

// people draws customers, what they did and what was done to them.
func (u *universe) people(t testing.TB, r *rand.Rand, columns [][2]string) {
	const n = 48
	u.lookups(t)
	var batch pgx.Batch
	whole := func() int64 { return pick(r, []int64{0, 1, 2, 3, -1, 2147483647, -2147483648, 1, 2}) }
	money := func() string {
		return pick(r, []string{"0", "10", "20.5", "-5", "99.99", "0.0001", "999999999999999.9999", "-999999999999999.9999", "20.5", "10"})
	}
	odd := func() *string { return maybe(r, u.text(r)) }
	for i := range n {
		id := int64(i + 1)
		if i == n-1 {
			id = 1<<62 + 3 // far off
		}
		names, holders, args := []string{}, []string{}, []any{}
		set := func(name string, v any, cast string) {
			args = append(args, v)
			names, holders = append(names, name), append(holders, "$"+strconv.Itoa(len(args))+cast)
		}
		set("customer_id", id, "")
		for _, name := range strings.Fields("external_id title first_name last_name suffix company email phone street address2 city region postal_code country language") {
			set(name, odd(), "")
		}
		set("time_zone", maybe(r, pick(r, oddZones)), "")
		set("list_id", maybe(r, int64(1+r.IntN(5))), "")
		set("rented", r.IntN(4) == 0, "")
		set("created_at", u.time(r), "")
		set("updated_at", u.now, "")
		set("household_id", maybe(r, int64(r.IntN(n/3))), "")
		for _, c := range columns {
			v, cast := u.value(r, c[1])
			set(c[0], v, cast)
		}
		batch.Queue(`INSERT INTO customers (`+strings.Join(names, ", ")+`) VALUES (`+strings.Join(holders, ", ")+`)`, args...)
		for o := range r.IntN(4) {
			ref, at := fmt.Sprintf("%s%d-%d", pick(r, []string{"", "é", "Z", "z", "\U00010000", "\uffff"}), i, o), u.time(r)
			if r.IntN(3) == 0 {
				at = u.now.AddDate(0, -1, 0) // at one time with others
			}
			batch.Queue(`INSERT INTO orders (customer_id, order_ref, ordered_at, quantity, amount, currency, rate, base_amount, place, reason, keycode, recorded_at)
				VALUES ($1, $2, $3, $4, $5::text::numeric, $6, $7::text::numeric, $5::text::numeric, $8, $9, $10, $3)`,
				id, ref, at, whole(), money(), pick(r, []string{"USD", "EUR"}), pick(r, []string{"1", "0.33333333", "99999999999.99999999"}), odd(), odd(), odd())
			for l := range r.IntN(3) {
				batch.Queue(`INSERT INTO order_lines (customer_id, order_ref, line_no, sku, quantity, amount) VALUES ($1, $2, $3, $4, $5, $6::text::numeric)`,
					id, ref, l, pick(r, []string{"a", "DE", "b", "ß", "İ", u.text(r)}), whole(), money())
			}
		}
		for e := range r.IntN(4) {
			batch.Queue(`INSERT INTO responses (customer_id, response_id, kind, at, recorded_at, campaign_id, channel, keycode, method, machine)
				VALUES ($1, gen_random_uuid(), $2, $3, $3, $4, $6, $7, 'direct', $5)`,
				id, pick(r, []string{"open", "click", "click", "reply", "order", "bounce", "unsubscribe", "complaint"}), u.time(r), maybe(r, int64(1+r.IntN(4))), r.IntN(4) == 0,
				maybe(r, pick(r, channels)), odd())
			batch.Queue(`INSERT INTO touches (customer_id, campaign_id, step_id, channel, cell_id, state, planned_at, sent_at, updated_at, keycode, unit_cost)
				VALUES ($1, $2, $3, $7, 1, $4, $5, $6, $5, $8, $9::text::numeric)`,
				id, int64(1+r.IntN(4)), int64(e), pick(r, []string{"sent", "sent", "sent", "planned", "bounced"}), u.now, maybe(r, u.time(r)), pick(r, channels),
				odd(), pick(r, []string{"0", "0.0125", "1", "999999999999999.9999"}))
		}
		for range r.IntN(5) {
			at := u.time(r)
			if r.IntN(3) == 0 {
				at = u.now.AddDate(0, -1, 0)
			}
			batch.Queue(`INSERT INTO events (customer_id, at, event_id, name, value, properties, recorded_at) VALUES ($1, $2, gen_random_uuid(), $3, $4::text::numeric, $5, $2)`,
				id, at, pick(r, append([]string{u.text(r)}, eventNames...)), maybe(r, pick(r, []string{"0", "12.5", "-3", "0.000001", "9999999999999.999999", "100"})), u.properties(r))
		}
		for list := range int64(5) {
			if r.IntN(5) == 0 {
				batch.Queue(`INSERT INTO list_members (customer_id, list_id, added_at) VALUES ($1, $2, $3)`, id, list+1, u.now)
			}
		}
	}
	if err := u.pool.SendBatch(context.Background(), &batch).Close(); err != nil {
		t.Fatal(err)
	}
	// Nobody's orders add up to more than can be stored.
	exec(t, u.pool, `UPDATE orders o SET amount = 0, base_amount = 0
		FROM (SELECT customer_id, min(order_ref) AS kept FROM orders GROUP BY customer_id HAVING abs(sum(base_amount)) >= 1e15) x
		WHERE o.customer_id = x.customer_id AND o.order_ref <> x.kept`)
	derive(t, u.pool)
	leftovers(t, u.pool)
}

var eventNames = []string{"viewed", "signed up", "ß", "a\"b"}

// properties draws some, of one name now a text and now a number.
func (u *universe) properties(r *rand.Rand) map[string]any {
	properties := map[string]any{}
	for _, key := range propertyKeys {
		switch r.IntN(4) {
		case 0:
			properties[key] = u.text(r)
		case 1:
			properties[key] = json.Number(pick(r, []string{"0", "1", "2.5", "-3.000001", "999999999999999", "20.50"}))
		case 2:
			properties[key] = r.IntN(2) == 0
		}
	}
	return properties
}

// lookups takes away indexes over texts that the program keeps short.
func (u *universe) lookups(t testing.TB) {
	t.Helper()
	exec(t, u.pool, `DROP INDEX IF EXISTS customers_last_name_idx`)
}

// about tells all that is stored of a customer.
func (u *universe) about(ctx context.Context, id int64) string {
	var b strings.Builder
	for _, table := range []string{"customers", "orders", "order_lines", "responses", "touches", "events", "list_members"} {
		rows, err := u.pool.Query(ctx, `SELECT left(jsonb_strip_nulls(to_jsonb(t))::text, 2000) FROM `+table+` t WHERE customer_id = $1`, id)
		if err != nil {
			return err.Error()
		}
		found, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err.Error()
		}
		for _, row := range found {
			fmt.Fprintf(&b, "\n  %s %s", table, row)
		}
	}
	return b.String()
}
