package main

import (
	"context"
	"testing"

	"aldine/internal/access"
)

// Beside a long read a new attribute is being added, shown as such, and there by itself when the read is over; the facts that follow
// from orders are recomputed with a click.
func TestE2EUpkeep(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.people(40)
	if _, err := h.pool.Exec(t.Context(), `UPDATE customers SET orders_count = 3 WHERE customer_id = 1`); err != nil {
		t.Fatal(err)
	}
	h.serve()
	v := h.visitAs(access.Admin)
	tx, err := h.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback(context.Background()) }()
	if _, err := tx.Exec(t.Context(), `SELECT count(*) FROM customers`); err != nil {
		t.Fatal(err)
	}
	v.open("/settings/attributes")
	v.fill("Name", "shoe_size")
	v.choose("Type", "number")
	v.follow("Define it")
	v.see("The attribute shoe_size is being added", "asked for")
	v.shoot("coming")
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	v.await("the attribute to come by itself", `!document.querySelector("#list form[action$='/cancel']") && document.querySelector("#list td code").innerText === "shoe_size"`)
	v.shoot("there")

	v.open("/settings/facts")
	v.see("Never recomputed")
	v.follow("Recompute")
	v.see("finished", "40 1")
	v.shoot("recomputed")
}
