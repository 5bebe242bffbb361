package web_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"strings"
	"testing"

	"aldine/internal/access"
)

// upload sends a file with the import form.
func (b *browser) upload(kind, list, name, body string) *page {
	var buf bytes.Buffer
	w := multipart.NewWriter(&buf)
	must(b.t, w.WriteField("kind", kind))
	must(b.t, w.WriteField("list", list))
	part, err := w.CreateFormFile("file", name)
	must(b.t, err)
	_, err = part.Write([]byte(body))
	must(b.t, err)
	must(b.t, w.Close())
	return b.do("POST", "/imports/upload", w.FormDataContentType(), &buf)
}

// people gives a file of n customers with everything that the four media need.
func people(n int) string {
	var b strings.Builder
	b.WriteString("customer no;given_name;surname;email;phone;street;postcode;city;country\n")
	for i := range n {
		fmt.Fprintf(&b, "K%d;Anna%d;Smith%d;anna%d@example.org;+1212555%04d;%d Main Street;100%02d;New York;US\n", i, i, i, i, 1000+i, i+1, i)
	}
	return b.String()
}

// importPeople brings n customers in through the pages.
func (s *site) importPeople(b *browser, n int) {
	s.t.Helper()
	mapping := b.upload("customers", "House", "people.csv", people(n)).to("/imports/mapping/")
	p := b.get(mapping).want(200).has("customer no", "Anna0", "anna0@example.org")
	fields := map[string]string{}
	for _, sel := range p.all("select") {
		name, _ := attr(sel, "name")
		for o := range sel.Descendants() {
			if _, chosen := attr(o, "selected"); chosen {
				fields[name] = nodeText(o)
			}
		}
	}
	for name, want := range map[string]string{"c0": "external_id", "c1": "first_name", "c2": "last_name", "c3": "email", "c6": "postal_code"} {
		if fields[name] != want {
			s.t.Errorf("column %s proposed as %q, want %q", name, fields[name], want)
		}
	}
	var pairs []string
	for name, field := range fields {
		pairs = append(pairs, name, field)
	}
	show := b.post(mapping, pairs...).to("/imports/")
	s.work()
	b.get(show).want(200).has("finished", fmt.Sprint(n))
	b.fragment("GET", show+"/live").want(200).has("finished")
	b.get("/imports").want(200).has("people.csv")
	b.get(mapping).want(404).has("send the file again")
}

// spring is the form of a campaign over e-mail, SMS, letter and calls.
func spring(extra ...string) []string {
	form := []string{"name", "Spring", "code", "spring", "currency", "EUR", "budget", "1,000.00", "fixed_cost", "50", "margin_rate", "40",
		"audience", "segment", "segment", "everyone", "cell_name", "all", "cell_share", "90", "cell_name", "control", "cell_share", "10", "cell_control", "1",
		"journey_mode", "steps"}
	for _, s := range []struct{ key, template, cost string }{{"email", "Mail", "0.01"}, {"sms", "Text", "0.05"}, {"post", "Letter", "0.55"}, {"calls", "Script", "1"}} {
		p := "s." + s.key + "."
		form = append(form, "step", s.key, p+"key", s.key+"1", p+"type", s.key, p+"template", s.template, p+"cost", s.cost, p+"dedup", "customer")
	}
	return append(form, extra...)
}

func (s *site) templates(b *browser) {
	b.post("/templates", "channel", "email", "name", "Mail", "subject", "Hello {{ customer.first_name }}", "html",
		`<p>Dear {{ customer.first_name }}, <a href="https://example.org/">look</a>. <a href="{{ unsubscribe_url }}">Unsubscribe</a></p>`).to("/templates/1")
	b.post("/templates", "channel", "sms", "name", "Text", "body", "Hello {{ customer.first_name }}, STOP ends").to("/templates/2")
	b.post("/templates", "channel", "post", "name", "Letter", "body", "Dear {{ customer.last_name }},\n\nquote {{ keycode }}").to("/templates/3")
	b.post("/templates", "channel", "calls", "name", "Script", "body", "Good day {{ customer.first_name }}, it is spring.").to("/templates/4")
}

