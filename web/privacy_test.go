package web_test

import (
	"strings"
	"testing"

	"aldine/internal/access"
)

func TestSuppressionPages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.as(access.Marketer)
	b.post("/customers", "last_name", "Panza", "street", "1 Mill Lane", "postal_code", "10115", "email", "sancho@mail.example.org").to("/customers/1")
	b.post("/suppressions", "scope", "domain", "value", "example.org", "channel", "email", "reason", "asked", "received_at", "2026-01-02", "expires_at", "2099-12-31").to("/suppressions")
	b.post("/suppressions", "scope", "household", "value", "1", "channel", "all", "reason", "moved away", "effective_at", "2098-01-01").to("/suppressions")
	b.get("/suppressions").want(200).has("holds from", "received", "until", "example.org", "household of 1")
	b.get("/suppressions?scope=household").want(200).has("moved away").hasNot("asked")
	b.get("/suppressions?q=example.o").want(200).has("asked").hasNot("moved away")
	b.get("/customers/1").want(200).has("suppressed: asked")
	for _, bad := range [][]string{{"scope", "domain", "value", "co.uk", "reason", "r"}, {"scope", "email", "value", "a@b.org", "reason", "r", "expires_at", "soon"}, {"scope", "household", "value", "77", "reason", "r"}} {
		b.post("/suppressions", bad...).want(422)
	}
	b.get("/suppressions/file").want(200)
	b.send("/suppressions/upload", "list.csv", "email\nx@example.net\nbroken\n", "scope", "email", "channel", "all", "reason", "partner").to("/imports/1")
	s.work()
	b.get("/imports/1").want(200).has("finished", "broken")
	b.get("/suppressions?q=x@example.net").has("partner")
	b.send("/suppressions/upload", "list.csv", "email\nx@example.net\n", "scope", "email", "channel", "all").want(422).has("say why")
	b.send("/suppressions/upload", "", "", "scope", "email", "reason", "r").want(422).has("Choose a file")
}

func TestRegisterPages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.as(access.Marketer)
	b.get("/registers").want(200).has("No register")
	b.post("/registers", "name", "National", "country", "US", "channel", "calls", "required", "yes", "consent", "yes", "relation_months", "18").to("/registers")
	b.get("/registers").want(200).has("no file yet: calls to US are blocked", "within 18 months")
	b.post("/registers", "name", "National", "country", "Moon").want(422)
	b.post("/registers", "name", "National", "country", "US", "max_age_days", "many").want(422)
	b.send("/registers/1/upload", "dnc.txt", "2125550101\n", "scrubbed_on", "").want(422).has("from which day")
	b.send("/registers/1/upload", "dnc.txt", "2125550101\n", "scrubbed_on", "2999-01-01").want(422).has("lie ahead")
	b.send("/registers/9/upload", "dnc.txt", "2125550101\n", "scrubbed_on", "2020-01-01").want(404)
	b.send("/registers/1/upload", "dnc.txt", "212,5550101\n212,5550102\n", "scrubbed_on", "2020-01-01").to("/imports/1")
	s.work()
	b.get("/registers").want(200).has("stale", "2 numbers", "2020-01-01")
	b.post("/registers/1/remove").to("/registers")
	b.post("/registers/1/remove").want(404)
}

func TestErasePages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b, admin := s.as(access.Marketer), s.as(access.Admin)
	b.post("/customers", "first_name", "Sancho", "last_name", "Panza", "email", "sancho@example.org").to("/customers/1")
	p := b.get("/customers/1/export.json").want(200)
	if !strings.Contains(p.body, `"sancho@example.org"`) || !strings.Contains(p.header.Get("Content-Disposition"), "customer-1.json") {
		t.Errorf("%s", p.body)
	}
	b.get("/customers/1/erase").want(200).has("rejected", "0 orders")
	b.post("/customers/1/erase", "typed", "yes").want(422).has("Type ERASE")
	b.post("/customers/1/erase", "typed", "sancho panza").to("/customers")
	b.get("/customers/1").want(404)
	b.post("/customers", "first_name", "Sancho", "last_name", "Panza", "email", "sancho@example.org").want(422).has("asked to be erased")
	admin.post("/settings/erased", "email", "nobody@example.org").want(422).has("Nobody")
	admin.post("/settings/erased", "email", "sancho@example.org").to("/settings/erased")
	b.post("/customers", "first_name", "Sancho", "last_name", "Panza", "email", "sancho@example.org").to("/customers/2")
}
