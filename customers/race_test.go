package customers

import (
	"testing"
	"time"

	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"
)

// mergeWhile does what a merge does to two customers, and calls during with the merge not yet committed.
func (b *bench) mergeWhile(old, survivor ID, during func() error) error {
	b.t.Helper()
	return b.while(old, survivor, during, `SELECT FROM customers WHERE customer_id IN (@old, @survivor) FOR UPDATE`,
		`UPDATE customer_emails SET customer_id = @survivor WHERE customer_id = @old`, `UPDATE customer_external_ids SET customer_id = @survivor WHERE customer_id = @old`,
		`DELETE FROM customers WHERE customer_id = @old`,
		`INSERT INTO customer_aliases (old_id, customer_id, merge_id) VALUES (@old, @survivor, gen_random_uuid())`)
}

// while does statements, and calls during with them not yet committed.
func (b *bench) while(old, survivor ID, during func() error, statements ...string) error {
	b.t.Helper()
	tx, err := b.pool.Begin(b.ctx)
	b.ok(err)
	defer tx.Rollback(b.ctx) //nolint:errcheck // of a test that has failed
	b.ok(HoldImportsTx(b.ctx, tx))
	for _, sql := range statements {
		_, err := tx.Exec(b.ctx, sql, pgx.NamedArgs{"old": old, "survivor": survivor})
		b.ok(err)
	}
	done := make(chan error, 1)
	go func() { done <- during() }()
	for until := time.Now().Add(20 * time.Second); b.count(`SELECT count(*) FROM pg_locks WHERE NOT granted`) == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(until) {
			b.t.Fatal("nobody waits for the merge")
		}
	}
	b.ok(tx.Commit(b.ctx))
	return <-done
}

// Who is merged while an order or a file is being stored loses neither.
func TestMergedMeanwhile(t *testing.T) {
	t.Parallel()
	b := setup(t)
	old := b.person(Fields{ExternalID: "A", FirstName: "Anna", LastName: "Schmidt", Email: "anna@example.org"})
	survivor := b.person(Fields{FirstName: "Anna", LastName: "Schmidt"})
	var out []OrderOutcome
	b.ok(b.mergeWhile(old, survivor, func() (err error) {
		out, err = b.RecordOrders(b.ctx, []Order{{Ref: "1", CustomerExternalID: "A", OrderedAt: b.at, Amount: decimal.MustParse("5"), Currency: "EUR"}})
		return err
	}))
	if out[0].State != OrderCreated || out[0].CustomerID != survivor || b.byNumber(survivor).OrdersCount != 1 {
		t.Errorf("%+v", out)
	}

	old = b.person(Fields{ExternalID: "B", FirstName: "Bernd", LastName: "Vogt", Email: "bernd@example.org"})
	survivor = b.person(Fields{FirstName: "Bernd", LastName: "Vogt", Email: "bernd@example.org"})
	imp, err := b.start("customers", "members", "external_id,first_name,last_name,email,consent_email\nB,Bernd,Vogt,bernd@example.org,yes\n")
	b.ok(err)
	_, err = b.pool.Exec(b.ctx, `DELETE FROM customer_emails WHERE customer_id = $1`, survivor) // the merge brings it
	b.ok(err)
	b.ok(b.mergeWhile(old, survivor, func() (err error) {
		imp, err = b.RunImport(b.ctx, imp.ID)
		return err
	}))
	if n := b.count(`SELECT count(*) FROM list_members WHERE customer_id = $1`, survivor); n != 1 || imp.Created != 0 {
		t.Errorf("%d memberships: %+v", n, imp)
	}
	if n := b.count(`SELECT (SELECT count(*) FROM list_members WHERE customer_id = $1) + (SELECT count(*) FROM consents WHERE customer_id = $1)`, old); n != 0 {
		t.Errorf("%d rows of somebody who is not there", n)
	}
}