// TestOneCampaign walks the whole product through its pages.
func TestOneCampaign(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.as(access.Admin)
	s.importPeople(b, 40)

	b.get("/customers?q=anna7@example.org").want(200).has("Anna7 Smith7").hasNot("Anna8")
	b.get("/customers?q=Smith12").want(200).has("Anna12")
	b.get("/customers?q=nobody").want(200).has("Nobody found")

	b.fragment("POST", "/segments/check", "expression", `country == "US" and orders_count >=`).want(200).has("Line 1")
	p := b.fragment("POST", "/segments/check", "expression", "first_nme == \"Anna7\"").want(200).has("first_name")
	if mark := nodeText(p.one("mark")); mark != "first_nme" {
		t.Errorf("marked %q", mark)
	}
	b.fragment("POST", "/segments/check", "expression", `country == "US"`, "mode", "exact").want(200).has("40 customers, 100.0 % of all", "exact")
	b.fragment("POST", "/segments/sample", "expression", `first_name == "Anna7"`).want(200).has("Anna7 Smith7")
	b.post("/segments", "name", "everyone", "expression", `country == "US"`).to("/segments/1")
	b.get("/segments").want(200).has("everyone", "40")

	s.templates(b)
	preview := b.post("/templates/preview", "channel", "email", "subject", "S", "html", "<p>Dear {{ customer.first_name }}</p>", "customer", "anna7@example.org").
		want(200).has("Dear Anna7", "Subject: S")
	if c := preview.header.Get("Content-Security-Policy"); !strings.HasPrefix(c, "sandbox; default-src 'none'") {
		t.Errorf("a preview has the policy %q", c)
	}
	b.post("/templates/1/test", "to", "me@example.org", "customer", "anna7@example.org").to("/templates/1")

	b.post("/campaigns", spring()...).to("/campaigns/1")
	b.get("/campaigns/1").want(200).has("draft", "1,000.00 EUR", "then sms1", "Approve…", "Cancel for good…").hasNot("Launch…")
	b.fragment("GET", "/campaigns/1/forecast").want(200).has("Audience 40", "At most")
	edit := b.get("/campaigns/1/edit").want(200)
	for _, key := range []string{"email1", "sms1", "post1", "calls1"} {
		edit.one("input", "name", "s."+key+".key", "value", key)
	}
	b.get("/campaigns/1/launch").want(409).has("draft")
	b.post("/campaigns/1/launch").want(409)
	b.get("/campaigns/1/approve").want(200).has("frozen")
	b.post("/campaigns/1/approve", "row_version", "1").to("/campaigns/1")
	b.get("/campaigns/1").want(200).has("approved", "Launch…", "Keycodes")
	b.post("/campaigns/1/launch").to("/campaigns/1")
	b.post("/campaigns/1/launch").want(409)
	s.work()

	live := b.fragment("GET", "/campaigns/1/live?state=running").want(200).has("Entered 40", "control group")
	if live.header.Get("HX-Refresh") != "" {
		t.Error("the page reloads although nothing changed")
	}
	b.get("/").want(200).has("Spring", "contacts done")
	b.fragment("GET", "/home/live").want(200).has("Spring")
	found, _ := attr(b.get("/customers?q=anna7@example.org").want(200).all("tr", "data-href", "*")[0], "data-href")
	b.get(found).want(200).has("Spring", "What happened")

	b.get("/outbox").want(200).has("Next page")
	b.get("/outbox?to=me@example.org").want(200).has("[Test] Hello Anna7")
	b.get("/outbox?channel=sms").want(200).has("STOP ends").hasNot("[Test]")
	b.get("/outbox/1").want(200).has("[Test] Hello Anna7")
	mails := b.get("/outbox?channel=email").all("tr", "data-href", "*")
	mail, _ := attr(mails[0], "data-href")
	b.get(mail).want(200).has("http://localhost/t/c/", "List-Unsubscribe-Post")
	b.get("/outbox/1/html").want(200).has("Dear Anna7")
	run := b.get("/print-runs/1").want(200).has("finished")
	files := 0
	for _, a := range run.all("a", "download", "*") {
		href, _ := attr(a, "href")
		b.get(href).want(200)
		files++
	}
	if files < 3 {
		t.Errorf("%d print files", files)
	}
	b.fragment("GET", "/campaigns/1/print-runs").want(200).has("Run 1")

	s.workCalls()
	b.get("/reports").want(200).has("Spring", "1 campaign in EUR")
	b.get("/reports/1").want(200).has("Against the control group", "By medium", "Letter", "ROI")
	b.get("/reports/1/ledger?kind=fixed").want(200).has("50.00 EUR", "All rows")
	if csv := b.get("/reports/export?format=csv").want(200); !strings.HasPrefix(csv.body, "campaign_id,") {
		t.Errorf("export %.60q", csv.body)
	}
	if book := b.get("/reports/export?format=xlsx").want(200); !strings.HasPrefix(book.body, "PK") {
		t.Error("the workbook is none")
	}
	b.get("/settings/audit").want(200).has("campaign.launch")
	b.get("/settings/jobs").want(200).has("PostgreSQL")

	b.get("/campaigns/1/pause").want(200).has("held where they are")
	b.post("/campaigns/1/pause").to("/campaigns/1")
	b.post("/campaigns/1/resume").to("/campaigns/1")
	b.post("/campaigns/1/cancel", "typed", "wrong").want(422).has("Type the code spring")
	b.post("/campaigns/1/cancel", "typed", "spring").to("/campaigns/1")
	b.get("/campaigns?state=cancelled").want(200).has("Spring")
	if s.log.Len() > 0 {
		t.Errorf("errors in the log: %s", s.log.String())
	}
}

