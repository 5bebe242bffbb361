package duplicates_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"aldine/customers"
	"aldine/internal/fault"
	"aldine/internal/id"
)

func TestSurvivorship(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.attributes()
	a := h.add(customers.Fields{ExternalID: "S-1", FirstName: "J.", LastName: "Smith", Email: "john@example.org", Street: "1 High Street", Country: "GB"},
		map[string]any{"colour": "red"})
	h.at = h.at.Add(-time.Hour) // the other record is older
	b := h.add(customers.Fields{ExternalID: "S-2", FirstName: "John", LastName: "Smithe", Email: "old@example.org", Phone: "+442071838750",
		Street: "2 Low Street", City: "London", PostalCode: "N1 1AA", Country: "GB"}, map[string]any{"colour": "blue", "points": 3.5})
	h.at = h.at.Add(2 * time.Hour)
	p, err := h.PreviewMerge(h.ctx, a, b, map[string]string{"attributes.colour": "old"})
	h.ok(err)
	chosen := map[string]string{}
	for _, f := range p.Fields {
		chosen[f.Field] = f.Chosen + ": " + f.Why
	}
	for field, want := range map[string]string{
		"external_id": "survivor: the survivor keeps its own; the other one still finds it",
		"first_name":  "old: more complete", "last_name": "survivor: confirmed later", "email": "survivor: confirmed later",
		"phone": "old: the only value", "address": "old: more complete", "attributes.points": "old: the only value", "attributes.colour": "old: chosen by a person",
	} {
		h.want(field, chosen[field], want)
	}
	h.want("conflict", p.Conflict, "two external ids: S-1 and S-2")
	m, err := h.Merge(h.ctx, a, b, map[string]string{"attributes.colour": "old"})
	h.ok(err)
	c, err := h.people.Get(h.ctx, b)
	h.ok(err)
	h.want("merged", fmt.Sprint(c.ID, c.ExternalID, c.FirstName, c.LastName, c.Email, c.Phone, c.Street, c.PostalCode, c.Attributes["colour"], c.Attributes["points"]),
		fmt.Sprint(a, "S-1", "John", "Smith", "john@example.org", "+442071838750", "2 Low Street", "N1 1AA", "blue", 3.5))

	// Both external ids and both e-mail addresses find the survivor: an import brings nobody back.
	imp, err := h.people.StartImport(h.ctx, customers.StartImport{Kind: "customers", FileName: "x.csv", Hold: true,
		Body: strings.NewReader("external_id,email,first_name,last_name\nS-2,old@example.org,John,Smith\n,old@example.org,John,Smith\nS-1,john@example.org,John,Smith\n")})
	h.ok(err)
	imp, err = h.people.RunImport(h.ctx, imp.ID)
	h.ok(err)
	h.want("imported", fmt.Sprint(imp.Created, imp.Rejected), "0 0")
	h.want("external id", h.text(`SELECT external_id FROM customers`), "S-1")
	h.want("ids", h.text(`SELECT string_agg(external_id || '>' || customer_id, ' ' ORDER BY external_id) FROM customer_external_ids`), fmt.Sprintf("S-1>%d S-2>%d", a, a))
	orders, err := h.people.StartImport(h.ctx, customers.StartImport{Kind: "orders", FileName: "o.csv", Hold: true,
		Body: strings.NewReader("order_id,customer_external_id,ordered_at,quantity,amount,currency\nO1,S-2,2026-11-01,1,10.00,EUR\n")})
	h.ok(err)
	orders, err = h.people.RunImport(h.ctx, orders.ID)
	h.ok(err)
	h.want("orders", fmt.Sprint(orders.Created, orders.Rejected), "1 0")
	h.want("whose order", h.text(`SELECT customer_id::text FROM orders`), fmt.Sprint(a))

	// What was edited since stays; the rest is as it was.
	_, err = h.people.Update(h.ctx, b, customers.Patch{"last_name": "Smythe", "title": "Dr."})
	h.ok(err)
	undone, err := h.Undo(h.ctx, m.ID)
	h.ok(err)
	h.want("edited", strings.Join(undone.Kept, " "), "title last_name email")
	x, err := h.people.Get(h.ctx, a)
	h.ok(err)
	h.want("survivor", fmt.Sprint(x.ExternalID, x.FirstName, x.LastName, x.Title, x.Phone, x.Street, x.Attributes), fmt.Sprint("S-1", "J.", "Smythe", "Dr.", "", "1 High Street", map[string]any{"colour": "red"}))
	y, err := h.people.Get(h.ctx, b)
	h.ok(err)
	h.want("old", fmt.Sprint(y.ID, y.ExternalID, y.FirstName, y.LastName, y.Phone), fmt.Sprint(b, "S-2", "John", "Smithe", "+442071838750"))
}

