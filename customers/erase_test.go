package customers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"

	"aldine/internal/fault"
)

// everywhere gives the tables whose rows match a regular expression.
func (b *bench) everywhere(pattern string) []string {
	b.t.Helper()
	rows, err := b.pool.Query(b.ctx, `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE' ORDER BY 1`)
	b.ok(err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	b.ok(err)
	var found []string
	for _, table := range tables {
		if b.count(`SELECT count(*) FROM `+pgx.Identifier{table}.Sanitize()+` t WHERE to_jsonb(t)::text ~* $1`, pattern) > 0 {
			found = append(found, table)
		}
	}
	return found
}

func (b *bench) person(f Fields) ID {
	b.t.Helper()
	c, err := b.Create(b.ctx, Input{Fields: f})
	b.ok(err)
	return c.ID
}

var quixote = Fields{ExternalID: "QX-1", FirstName: "Alonso", LastName: "Quixote", Email: "Alonso@Quixote.example", Phone: "+4930123456", Street: "Mühlenweg 1", PostalCode: "10115", Country: "DE"}

// What merges, pairs, records and rejected rows know of a person goes too; others stay as they are.
func TestErasureReachesEverything(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.person(quixote)
	mate := b.person(Fields{FirstName: "Teresa", LastName: "Panza", Email: "alonso@quixote.example", Phone: "+4930123456", Street: "Mühlenweg 1", PostalCode: "10115", Country: "DE"})
	before := b.byNumber(mate)
	exec := func(sql string, args ...any) {
		t.Helper()
		_, err := b.pool.Exec(b.ctx, sql, args...)
		b.ok(err)
	}
	exec(`INSERT INTO customer_aliases (old_id, customer_id, merge_id) VALUES (900, $1, gen_random_uuid())`, id)
	exec(`INSERT INTO customer_merges (customer_id, merge_id, old_id, merged_at, merged_by, fields, before) VALUES ($1, gen_random_uuid(), 900, $2, 'cli',
		'{"last_name": "Quixote"}', '{"survivor": {"last_name": "Quixote"}, "old": {"external_id": "OLD-7", "last_name": "Quijano", "email": "old@quixote.example"}}')`, id, b.at)
	exec(`INSERT INTO customer_emails (email, customer_id) VALUES ('old@quixote.example', $1)`, id)
	for _, pair := range []string{"open", "different"} {
		exec(`INSERT INTO duplicates (customer_id, other_id, score, evidence, conflict, state, run_id, found_at) VALUES ($1, $2, 0.9, '[{"a": "Quixote"}]', 'two external ids: QX-1 and 2', $3, 1, $4)`, id, 1000+len(pair), pair, b.at)
	}
	exec(`INSERT INTO merge_records (run_id, record_no, input_no, fields) VALUES (1, 1, 1, '{"last_name": "QUIXOTE", "first_name": "x", "email": "alonso@quixote.example"}')`)
	exec(`INSERT INTO merge_records (run_id, record_no, input_no, verdict, reason) VALUES (1, 2, 1, 'rejected', 'email: "old@quixote.example" is no address')`)
	exec(`INSERT INTO imports (kind, file_name, file_path, file_size, mapping, state, created_by, created_at, report) VALUES ('customers', 'x.csv', '', 1, '{}', 'finished', 'cli', $1,
		'{"rejected": [{"reason": "email: is no address", "rows": 1, "line": 2, "example": "email: \"old@quixote.example\" is no address"}]}')`, b.at)
	// A namesake elsewhere, and somebody whose row merely has the letters, stay in theirs.
	exec(`INSERT INTO merge_records (run_id, record_no, input_no, fields) VALUES (1, 3, 1, '{"last_name": "Quixote", "first_name": "Alonso", "postal_code": "10 115"}'),
		(1, 4, 1, '{"last_name": "Quixote", "first_name": "Alonso", "postal_code": "80331", "city": "elsewhere"}'),
		(1, 5, 1, '{"city": "Alonsoville", "last_name": "Quixotesson", "first_name": "Bea", "note": "elsewhere"}')`)
	exec(`INSERT INTO customer_merges (customer_id, merge_id, old_id, merged_at, merged_by, fields, before) VALUES (7000, gen_random_uuid(), 7001, $2, 'cli', '[]',
		jsonb_build_object('kept', jsonb_build_object('duplicates', jsonb_build_array(
			jsonb_build_object('customer_id', $1::bigint, 'other_id', 7001, 'evidence', '[{"a": "Quijano"}]'::jsonb),
			jsonb_build_object('customer_id', 7001, 'other_id', 7002, 'evidence', '[{"a": "other"}]'::jsonb)))))`, id, b.at)
	exec(`INSERT INTO touches (customer_id, campaign_id, step_id, channel, cell_id, state, reason, planned_at, updated_at) VALUES
		($1, 1, 1, 'email', 1, 'failed', '550 <old@quixote.example>: user unknown', $2, $2), ($1, 1, 2, 'email', 1, 'failed', '554 no', $2, $2)`, id, b.at)
	exec(`INSERT INTO import_rejects (import_id, line, reason, row_text) VALUES (1, 1, 'bad', 'Quixote;Alonso;x'), (1, 2, 'bad', 'Sancho;Panza')`)
	exec(`INSERT INTO unmatched_responses (unmatched_id, kind, at, source, reason, payload) VALUES (gen_random_uuid(), 'reply', $1, 'sms', 'x', '{"from": "alonso@quixote.example"}')`, b.at)
	exec(`INSERT INTO responses (customer_id, response_id, kind, at, recorded_at, method, detail) VALUES ($1, $3, 'reply', $2, $2, 'phone', '{"text": "Quixote here"}')`, id, b.at, uuid.New())
	_, err := b.Suppress(b.ctx, []Suppression{{Scope: ScopeCustomer, Value: "900", Reason: "Mr Quixote phoned", Source: "Quixote"},
		{Scope: ScopeEmail, Value: "old@quixote.example", Reason: "complaint"}, {Scope: ScopeEmail, Value: "alonso@quixote.example", Reason: "of both"}})
	b.ok(err)
	_, err = b.RecordOrders(b.ctx, []Order{{Ref: "1", CustomerID: id, OrderedAt: b.at, Quantity: 1, Amount: decimal.MustParse("5"), Currency: "EUR"}})
	b.ok(err)
	p, err := b.ErasePreview(b.ctx, id)
	b.ok(err)
	if p != (ErasePreview{CustomerID: id, Orders: 1, Contacts: 2, Responses: 1, Suppressions: 2, Merged: 1}) {
		t.Errorf("%+v", p)
	}
	b.ok(b.Erase(b.ctx, 900)) // by the old number
	b.wants(b.Erase(b.ctx, id), fault.NotFound, "no customer")
	// What is left is what the mate has too.
	if n := b.count(`SELECT count(*) FROM merge_records WHERE fields::text LIKE '%elsewhere%'`); n != 2 {
		t.Errorf("%d of two others are left in merge/purge runs", n)
	}
	exec(`UPDATE merge_records SET fields = NULL WHERE record_no = 4`)
	if n := b.count(`SELECT jsonb_array_length(before #> '{kept,duplicates}') FROM customer_merges WHERE customer_id = 7000`); n != 1 {
		t.Errorf("another's merge keeps %d pairs", n)
	}
	if n := b.count(`SELECT count(*) FROM touches WHERE reason IN ('erased', '554 no')`); n != 2 {
		t.Errorf("%d reasons of contacts", n)
	}
	if found := b.everywhere(`QX-1|OLD-7|Quijano|old@quixote|\yQuixote\y(?!\.example)|"Alonso"`); found != nil {
		t.Errorf("still known in %v", found)
	}
	if found := b.everywhere(`quixote.example`); fmt.Sprint(found) != "[customer_emails customers suppressions]" {
		t.Errorf("the mate's address stays in %v", found)
	}
	if after := b.byNumber(mate); after.Email != before.Email || after.Phone != before.Phone {
		t.Errorf("the mate: %+v", after.Fields)
	}
	if n := b.count(`SELECT count(*) FROM suppressions WHERE match_key LIKE 'erased:%' AND value = '' AND reason = 'complaint'`); n != 1 {
		t.Errorf("%d hashed entries", n)
	}
	if n := b.count(`SELECT (SELECT count(*) FROM orders) * 100 + (SELECT count(*) FROM duplicates) * 10 + (SELECT count(*) FROM import_rejects WHERE row_text = '')`); n != 111 {
		t.Errorf("rows %d", n)
	}
	if found := b.everywhere(`asked to be erased|Quixote`); len(found) == 0 {
		t.Error("the search finds nothing at all")
	}
	if n := b.count(`SELECT count(*) FROM audit_log WHERE action = 'customer.erase' AND detail = '{}'`); n != 1 {
		t.Errorf("%d audit entries", n)
	}
}

func (b *bench) byNumber(id ID) Customer {
	b.t.Helper()
	c, err := b.Get(b.ctx, id)
	b.ok(err)
	return c
}

func TestErasedAreNotTakenInAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.person(quixote)
	mate := b.person(Fields{FirstName: "Teresa", LastName: "Panza", Phone: "+4930123456", Street: "Mühlenweg 1", PostalCode: "10115", Country: "DE"})
	_, err := b.Suppress(b.ctx, []Suppression{{Scope: ScopeEmail, Value: quixote.Email, Reason: "complaint"}})
	b.ok(err)
	b.ok(b.Erase(b.ctx, id))
	const refused = "asked to be erased on 2026-11-23; not taken in again"
	for name, f := range map[string]Fields{
		"external id":     {ExternalID: "QX-1", LastName: "Other"},
		"e-mail":          {Email: "ALONSO@quixote.example", LastName: "Other"},
		"phone and name":  {Phone: "+4930123456", FirstName: "Alonso", LastName: "quixote"},
		"name at address": {FirstName: "ALONSO", LastName: "Quixote", Street: "Muehlenweg 1", PostalCode: "10115", Country: "DE"},
	} {
		if _, err := b.Create(b.ctx, Input{Fields: f}); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), refused) {
			if name == "name at address" { // the umlaut is spelled out
				f.Street = "Mühlenweg 1"
				_, err = b.Create(b.ctx, Input{Fields: f})
			}
			b.wants(err, fault.Conflict, refused)
		}
	}
	for _, f := range []Fields{{Phone: "+4930123456", FirstName: "Sancho", LastName: "Panza"}, {FirstName: "Alonso", LastName: "Quixote", Street: "Elsewhere 1", PostalCode: "10115", Country: "DE"}} {
		if _, err := b.Create(b.ctx, Input{Fields: f}); err != nil {
			t.Errorf("%+v: %v", f, err)
		}
	}
	text := "external_id,first_name,last_name,email,phone,street,postal_code,country\n" +
		"QX-1,,,,,,,\n,Alonso,Quixote,alonso@quixote.example,,,,\n,Alonso,Quixote,,+4930123456,,,\n,Alonso,Quixote,,,Mühlenweg 1,10115,DE\n" +
		",Teresa,Panza,,+4930123456,Mühlenweg 1,10115,DE\nNEW,New,One,new@example.org,,,,\n"
	imp := b.load("customers", "", text)
	if figures(imp) != "1/0/1/0/4" {
		t.Error(figures(imp))
	}
	rejects, err := b.Rejects(b.ctx, imp.ID, 0, 10)
	b.ok(err)
	for _, r := range rejects {
		if r.Reason != refused || r.Row != "" {
			t.Errorf("%+v", r)
		}
	}
	if b.byNumber(mate).LastName != "Panza" {
		t.Error("the mate")
	}
	if found := b.everywhere(`QX-1|alonso@quixote`); found != nil {
		t.Errorf("known again in %v", found)
	}

	// A restored backup has the person again, and an older list of the erased.
	var list bytes.Buffer
	b.ok(b.WriteErased(b.ctx, &list))
	_, err = b.pool.Exec(b.ctx, `DELETE FROM erased_identities`)
	b.ok(err)
	restored := b.person(quixote)
	if n, err := b.ReplayErasures(b.ctx, nil); n != 0 || err != nil {
		t.Errorf("with no list: %d %v", n, err)
	}
	added, err := b.ReadErased(b.ctx, bytes.NewReader(list.Bytes()))
	b.ok(err)
	if again, err := b.ReadErased(b.ctx, bytes.NewReader(list.Bytes())); added < 4 || again != 0 || err != nil {
		t.Errorf("added %d, then %d, %v", added, again, err)
	}
	others := b.count(`SELECT count(*) FROM customers`) - 1
	if n, err := b.ReplayErasures(b.ctx, nil); n != 1 || err != nil {
		t.Errorf("replay: %d %v", n, err)
	}
	_, err = b.Get(b.ctx, restored)
	b.wants(err, fault.NotFound, "no customer")
	if n := b.count(`SELECT count(*) FROM customers`); n != others {
		t.Errorf("%d customers, want %d", n, others)
	}
	for _, bad := range []string{"x", "email zz 2026-01-01T00:00:00Z " + uuid.NewString(), "moon " + strings.Repeat("00", 32) + " 2026-01-01T00:00:00Z " + uuid.NewString()} {
		_, err = b.ReadErased(b.ctx, strings.NewReader(bad))
		b.wants(err, fault.Invalid, "Line 1")
	}

	// Lifted by one thing that is typed, all that belongs to the person is.
	_, err = b.LiftErasure(b.ctx, Fields{Email: "nobody@example.org"})
	b.wants(err, fault.NotFound, "Nobody")
	_, err = b.LiftErasure(b.ctx, Fields{Email: "broken"})
	b.wants(err, fault.Invalid, "email")
	if n, err := b.LiftErasure(b.ctx, Fields{Email: "alonso@QUIXOTE.example"}); n != 1 || err != nil {
		t.Errorf("%d %v", n, err)
	}
	back := b.person(quixote)
	if s, err := b.SuppressionFor(b.ctx, back, "email"); err != nil || s == nil || s.Reason != "complaint" {
		t.Errorf("the suppression holds again: %+v %v", s, err)
	}
}

