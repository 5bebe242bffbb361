package web_test

import (
	"net/http"
	"strings"
	"testing"

	"aldine/internal/access"
)

// TestRoles opens every place as every role: what the side bar shows opens, everything else is refused.
func TestRoles(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	admin := s.as(access.Admin)
	s.templates(admin)
	admin.post("/segments", "name", "everyone", "expression", "").to("/segments/1")
	admin.post("/campaigns", spring()...).to("/campaigns/1")
	admin.post("/customers", "last_name", "Smith", "email", "s@example.org").to("/customers/1")

	admin.post("/merge-runs", "name", "Mailing", "level", "person", "allocation", "hierarchy").to("/merge-runs/1")

	// m marketer, a agent, f finance, r read-only; the administrator may open everything.
	paths := []struct{ path, may string }{
		{"/", "mfr"}, {"/home/live", "mfr"}, {"/customers", "mr"}, {"/customers/1", "mr"}, {"/customers/new", "m"}, {"/customers/1/edit", "m"}, {"/customers/1/erase", "m"}, {"/customers/1/export.json", "m"}, {"/suppressions/file", "m"}, {"/registers", "mr"}, {"/settings/erased", ""},
		{"/suppressions", "mr"}, {"/imports", "mr"}, {"/imports/new", "m"},
		{"/merge-runs", "mr"}, {"/merge-runs/new", "m"}, {"/merge-runs/1", "mr"}, {"/merge-runs/1/records", "mr"}, {"/duplicates", "mr"}, {"/duplicates/sure", "m"}, {"/segments", "mr"}, {"/segments/1", "mr"}, {"/segments/new", "m"},
		{"/campaigns", "mfr"}, {"/campaigns/1", "mfr"}, {"/campaigns/1/edit", "m"}, {"/campaigns/new", "m"}, {"/campaigns/1/approve", "m"}, {"/campaigns/1/cancel", "m"},
		{"/templates", "mfr"}, {"/templates/1", "mfr"}, {"/templates/new?channel=sms", "m"}, {"/calls", "mar"}, {"/reports", "mfr"}, {"/reports/1", "mfr"},
		{"/reports/1/ledger", "mfr"}, {"/reports/export?format=csv", "mfr"}, {"/reports/unmatched", "m"}, {"/outbox", "m"}, {"/print-runs", "m"},
		{"/settings/company", ""}, {"/settings/users", ""}, {"/settings/tokens", ""}, {"/settings/attributes", "m"}, {"/settings/lists", "m"}, {"/settings/products", "m"},
		{"/settings/rates", ""}, {"/settings/audit", ""}, {"/settings/jobs", ""}, {"/settings/tracking", ""}, {"/settings/tracking/live", ""}, {"/settings/facts", ""}, {"/settings/facts/live", ""},
	}
	for letter, role := range map[string]access.Role{"m": access.Marketer, "a": access.Agent, "f": access.Finance, "r": access.ReadOnly} {
		b := s.as(role)
		start := "/"
		if role == access.Agent {
			b.get("/").to("/calls")
			start = "/calls"
		}
		for _, a := range b.get(start).want(200).all("a", "class", "nav-link") {
			href, _ := attr(a, "href")
			if p := b.get(href); p.status != http.StatusOK && p.status != http.StatusSeeOther {
				t.Errorf("%s: the side bar leads to %s, which answers %d", role, href, p.status)
			}
		}
		for _, x := range paths {
			p := b.get(x.path)
			switch {
			case role == access.Agent && x.path == "/":
			case strings.Contains(x.may, letter):
				p.want(200)
			default:
				p.want(http.StatusForbidden).has("Not allowed")
			}
		}
		for _, path := range []string{"/settings/users", "/settings/tokens", "/settings/company", "/settings/rates"} {
			b.post(path, "name", "x", "role", "admin", "email", "x@example.org").want(http.StatusForbidden)
		}
		if letter != "m" {
			for _, path := range []string{"/customers", "/customers/1", "/customers/1/erase", "/registers", "/registers/1/remove", "/suppressions/upload", "/registers/1/upload", "/segments", "/campaigns", "/campaigns/1/approve", "/campaigns/1/cancel",
				"/templates", "/suppressions", "/imports/upload", "/merge-runs", "/merge-runs/1/house", "/merge-runs/1/files", "/merge-runs/1/start", "/merge-runs/1/apply",
				"/merge-runs/1/delete", "/duplicates/searches", "/duplicates/sure", "/duplicates/undo", "/duplicates/1/2", "/settings/attributes"} {
				b.post(path, "name", "x", "typed", "1").want(http.StatusForbidden)
			}
		}
	}
	for _, x := range paths {
		admin.get(x.path).want(200)
	}
	stranger := s.browser()
	for _, x := range paths {
		stranger.get(x.path).to("/sign-in")
		stranger.post(x.path).to("/sign-in")
	}
	p := stranger.fragment("GET", "/home/live").want(http.StatusUnauthorized)
	if p.header.Get("HX-Redirect") != "/sign-in" {
		t.Error("a fragment does not lead to the sign-in page")
	}
}
