package web_test

import (
	"net/http"
	"strings"
	"testing"

	"aldine/internal/access"
)

// An administrator makes an attribute private; then a reader who follows every link, and asks for it by name, finds nothing of it.
func TestPrivateAttribute(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const name, secret = "hidden_illness", "Xyzzy-gout"
	admin, marketer, reader := s.as(access.Admin), s.as(access.Marketer), s.as(access.ReadOnly)
	marketer.post("/settings/attributes", "name", name, "label", "Hidden illness", "type", "text").to("/settings/attributes")
	marketer.post("/settings/attributes", "name", "closed", "type", "text", "private", "yes").want(http.StatusForbidden)
	admin.post("/settings/attributes", "name", "birthday", "type", "date", "private", "yes").to("/settings/attributes")
	for _, email := range []string{"a@example.org", "b@example.org"} {
		marketer.post("/customers", "first_name", "Ann", "last_name", "Smith", "email", email, "attributes."+name, secret, "attributes.birthday", "1980-05-04").to("/customers/")
	}
	marketer.post("/segments", "name", "ill", "expression", name+` == "`+secret+`"`).to("/segments/1")
	marketer.post("/segments", "name", "nested", "expression", `in_segment("ill")`).to("/segments/2")
	marketer.post("/segments", "name", "open", "expression", `last_name == "Smith"`).to("/segments/3")
	marketer.post("/templates", "name", "Text", "channel", "sms", "body", "Hello, {% if customer."+name+" == '"+secret+"' %}get well{% endif %}").to("/templates/1")
	exec := func(sql string, args ...any) {
		t.Helper()
		if _, err := s.pool.Exec(t.Context(), sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	marketer.post("/templates", "name", "Plain", "channel", "sms", "body", "Nothing {{ customer.last_name }}").to("/templates/2")
	marketer.post("/merge-runs", "name", "run").to("/merge-runs/1")
	marketer.post("/merge-runs/1/house", "expression", name+` == "`+secret+`"`).to("/merge-runs/1")
	exec(`INSERT INTO imports (kind, file_name, file_path, file_size, mapping, state, created_by, created_at, rejected, error, report)
		VALUES ('customers', 'a.csv', '', 10, jsonb_build_object($1::text, $1::text), 'failed', 'test', now(), 1, $1 || ' is not what it was',
			jsonb_build_object('rejected', jsonb_build_array(jsonb_build_object('reason', $1 || ': no day', 'rows', 1, 'line', 2, 'example', $2::text))))`, name, secret)
	exec(`INSERT INTO import_rejects (import_id, line, reason, row_text) VALUES (1, 2, $1 || ': "' || $2 || '" is no day', $2), (1, 3, 'city: "' || $2 || '" is no city', $2)`, name, secret)
	marketer.post("/campaigns", "name", "Care", "currency", "EUR", "audience", "expression", "expression", name+` == "`+secret+`"`, "cell_name", "all", "cell_share", "100", "journey_mode", "json",
		"journey_json", `{"start":"b","steps":[{"key":"b","type":"branch","if":"`+name+` contains \"`+secret+`\"","then":"m"},{"key":"m","type":"sms","template":"Text"}]}`).to("/campaigns/1")
	reader.get("/customers/1").want(200).has(secret)
	reader.get("/campaigns/1").want(200).has(secret)
	marketer.get("/settings/attributes").want(200).hasNot("Make private")
	for _, b := range []*browser{marketer, reader} {
		b.post("/settings/attributes/"+name+"/private", "private", "yes").want(http.StatusForbidden)
	}
	admin.get("/settings/attributes").want(200).has("Make private")
	admin.post("/settings/attributes/"+name+"/private", "private", "yes").to("/settings/attributes")
	admin.get("/settings/attributes").want(200).has("not by read-only users")

	told := func(p *page) {
		t.Helper()
		if p.status >= 500 {
			t.Errorf("%s: %d", p.path, p.status)
		}
		for _, word := range []string{secret, name, "Hidden illness", "1980"} {
			if strings.Contains(p.body, word) && !strings.Contains(p.body, "is private") {
				t.Errorf("%s tells %q", p.path, word)
			}
		}
	}
	seen, next := map[string]bool{}, []string{"/", "/templates/new", "/segments/new", "/duplicates/1/2"}
	for len(next) > 0 && len(seen) < 150 {
		path := next[0]
		next = next[1:]
		if seen[path] {
			continue
		}
		seen[path] = true
		p := reader.get(path)
		told(p)
		if p.root == nil {
			continue
		}
		for _, a := range p.all("a") {
			if href, _ := attr(a, "href"); strings.HasPrefix(href, "/") && !strings.HasPrefix(href, "//") {
				next = append(next, strings.Split(href, "#")[0])
			}
		}
	}
	if len(seen) < 25 || !seen["/segments/1"] || !seen["/customers/1"] || !seen["/campaigns/1"] || !seen["/templates/1"] || !seen["/imports/1"] || !seen["/merge-runs/1"] {
		t.Errorf("only %d pages were seen", len(seen))
	}
	for _, path := range []string{"/segments/check", "/segments/sample", "/segments/profile", "/segments/overlap"} {
		for _, expression := range []string{name + ` != "x"`, `in_segment("nested")`} {
			p := reader.fragment("POST", path, "expression", expression, "with", "3", "mode", "exact")
			told(p)
			if !strings.Contains(p.body, "private") && !strings.Contains(p.body, "Correct the expression first") {
				t.Errorf("%s answers %s: %s", path, expression, p.text())
			}
		}
		told(reader.fragment("POST", path, "expression", "", "with", "3", "mode", "exact"))
	}
	reader.fragment("POST", "/segments/overlap", "expression", "", "with", "2").want(200).has("asks for private attributes")
	reader.post("/templates/preview", "channel", "sms", "body", "You have {{ customer."+name+" }}!").want(200).has("You have !")
	told(reader.post("/templates/preview", "channel", "sms", "body", "You have {{ customer.hidden_illnss }}!").want(200).has("hidden_illnss"))
	reader.get("/templates").want(200).has("asks for private attributes", "Nothing {{ customer.last_name }}")
	reader.get("/imports/1").want(200).has("about a private attribute", "city: is no city")
	reader.get("/merge-runs/1").want(200).has("Customers by private attributes")
	reader.get("/merge-runs/1/records").want(http.StatusForbidden)
	told(reader.get("/campaigns/1/forecast"))
	reader.fragment("POST", "/segments/rows", "expression", "")
	reader.get("/segments/1/members.csv").want(http.StatusForbidden)
	reader.get("/campaigns/1").want(200).has("asks for private attributes").has("(private)")
	reader.get("/segments/3").want(200).has("Who belongs to it")
	marketer.get("/segments/2").want(200).has(`in_segment("ill")`)
	admin.post("/settings/attributes/"+name+"/private", "private", "no").to("/settings/attributes")
	reader.get("/customers/1").want(200).has(secret)
}
