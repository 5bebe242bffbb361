package customers

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"

	"aldine/internal/fault"
	"aldine/internal/settings"
)

func TestCustomerLife(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, typ := range map[string]AttributeType{"nick": Text, "age": Number, "value": Money, "vip": Bool, "birthday": Date, "seen": Time, "tags": List} {
		_, err := b.DefineAttribute(b.ctx, Attribute{Name: name, Type: typ})
		b.ok(err)
	}
	c, err := b.Create(b.ctx, Input{
		Fields: Fields{ExternalID: "X1", FirstName: " Anna ", LastName: "Müller", Email: "Anna@Example.ORG", Phone: "030 123456", Country: "Germany",
			Street: "Hauptstraße 1", PostalCode: "10115", Language: "de_at", TimeZone: "Europe/Berlin"},
		Attributes: map[string]any{"age": 41.5, "value": "12.30", "vip": true, "birthday": "1985-02-03", "seen": "2026-01-02T03:04:05+01:00",
			"tags": []any{"garden", " roses "}},
		Lists: []string{"house"}, Consents: map[string]bool{"email": true},
	})
	b.ok(err)
	wantFields := Fields{ExternalID: "X1", FirstName: "Anna", LastName: "Müller", Email: "Anna@example.org", Phone: "+4930123456", Country: "DE",
		Street: "Hauptstraße 1", PostalCode: "10115", Language: "de-AT", TimeZone: "Europe/Berlin"}
	if diff := cmp.Diff(wantFields, c.Fields); diff != "" {
		t.Error(diff)
	}
	wantAttributes := map[string]any{"age": 41.5, "value": decimal.MustParse("12.30"), "vip": true,
		"birthday": time.Date(1985, 2, 3, 0, 0, 0, 0, time.UTC), "seen": time.Date(2026, 1, 2, 2, 4, 5, 0, time.UTC), "tags": []string{"garden", "roses"}}
	if diff := cmp.Diff(wantAttributes, c.Attributes, cmp.Comparer(func(x, y decimal.Decimal) bool { return x == y })); diff != "" {
		t.Error(diff)
	}
	vars := c.Vars()
	names, err := b.FieldNames(b.ctx)
	b.ok(err)
	for _, n := range names {
		if _, ok := vars[n]; !ok {
			t.Errorf("templates may use %s, but Vars lacks it", n)
		}
	}
	if vars["nick"] != "" || vars["title"] != "" || vars["value"] != "12.30" || vars["id"] != c.ID {
		t.Errorf("%v", vars)
	}
	b.at = b.at.Add(time.Hour)
	c, err = b.Update(b.ctx, c.ID, Patch{"email": "new@example.org", "age": nil, "phone": "", "attributes": map[string]any{"nick": "Anni"}})
	b.ok(err)
	if c.Email != "new@example.org" || c.Phone != "" || c.Attributes["nick"] != "Anni" || c.Attributes["age"] != nil || !c.UpdatedAt.Equal(b.at) {
		t.Errorf("%+v", c)
	}
	if n := b.count(`SELECT (SELECT count(*) FROM customer_emails WHERE email = 'new@example.org') * 10 + (SELECT count(*) FROM customer_emails)
		+ (SELECT count(*) FROM customer_phones)`); n != 11 {
		t.Errorf("look-ups %d", n)
	}
	for search, want := range map[string]int{"X1": 1, "NEW@example.org": 1, "müll": 1, "anna mü": 1, "bob mü": 0, fmt.Sprint(c.ID): 1, "%": 0, "\x00": 1, "": 1} {
		page, err := b.List(b.ctx, Query{Search: search})
		if err != nil || len(page.Customers) != want {
			t.Errorf("search %q: %d found, %v", search, len(page.Customers), err)
		}
	}
	_, err = b.Create(b.ctx, Input{Fields: Fields{ExternalID: "X1"}})
	b.wants(err, fault.Conflict, "X1 belongs to another customer")
	_, err = b.Create(b.ctx, Input{})
	b.wants(err, fault.Invalid, "say who it is")
	_, err = b.Create(b.ctx, Input{Fields: Fields{Email: "bad", Phone: "1", Country: "Nowhere", Language: "?", TimeZone: "Mars/Base"},
		Attributes: map[string]any{"age": "old", "shoe": 1, "vip": 3.0, "tags": []any{1}}, Consents: map[string]bool{"fax": true}})
	for _, want := range []string{"email: ", "phone: ", "country: ", "language: ", "time_zone: ", "attributes.age: ", "attributes.shoe: ", "attributes.vip: ", "attributes.tags: ", "consents.fax: "} {
		b.wants(err, fault.Invalid, want)
	}
	_, err = b.Update(b.ctx, c.ID, Patch{"customer_id": 7.0, "orders_count": 3.0})
	b.wants(err, fault.Invalid, "no field or attribute named orders_count")
	_, err = b.Update(b.ctx, 999, Patch{})
	b.wants(err, fault.NotFound, "no customer 999")
}

