package api_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"aldine/internal/access"
)

// What is private is nowhere in what a reader can ask for: every operation that reads, over customers, pairs, merges, segments and
// imports that hold it.
func TestPrivateAttributesStayPrivate(t *testing.T) {
	t.Parallel()
	s := start(t, false)
	const name, secret = "hidden_illness", "Xyzzy-gout"
	s.want(201, "POST", "/api/v1/attributes", `{"name":"`+name+`","label":"Hidden illness","type":"text"}`)
	s.want(201, "POST", "/api/v1/attributes", `{"name":"shown","type":"text"}`)
	s.want(201, "POST", "/api/v1/attributes", `{"name":"birthday","type":"date","private":true}`)
	for _, role := range []access.Role{access.Marketer, access.ReadOnly} {
		s.want(403, "PUT", "/api/v1/attributes/"+name+"/private", `{"private":true}`, "Authorization", "Bearer "+s.tokens[role])
	}
	s.want(403, "POST", "/api/v1/attributes", `{"name":"secret","type":"text","private":true}`, "Authorization", "Bearer "+s.tokens[access.Marketer])
	s.want(422, "PUT", "/api/v1/attributes/"+name+"/private", `{}`)
	s.want(404, "PUT", "/api/v1/attributes/none/private", `{"private":true}`)
	for range 3 {
		s.want(201, "POST", "/api/v1/customers", `{"first_name":"Ann","last_name":"Smith","city":"Bath","attributes":{"`+name+`":"`+secret+`","shown":"plain","birthday":"1980-05-04"}}`)
	}
	s.want(201, "POST", "/api/v1/customers/2/merges", `{"old":3}`)
	if _, err := s.pool.Exec(t.Context(), `INSERT INTO duplicates (customer_id, other_id, score, evidence, state, run_id, found_at)
		VALUES (1, 2, 0.9, '[{"field":"birth_date","a":"1980-05-04","b":"1980-05-04","standard_a":"19800504","standard_b":"19800504","level":"exact","weight":9}]', 'open', 1, now())`); err != nil {
		t.Fatal(err)
	}
	s.want(201, "POST", "/api/v1/segments", `{"name":"ill","expression":"`+name+` == \"`+secret+`\""}`)
	s.want(201, "POST", "/api/v1/segments", `{"name":"nested","expression":"in_segment(\"ill\") and city == \"Bath\""}`)
	s.want(201, "POST", "/api/v1/segments", `{"name":"open","expression":"shown == \"plain\""}`)
	s.want(200, "POST", "/api/v1/segments/1/count", "")
	s.want(200, "POST", "/api/v1/segments/2/count", "")
	s.want(201, "POST", "/api/v1/templates", `{"name":"Text","channel":"sms","body":"You have {{ customer.`+name+` }}, {{ customer.shown }}"}`)
	s.want(201, "POST", "/api/v1/campaigns", `{"name":"Care","currency":"EUR","expression":"`+name+` == \"`+secret+`\"","journey":{"start":"b","steps":[
		{"key":"b","type":"branch","if":"`+name+` startsWith \"`+secret+`\"","then":"m"},{"key":"m","type":"sms","template":"Text"}]}}`)
	s.want(201, "POST", "/api/v1/templates", `{"name":"Mail","channel":"email","subject":"For you, {{ customer.`+name+` }}","html":"<p>{% if customer.`+name+` == '`+secret+`' %}Oh{% endif %} {{ unsubscribe_url }} {{ company.address }}</p>"}`)
	s.want(201, "POST", "/api/v1/templates", `{"name":"Open","channel":"sms","body":"Nothing of it: {{ customer.shown }}"}`)
	s.want(201, "POST", "/api/v1/merge-runs", `{"name":"run"}`)
	s.want(201, "POST", "/api/v1/merge-runs/1/inputs?kind=house&expression="+url.QueryEscape(name+` == "`+secret+`"`), "")
	if _, err := s.pool.Exec(t.Context(), `INSERT INTO imports (kind, file_name, file_path, file_size, mapping, state, created_by, created_at, rejected, error, report)
		VALUES ('customers', 'a.csv', '', 10, jsonb_build_object($1::text, $1::text, 'City', 'city'), 'failed', 'test', now(), 1, $1 || ' is not what it was',
			jsonb_build_object('rejected', jsonb_build_array(jsonb_build_object('reason', $1 || ': no day', 'rows', 1, 'line', 2, 'example', $2::text))))`, name, secret); err != nil {
		t.Fatal(err)
	}
	s.want(201, "POST", "/api/v1/segments", `{"name":"breaks","expression":"`+name+` == \"`+secret+`\" and shown == \"plain\""}`)
	s.want(201, "POST", "/api/v1/campaigns", `{"name":"Broken","currency":"EUR","expression":"in_segment(\"breaks\") or `+name+` == \"`+secret+`\""}`)
	s.want(201, "POST", "/api/v1/campaigns", `{"name":"Broken too","currency":"EUR","segment":"breaks"}`)
	s.want(201, "POST", "/api/v1/campaigns", `{"name":"Broken within","currency":"EUR","expression":"in_segment(\"breaks\")"}`)
	s.want(201, "POST", "/api/v1/campaigns", `{"name":"More care","currency":"EUR","segment":"nested"}`)
	if got := s.want(200, "GET", "/api/v1/customers/1", "", "Authorization", "Bearer "+s.tokens[access.ReadOnly]); !strings.Contains(got.body, secret) {
		t.Error("an attribute is hidden before it is private")
	}
	s.want(200, "PUT", "/api/v1/attributes/"+name+"/private", `{"private":true}`)

	reader := []string{"Authorization", "Bearer " + s.tokens[access.ReadOnly]}
	asked := 0
	ask := func(method, path, body string) reply {
		t.Helper()
		asked++
		r := s.do(method, path, body, reader...)
		if r.status >= 500 {
			t.Errorf("%s %s: %d %s", method, path, r.status, r.body)
		}
		for _, word := range []string{secret, name, "1980", "Hidden illness"} {
			if strings.Contains(r.body, word) && (word != name || method == "GET" || !strings.Contains(r.body, "is private")) { // who names it, is told so
				t.Errorf("%s %s tells %q: %s", method, path, word, r.body)
			}
		}
		return r
	}
	var d description
	if err := json.Unmarshal([]byte(s.want(200, "GET", "/api/openapi.json", "").body), &d); err != nil {
		t.Fatal(err)
	}
	for path, methods := range d.Paths {
		if o, ok := methods["get"]; ok && access.ReadOnly.May(o.Permission) {
			for _, id := range []string{"1", "2", "3"} {
				ask("GET", "/api/v1"+strings.NewReplacer("{id}", id, "{other}", "2", "{old}", "2", "{no}", "1", "{name}", "x.csv").Replace(path), "")
				ask("GET", "/api/v1"+strings.NewReplacer("{id}", id, "{other}", "2", "{old}", "2", "{no}", "1", "{name}", "x.csv").Replace(path)+"?old=2&old_id=2&other=2&search=Smith", "")
			}
		}
	}
	if r := s.want(200, "GET", "/api/v1/campaigns/1", "", "Authorization", "Bearer "+s.tokens[access.Finance]); strings.Contains(r.body, name) {
		t.Errorf("who keeps the accounts is told: %s", r.body)
	}
	if r := s.want(200, "GET", "/api/v1/campaigns/1", ""); strings.Count(r.body, secret) != 2 || strings.Contains(r.body, `"hidden"`) {
		t.Errorf("an administrator sees the campaign as %s", r.body)
	}
	ask("POST", "/api/v1/journeys/check", `{"start":"b","steps":[{"key":"b","type":"branch","if":"hidden_illnss == 1"}]}`)
	ask("POST", "/api/v1/segments/check", `{"expression":"hidden_illnss == 1"}`)
	for _, what := range []string{`` + name + ` != \"x\"`, `in_segment(\"nested\")`, `top(2, ` + name + ` == \"x\" ? 1 : 0)`, ``} {
		for _, path := range []string{"/segments/check", "/segments/count", "/segments/sample", "/segments/profile"} {
			r := ask("POST", "/api/v1"+path, `{"expression":"`+what+`"}`)
			if what != "" && !strings.Contains(r.body, "private") {
				t.Errorf("%s %s: %d %s", path, what, r.status, r.body)
			}
		}
	}
	for _, id := range []string{"1", "2"} {
		ask("POST", "/api/v1/segments/"+id+"/count", "")
		if r := ask("GET", "/api/v1/segments/"+id, ""); r.json(t, "hidden") != "true" || r.json(t, "expression") != "" || r.json(t, "last_count") != "<nil>" {
			t.Errorf("segment %s: %s", id, r.body)
		}
		if r := ask("GET", "/api/v1/segments/"+id+"/history", ""); r.json(t, "items.0") != "missing" {
			t.Errorf("history of segment %s: %s", id, r.body)
		}
		s.want(403, "GET", "/api/v1/segments/"+id+"/members.csv", "", reader...)
		if n := s.want(200, "GET", "/api/v1/segments/"+id, "").json(t, "last_count"); n != "2" {
			t.Errorf("an administrator sees %s members", n)
		}
	}
	if r := ask("GET", "/api/v1/segments/3", ""); r.json(t, "expression") != `shown == "plain"` {
		t.Errorf("a segment without private attributes: %s", r.body)
	}
	for _, role := range []access.Role{access.ReadOnly, access.Finance} {
		for path, hidden := range map[string]string{"/api/v1/templates/1": "true", "/api/v1/templates/2": "true", "/api/v1/templates/3": "<nil>"} {
			r := s.want(200, "GET", path, "", "Authorization", "Bearer "+s.tokens[role])
			if r.json(t, "hidden") != hidden || strings.Contains(r.body, name) {
				t.Errorf("%s sees the template %s: %s", role, path, r.body)
			}
		}
	}
	ask("GET", "/api/v1/templates?search=Mail", "")
	if r := s.want(200, "GET", "/api/v1/templates/1", ""); !strings.Contains(r.body, name) {
		t.Errorf("an administrator sees the template as %s", r.body)
	}
	if r := ask("GET", "/api/v1/merge-runs/1", ""); r.json(t, "inputs.0.hidden") != "true" {
		t.Errorf("the house input: %s", r.body)
	}
	s.want(403, "GET", "/api/v1/merge-runs/1/records", "", reader...)
	if r := ask("GET", "/api/v1/imports/1", ""); !strings.Contains(r.body, `"City":"city"`) {
		t.Errorf("the import: %s", r.body)
	}
	s.want(200, "GET", "/api/v1/campaigns/2/forecast", "")
	if _, err := s.pool.Exec(t.Context(), `UPDATE segments SET expression = replace(expression, 'shown', 'gone') WHERE name = 'breaks'`); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"1", "2", "3", "4", "5"} {
		if r := ask("GET", "/api/v1/campaigns/"+id+"/forecast", ""); id != "1" && id != "5" && (r.status != 422 || !strings.Contains(r.body, "private")) {
			t.Errorf("the forecast of campaign %s: %d %s", id, r.status, r.body)
		}
	}
	if r := ask("POST", "/api/v1/templates/1/preview", `{"customer_id":1}`); !strings.Contains(r.body, "You have , plain") {
		t.Errorf("the preview: %s", r.body)
	}
	s.want(200, "PUT", "/api/v1/attributes/"+name+"/private", `{"private":false}`)
	if r := s.want(200, "GET", "/api/v1/customers/1", "", reader...); !strings.Contains(r.body, secret) {
		t.Error("it is not open again")
	}
	if asked < 100 {
		t.Errorf("only %d questions", asked)
	}
}
