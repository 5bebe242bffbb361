package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"

	"aldine/campaigns"
	"aldine/campaigns/content"
	"aldine/internal/access"
)

func (h *house) template(t content.Template) {
	h.t.Helper()
	if _, err := h.campaigns.Templates().Save(system(), t); err != nil {
		h.t.Fatal(err)
	}
}

// launch makes a campaign, approves and launches it.
func (h *house) launch(name, budget, journey string) int64 {
	h.t.Helper()
	limit := decimal.MustParse(budget)
	ctx := system()
	c, err := h.campaigns.Create(ctx, campaigns.Input{Name: name, Currency: "EUR", Budget: &limit, Journey: json.RawMessage(journey)})
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.campaigns.Approve(ctx, c.ID, 0); err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.campaigns.Launch(ctx, c.ID); err != nil {
		h.t.Fatal(err)
	}
	return c.ID
}

// sent counts the touches of a campaign that were sent over a medium.
func (h *house) sent(channel string) (n int) {
	h.t.Helper()
	if err := h.pool.QueryRow(context.Background(), `SELECT count(*) FROM touches WHERE state = 'sent' AND channel = @channel`,
		pgx.NamedArgs{"channel": channel}).Scan(&n); err != nil {
		h.t.Fatal(err)
	}
	return n
}

// A campaign from a template to its report, in the browser alone.
func TestE2ECampaign(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.people(40)
	h.template(content.Template{Name: "Spring letter", Channel: content.Post, Body: "Dear {{ customer.last_name }},\n\nquote {{ keycode }}."})
	h.serve()
	v := h.visitAs(access.Admin)

	v.follow("Campaigns")
	v.follow("Templates")
	v.press("New template")
	v.follow("E-mail")
	v.fill("Name", "Spring mail")
	v.fill("Subject", "Spring, {{ customer.frist_name }}")
	v.paste("HTML", `<p>Dear {{ customer.first_name }}, see <a href="https://shop.example/spring">the spring list</a>.</p><p><a href="{{ unsubscribe_url }}">Unsubscribe</a></p>`)
	v.follow("Save")
	v.see("frist_name", "first_name") // refused, with a suggestion
	v.fill("Subject", "Spring, {{ customer.first_name }}")
	v.follow("Save")
	v.see("Save as a new version")
	v.fill("Preview as", "anna7@example.org")
	v.press("Preview")
	v.seeInFrame("Dear Anna7, see the spring list")
	v.shoot("template")

	v.follow("Campaigns")
	v.follow("New campaign")
	v.fill("Name", "Spring 2027")
	v.fill("Budget", "500")
	v.fill("Fixed cost", "20")
	v.press("An expression")
	v.fill("Expression", `country == "US"`)
	v.see("40 customers, 100.0 % of all exact")
	v.fill("Name of cell 1", "blue")
	v.fill("Share of cell 1 in percent", "50")
	v.fill("Name of cell 2", "green")
	v.fill("Share of cell 2 in percent", "25")
	v.tick("Cell 2 is the control group", false)
	v.fill("Name of a further cell", "control")
	v.fill("Share of a further cell in percent", "20")
	v.tick("Further cell is the control group", true)
	v.choose("Template", "Spring mail")
	v.fill("Cost per piece", "0.01")
	v.press("Letter")
	v.await("a second step", `document.querySelectorAll(".step-row").length === 2`)
	v.choose("Template/2", "Spring letter")
	v.fill("Cost per piece/2", "0.60")
	v.shoot("editor")
	v.follow("Save the draft")
	v.see("The shares add up to 95.00 %", "Choose the currency")
	if got := v.value("Cost per piece/2"); got != "0.60" {
		t.Errorf("after the refusal the letter costs %q", got)
	}
	v.fill("Share of cell 2 in percent", "30")
	v.fill("Currency", "EUR")
	v.follow("Save the draft")
	v.see("The campaign is saved as a draft.", "draft", "Spring letter", "Audience 40", "control control 20 %")
	v.seeNot("Launch…")
	v.shoot("draft")

	v.follow("Approve…")
	v.see("frozen")
	v.follow("Approve")
	v.see("Approved. It can be launched now.", "Keycodes")
	v.shoot("approved")
	v.follow("Launch…")
	v.see("can't be taken back", "Audience 40")
	v.shoot("launch")
	v.follow("Launch now")
	v.see("Launched. The first contacts are on their way.")
	v.await("the end of the campaign", `document.querySelector(".st-finished")`)
	v.seeFigures("Entered", "40", "Still to send", "0", "Failed", "0")
	mails, letters := h.sent("email"), h.sent("post")
	if mails < 25 || mails > 38 || letters != mails {
		t.Fatalf("%d mails and %d letters to 40 people, a fifth of whom is the control group", mails, letters)
	}
	v.seeFigures("Sent", strconv.Itoa(mails+letters))
	v.see("control group")
	v.shoot("finished")

	v.follow("Outbox")
	v.see("What the built-in sandbox received", "Spring, Anna")
	v.shoot("outbox")
	v.follow("Spring, Anna")
	v.see("List-Unsubscribe", "Dear Anna")
	v.shoot("message")
	v.follow("Outbox")
	v.follow("Print runs")
	v.see("spring-2027", "post1", "finished", strconv.Itoa(letters))
	v.shoot("print-runs")

	v.follow("Campaigns")
	v.follow("Spring 2027")
	v.follow("Report")
	v.see("Against the control group", "By medium")
	cost := decimal.MustParse("20.00")
	for _, part := range []struct {
		n    int
		each string
	}{{mails, "0.01"}, {letters, "0.60"}} {
		cost = must(cost.Add(must(decimal.MustParse(part.each).Mul(decimal.MustNew(int64(part.n), 0)))))
	}
	v.seeFigures("Quantity", strconv.Itoa(mails+letters), "Cost", fmt.Sprintf("%s EUR", cost.Round(2)))
	v.shoot("report")
}

// must is for arithmetic that can't fail in a test.
func must(d decimal.Decimal, err error) decimal.Decimal {
	if err != nil {
		panic(err)
	}
	return d
}

// finished waits until a campaign has ended.
func (h *house) finished(id int64) {
	h.t.Helper()
	await(h.t, "the end of the campaign", 60*time.Second, func() bool {
		d, err := h.campaigns.Get(context.Background(), id)
		return err == nil && d.State == campaigns.Finished
	})
}
