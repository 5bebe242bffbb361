package customers

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// partition gives the customers' external ids grouped by a key, in a form to compare.
func (b *bench) partition(column string) string {
	b.t.Helper()
	var out string
	b.ok(b.pool.QueryRow(b.ctx, `SELECT coalesce(string_agg(members, E'\n' ORDER BY members), '') FROM (
		SELECT string_agg(external_id, ' ' ORDER BY external_id) AS members FROM customers WHERE `+column+` IS NOT NULL GROUP BY `+column+`) t`).Scan(&out))
	return out
}

func (b *bench) refresh() int64 {
	b.t.Helper()
	n, err := b.RefreshHouseholds(b.ctx, nil)
	b.ok(err)
	if left := b.count(`SELECT count(*) FROM household_work`); left != 0 {
		b.t.Errorf("%d pieces of work left", left)
	}
	return n
}

const homeHeader = "id,first_name,last_name,company,street,address2,city,zip,country\n"

func TestHouseholds(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.load("customers", "", homeHeader+`1,Ann,Smith,,12 Washington Street,,Leeds,LS1 4DY,GB
2,Bob,Smyth,,12 Washingtno St.,,Leeds,LS1 4DY,GB
3,Cy,Smith-Jones,,12 Washington St,,,ls14dy,GB
4,Di,Miller,,12 Washington Street,,Leeds,LS1 4DY,GB
5,Ed,Smith,,12 Washington Street,Flat 2,Leeds,LS1 4DY,GB
6,Flo,Smith,,12 Washington Road,,Leeds,LS1 4DY,GB
7,Gus,Müller,,Hauptstraße 5,,Berlin,10115,DE
8,Hal,Mueller,,Haupt Str. 5,,Berlin,D-10115,DE
9,Ida,Muller,,HAUPTSTR. 5,,Berlin,10115,DE
10,Jo,Иванова,,ул. Ленина 5,,Москва,101000,RU
11,Ka,Иванов,,ул Ленина 5,,Москва,101000,RU
12,Li,כהן,,רחוב הרצל 5,,תל אביב,6688101,IL
13,Mo,כהן,,רחוב הרצל 5,,תל אביב,6688101,IL
14,Ned,,Acme GmbH,Ring 1,,Wien,1010,AT
15,Oz,,ACME,Ring 9,,Wien,1010,AT
16,Pam,Smith,,,,,,
`)
	want := "1 2 3\n10 11\n12 13\n4\n5\n6\n7 8 9"
	b.refresh()
	if got := b.partition("household_id"); got != want {
		t.Errorf("households\n%s\nnot\n%s", got, want)
	}
	if got, want := b.partition("residence_id"), "1 2 3 4\n10 11\n12 13\n14\n15\n5\n6\n7 8 9"; got != want {
		t.Errorf("residences\n%s\nnot\n%s", got, want)
	}
	if got, want := b.partition("company_id"), "14 15"; got != want {
		t.Errorf("companies\n%s\nnot\n%s", got, want)
	}
	if b.refresh() != 0 {
		t.Error("a second time changes nothing")
	}
	b.ok(b.RecomputeHouseholds(b.ctx))
	b.refresh()
	if got := b.partition("household_id"); got != want {
		t.Errorf("anew: households\n%s\nnot\n%s", got, want)
	}

	h, err := b.Household(b.ctx, b.byExternal("2").ID, 0, 2)
	b.ok(err)
	if h.Household.Count != 3 || len(h.Household.Members) != 2 || !h.Household.More || h.Household.Members[0].Name != "Ann Smith" || h.Residence.Count != 4 || h.Company.Count != 0 {
		t.Errorf("household %+v", h)
	}
	h, err = b.Household(b.ctx, b.byExternal("2").ID, h.Household.Members[1].ID, 2)
	b.ok(err)
	if len(h.Household.Members) != 1 || h.Household.More || h.Household.Members[0].Name != "Cy Smith-Jones" {
		t.Errorf("the rest of the household %+v", h.Household)
	}
	_, err = b.Household(b.ctx, 999999, 0, 2)
	if err == nil {
		t.Error("a household of nobody")
	}

	// The first Smith moves out: the others still agree with the name that now comes first.
	_, err = b.Update(b.ctx, b.byExternal("1").ID, Patch{"street": "1 Other Road"})
	b.ok(err)
	if got, want := b.partition("household_id"), "1\n10 11\n12 13\n2 3\n4\n5\n6\n7 8 9"; got != want {
		t.Errorf("after a move: households\n%s\nnot\n%s", got, want)
	}
	_, err = b.Update(b.ctx, b.byExternal("1").ID, Patch{"street": "12 Washingten St"})
	b.ok(err)
	if got := b.partition("household_id"); got != want {
		t.Errorf("back again: households\n%s\nnot\n%s", got, want)
	}
	c, err := b.Create(b.ctx, Input{Fields: Fields{ExternalID: "17", LastName: "Smiht", Street: "12 Wahsington st", PostalCode: "LS1 4DY", Country: "GB"}})
	b.ok(err)
	if c.HouseholdID == nil || *c.HouseholdID != *b.byExternal("1").HouseholdID {
		t.Error("a new customer is not of the household")
	}
	b.ok(b.Erase(b.ctx, b.byExternal("1").ID))
	b.refresh()
	if got, want := b.partition("household_id"), "10 11\n12 13\n17 2 3\n4\n5\n6\n7 8 9"; got != want && got != strings.Replace(want, "17 2 3", "17\n2 3", 1) {
		t.Errorf("after an erasure: households\n%s\nnot\n%s", got, want)
	}

	// An import that changes the telephone moves nobody; one that changes the name does.
	before := b.partition("household_id")
	b.load("customers", "", "id,phone\n2,+4930123456\n3,+4930123457\n")
	if n := b.count(`SELECT count(*) FROM household_work`); n != 0 || b.partition("household_id") != before {
		t.Errorf("%d pieces of work for telephones", n)
	}
	b.load("customers", "", "id,last_name\n2,Miller\n")
	b.refresh()
	if got := b.partition("household_id"); !strings.Contains(got, "2 4\n") {
		t.Errorf("after a wedding: households\n%s", got)
	}
}

