package insights

import (
	"slices"
	"testing"

	"aldine/internal/fault"
	"aldine/internal/pgtest"
)

func TestAudience(t *testing.T) {
	t.Parallel()
	pool := pgtest.New(t)
	ctx := t.Context()
	s := newService(pool)
	exec(t, pool, `ALTER TABLE customers ADD COLUMN a_birthday date`)
	exec(t, pool, `INSERT INTO attributes (name, label, type, column_name, created_at) VALUES ('birthday', 'Birthday', 'date', 'a_birthday', $1)`, testNow)
	exec(t, pool, `INSERT INTO customers (customer_id, country, email, phone, address_hash, orders_count, total_spent, a_birthday, created_at, updated_at) VALUES
		(1, 'DE', 'a@example.org', '+4930123456', 1, 2, 60, '1970-01-01', $1, $1),
		(2, 'DE', 'b@example.org', NULL, NULL, 1, 10, '1980-07-02', $1, $1),
		(3, 'AT', NULL, '+4930123457', 2, 0, 0, NULL, $1, $1),
		(4, NULL, 'd@example.org', NULL, 3, 3, 5000, '1980-07-01', $1, $1)`, testNow)
	exec(t, pool, `INSERT INTO suppressions (scope, match_key, channel, suppression_id, value, reason, source, created_at)
		VALUES ('email', 'b@example.org', 'email', gen_random_uuid(), 'b', 'test', 'test', $1)`, testNow)
	exec(t, pool, `INSERT INTO consents (customer_id, channel, granted, source, at) VALUES (3, 'calls', false, 'test', $1)`, testNow)

	p, err := s.Profile(ctx, "")
	if err != nil || p.Members != 4 || !p.Exact() {
		t.Fatalf("%+v, %v", p, err)
	}
	for _, c := range []struct {
		name string
		got  []Share
		want []Share
	}{
		{"country", p.Country, []Share{{"DE", 2, .5}, {"", 1, .25}, {"AT", 1, .25}}},
		{"age", p.Age, []Share{{"under 18", 1, .25}, {"18 to under 25", 1, .25}, {"25 to under 35", 1, .25}, {"not known", 1, .25}}},
		{"value", p.Value, []Share{{"under 25", 1, .25}, {"50 to under 100", 1, .25}, {"1000 and more", 1, .25}, {"no order", 1, .25}}},
		{"reach", p.Reach, []Share{{"email", 2, .5}, {"calls", 1, .25}, {"post", 3, .75}, {"sms", 2, .5}}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.name, c.got, c.want)
		}
	}
	if p, err := s.Profile(ctx, `country == "XX"`); err != nil || p.Members != 0 || len(p.Country) != 0 {
		t.Errorf("nobody: %+v, %v", p, err)
	}
	if _, err := s.Profile(ctx, `nonsense`); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}

	found, err := s.Sample(ctx, `country == "DE" and not (orders_count > 5 or email == "x") or total_spent > 1000`, 10)
	want := []string{`country == "DE"`, `not (orders_count > 5)`, `not (email == "x")`, `total_spent > 1000`}
	if err != nil || len(found.Members) != 3 || !slices.Equal(found.Conditions, want) {
		t.Fatalf("%+v, %v", found, err)
	}
	for _, m := range found.Members {
		holds := ""
		for _, h := range m.Holds {
			if h != nil && *h {
				holds += "y"
			} else {
				holds += "n"
			}
		}
		if want := map[int64]string{1: "yyyn", 2: "yyyn", 4: "nyyy"}[m.CustomerID]; holds != want {
			t.Errorf("customer %d: %s, want %s", m.CustomerID, holds, want)
		}
	}

	shares, err := s.Overlap(ctx, []string{`country == "DE"`, `orders_count > 1`})
	if err != nil || len(shares) != 3 {
		t.Fatalf("%+v, %v", shares, err)
	}
	for _, o := range shares {
		if o.Members != 1 {
			t.Errorf("%+v", o)
		}
	}
	if _, err := s.Overlap(ctx, []string{""}); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
}
