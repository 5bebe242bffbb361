package main

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
	"github.com/xuri/excelize/v2"

	"aldine/campaigns/content"
	"aldine/internal/access"
	"aldine/internal/settings"
)

// An agent works three calls, mostly by the keyboard.
func TestE2ECalls(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	// Whatever the hour at which the test runs.
	if _, err := h.settings.Update(system(), func(v *settings.Values) error { v.CallFromHour, v.CallToHour = 0, 24; return nil }); err != nil {
		t.Fatal(err)
	}
	h.people(5)
	h.template(content.Template{Name: "Script", Channel: content.Calls, Body: "Good day {{ customer.first_name }} {{ customer.last_name }}.\n\nMay I tell you about <b>spring</b>?"})
	h.launch("Spring calls", "100", `{"start":"c","steps":[{"key":"c","type":"calls","template":"Script","unit_cost":"1.50"}]}`)
	h.serve()
	await(t, "the call list", patience, func() bool {
		var n int
		err := h.pool.QueryRow(t.Context(), `SELECT count(*) FROM calls`).Scan(&n)
		return err == nil && n == 5
	})
	v := h.visitAs(access.Agent)
	v.see("Spring calls", "0 of 5 done", "5 not tried")
	if places := v.text("nav"); places != "Calls" {
		t.Errorf("an agent is led to %q", places)
	}
	v.shoot("lists")

	// who gives the name on the page: the script must be that person's.
	who := func() string {
		v.t.Helper()
		name := v.text("main h2")
		v.see("Good day "+name+".", "May I tell you about <b>spring</b>?", "+1212555")
		return name
	}
	v.follow("Next call")
	first := who()
	v.shoot("call")
	v.fill("Note", "asks for the blue edition")
	v.fill("Order number (sale)", "T-1")
	v.fill("Amount", "many")
	v.follow("Sale")
	v.see("Write the amount as a number such as 49.90")
	if got := v.value("Note"); got != "asks for the blue edition" {
		t.Errorf("the note is lost: %q", got)
	}
	v.fill("Amount", "49.90")
	v.keys(kb.Escape) // Escape leaves the field, so that the digits are outcomes again
	v.leave(func() { v.key("1") })
	v.see("Recorded: Sale.", "1 of 5 done")
	second := who()
	if second == first {
		t.Fatalf("%s comes again after the sale", first)
	}
	v.leave(func() { v.key("5") })
	v.see("Recorded: No answer. It comes up again on")
	third := who()
	if third == second || third == first {
		t.Fatalf("%s comes again at once", third)
	}
	v.leave(func() { v.key("4") })
	v.see("Give the day and time of the call-back")
	v.choose("Call back at (the customer's time)", time.Now().AddDate(0, 0, 2).Format("2006-01-02")+"T15:30")
	v.follow("Call back later")
	v.see("Recorded: Call back later. It comes up again on")
	v.shoot("recorded")
	v.follow("Give it back")
	v.see("The call was given back.", "1 of 5 done", "2 not tried", "2 waiting (1 call-backs)")
	v.shoot("progress")

	// The sale is an order of the customer and stands in the report.
	m := h.visitAs(access.Marketer)
	m.open("/customers?q=" + strings.Fields(first)[1])
	m.follow(first)
	m.see("Order T-1 49.90 EUR", "Call sent Spring calls")
	m.shoot("customer")
	m.follow("Reports")
	m.follow("Spring calls")
	m.seeFigures("Orders", "1", "Revenue", "49.90 EUR")
}

// Somebody of the finance department takes the figures along, and gets no further.
func TestE2EFinance(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.people(20)
	h.template(content.Template{Name: "News", Channel: content.Email, Subject: "News", HTML: "<p>News</p>"})
	h.launch("=cmd|' /C calc'!A0", "100", `{"start":"m","steps":[{"key":"m","type":"email","template":"News","unit_cost":"0.0125"}]}`)
	id := h.launch("Winter", "250", `{"start":"m","steps":[{"key":"m","type":"email","template":"News","unit_cost":"0.02"}]}`)
	h.serve()
	h.finished(id)
	h.finished(id - 1)

	v := h.visitAs(access.Finance)
	v.follow("Reports")
	v.see("Winter", "0.40 EUR", "=cmd|", "0.25 EUR", "2 campaigns in EUR", "0.65 EUR")
	v.shoot("report")
	name, body := v.save("CSV")
	rows, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
	if name != "campaigns.csv" || err != nil || len(rows) != 3 {
		t.Fatalf("%s has %d rows: %v\n%s", name, len(rows), err, body)
	}
	check := func(kind string, rows [][]string) {
		t.Helper()
		found := 0
		for _, row := range rows[1:] {
			is := map[string]string{}
			for i, column := range rows[0] {
				if i < len(row) { // a workbook's row ends with its last figure
					is[column] = row[i]
				}
			}
			if is["name"] != "Winter" {
				continue
			}
			found++
			if is["quantity"] != "20" || strings.TrimRight(is["cost"], "0") != "0.4" || is["state"] != "finished" || is["currency"] != "EUR" {
				t.Errorf("%s says %v", kind, is)
			}
		}
		if found != 1 {
			t.Errorf("%s has the campaign %d times", kind, found)
		}
	}
	check("the CSV file", rows)
	for _, row := range rows[1:] {
		for _, cell := range row {
			if strings.HasPrefix(cell, "=") {
				t.Errorf("a spreadsheet would run %q", cell)
			}
		}
	}
	name, body = v.save("XLSX")
	book, err := excelize.OpenReader(bytes.NewReader(body))
	if name != "campaigns.xlsx" || err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	defer book.Close()
	if rows, err = book.GetRows(book.GetSheetName(0)); err != nil || len(rows) != 3 {
		t.Fatalf("%s has %d rows: %v", name, len(rows), err)
	}
	check("the workbook", rows)

	// The figure leads to the entries behind it.
	v.follow("0.40 EUR")
	v.see("Cost ledger", "E-mail m", "0.02", "EUR")
	v.shoot("ledger")
	v.follow("Home")
	if places := v.text("nav"); places != "Home Campaigns Reports" {
		t.Errorf("finance is led to %q", places)
	}
	for _, path := range []string{"/settings/users", "/settings/company", "/customers", "/customers/1", "/imports", "/outbox", "/campaigns/new"} {
		v.open(path)
		v.see("Your role (finance) does not allow this", "Ask an administrator")
		v.seeNot("Anna")
	}
	v.shoot("refused")
}