func TestConsentOfMergedCustomers(t *testing.T) {
	t.Parallel()
	h := setup(t)
	say := func(customer int64, channel string, granted bool, hours int) {
		h.ok(h.people.SetConsents(h.ctx, []customers.Consent{{CustomerID: customer, Channel: channel, Granted: granted, Source: "test", At: h.at.Add(time.Duration(hours) * time.Hour)}}))
	}
	for _, order := range []bool{true, false} {
		a, b := h.add(customers.Fields{LastName: "A"}, nil), h.add(customers.Fields{LastName: "B"}, nil)
		if !order {
			a, b = b, a
		}
		say(a, "email", true, -5)
		say(b, "email", false, -3) // a later no
		say(a, "sms", false, -3)
		say(b, "sms", true, -5) // an older yes
		say(a, "post", false, -5)
		say(b, "post", true, -3) // a later yes
		say(a, "calls", true, -4)
		say(b, "calls", false, -4) // at the same moment
		_, err := h.Merge(h.ctx, a, b, nil)
		h.ok(err)
		h.want("consents", h.text(`SELECT string_agg(channel || ':' || granted, ' ' ORDER BY channel) FROM consents WHERE customer_id = $1`, a),
			"calls:false email:false post:true sms:false")
		h.want("proof", h.text(`SELECT count(*)::text FROM consent_events WHERE customer_id = $1`, a), "8")
		say(b, "email", true, 0) // under the old number
		h.want("said of the old number", h.text(`SELECT granted::text FROM consents WHERE customer_id = $1 AND channel = 'email'`, a), "true")
	}
}

// Every table with customers' numbers is moved by a merge, or says here why it is not.
func TestNoTableIsForgotten(t *testing.T) {
	t.Parallel()
	h := setup(t)
	known := map[string]bool{}
	for _, name := range strings.Fields(h.Tables()) {
		known[name] = true
	}
	rows, err := h.pool.Query(h.ctx, `SELECT DISTINCT table_name::text FROM information_schema.columns
		WHERE table_schema = 'public' AND (column_name = 'customer_id' OR column_name LIKE '%customer_id' OR column_name IN ('other_id', 'old_id', 'person_id', 'customer_ids'))
			AND table_name NOT LIKE 'river%' AND table_name NOT LIKE 'responses\_%' UNION SELECT 'suppressions' ORDER BY 1`)
	h.ok(err)
	defer rows.Close()
	n := 0
	for rows.Next() {
		var name string
		h.ok(rows.Scan(&name))
		if n++; !known[name] {
			t.Errorf("table %s has customers' numbers: say in customers/duplicates/tables.go what a merge does with it", name)
		}
		delete(known, name)
	}
	if n < 20 {
		t.Errorf("only %d tables were looked at", n)
	}
	for name := range known {
		t.Errorf("table %s is named, but has no customers' numbers", name)
	}
}

