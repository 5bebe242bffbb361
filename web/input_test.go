package web_test

import (
	"strings"
	"testing"
	"time"

	"aldine/internal/access"
)

func TestBadInput(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.as(access.Admin)
	s.templates(b)
	beside := func(p *page, field string) {
		t.Helper()
		el := p.want(422).one("input", "name", field)
		if v, _ := attr(el, "aria-invalid"); v != "true" {
			t.Errorf("%s: nothing stands beside %s", p.path, field)
		}
	}
	beside(b.post("/customers", "email", "no-address", "last_name", "Smith"), "email")
	beside(b.post("/customers", "phone", "12", "last_name", "Smith"), "phone")
	b.post("/customers").want(422).has("say who it is")
	b.get("/customers/999").want(404).has("There is no customer 999")
	b.get("/customers/abc").want(404)
	b.get("/customers/99999999999999999999").want(404)
	b.post("/customers", "last_name", "Smith", "email", "s@example.org").to("/customers/1")
	b.post("/customers/1/consents", "channel", "pigeon", "said", "yes").want(422).has("not a channel")
	b.post("/customers/1/consents", "channel", "email", "said", "perhaps").want(422)
	b.post("/customers/1/consents", "channel", "email", "said", "no").to("/customers/1")
	b.get("/customers/1").has("said no")
	beside(b.post("/customers/1/erase", "typed", "2"), "typed")
	beside(b.post("/suppressions", "scope", "email", "value", "nobody", "reason", "x"), "value")
	b.post("/suppressions", "scope", "address", "reason", "x").want(422)
	b.post("/suppressions", "scope", "email", "value", "s@example.org", "channel", "all", "reason", "asked").to("/suppressions")
	b.get("/customers/1").has("suppressed: asked")
	b.get("/suppressions?after=zzz").want(422)
	b.post("/suppressions/none/remove").want(404)
	b.post("/customers/1/erase", "typed", "ERASE").to("/customers")

	b.get("/imports/new").want(200)
	b.upload("customers", "", "empty.csv", "").want(422).has("empty")
	b.post("/imports/upload", "kind", "customers").want(422)
	b.get("/imports/mapping/0192").want(404)
	odd := b.upload("customers", "", "odd.csv", "a,b\n1,2\n").to("/imports/mapping/")
	b.post(odd, "c0", "", "c1", "").want(422).has("no column of the first line is known")
	b.post(odd, "c0", "email", "c1", "email").want(422)
	b.get("/imports/7").want(404)

	b.post("/segments", "name", "x", "expression", "orders_count > ").want(422).has("(line 1, column")
	b.post("/segments", "name", "", "expression", "").want(422)
	b.post("/segments/9", "name", "x").want(404)

	b.post("/templates", "channel", "email", "name", "Broken", "subject", "x", "html", "<p>{{ customer.first_name </p>").want(422).has("is not closed", "line 1")
	b.post("/templates", "channel", "sms", "name", "Odd", "body", "{{ customer.shoe_size }}").want(422).has("shoe_size")
	b.post("/templates", "channel", "email", "name", "Loop", "subject", "x", "html", "\n{% if customer.id %}").want(422)
	b.post("/templates", "channel", "fax", "name", "x", "body", "y").want(422)
	b.post("/templates", "channel", "sms", "name", "Text", "body", "y").want(422).has("already")
	b.post("/templates/preview", "channel", "sms", "body", "{{ customer.nope }}").want(200).has("no customer yet")

	b.post("/campaigns", "name", "").want(422)
	b.post("/campaigns", spring("budget", "much")...).want(422)
	p := b.post("/campaigns", "name", "Odd", "currency", "EUR", "budget", "a lot", "journey_mode", "steps", "step", "a", "s.a.key", "w", "s.a.type", "wait", "s.a.by", "until", "s.a.until", "soon").
		want(422).has("Write a number such as 1250.00", "Give a day and time")
	beside(p, "budget")
	b.post("/campaigns", "name", "Odd", "currency", "EUR", "journey_mode", "steps", "step", "a", "s.a.key", "b", "s.a.type", "branch", "s.a.if", "shoe_size > 3", "cell_name", "all", "cell_share", "100").
		want(422).has("shoe_size")
	b.post("/campaigns", "name", "Odd", "currency", "EUR", "journey_mode", "json", "journey_json", "{").want(422).has("not valid JSON")
	b.post("/campaigns", "name", "Odd", "currency", "EUR", "cell_name", "a", "cell_share", "50").want(422)
	b.fragment("POST", "/campaigns/steps", "add", "pigeon").want(422)
	b.fragment("POST", "/campaigns/steps", "add", "wait", "step", "wait1", "s.wait1.key", "wait1").want(200).one("input", "name", "s.wait2.key")
	b.get("/campaigns/5").want(404)
	b.get("/campaigns/1/explode").want(404)

	b.get("/reports?from=yesterday").want(422).has("Write the day as")
	b.get("/reports/export?format=doc").want(422)
	b.get("/reports/77").want(404)
	b.get("/reports/export?from=x").want(422)
	b.get("/outbox/1").want(404)
	b.get("/print-runs/1").want(404)
	b.get("/calls/1/next").want(404)

	beside(b.post("/settings/users", "email", "nobody", "role", "agent"), "email")
	b.post("/settings/users", "email", "n@example.org", "role", "king").want(422).has("is not a role")
	b.post("/settings/users", "email", "n@example.org", "role", "agent").want(200).has("One-time password of n@example.org", "shown only now")
	b.get("/settings/users").want(200).has("one-time password").hasNot("shown only now")
	beside(b.post("/settings/tokens", "name", "", "role", "agent"), "name")
	beside(b.post("/settings/tokens", "name", "x", "role", "agent", "expires_at", "2020-01-01"), "expires_at")
	b.post("/settings/tokens", "name", "crm", "role", "agent").want(200).has("The token crm", "ald_")
	b.post("/settings/tokens/1/revoke").to("/settings/tokens")
	b.get("/settings/tokens").want(200).has("revoked")
	beside(b.post("/settings/attributes", "name", "Bad Name", "type", "text"), "name")
	b.post("/settings/attributes", "name", "shoe_size", "type", "number").to("/settings/attributes")
	b.post("/settings/attributes", "name", "shoe_size", "type", "number").want(422).has("exists already")
	beside(b.post("/settings/lists", "name", "L", "kind", "rented", "price_per_thousand", "dear"), "price_per_thousand")
	beside(b.post("/settings/products", "sku", "S", "price", "1", "currency", "XX"), "currency")
	beside(b.post("/settings/rates", "currency", "USD", "rate", "-1"), "rate")
	company := b.get("/settings/company").want(200)
	company.one("input", "name", "lease_minutes")
	beside(b.post("/settings/company", "company_name", "A", "lease_minutes", "soon"), "lease_minutes")
	var form []string // as the page gives it, but for one field
	for _, tag := range []string{"input", "select"} {
		for _, n := range company.all(tag) {
			name, _ := attr(n, "name")
			value, _ := attr(n, "value")
			switch {
			case name == "hit_months":
				form = append(form, name, "2")
			case name == "default_country":
				form = append(form, name, "US")
			case name != "" && name != "csrf":
				form = append(form, name, value)
			}
		}
	}
	beside(b.post("/settings/company", form...), "hit_months")
	b.post("/settings/jobs/999/retry").want(404)
	if strings.Contains(s.log.String(), "level=ERROR") {
		t.Error("bad input counts as our failure")
	}
}

