package main

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"aldine/internal/access"
)

// A marketer clicks a segment together, reads it as text and back, saves it twice, and takes the members away.
func TestE2ESegmentRows(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.people(40)
	h.serve()
	v := h.visitAs(access.Marketer)
	v.open("/segments/new")
	v.see("40 customers", "No row: everybody in the house file.")
	v.fill("Name", "Americans")
	v.press("Add a row")
	v.await("the first fact", `document.activeElement.getAttribute("aria-label") === "What is asked"`)
	v.fill("Value", "DE")
	v.see("0 customers")
	v.fill("Value", "US")
	v.see("40 customers, 100.0 % of all")
	v.choose("Comparison", "is one of")
	v.run("go to the value", chromedp.Evaluate(`document.querySelector(".row-line input.form-control").focus()`, nil))
	v.key(kb.Enter) // another value
	v.await("two values", `document.querySelectorAll(".row-line input.form-control").length === 2`)
	v.keys("CA")
	v.shoot("rows")
	v.await("the text to follow", `document.getElementById("expression").value === 'country in ["US", "CA"]'`)
	v.press("Add a value")
	v.keys("MX")
	v.press("Remove value 1")
	v.await("the first value gone", `document.getElementById("expression").value === 'country in ["CA", "MX"]' && document.activeElement.value === "CA"`)
	v.keys("\t")
	v.key(kb.Enter) // on its ×
	v.await("one value, which can't be removed", `document.getElementById("expression").value === 'country in ["MX"]' && !document.querySelector(".value button")`)
	v.press("Text")
	if got := v.value("Who belongs to it"); got != `country in ["MX"]` {
		t.Errorf("the text is %q", got)
	}

	// Rows say what they cannot show, and lose nothing.
	const both = `country == "US" and (not bought("X", "30d") or count(orders, .amount > 12.50) >= 2)`
	v.fill("Who belongs to it", both+" // our best")
	v.press("Rows")
	v.see("This stays text: it has a note")
	if got := v.value("Who belongs to it"); got != both+" // our best" {
		t.Errorf("the text is now %q", got)
	}
	v.paste("Who belongs to it", both)
	v.press("Rows")
	v.await("four rows", `document.querySelectorAll(".row-line").length === 4`)
	v.see("40 customers, 100.0 % of all")
	v.shoot("groups")
	v.press("Text")
	if got := v.value("Who belongs to it"); got != both {
		t.Errorf("the text came back as %q", got)
	}

	// Completion by the keyboard.
	v.fill("Who belongs to it", "orders_c")
	v.await("an offer", `!document.getElementById("complete").hidden`)
	v.key(kb.Enter)
	v.keys(" >= 0")
	if got := v.value("Who belongs to it"); got != "orders_count >= 0" {
		t.Errorf("completed to %q", got)
	}
	v.see("40 customers, 100.0 % of all")
	v.press("Show some of them")
	v.see("Anna", "orders_count >= 0")
	v.press("Break down")
	v.see("Can be reached by", "letter 40 100.0 %")
	v.shoot("members")
	v.follow("Save")
	v.see("The segment is saved.", "Version 1")

	v.press("Text")
	v.fill("Who belongs to it", `first_name == "Anna7"`)
	v.see("1 customer,")
	v.follow("Save")
	v.see("Version 2", "current")
	name, body := v.save("Members as CSV")
	if lines := strings.Count(string(body), "\n"); !strings.HasSuffix(name, ".csv") || lines != 2 || !strings.Contains(string(body), "anna7@example.org") {
		t.Errorf("the file %s has %d lines", name, lines)
	}
	v.follow("Restore")
	v.see("The segment says again what version 1 said; this is version 3.", "40 customers")
	v.shoot("versions")
	if _, err := h.pool.Exec(t.Context(), `INSERT INTO segments (name, expression, created_by, created_at, updated_at)
		VALUES ('Seven', 'first_name == "Anna7"', 'test', now(), now())`); err != nil {
		t.Fatal(err)
	}
	v.open("/segments/1")
	v.choose("Compare with one segment", "Seven")
	v.press("Compare")
	v.await("the overlap", `document.querySelectorAll("#overlap tbody tr").length === 2 && document.getElementById("overlap").innerText.includes("39")`)
	v.run("take a telephone", chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile))
	v.press("Rows")
	v.await("a row", `document.querySelector(".row-line")`)
	v.shoot("phone")
	v.await("no scrolling sideways", `document.documentElement.scrollWidth <= window.innerWidth`)
}

