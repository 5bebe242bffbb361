package customers

import (
	"fmt"
	"testing"

	"github.com/govalues/decimal"
)

// Rented names come in by a rented list only, tell nothing about the house file, and stay rented until they are found in a
// house file or order.
func TestRentedNames(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := b.SaveList(b.ctx, CustomerList{Name: "Herbs", Kind: KindRented, PricePerThousand: decimal.MustParse("100"), Currency: "EUR"})
	b.ok(err)
	b.load("customers", "", "customer_id,first_name,email\nh1,Anna,anna@x.example\n")
	got := b.load("customers", "Herbs", "first_name,email,city,consent_email\nAnna,anna@x.example,Berlin,no\nBen,ben@x.example,Bonn,yes\nCleo,cleo@x.example,Ulm,\nBen,ben@x.example,,\n")
	if got.Created != 2 || got.Updated != 1 || got.Duplicates != 1 {
		t.Errorf("%+v", got)
	}
	list := fmt.Sprint(got.ListID)
	rented := func(email string) string {
		return b.value(`SELECT concat_ws('/', rented, coalesce(list_id, 0), city, (SELECT count(*) FROM list_members m WHERE m.customer_id = c.customer_id),
			(SELECT count(*) FROM consents m WHERE m.customer_id = c.customer_id)) FROM customers c WHERE email = $1`, email)
	}
	for email, want := range map[string]string{
		"anna@x.example": "f/0/1/0", // a house match: joins the list, learns nothing
		"ben@x.example":  "t/" + list + "/Bonn/1/1",
		"cleo@x.example": "t/" + list + "/Ulm/1/0",
	} {
		if got := rented(email); got != want {
			t.Errorf("%s: %s, want %s", email, got, want)
		}
	}
	// The same list again changes its own names, and makes no house customer of them.
	b.load("customers", "Herbs", "first_name,email,city\nBen,ben@x.example,Köln\n")
	if got := rented("ben@x.example"); got != "t/"+list+"/Köln/1/1" {
		t.Error(got)
	}
	// A house file that names one takes the name over.
	if got := b.load("customers", "", "first_name,email\nBen,ben@x.example\n"); got.Updated != 1 {
		t.Errorf("%+v", got)
	}
	if got := rented("ben@x.example"); got != "f/"+list+"/Köln/1/1" {
		t.Error(got)
	}
	b.load("customers", "Herbs", "first_name,email,city\nBen,ben@x.example,Trier\n")
	if got := rented("ben@x.example"); got != "f/"+list+"/Köln/1/1" {
		t.Errorf("a rented file changed a house customer: %s", got)
	}
	// An order makes a customer.
	var cleo ID
	b.ok(b.pool.QueryRow(b.ctx, `SELECT customer_id FROM customers WHERE email = 'cleo@x.example'`).Scan(&cleo))
	_, err = b.RecordOrders(b.ctx, []Order{{Ref: "o1", CustomerID: cleo, OrderedAt: b.at, Amount: decimal.MustParse("10"), Currency: "EUR"}})
	b.ok(err)
	if got := rented("cleo@x.example"); got != "f/"+list+"/Ulm/1/0" {
		t.Error(got)
	}
}

func (b *bench) value(sql string, args ...any) (s string) {
	b.t.Helper()
	b.ok(b.pool.QueryRow(b.ctx, sql, args...).Scan(&s))
	return s
}

// A rented name that is forgotten is not kept by the merges it took part in.
func TestForgottenNamesLeaveMerges(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := b.pool.Exec(b.ctx, `INSERT INTO lists (name, kind, mail_by, created_at) VALUES ('Herbs', 'rented', '2026-01-31', $1)`, b.at)
	b.ok(err)
	b.load("customers", "Herbs", "first_name,email\nAnna,anna@x.example\n")
	_, err = b.pool.Exec(b.ctx, `INSERT INTO customer_merges (customer_id, merge_id, old_id, merged_at, merged_by, fields, before)
		SELECT customer_id, gen_random_uuid(), 900, $1, 'cli', '[{"old": "Anne"}]', '{"old": {"first_name": "Anne"}}' FROM customers`, b.at)
	b.ok(err)
	erased, _, err := b.ForgetRented(b.ctx, Forgetting{Today: "2026-11-23", Before: b.at.AddDate(0, -6, 0)})
	b.ok(err)
	if erased != 1 {
		t.Fatalf("%d forgotten", erased)
	}
	if found := b.everywhere(`anna@|"Ann[ae]"`); found != nil {
		t.Errorf("still known in %v", found)
	}
}
