package customers

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/internal/fault"
)

// suppresses is the rule in Go, written apart from the SQL.
func suppresses(p Suppression, c Customer, person int64, old []ID, persons map[ID]int64, channel string, at time.Time) bool {
	if p.Channel != "all" && p.Channel != channel || p.ExpiresAt != nil && !at.Before(*p.ExpiresAt) || p.EffectiveAt != nil && at.Before(*p.EffectiveAt) {
		return false
	}
	switch p.Scope {
	case ScopeCustomer:
		id, _ := strconv.ParseInt(p.key, 10, 64)
		for _, o := range old {
			if o == id {
				return true
			}
		}
		return id == c.ID || person != 0 && persons[id] == person
	case ScopeEmail:
		return p.key == strings.ToLower(c.Email)
	case ScopeDomain:
		_, domain, _ := strings.Cut(strings.ToLower(c.Email), "@")
		return domain == p.key || strings.HasSuffix(domain, "."+p.key)
	case ScopePhone:
		return p.key == c.Phone
	case ScopeHousehold:
		return c.HouseholdID != nil && p.key == strconv.FormatInt(*c.HouseholdID, 10)
	case ScopeAddress:
		return c.AddressHash != nil && p.key == strconv.FormatInt(*c.AddressHash, 10)
	}
	return false
}

func TestSuppressionRuleAgreesWithGo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	r := rand.New(rand.NewPCG(1, 2))
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	domains := []string{"", "example.org", "mail.example.org", "a.b.example.org", "a.b.c.example.org", "example.com", "notexample.org", "shop.co.uk", "x.shop.co.uk"}
	var people []Customer
	for i := range 60 {
		f := Fields{ExternalID: fmt.Sprint("p", i), LastName: pick("Smith", "Jones", "Ng"), Street: pick("", "1 Main Street", "1 Main St", "2 Low Road"), PostalCode: "10115", Country: "US",
			Phone: pick("", "+12125550101", "+12125550102", "+442079460000")}
		if d := domains[r.IntN(len(domains))]; d != "" {
			f.Email = pick("Ann", "bob", "cy") + "@" + d
		}
		c, err := b.Create(b.ctx, Input{Fields: f})
		b.ok(err)
		people = append(people, c)
	}
	persons, old := map[ID]int64{}, map[ID][]ID{}
	for range 10 {
		a, o := people[r.IntN(30)].ID, people[r.IntN(30)].ID
		if a != o && persons[a] == 0 && persons[o] == 0 {
			persons[a], persons[o] = min(a, o), min(a, o)
		}
	}
	for id, p := range persons {
		_, err := b.pool.Exec(b.ctx, `UPDATE customers SET person_id = $2 WHERE customer_id = $1`, id, p)
		b.ok(err)
	}
	hour := func() *time.Time {
		if r.IntN(2) == 0 {
			return nil
		}
		at := b.at.Add(time.Duration(r.IntN(7)-3) * time.Hour)
		return &at
	}
	var all []Suppression
	for range 60 {
		c := people[r.IntN(len(people))]
		p := Suppression{Scope: Scopes[r.IntN(len(Scopes))], Channel: pick("all", "email", "post"), Reason: "r", EffectiveAt: hour(), ExpiresAt: hour()}
		switch p.Scope {
		case ScopeCustomer, ScopeHousehold:
			p.Value = fmt.Sprint(c.ID)
		case ScopeEmail:
			p.Value = c.Email
		case ScopeDomain:
			p.Value = domains[1+r.IntN(len(domains)-1)]
			if strings.Count(p.Value, ".") >= maxDomainLabels {
				continue
			}
		case ScopePhone:
			p.Value = c.Phone
		case ScopeAddress:
			a := c.Address()
			p.Address = &a
		}
		stored, err := b.Suppress(b.ctx, []Suppression{p})
		if fault.Is(err, fault.Invalid) {
			continue
		}
		b.ok(err)
		b.ok(b.pool.QueryRow(b.ctx, `SELECT match_key FROM suppressions WHERE suppression_id = $1`, stored[0].ID).Scan(&stored[0].key))
		all = append(all, stored[0])
	}
	for i := range 6 { // numbers that were merged into others, with an entry made before
		was := ID(100000 + i)
		_, err := b.Suppress(b.ctx, []Suppression{{Scope: ScopeCustomer, Value: fmt.Sprint(was), Channel: pick("all", "post"), Reason: "r"}})
		b.ok(err)
		into := people[r.IntN(len(people))].ID
		old[into] = append(old[into], was)
		_, err = b.pool.Exec(b.ctx, `INSERT INTO customer_aliases (old_id, customer_id, merge_id) VALUES ($1, $2, gen_random_uuid())`, was, into)
		b.ok(err)
	}
	if len(all) < 25 {
		t.Fatalf("only %d entries", len(all))
	}
	// As stored: an entry that came twice has changed.
	rows, err := b.pool.Query(b.ctx, `SELECT match_key, `+suppressionColumns+` FROM suppressions s`)
	b.ok(err)
	all, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (p Suppression, err error) {
		return p, row.Scan(append([]any{&p.key}, p.targets()...)...)
	})
	b.ok(err)
	hits := 0
	for _, shift := range []time.Duration{-4 * time.Hour, -time.Hour, 0, time.Hour, 4 * time.Hour} {
		at := b.at.Add(shift)
		for _, channel := range Channels {
			rows, err := b.pool.Query(b.ctx, `SELECT c.customer_id FROM customers c JOIN `+SuppressionJoin("c", channel)+` x ON true`, pgx.NamedArgs{"now": at})
			b.ok(err)
			ids, err := pgx.CollectRows(rows, pgx.RowTo[ID])
			b.ok(err)
			got := map[ID]bool{}
			for _, id := range ids {
				if got[id] {
					t.Errorf("two rows for %d", id)
				}
				got[id] = true
			}
			for _, c := range people {
				want := ""
				for _, p := range all {
					if suppresses(p, c, persons[c.ID], old[c.ID], persons, channel, at) {
						want = p.Scope + " " + p.key
					}
				}
				if got[c.ID] != (want != "") {
					t.Errorf("customer %d (%s) over %s at %v: SQL says %v, Go says %q", c.ID, c.Email, channel, shift, got[c.ID], want)
				}
				if want != "" {
					hits++
				}
			}
		}
	}
	if hits < 100 {
		t.Errorf("only %d hits", hits)
	}
}

