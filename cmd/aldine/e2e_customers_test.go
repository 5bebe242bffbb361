package main

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"aldine/customers"
	"aldine/internal/access"
)

// A marketer sends a file twice.
func TestE2EImport(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.serve()
	v := h.visitAs(access.Marketer)
	file := "Customer No;Given Name;Surname;E-Mail;Town;Shoe size\n" +
		"S1;Zoë;Brontë;zoe@example.org;Haworth;38\n" +
		"S2;Tom;Poole;not an address;Bristol;44\n" +
		"S3;\"Ann\nMary\";Radcliffe;ann@example.org;London;37\n"
	v.follow("Customers")
	v.follow("Import a file")
	v.fill("List the customers join", "Readers")
	v.attach("CSV file", "readers.csv", file)
	v.follow("Go on to the columns")
	v.see("Columns of readers.csv", "semicolon", "list Readers", "Zoë · Tom")
	for column, want := range map[string]string{"Customer No": "external_id", "Given Name": "first_name", "Surname": "last_name",
		"E-Mail": "email", "Town": "city", "Shoe size": "leave out"} {
		if got := v.value("Field for the column " + column); got != want {
			t.Errorf("the column %s is proposed for %q, want %q", column, got, want)
		}
	}
	v.see("new", "rejected", `E-Mail: "not an address" has no @`, "Ann Mary")
	v.shoot("mapping")
	v.follow("Check the whole file")
	v.see("Nothing has been changed yet", "2 customers join the list", "Why rows are rejected", "has no @")
	v.seeFigures("Rows read", "3", "New", "2", "Changed", "0", "Rejected", "1")
	v.shoot("dry")
	v.follow("Import now")
	v.see("finished", "Show customers")
	v.seeNot("dry run")
	v.seeFigures("Rows read", "3", "New", "2", "Changed", "0", "Rejected", "1")
	v.see("Rejected rows", "not an address")
	v.shoot("finished")
	name, rejects := v.save("All as CSV")
	if !strings.HasSuffix(name, ".csv") || !strings.Contains(string(rejects), "S2;Tom") && !strings.Contains(string(rejects), "S2,Tom") ||
		!strings.Contains(string(rejects), "3,") || strings.Contains(string(rejects), "Radcliffe") {
		t.Errorf("the rejected rows %s:\n%s", name, rejects)
	}

	v.follow("Imports")
	v.follow("Import a file")
	v.fill("List the customers join", "Readers")
	v.attach("CSV file", "again.csv", file)
	v.follow("Go on to the columns")
	v.follow("Import now")
	v.see("finished")
	v.seeFigures("Rows read", "3", "New", "0", "Changed", "0", "Unchanged", "2", "Rejected", "1")
	v.follow("Show customers")
	v.see("Zoë Brontë", "Radcliffe")
	v.seeNot("Tom")
	v.key("/") // leads to the search field
	v.keys("Bront")
	v.leave(func() { v.keys(kb.Enter) })
	v.see("Zoë Brontë")
	v.seeNot("Radcliffe")
	v.follow("Zoë Brontë")
	v.see("zoe@example.org", "Haworth", "No contact, response, order or event so far.")
	v.shoot("customer")

	v.follow("Customers")
	v.follow("Import a file")
	v.attach("CSV file", "empty.csv", "")
	v.follow("Go on to the columns")
	v.see("The file is empty")
}

// people imports n customers who can be reached over every medium.
func (h *house) people(n int) {
	h.t.Helper()
	var b strings.Builder
	b.WriteString("external_id,first_name,last_name,email,phone,street,postal_code,city,country\n")
	for i := range n {
		fmt.Fprintf(&b, "K%d,Anna%d,Smith%d,anna%d@example.org,+1212555%04d,%d Main Street,100%02d,New York,US\n", i, i, i, i, 1000+i, i+1, i)
	}
	h.take(b.String(), int64(n))
}

func (h *house) take(file string, want int64) {
	h.t.Helper()
	im, err := h.customers.StartImport(system(), customers.StartImport{Kind: "customers", FileName: "people.csv", Body: strings.NewReader(file), Hold: true})
	if err != nil {
		h.t.Fatal(err)
	}
	if im, err = h.customers.RunImport(context.Background(), im.ID); err != nil || im.Created != want {
		h.t.Fatalf("import: %+v %v", im, err)
	}
}

// A marketer types an expression, with mistakes on the way.
func TestE2ESegment(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.people(40)
	h.serve()
	v := h.visitAs(access.Marketer)
	v.follow("Segments")
	v.see("No segments yet")
	v.follow("New segment")
	v.see("40 customers", "No condition: everybody.")
	v.fill("Name", "Early Annas")
	v.press("Text")
	v.fill("Who belongs to it", `country == "US" and`+kb.Enter+`frist_name == "Anna7"`)
	v.see("Line 2, column 1:", "first_name")
	if mark := v.text("mark"); mark != "frist_name" {
		t.Errorf("%q is marked", mark)
	}
	v.shoot("error")
	v.follow("Save") // refused, and nothing typed is lost
	v.see("Line 2, column 1:", "first_name")
	if got := v.value("Who belongs to it"); !strings.Contains(got, "frist_name") {
		t.Errorf("the expression is now %q", got)
	}
	v.fill("Who belongs to it", `country == "US" and first_name in ["Anna7", "Anna8"]`)
	v.see("exact", "2 customers, 5.00 % of all")
	v.seeNot("Line 2")
	v.see("2 customers, 5.00 % of all exact")
	v.press("Show some of them")
	v.see("Anna7 Smith7", "Anna8 Smith8")
	v.seeNot("Anna9")
	v.shoot("size")
	v.follow("Save")
	v.follow("Segments")
	v.see("Early Annas", `first_name in ["Anna7", "Anna8"]`)
	v.shoot("list")
}