func TestDelete(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, err := b.Create(b.ctx, Input{Fields: Fields{ExternalID: "X1", LastName: "Quixote", Email: "quixote@example.org", Phone: "+4930123456"},
		Lists: []string{"house"}, Consents: map[string]bool{"email": true}})
	b.ok(err)
	_, err = b.RecordOrders(b.ctx, []Order{{Ref: "1", CustomerID: c.ID, OrderedAt: b.at, Quantity: 1, Amount: decimal.MustParse("5"), Currency: "EUR"}})
	b.ok(err)
	_, err = b.pool.Exec(b.ctx, `INSERT INTO touches (customer_id, campaign_id, step_id, channel, cell_id, state, destination, planned_at, updated_at)
		VALUES ($1, 1, 1, 'email', 1, 'sent', 'quixote@example.org', $2, $2)`, c.ID, b.at)
	b.ok(err)
	_, err = b.pool.Exec(b.ctx, `INSERT INTO responses (customer_id, response_id, kind, at, recorded_at, method, detail)
		VALUES ($1, $3, 'reply', $2, $2, 'phone', '{"text": "Quixote here"}')`, c.ID, b.at, uuid.New())
	b.ok(err)
	_, err = b.Suppress(b.ctx, []Suppression{{Scope: ScopeCustomer, Value: fmt.Sprint(c.ID), Reason: "asked"}})
	b.ok(err)
	b.ok(b.Erase(b.ctx, c.ID))
	b.wants(b.Erase(b.ctx, c.ID), fault.NotFound, "no customer")
	_, err = b.Get(b.ctx, c.ID)
	b.wants(err, fault.NotFound, "no customer")
	rows, err := b.pool.Query(b.ctx, `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY 1`)
	b.ok(err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	b.ok(err)
	for _, table := range tables {
		if n := b.count(`SELECT count(*) FROM ` + pgx.Identifier{table}.Sanitize() + ` t WHERE to_jsonb(t)::text ~* 'quixote|30123456|"X1"'`); n != 0 {
			t.Errorf("%s still knows who it was", table)
		}
	}
	if n := b.count(`SELECT (SELECT count(*) FROM orders) + (SELECT count(*) FROM touches) + (SELECT count(*) FROM responses)
		+ (SELECT count(*) FROM suppressions)`); n != 4 {
		t.Errorf("%d rows stay, want 4", n)
	}
}

func TestDefineAttribute(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, a := range []Attribute{{Name: "Bad", Type: Text}, {Name: "email", Type: Text}, {Name: "count", Type: Text}, {Name: "bought", Type: Text},
		{Name: "x; drop table customers", Type: Text}, {Name: strings.Repeat("x", 51), Type: Text}, {Name: "fine", Type: "blob"}, {Name: "", Type: Text}} {
		_, err := b.DefineAttribute(b.ctx, a)
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", a, err)
		}
	}
	a, err := b.DefineAttribute(b.ctx, Attribute{Name: "shoe_size", Type: Number})
	b.ok(err)
	if a.Column != "a_shoe_size" || a.Label != "Shoe size" || a.ID == 0 {
		t.Errorf("%+v", a)
	}
	_, err = b.DefineAttribute(b.ctx, Attribute{Name: "shoe_size", Type: Text})
	b.wants(err, fault.Conflict, "shoe_size exists already")
	all, err := b.Attributes(b.ctx)
	b.ok(err)
	if len(all) != 1 || b.count(`SELECT count(*) FROM audit_log WHERE action = 'attribute.define'`) != 1 {
		t.Errorf("%+v", all)
	}
}