// Hashes of one installation say nothing in another.
func TestErasedHashesNeedTheSecret(t *testing.T) {
	t.Parallel()
	one, two := &Service{erasedKey: erasedKey([]byte("one"))}, &Service{erasedKey: erasedKey([]byte("two"))}
	if bytes.Equal(one.erasedKey, two.erasedKey) || !bytes.Equal(one.erasedKey, erasedKey([]byte("one"))) || bytes.Equal(erasedKey(nil), erasedKey(nil)) {
		t.Error("keys")
	}
}

func TestExport(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := b.DefineAttribute(b.ctx, Attribute{Name: "nick", Type: Text})
	b.ok(err)
	c, err := b.Create(b.ctx, Input{Fields: quixote, Attributes: map[string]any{"nick": "Don"}, Lists: []string{"house"}, Consents: map[string]bool{"email": true}})
	b.ok(err)
	b.ok(b.SetConsents(b.ctx, []Consent{{CustomerID: c.ID, Channel: "email", Granted: false, Source: "link", At: b.at.AddDate(0, 0, 1)}}))
	_, err = b.RecordOrders(b.ctx, []Order{{Ref: "A-1", CustomerID: c.ID, OrderedAt: b.at, Quantity: 2, Amount: decimal.MustParse("5.50"), Currency: "EUR",
		Lines: []OrderLine{{SKU: "rose", Quantity: 2, Amount: decimal.MustParse("5.50")}}}})
	b.ok(err)
	_, err = b.Suppress(b.ctx, []Suppression{{Scope: ScopeDomain, Value: "quixote.example", Reason: "bounces"}, {Scope: ScopeEmail, Value: "other@example.org", Reason: "not theirs"}})
	b.ok(err)
	_, err = b.pool.Exec(b.ctx, `INSERT INTO customer_aliases (old_id, customer_id, merge_id) VALUES (900, $1, gen_random_uuid())`, c.ID)
	b.ok(err)
	_, err = b.pool.Exec(b.ctx, `INSERT INTO touches (customer_id, campaign_id, step_id, channel, cell_id, state, destination, planned_at, updated_at)
		VALUES ($1, 1, 1, 'email', 1, 'sent', 'x', $2, $2)`, c.ID, b.at)
	b.ok(err)
	var out bytes.Buffer
	b.ok(b.Export(b.ctx, 900, &out))
	var got struct {
		Customer     Customer
		OldNumbers   []ID             `json:"old_numbers"`
		ConsentProof []map[string]any `json:"consent_proof"`
		Suppressions []map[string]any
		Orders       []struct {
			OrderID string `json:"order_id"`
			Amount  string
			Lines   []map[string]any
		}
		Contacts, Lists, Calls, Responses, Merges, Journeys, Groups, Consents []map[string]any
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("%v in %s", err, out.String())
	}
	if got.Customer.LastName != "Quixote" || got.Customer.Attributes["nick"] != "Don" || fmt.Sprint(got.OldNumbers) != "[900]" || len(got.ConsentProof) != 2 ||
		len(got.Consents) != 1 || len(got.Orders) != 1 || got.Orders[0].Amount != "5.5000" || len(got.Orders[0].Lines) != 1 || len(got.Contacts) != 1 ||
		len(got.Lists) != 1 || len(got.Suppressions) != 1 || got.Suppressions[0]["value"] != "quixote.example" {
		t.Errorf("%s", out.String())
	}
	if n := b.count(`SELECT count(*) FROM audit_log WHERE action = 'customer.export'`); n != 1 {
		t.Errorf("%d audit entries", n)
	}
	out.Reset()
	b.wants(b.Export(b.ctx, 12345, &out), fault.NotFound, "no customer")
	if out.Len() > 0 {
		t.Error("something was written")
	}
}