// homes are rows of a file with slips of the pen in streets and surnames.
func homes(rng *rand.Rand, n int) []string {
	streets := []string{"Washington Street", "Lincoln Avenue", "Hauptstraße", "Mariahilfer Straße", "Rosenweg", "Rue de la Paix", "Keizersgracht", "High Road", "Park Lane"}
	names := []string{"Smith", "Smith-Jones", "Jones", "Smyth", "Müller", "Mueller", "Meier", "van der Berg", "Ivanova", "Ivanov", "O'Brien", "Kowalski", ""}
	slip := func(s string) string {
		r := []rune(s)
		if i := 1 + rng.IntN(max(1, len(r)-2)); len(r) > 3 && rng.IntN(4) == 0 {
			switch rng.IntN(3) {
			case 0:
				r[i], r[i-1] = r[i-1], r[i]
			case 1:
				r = append(r[:i:i], r[i+1:]...)
			case 2:
				r[i] = 'a' + rune(rng.IntN(26))
			}
		}
		return string(r)
	}
	rows := make([]string, n)
	for i := range rows {
		unit := ""
		if rng.IntN(4) == 0 {
			unit = fmt.Sprintf("Apt %d", rng.IntN(3))
		}
		rows[i] = fmt.Sprintf("%d,F%d,%s,,%d %s,%s,Town,%05d,%s\n", i+1, i, slip(names[rng.IntN(len(names))]), 1+rng.IntN(3), slip(streets[rng.IntN(len(streets))]), unit,
			10000+rng.IntN(1+n/60), []string{"DE", "US"}[rng.IntN(2)])
	}
	return rows
}

// keysDump gives all keys of all customers.
func (b *bench) keysDump() string {
	b.t.Helper()
	var out string
	b.ok(b.pool.QueryRow(b.ctx, `SELECT coalesce(string_agg(concat_ws(' ', external_id, address_hash, residence_id, household_id), E'\n' ORDER BY customer_id), '') FROM customers`).Scan(&out))
	return out
}

// In parts, at once or anew: the same file gives the same households, to the bit.
func TestHouseholdsInParts(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		rng := rand.New(rand.NewPCG(seed, 7))
		rows := homes(rng, 1500)
		whole, parts, single := setup(t), setup(t), setup(t)
		whole.load("customers", "", homeHeader+strings.Join(rows, ""))
		moved := whole.refresh()
		want := whole.keysDump()
		if moved == 0 || whole.count(`SELECT count(*) FROM residences WHERE residence_id <> address_hash`) < 20 {
			t.Fatalf("nothing to find: %d moved", moved)
		}
		for at := 0; at < len(rows); {
			n := min(1+rng.IntN(400), len(rows)-at)
			parts.load("customers", "", homeHeader+strings.Join(rows[at:at+n], ""))
			at += n
			if rng.IntN(3) > 0 {
				parts.refresh()
			}
		}
		parts.refresh()
		if parts.keysDump() != want {
			t.Error("in parts the households differ")
		}
		single.load("customers", "", homeHeader+strings.Join(rows[:1400], ""))
		single.refresh()
		for i, row := range rows[1400:] {
			f := strings.Split(strings.TrimSpace(row), ",")
			_, err := single.Create(single.ctx, Input{Fields: Fields{ExternalID: f[0], FirstName: f[1], LastName: f[2], Street: f[4], Address2: f[5], City: f[6], PostalCode: f[7], Country: f[8]}})
			if err != nil {
				t.Fatalf("row %d: %v", i, err)
			}
		}
		if single.keysDump() != want {
			t.Error("one by one the households differ")
		}
		whole.ok(whole.RecomputeHouseholds(whole.ctx))
		whole.refresh()
		if whole.keysDump() != want {
			t.Error("anew the households differ")
		}
	}
}