func TestSuppressionFollows(t *testing.T) {
	t.Parallel()
	h := setup(t)
	a, b := h.add(customers.Fields{LastName: "A"}, nil), h.add(customers.Fields{LastName: "B"}, nil)
	_, err := h.people.Suppress(h.ctx, []customers.Suppression{{Scope: "customer", Value: fmt.Sprint(b), Reason: "asked us not to"}})
	h.ok(err)
	m, err := h.Merge(h.ctx, a, b, nil)
	h.ok(err)
	h.want("suppressed", h.text(`SELECT string_agg(match_key, ' ' ORDER BY match_key) FROM suppressions`), fmt.Sprint(a, " ", b))
	_, err = h.Undo(h.ctx, m.ID)
	h.ok(err)
	h.want("suppressed", h.text(`SELECT string_agg(match_key, ' ') FROM suppressions`), fmt.Sprint(b))
}

func TestUndoWaitsForAnExternalID(t *testing.T) {
	t.Parallel()
	h := setup(t)
	a, b := h.add(customers.Fields{LastName: "A"}, nil), h.add(customers.Fields{LastName: "B", ExternalID: "B-1"}, nil)
	m, err := h.Merge(h.ctx, a, b, nil)
	h.ok(err)
	_, err = h.people.Update(h.ctx, a, customers.Patch{"external_id": "A-1"}) // gives B-1 up
	h.ok(err)
	other := h.add(customers.Fields{LastName: "C", ExternalID: "B-1"}, nil)
	_, err = h.Undo(h.ctx, m.ID)
	h.wants(err, fault.Conflict, fmt.Sprintf("belongs to customer %d by now", other))
	_, err = h.people.Update(h.ctx, other, customers.Patch{"external_id": "C-1"})
	h.ok(err)
	undone, err := h.Undo(h.ctx, m.ID)
	h.ok(err)
	h.want("kept", strings.Join(undone.Kept, " "), "external_id")
	h.want("ids", h.text(`SELECT string_agg(external_id || '>' || customer_id, ' ' ORDER BY external_id) FROM customer_external_ids`),
		fmt.Sprintf("A-1>%d B-1>%d C-1>%d", a, b, other))
}

func TestMergesAreListed(t *testing.T) {
	t.Parallel()
	h := setup(t)
	var ids []int64
	for i := range 3 {
		ids = append(ids, h.add(customers.Fields{LastName: fmt.Sprint("N", i)}, nil))
		h.exec(`INSERT INTO consent_events (customer_id, event_id, channel, granted, source, at) VALUES ($1, $2, 'sms', true, 'x', $3)`, ids[i], id.New(), h.at)
	}
	_, err := h.Merge(h.ctx, ids[1], ids[2], nil)
	h.ok(err)
	h.at = h.at.Add(time.Minute)
	_, err = h.Merge(h.ctx, ids[0], ids[1], nil)
	h.ok(err)
	for _, number := range ids {
		list, err := h.Merges(h.ctx, number)
		h.ok(err)
		if len(list) != 2 || list[0].OldID != ids[1] || list[1].OldID != ids[2] || list[0].Moved["consent_events"] != 2 {
			t.Errorf("merges of %d: %+v", number, list)
		}
	}
	h.want("audited", h.text(`SELECT count(*)::text FROM audit_log WHERE action = 'customer.merge'`), "2")
	h.want("no personal data in the log", h.text(`SELECT count(*)::text FROM audit_log WHERE action = 'customer.merge' AND detail::text LIKE '%N1%'`), "0")
}

// Who is in the frozen audience of a campaign and has still to enter cannot be merged away until then.
func TestAMergeWaitsForTheEntry(t *testing.T) {
	t.Parallel()
	h := setup(t)
	h.campaigns(1)
	a, b := h.add(customers.Fields{LastName: "Meyer"}, nil), h.add(customers.Fields{LastName: "Meyer"}, nil)
	h.exec(`INSERT INTO audience_slices (campaign_id, first_id, last_id, customer_ids) VALUES (100, $1, $2, ARRAY[$1, $2]::bigint[])`, a, b)
	h.exec(`UPDATE campaigns SET entry_done_at = NULL`)
	_, err := h.Merge(h.ctx, a, b, nil)
	h.wants(err, fault.Conflict, "still taking in its audience")
	h.exec(`UPDATE campaigns SET entry_done_at = $1`, h.at)
	_, err = h.Merge(h.ctx, a, b, nil)
	h.ok(err)
}
