package web_test

import (
	"context"
	"testing"

	"aldine/internal/access"
)

// Derived facts are recomputed, stopped and carried on from the settings, by administrators alone.
func TestFactsAreRecomputedFromTheSettings(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.as(access.Admin)
	b.post("/customers", "last_name", "Smith").to("/customers/")
	b.get("/settings/facts").want(200).has("Never recomputed")
	b.post("/settings/facts").to("/settings/facts")
	b.get("/settings/facts").want(200).has("Waiting for its turn", "Cancel")
	b.get("/settings/facts/live").want(200).hasNot("<time").has("Waiting for its turn", "0 differed so far")
	b.post("/settings/facts").want(422).has("being recomputed already")
	b.post("/settings/facts/1/resume").want(409)
	b.post("/settings/facts/1/cancel").to("/settings/facts")
	b.post("/settings/facts/1/cancel").want(409)
	b.post("/settings/facts/99/cancel").want(404)
	b.get("/settings/facts").want(200).has("Carry on").hasNot("Waiting for its turn")
	_, err := s.pool.Exec(t.Context(), `UPDATE customers SET orders_count = 7`)
	must(t, err)
	b.post("/settings/facts/1/resume").to("/settings/facts")
	_, err = s.deps.Customers.RunRecomputation(context.Background(), 1, nil)
	must(t, err)
	b.get("/settings/facts").want(200).has("finished 0s 1 1").hasNot("Waiting for its turn", "Carry on")
	if answer := b.get("/settings/facts/live"); answer.header.Get("HX-Refresh") != "true" {
		t.Error("the page is not read again when the run has ended")
	}
	b.get("/settings/audit").want(200).has("customers.recompute")
	for _, role := range []access.Role{access.Marketer, access.ReadOnly, access.Finance} {
		s.as(role).post("/settings/facts").want(403)
		s.as(role).post("/settings/facts/1/cancel").want(403)
		s.as(role).post("/settings/facts/1/resume").want(403)
	}
}

// Beside a long read an attribute is being added; nobody waits for it, and it can be given up.
func TestAttributeBeingAdded(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	tx, err := s.pool.Begin(t.Context())
	must(t, err)
	defer func() { _ = tx.Rollback(context.Background()) }()
	_, err = tx.Exec(t.Context(), `SELECT count(*) FROM customers`)
	must(t, err)
	b := s.as(access.Marketer)
	b.post("/settings/attributes", "name", "shoe_size", "type", "number").to("/settings/attributes")
	b.get("/settings/attributes").want(200).has("The attribute shoe_size is being added", "being added shoe_size", "Cancel").hasNot("No attributes yet")
	b.post("/settings/attributes", "name", "shoe_size", "type", "number").want(422).has("is being added already")
	b.fragment("POST", "/segments/check", "expression", "shoe_size > 40").want(200).has("the attribute shoe_size is being added")
	b.post("/settings/attributes/none/cancel").want(404)
	s.as(access.ReadOnly).post("/settings/attributes/shoe_size/cancel").want(403)
	b.post("/settings/attributes/shoe_size/cancel").to("/settings/attributes")
	b.get("/settings/attributes").want(200).has("is given up", "No attributes yet")
	must(t, tx.Rollback(context.Background()))
	b.post("/settings/attributes", "name", "shoe_size", "type", "number").to("/settings/attributes")
	b.get("/settings/attributes").want(200).has("is ready for imports").hasNot("being added")
	b.post("/settings/attributes/shoe_size/cancel").want(409)
	b.get("/settings/audit").want(403)
	s.as(access.Admin).get("/settings/audit").want(200).has("attribute.define", "attribute.cancel")
}