func TestSuppression(t *testing.T) {
	t.Parallel()
	b := setup(t)
	add := func(f Fields) ID {
		c, err := b.Create(b.ctx, Input{Fields: f})
		b.ok(err)
		return c.ID
	}
	ann := add(Fields{ExternalID: "ann", Email: "Ann@Example.org", Phone: "+4930123456", Street: "Hauptstraße 1", PostalCode: "10115", Country: "DE"})
	bob := add(Fields{ExternalID: "bob", Email: "bob@example.org", Street: "Hauptstr. 1", PostalCode: "10115", Country: "DE"})
	later := b.at.Add(time.Hour)
	suppressed := func(id ID, channel string) string {
		t.Helper()
		p, err := b.SuppressionFor(b.ctx, id, channel)
		b.ok(err)
		yes := b.count(`SELECT count(*) FROM customers c JOIN `+SuppressionJoin("c", channel)+` x ON true WHERE c.customer_id = @id`, pgx.NamedArgs{"id": id, "now": b.at}) == 1
		if yes != (p != nil) {
			t.Errorf("SuppressionJoin and SuppressionFor differ on %d", id)
		}
		if p == nil {
			return ""
		}
		return p.Scope + " " + p.Reason
	}
	_, err := b.Suppress(b.ctx, []Suppression{
		{Scope: ScopeEmail, Value: " ANN@example.ORG", Channel: "email", Reason: "complaint"},
		{Scope: ScopePhone, Value: "030 123456", Channel: "calls", Reason: "register"},
	})
	b.wants(err, fault.Invalid, `suppressions[1].value: "030 123456"`) // the default country is US; nothing is stored
	if got := suppressed(ann, "email"); got != "" {
		t.Errorf("half a batch was stored: %s", got)
	}
	stored, err := b.Suppress(b.ctx, []Suppression{
		{Scope: ScopeEmail, Value: " ANN@example.ORG", Channel: "email", Reason: "complaint"},
		{Scope: ScopePhone, Value: "+49 30 123456", Channel: "calls", Reason: "register"},
		{Scope: ScopeAddress, Address: &Address{Street: "HAUPTSTRASSE 1", PostalCode: "10115", Country: "Germany"}, Channel: "post", Reason: "moved", ExpiresAt: &later},
		{Scope: ScopeCustomer, Value: fmt.Sprint(bob), Reason: "staff"},
	})
	b.ok(err)
	for _, c := range []struct {
		id      ID
		channel string
		want    string
	}{{ann, "email", "email complaint"}, {ann, "calls", "phone register"}, {ann, "sms", ""}, {ann, "post", "address moved"},
		{bob, "post", "customer staff"}, {bob, "email", "customer staff"}} {
		if got := suppressed(c.id, c.channel); got != c.want {
			t.Errorf("%d %s: %q, want %q", c.id, c.channel, got, c.want)
		}
	}
	b.ok(b.Unsuppress(b.ctx, stored[3].ID))
	b.wants(b.Unsuppress(b.ctx, stored[3].ID), fault.NotFound, "no suppression")
	if got := suppressed(bob, "post"); got != "address moved" {
		t.Errorf("who lives there too: %q", got)
	}
	// The same again keeps the entry; a shorter time does not shorten it.
	again, err := b.Suppress(b.ctx, []Suppression{{Scope: ScopeEmail, Value: "ann@example.org", Channel: "email", Reason: "asked", ExpiresAt: &later}})
	b.ok(err)
	if again[0].ID != stored[0].ID || again[0].ExpiresAt != nil || again[0].Reason != "asked" {
		t.Errorf("%+v", again[0])
	}
	b.at = later
	if got := suppressed(bob, "post"); got != "" {
		t.Errorf("after its end: %q", got)
	}
	page, err := b.Suppressions(b.ctx, SuppressionQuery{Limit: 2})
	b.ok(err)
	rest, err := b.Suppressions(b.ctx, SuppressionQuery{Limit: 2, Cursor: page.Next})
	b.ok(err)
	if len(page.Suppressions) != 2 || len(rest.Suppressions) != 1 || rest.Next != "" {
		t.Errorf("pages of %d and %d", len(page.Suppressions), len(rest.Suppressions))
	}
	_, err = b.Suppressions(b.ctx, SuppressionQuery{Cursor: "rubbish"})
	b.wants(err, fault.Invalid, "page mark")
	for _, p := range []Suppression{{Scope: "moon", Value: "x", Reason: "r"}, {Scope: ScopeCustomer, Value: "abc", Reason: "r"}, {Scope: ScopeAddress, Reason: "r"},
		{Scope: ScopeAddress, Address: &Address{City: "Berlin"}, Reason: "r"}, {Scope: ScopeEmail, Value: "a@b.org"}, {Scope: ScopeEmail, Value: "a@b.org", Reason: "r", Channel: "fax"}} {
		if _, err := b.Suppress(b.ctx, []Suppression{p}); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", p, err)
		}
	}
}

func TestConsentRule(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, err := b.Create(b.ctx, Input{Fields: Fields{Email: "a@b.org"}})
	b.ok(err)
	may := func(required bool) bool {
		return b.count(`SELECT count(*) FROM customers c WHERE `+ConsentSQL("c", "email", required)) == 1
	}
	if may(true) || !may(false) {
		t.Error("nothing said")
	}
	set := func(granted bool, at time.Time) {
		t.Helper()
		b.ok(b.SetConsents(b.ctx, []Consent{{CustomerID: c.ID, Channel: "email", Granted: granted, Source: "form", At: at}}))
	}
	set(true, b.at)
	set(true, b.at.Add(time.Minute)) // nothing new
	if !may(true) || !may(false) {
		t.Error("granted")
	}
	set(false, b.at.Add(-time.Hour)) // said before
	if !may(true) {
		t.Error("an older no won")
	}
	set(false, b.at.Add(time.Hour))
	if may(true) || may(false) {
		t.Error("withdrawn")
	}
	if n := b.count(`SELECT count(*) FROM consent_events`); n != 2 {
		t.Errorf("%d events, want 2", n)
	}
	b.wants(b.SetConsents(b.ctx, []Consent{{CustomerID: c.ID, Channel: "fax", Source: "x"}}), fault.Invalid, "not a channel")
	b.wants(b.SetConsents(b.ctx, []Consent{{CustomerID: c.ID, Channel: "sms"}}), fault.Invalid, "where the consent was given")
	b.wants(b.SetConsents(b.ctx, []Consent{{CustomerID: 99, Channel: "sms", Source: "x"}}), fault.NotFound, "no customer 99")
}