// TestHostileText puts markup wherever people can type and looks at every page: none of it may become an element.
func TestHostileText(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.as(access.Admin)
	const evil = `"'><script>alert(1)</script><img src=x onerror=alert(2)>{{7}}`
	b.post("/customers", "first_name", evil, "last_name", evil, "company", evil, "email", "e@example.org", "street", evil, "city", evil, "list", evil).to("/customers/1")
	b.post("/settings/attributes", "name", "note", "label", evil, "type", "text", "description", evil).to("/settings/attributes")
	b.post("/customers/1", "attributes.note", evil).to("/customers/1")
	b.post("/segments", "name", evil, "expression", `last_name != "'><script>"`, "description", evil).to("/segments/1")
	b.post("/templates", "channel", "sms", "name", evil, "body", "<script>alert(1)</script> {{ customer.last_name }}").to("/templates/1")
	b.post("/campaigns", "name", evil, "code", "evil", "objective", evil, "currency", "EUR", "budget", "10", "audience", "segment", "segment", evil,
		"cell_name", "<script>", "cell_share", "100", "journey_mode", "steps", "step", `a"><script>`, `s.a"><script>.key`, "t1", `s.a"><script>.type`, "sms",
		`s.a"><script>.template`, evil, `s.a"><script>.dedup`, "customer").to("/campaigns/1")
	b.post("/suppressions", "scope", "customer", "value", "1", "channel", "post", "reason", evil).to("/suppressions")
	b.post("/settings/lists", "name", "l"+evil, "kind", "rented").to("/settings/lists")
	b.post("/settings/products", "sku", "<script>", "name", evil, "category", evil).to("/settings/products")
	b.post("/settings/users", "email", "x@example.org", "name", evil, "role", "agent").want(200)
	b.post("/settings/tokens", "name", evil, "role", "agent").want(200)
	mapping := b.upload("customers", evil, "<script>.csv", "last_name,<script>\n"+`"<script>alert(1)</script>",x`+"\n").to("/imports/mapping/")
	_, err := s.pool.Exec(t.Context(), `INSERT INTO sandbox_messages (channel, sender, recipient, subject, body, received_at) VALUES
		('sms', $1, $1, '', $1::text::bytea, now()), ('email', $1, $1, $1, convert_to(E'Subject: x\r\nTo: y\r\nContent-Type: text/html\r\n\r\n<script>alert(1)</script>', 'UTF8'), now())`, evil)
	must(t, err)

	for _, path := range []string{"/", "/customers", "/customers?q=" + "%3Cscript%3E", "/customers/1", "/customers/1/edit", "/customers/1/erase", "/suppressions", mapping,
		"/imports", "/segments", "/segments/1", "/templates", "/templates/1", "/campaigns", "/campaigns/1", "/campaigns/1/edit", "/campaigns/1/approve", "/campaigns/1/cancel",
		"/campaigns/1/forecast", "/reports", "/reports/1", "/outbox", "/outbox/1", "/outbox/2", "/settings/users", "/settings/tokens", "/settings/attributes", "/settings/lists",
		"/settings/products", "/settings/audit", "/no/<script>", "/settings/audit?actor=%22%3E%3Cscript%3E", "/reports?q=%3Cscript%3E&currency=%22onx"} {
		p := b.get(path)
		if p.status >= 500 {
			t.Errorf("%s: status %d", path, p.status)
		}
		for _, script := range p.all("script") {
			if kind, _ := attr(script, "type"); kind == "application/json" { // data, which the browser does not run
				continue
			}
			if src, ok := attr(script, "src"); !ok || !strings.HasPrefix(src, "/static/") {
				t.Errorf("%s has the script %q %q", path, src, nodeText(script))
			}
		}
		for n := range p.root.Descendants() {
			for _, a := range n.Attr {
				if strings.HasPrefix(a.Key, "on") || a.Key == "style" || strings.HasPrefix(strings.ToLower(a.Val), "javascript:") {
					t.Errorf("%s: <%s %s=%q>", path, n.Data, a.Key, a.Val)
				}
			}
		}
		if len(p.all("img")) > 0 {
			t.Errorf("%s has an image", path)
		}
	}
	// What strangers wrote is shown raw only inside a sandbox of its own.
	raw := b.get("/outbox/2/html").want(200)
	if c := raw.header.Get("Content-Security-Policy"); !strings.Contains(c, "sandbox") || strings.Contains(c, "allow-scripts") {
		t.Errorf("policy %q", c)
	}
	if s.log.Len() > 0 {
		t.Error("errors in the log")
	}
}