func TestSuppressionBadInput(t *testing.T) {
	t.Parallel()
	b := setup(t)
	alone, err := b.Create(b.ctx, Input{Fields: Fields{LastName: "Ng"}})
	b.ok(err)
	day := b.at
	for _, c := range []struct {
		p    Suppression
		want string
	}{
		{Suppression{Scope: ScopeDomain, Value: "co.uk"}, "everybody in it"},
		{Suppression{Scope: ScopeDomain, Value: "com"}, "is not a domain"},
		{Suppression{Scope: ScopeDomain, Value: "ann@example.org"}, "is an e-mail address"},
		{Suppression{Scope: ScopeDomain, Value: "a.b.c.d.example.org"}, "more than 4 parts"},
		{Suppression{Scope: ScopeHousehold, Value: fmt.Sprint(alone.ID)}, "make a household"},
		{Suppression{Scope: ScopeHousehold, Value: "999999"}, "no customer 999999"},
		{Suppression{Scope: ScopeEmail, Value: "a@b.org", EffectiveAt: &day, ExpiresAt: &day}, "must be after"},
		{Suppression{Scope: ScopeEmail, Value: "a@b.org", Source: "a\x00b"}, "500 characters"},
	} {
		c.p.Reason = "r"
		_, err := b.Suppress(b.ctx, []Suppression{c.p})
		b.wants(err, fault.Invalid, c.want)
	}
	out, err := b.Suppress(b.ctx, []Suppression{{Scope: ScopeDomain, Value: " @MÜLLER.example ", Reason: "r"}})
	b.ok(err)
	page, err := b.Suppressions(b.ctx, SuppressionQuery{Search: "müller.example", Scope: ScopeDomain})
	b.ok(err)
	if len(page.Suppressions) != 1 || page.Suppressions[0].ID != out[0].ID {
		t.Errorf("%+v", page)
	}
}