// After edits, what an incremental refresh finds is what a full one does, as long as the spellings that name residences stay.
func TestHouseholdsAfterEdits(t *testing.T) {
	t.Parallel()
	b := setup(t)
	rng := rand.New(rand.NewPCG(3, 7))
	b.load("customers", "", homeHeader+strings.Join(homes(rng, 600), ""))
	b.refresh()
	names := []string{"Smith", "Smyth", "Jones", "Smith-Jones", "Meyer", "Meier", ""}
	for range 60 {
		id := b.byExternal(fmt.Sprint(1 + rng.IntN(600))).ID
		_, err := b.Update(b.ctx, id, Patch{"last_name": names[rng.IntN(len(names))]})
		b.ok(err)
	}
	got := b.keysDump()
	b.ok(b.RecomputeHouseholds(b.ctx))
	b.refresh()
	if b.keysDump() != got {
		t.Error("anew the households differ")
	}
}

// A residence with very many people costs no more than as many residences, and an import into it is no different from edits.
func TestCrowdedResidence(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var rows strings.Builder
	rows.WriteString(homeHeader)
	for i := range 150 {
		fmt.Fprintf(&rows, "%d,F,%s,,1 Washington Street,,Leeds,LS1 4DY,GB\n", i+1, []string{"Smith", "Smyth"}[i%2])
	}
	b.load("customers", "", rows.String())
	b.refresh()
	if n := b.count(`SELECT count(DISTINCT household_id) FROM customers`); n != 1 {
		t.Errorf("%d households of few", n)
	}
	rows.Reset()
	rows.WriteString(homeHeader)
	for i := 150; i < 12_000; i++ {
		fmt.Fprintf(&rows, "%d,F,%s,,1 Washingtn St,,Leeds,LS1 4DY,GB\n", i+1, []string{"Smith", "Smyth", "N" + fmt.Sprint(i)}[i%3])
	}
	b.load("customers", "", rows.String())
	b.refresh()
	if n, r := b.count(`SELECT count(DISTINCT household_id) FROM customers`), b.count(`SELECT count(DISTINCT residence_id) FROM customers`); n != 2+3950 || r != 1 {
		t.Errorf("%d households at %d residences of many", n, r)
	}
	before := b.keysDump()
	b.ok(b.RecomputeHouseholds(b.ctx))
	b.refresh()
	if b.keysDump() != before {
		t.Error("anew the households differ")
	}
	_, err := b.pool.Exec(b.ctx, `UPDATE customers SET street = '7 Elm Road' WHERE external_id::int > 100`)
	b.ok(err)
	b.ok(b.RecomputeHouseholds(b.ctx))
	b.refresh()
	if n := b.count(`SELECT count(DISTINCT household_id) FROM customers WHERE external_id::int <= 100`); n != 1 || b.count(`SELECT count(*) FROM crowded_residences`) != 1 {
		t.Errorf("%d households of those who are left", n)
	}
}

// A place with very many streets is bounded too: above the bound only equal spellings count.
func TestCrowdedPlace(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var rows strings.Builder
	rows.WriteString(homeHeader)
	for i := range 3000 {
		fmt.Fprintf(&rows, "%d,F,Smith,,1 %s Street,,Leeds,LS1 4DY,GB\n", i+1, strings.Map(func(r rune) rune { return 'a' + (r-'0')*2 }, fmt.Sprintf("%06d", i*37)))
	}
	b.load("customers", "", rows.String())
	b.refresh()
	if n := b.count(`SELECT count(*) FROM residences`); n != placeSpellings {
		t.Errorf("%d spellings kept", n)
	}
	before := b.keysDump()
	b.ok(b.RecomputeHouseholds(b.ctx))
	b.refresh()
	if b.keysDump() != before {
		t.Error("anew the households differ")
	}
}