// TestRulesInWords: the pages say what a new sender and hours make messages wait for.
func TestRulesInWords(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.as(access.Admin)
	s.templates(b)
	b.post("/customers", "email", "anna@example.org", "last_name", "Smith", "country", "US").to("/customers/1")
	email := []string{"name", "Rules", "currency", "EUR", "budget", "10", "fixed_cost", "0", "margin_rate", "40", "audience", "expression", "expression", "", "cell_name", "all", "cell_share", "100",
		"journey_mode", "steps", "step", "m", "s.m.key", "m", "s.m.type", "email", "s.m.template", "Mail", "s.m.cost", "0.01", "s.m.dedup", "person"}
	b.post("/campaigns", append(email, "s.m.window", "mondays")...).want(422).has("These are no hours", "mon-fri 09:00-20:00")
	b.post("/campaigns", append(email, "s.m.window", "", "ends_at", "2001-01-01T10:00")...).want(422).has("lies in the past")
	at := b.post("/campaigns", append(email, "s.m.window", "mon 00:00 - 00:01 local", "ends_at", "2099-01-01T10:00")...).to("/campaigns/")
	b.get(at).want(200).has("Mon from 00:00 to 00:01 by the customer's clock", "Sends until")
	b.get(at+"/edit").want(200).one("input", "name", "s.m.window", "value", "mon 00:00-00:01 local")
	b.post(at+"/approve", "row_version", "1").to(at)
	b.post(at + "/launch").to(at)
	s.work()
	b.fragment("GET", at+"/live?state=running").want(200).has("1 message of step m waits", "by each customer's own clock", "The next go")

	company := b.get("/settings/company").want(200)
	company.one("input", "name", "ramp_start", "value", "0")
	b.post("/settings/company", "company_name", "A", "window_email", "whenever", "window_sms", "9-20 local").want(422).has("Not readable")
	if _, err := s.pool.Exec(t.Context(), `INSERT INTO settings (name, value, updated_at) VALUES ('ramp_start', '50', now()), ('from_email', '"news@new.example"', now())`); err != nil {
		t.Fatal(err)
	}
	time.Sleep(6 * time.Second) // settings are kept for five
	b.get("/settings/jobs").want(200).has("new.example: 0 of today's 50 mails")
}