func TestRecordOrders(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, err := b.Create(b.ctx, Input{Fields: Fields{ExternalID: "A"}})
	b.ok(err)
	o := Order{Ref: "1", CustomerExternalID: "A", OrderedAt: b.at, Quantity: 2, Amount: decimal.MustParse("10.00"), Currency: "eur",
		Lines: []OrderLine{{SKU: "ROSES", Quantity: 2, Amount: decimal.MustParse("10")}}}
	state := func(orders ...Order) string {
		t.Helper()
		out, err := b.RecordOrders(b.ctx, orders)
		b.ok(err)
		var s []string
		for _, x := range out {
			s = append(s, strings.TrimSpace(string(x.State)+" "+x.Reason))
		}
		return strings.Join(s, "; ")
	}
	for _, step := range []struct{ got, want string }{
		{state(o), "created"},
		{state(o), "unchanged"},
		{state(func() Order { o.Amount = decimal.MustParse("12"); return o }()), "updated"},
		{state(Order{Ref: "2", OrderedAt: b.at, Amount: decimal.MustParse("5"), Currency: "EUR"}), "created"}, // a person not known
		{state(Order{Ref: "1", OrderedAt: b.at, Amount: decimal.MustParse("5"), Currency: "EUR"}), `rejected order_id: "1" belongs to another customer`},
		{state(Order{Ref: "3", CustomerID: 99, OrderedAt: b.at, Currency: "EUR"}), "rejected customer_id: there is no customer 99"},
		{state(Order{Ref: "3", CustomerID: c.ID, Currency: "EUR"}), "rejected ordered_at: is missing"},
		{state(Order{Ref: "3", CustomerID: c.ID, OrderedAt: b.at, Currency: "EUR", Amount: decimal.MustParse("1.00001")}), `rejected amount: "1.00001" has more than four decimals`},
		{state(Order{Ref: "3", CustomerID: c.ID, OrderedAt: b.at, Currency: "USD"}), "rejected currency: there is no exchange rate from USD to EUR"},
	} {
		if step.got != step.want {
			t.Errorf("%q, want %q", step.got, step.want)
		}
	}
	b.ok(b.SetExchangeRate(b.ctx, "usd", decimal.MustParse("0.9")))
	if got := state(Order{Ref: "3", CustomerID: c.ID, OrderedAt: b.at.Add(time.Hour), Currency: "USD", Amount: decimal.MustParse("10")}); got != "created" {
		t.Error(got)
	}
	c, err = b.Get(b.ctx, c.ID)
	b.ok(err)
	if c.OrdersCount != 2 || c.TotalSpent.String() != "21.00" || !c.FirstOrderAt.Equal(b.at) || !c.LastOrderAt.Equal(b.at.Add(time.Hour)) {
		t.Errorf("%d %s %v %v", c.OrdersCount, c.TotalSpent, c.FirstOrderAt, c.LastOrderAt)
	}
	v, err := settings.New(b.pool, b.now).Get(b.ctx)
	b.ok(err)
	if v.BaseCurrency != "EUR" {
		t.Errorf("base currency %q", v.BaseCurrency)
	}
	products, err := b.Products(b.ctx, "", 10)
	b.ok(err)
	if len(products) != 1 || products[0].SKU != "ROSES" {
		t.Errorf("%+v", products)
	}
}

// The same orders from many sides at once are stored once, and the sums are right.
func TestRecordOrdersAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, err := b.Create(b.ctx, Input{Fields: Fields{ExternalID: "A"}})
	b.ok(err)
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			for i := range 20 {
				if _, err := b.RecordOrders(context.WithoutCancel(b.ctx), []Order{{Ref: fmt.Sprint(i), CustomerID: c.ID, OrderedAt: b.at, Quantity: 1,
					Amount: decimal.MustParse("1.5"), Currency: "EUR"}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	c, err = b.Get(b.ctx, c.ID)
	b.ok(err)
	if c.OrdersCount != 20 || c.TotalSpent.String() != "30.00" {
		t.Errorf("%d orders, %s", c.OrdersCount, c.TotalSpent)
	}
}