// A row that names a customer is taken in unless it brings what an erased person was known by.
func TestErasedPersonsValuesReachNobodyElse(t *testing.T) {
	t.Parallel()
	b := setup(t)
	father := b.person(quixote)
	son := Fields{ExternalID: "QX-2", FirstName: "Alonso", LastName: "Quixote", Email: "son@quixote.example", Phone: "+4930999999", Street: "Mühlenweg 1", PostalCode: "10115", Country: "DE"}
	b.person(son)
	b.person(Fields{ExternalID: "T-1", FirstName: "Teresa", LastName: "Panza", Email: "teresa@example.org"})
	b.person(Fields{FirstName: "Alonso", LastName: "Quixote", Email: "other@example.org"})
	b.ok(b.Erase(b.ctx, father))
	imp := b.load("customers", "", "external_id,first_name,last_name,email,phone,street,postal_code,country\n"+
		"QX-2,Alonso,Quixote,son@quixote.example,+4930999999,Mühlenweg 1,10115,DE\n"+ // has the name at the address already
		"QX-2,Alonso,Quixote,son@quixote.example,+4930888888,Mühlenweg 1,10115,DE\n"+
		"T-1,Teresa,Panza,Alonso@Quixote.example,,,,\n"+ // would get the e-mail
		",Alonso,Quixote,other@example.org,+4930123456,,,\n"+ // the phone with the name
		",Alonso,Quixote,other@example.org,,Mühlenweg 1,10115,DE\n"+ // the home
		"QX-1,Alonso,Quixote,other@example.org,,,,\n"+ // the number
		"T-1,Teresa,Panza,teresa@example.org,+4930123456,Mühlenweg 1,10115,DE\n") // what they shared with others is not theirs alone
	if figures(imp) != "0/1/1/1/4" {
		t.Error(figures(imp))
	}
	rejects, err := b.Rejects(b.ctx, imp.ID, 0, 10)
	b.ok(err)
	for _, r := range rejects {
		if !strings.HasPrefix(r.Reason, "it names a customer, but what it says is of a person who asked to be erased on") || r.Row != "" || r.Line < 4 || r.Line > 7 {
			t.Errorf("%+v", r)
		}
	}
	if found := b.everywhere(`QX-1|alonso@quixote`); found != nil {
		t.Errorf("known again in %v", found)
	}
	if n := b.count(`SELECT count(*) FROM customers WHERE email IN ('teresa@example.org', 'other@example.org', 'son@quixote.example')`); n != 3 {
		t.Errorf("%d of 3 customers are as they were", n)
	}
}