// What was shown of an expression greys when it changes, a slow count can be stopped, the reference is searched, and without a script
// the same buttons answer.
func TestE2ESegmentParts(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.people(40)
	if _, err := h.pool.Exec(t.Context(), `INSERT INTO segments (name, expression, created_by, created_at, updated_at)
		VALUES ('Seven', 'first_name == "Anna7"', 'test', now(), now())`); err != nil {
		t.Fatal(err)
	}
	h.serve()
	v := h.visitAs(access.Marketer)
	v.open("/segments/new")
	v.press("Text")
	v.fill("Who belongs to it", `country == "US"`)
	v.see("40 customers, 100.0 % of all")
	v.press("Show some of them")
	v.see("Anna")
	v.fill("Who belongs to it", `country == "DE"`)
	v.see("The conditions have changed: what is grey is of those before.")
	v.shoot("grey")
	v.press("Show some of them")
	v.see("Nobody meets these conditions.")
	v.await("nothing grey", `!document.querySelector(".stale") && document.getElementById("stale").hidden`)

	v.fill("Find what you can ask", "weekday")
	v.await("one word of the reference", `[...document.querySelectorAll(".reference dt")].filter(d => d.offsetParent).length === 1`)
	v.run("take it", chromedp.Evaluate(`[...document.querySelectorAll(".reference dt button")].find(d => d.offsetParent).click()`, nil))
	if got := v.value("Who belongs to it"); !strings.Contains(got, "weekday(") {
		t.Errorf("the text is %q", got)
	}

	// A question that the database needs long for is stopped by its button.
	if _, err := h.pool.Exec(t.Context(), `INSERT INTO customers (customer_id, city, created_at, updated_at) SELECT i, repeat('a', 500), now(), now() FROM generate_series(100000, 120000) i`); err != nil {
		t.Fatal(err)
	}
	v.paste("Who belongs to it", `city matches "(a*)*(a*)*(a|aa)*b"`)
	v.press("Break down")
	v.await("a way to stop", `[...document.querySelectorAll("[data-stop]")].some(b => b.offsetParent)`)
	v.shoot("asking")
	v.run("stop", chromedp.Evaluate(`[...document.querySelectorAll("[data-stop]")].find(b => b.offsetParent).click()`, nil))
	v.await("the end of it", `!document.querySelector(".htmx-request") && ![...document.querySelectorAll("[data-stop]")].some(b => b.offsetParent)`)

	v.forgive("htmx:sendAbort, ", "htmx:afterRequest, ") // the script that asks says in the console that it was stopped

	v.run("do without scripts", emulation.SetScriptExecutionDisabled(true))
	v.open("/segments/1")
	v.leave(func() {
		v.run("ask for some of them", chromedp.Click(`button[formaction="/segments/sample"]`, chromedp.ByQuery))
	})
	v.see("Anna7", `first_name == "Anna7"`)
	v.shoot("plain")
}

// A cell of the RFM grid becomes a segment of as many customers.
func TestE2ERFM(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.people(40)
	if _, err := h.pool.Exec(t.Context(), `
		INSERT INTO orders (customer_id, order_ref, ordered_at, quantity, amount, currency, rate, base_amount, recorded_at)
		SELECT customer_id, 'o' || customer_id || '-' || n, $1::timestamptz - customer_id * interval '5 days', 1, 10 * customer_id, 'USD', 1, 10 * customer_id, $1
		FROM customers, generate_series(1, 1 + customer_id % 5) n`, time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := h.pool.Exec(t.Context(), `
		UPDATE customers SET orders_count = 1 + customer_id % 5, total_spent = 10 * customer_id * (1 + customer_id % 5),
			last_order_at = $1::timestamptz - customer_id * interval '5 days'`, time.Now()); err != nil {
		t.Fatal(err)
	}
	h.serve()
	v := h.visitAs(access.Marketer)
	v.follow("Reports")
	v.follow("RFM")
	v.see("40 customers.", "Returns do not count.", "R 5 8 customers")
	v.shoot("grid")
	v.leave(func() { v.run("the first cell", chromedp.Click(`.rfm td a`, chromedp.ByQuery)) })
	v.see("Per customer")
	inCell := v.text("#cell .h2")
	customers := v.text(".rfm .chosen")
	v.fill("Segment", "Best buyers")
	v.leave(func() { v.keys(kb.Enter) }) // the page may still be scrolling to the cell under a mouse
	v.see("The cell is saved as a segment.", "Best buyers", "Version 1")
	v.press("Rows")
	v.await("the limits as rows", `document.querySelectorAll("#builder .row-line").length > 2`)
	size := v.text("#size .h2")
	if !strings.HasPrefix(customers, size) {
		t.Errorf("cell %s has %q customers, its segment %q", inCell, customers, size)
	}
	v.shoot("segment")

	v.open("/reports/rfm?how=nested&returns=yes")
	v.see("Equal values are told apart", "40 customers.", "R 5 8 customers")
	v.run("take a telephone", chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile))
	v.shoot("phone")
	v.await("no scrolling sideways", `document.documentElement.scrollWidth <= window.innerWidth`)
}