func TestSuppressionFile(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ann, err := b.Create(b.ctx, Input{Fields: Fields{Email: "ann@example.org"}})
	b.ok(err)
	imp, err := b.StartSuppressions(b.ctx, StartSuppressions{Suppression: Suppression{Scope: ScopeEmail, Channel: "email", Reason: "partner's list"},
		FileName: "optout.csv", Body: strings.NewReader("E-mail;Channel;Expires at\nANN@example.org;;\nann@example.org;all;\nbroken;;\nbob@example.org;fax;\ncy@example.org;;2026-02-30\ndee@example.org;;2030-01-01\nann@example.org;;\n"), Hold: true})
	b.ok(err)
	imp, err = b.RunImport(b.ctx, imp.ID)
	b.ok(err)
	if figures(imp) != "3/0/0/1/3" || imp.State != ImportFinished {
		t.Errorf("%s %+v", figures(imp), imp)
	}
	if p, err := b.SuppressionFor(b.ctx, ann.ID, "email"); err != nil || p == nil || p.Reason != "partner's list" {
		t.Errorf("%+v %v", p, err)
	}
	_, err = b.StartSuppressions(b.ctx, StartSuppressions{Suppression: Suppression{Scope: ScopePhone, Reason: "r"}, FileName: "x.csv", Column: "moon", Body: strings.NewReader("a,b\n1,2\n")})
	b.wants(err, fault.Invalid, "no such column")
	_, err = b.StartSuppressions(b.ctx, StartSuppressions{Suppression: Suppression{Scope: ScopePhone}, FileName: "x.csv", Body: strings.NewReader("phone\n1\n")})
	b.wants(err, fault.Invalid, "say why")
	_, err = b.StartImport(b.ctx, StartImport{Kind: "suppressions", FileName: "x.csv", Body: strings.NewReader("email\n")})
	b.wants(err, fault.Invalid, "cannot be imported")
	imp, err = b.StartSuppressions(b.ctx, StartSuppressions{Suppression: Suppression{Scope: ScopePhone, Reason: "r"}, FileName: "x.csv", Body: strings.NewReader("email\na@b.org\n"), Hold: true})
	b.ok(err)
	_, err = b.RunImport(b.ctx, imp.ID)
	b.wants(err, fault.Invalid, "name it")
}

// A suppressed address is the residence, however it is spelled, and whoever moves in later.
func TestSuppressedAddressInOtherSpellings(t *testing.T) {
	t.Parallel()
	b := setup(t)
	home := func(street, last string) ID {
		t.Helper()
		c, err := b.Create(b.ctx, Input{Fields: Fields{LastName: last, Street: street, City: "Bonn", PostalCode: "53111", Country: "DE"}})
		b.ok(err)
		return c.ID
	}
	suppress := func(street string) {
		t.Helper()
		_, err := b.Suppress(b.ctx, []Suppression{{Scope: ScopeAddress, Reason: "asked", Address: &Address{Street: street, PostalCode: "53111", City: "Bonn", Country: "DE"}}})
		b.ok(err)
	}
	covered := func(id ID, want bool) {
		t.Helper()
		p, err := b.SuppressionFor(b.ctx, id, "post")
		b.ok(err)
		if (p != nil) != want {
			t.Errorf("customer %d suppressed: %+v, want %t", id, p, want)
		}
	}
	before, same := home("Lindenweg 4", "Meyer"), home("Lindenweg 4", "Schulz")
	suppress("Lindnweg 4") // a slip of the pen
	after, next, other := home("Lindemweg 4", "Huber"), home("Lindenweg 5", "Huber"), home("Hafenstraße 4", "Huber")
	suppress("Rosenallee 7") // nobody there yet
	exact, near := home("Rosenallee 7", "Kurz"), home("Rosnallee 7", "Lang")
	check := func() {
		t.Helper()
		for id, want := range map[ID]bool{before: true, same: true, after: true, next: false, other: false, exact: true, near: true} {
			covered(id, want)
		}
	}
	check()

	// All spellings are looked at anew after the one that gave the residence its name has gone.
	_, err := b.Suppress(b.ctx, []Suppression{{Scope: ScopeHousehold, Reason: "asked", Value: strconv.FormatInt(next, 10)}})
	b.ok(err)
	name, err := b.Create(b.ctx, Input{Fields: Fields{LastName: "Huber", FirstName: "Ida", Street: "Lindnweg 5", City: "Bonn", PostalCode: "53111", Country: "DE"}})
	b.ok(err)
	b.ok(b.Erase(b.ctx, before))
	_, err = b.Update(b.ctx, next, Patch{"street": "Lindenwegg 5"})
	b.ok(err)
	for range 2 {
		b.ok(b.RecomputeHouseholds(b.ctx))
		_, err = b.RefreshHouseholds(b.ctx, nil)
		b.ok(err)
		for id, want := range map[ID]bool{same: true, after: true, next: true, name.ID: true, other: false, exact: true, near: true} {
			covered(id, want)
		}
	}
}