// workCalls lets an agent work some calls: New York is in its legal hours only if the test's clock says so.
func (s *site) workCalls() {
	t := s.t
	a := s.as(access.Agent)
	a.get("/").to("/calls")
	a.get("/calls").want(200).has("Next call", "Campaign spring")
	var calls, zones int
	must(t, s.pool.QueryRow(t.Context(), `SELECT count(*), count(*) FILTER (WHERE time_zone IS NOT NULL) FROM calls`).Scan(&calls, &zones))
	if calls == 0 {
		t.Fatal("no calls were listed")
	}
	early := a.get("/calls/1/next").want(200) // 5 o'clock in New York
	early.has("Nobody to call just now", "8:00 to 21:00")
	m := s.as(access.Marketer)
	m.post("/registers", "name", "National", "country", "US", "channel", "calls", "required", "yes").to("/registers")
	a.get("/calls/1/next").want(200).has("for a younger file of the do-not-call register National, no file yet", "Whoever looks after the registers")
	m.post("/registers/1/remove").to("/registers")
	if p := a.get("/calls/1/next").want(200); strings.Contains(p.body, "younger file") {
		t.Error("calls wait for a register that is gone")
	}
	_, err := s.pool.Exec(t.Context(), `UPDATE calls SET time_zone = 'Europe/Vienna', due_at = $1`, start)
	must(t, err)
	next := a.get("/calls/1/next").want(200).has("it is spring", "Call back later", "No answer")
	id, _ := attr(next.one("input", "name", "call"), "value")
	zone, _ := attr(next.one("input", "name", "zone"), "value")
	a.post("/calls/1/outcome", "call", id, "zone", zone, "outcome", "callback").want(422).has("day and time")
	a.post("/calls/1/outcome", "call", id, "zone", zone, "outcome", "sale", "order_ref", "T-1", "amount", "many").want(422).has("such as 49.90")
	a.post("/calls/1/outcome", "call", id, "zone", zone, "outcome", "sale", "order_ref", "T-1", "amount", "49.90", "note", "friendly").to("/calls/1/next")
	second := a.get("/calls/1/next").want(200).has("Recorded: Sale.")
	id2, _ := attr(second.one("input", "name", "call"), "value")
	if id2 == id {
		t.Fatal("the same call came again")
	}
	a.post("/calls/1/outcome", "call", id2, "zone", zone, "outcome", "callback", "call_back_at", "2026-11-24T15:00").to("/calls/1/next")
	third := a.get("/calls/1/next").want(200).has("It comes up again on 24 Nov")
	id3, _ := attr(third.one("input", "name", "call"), "value")
	a.post("/calls/1/outcome", "call", id3, "zone", zone, "outcome", "no_answer").to("/calls/1/next")
	a.post("/calls/1/outcome", "call", id, "zone", zone, "outcome", "sale").want(409)
	a.post("/calls/1/outcome", "call", "x", "outcome", "sale").want(422)
	if csv := a.post("/calls/1/csv", "n", "3").want(200); !strings.Contains(csv.header.Get("Content-Disposition"), "calls-1.csv") {
		t.Error("no file name")
	}
	a.post("/calls/1/csv", "n", "lots").want(422)
}
