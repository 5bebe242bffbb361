package api_test

import (
	"bytes"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"aldine/internal/access"
)

var update = flag.Bool("update", false, "write golden files")

type description struct {
	OpenAPI string `json:"openapi"`
	Paths   map[string]map[string]struct {
		OperationID string            `json:"operationId"`
		Summary     string            `json:"summary"`
		Permission  access.Permission `json:"x-permission"`
	} `json:"paths"`
}

// TestRoles asks every operation as every role: exactly the roles that have its permission get past the door.
func TestRoles(t *testing.T) {
	t.Parallel()
	s := start(t, false)
	var d description
	if err := json.Unmarshal([]byte(s.want(200, "GET", "/api/openapi.json", "").body), &d); err != nil {
		t.Fatal(err)
	}
	fill := strings.NewReplacer("/suppressions/{id}", "/suppressions/01890000-0000-7000-8000-000000000000",
		"/customer-merges/{id}", "/customer-merges/01890000-0000-7000-8000-000000000000", "{no}", "1", "{other}", "1000000",
		"/unmatched/{id}", "/unmatched/01890000-0000-7000-8000-000000000000", "{id}", "999999", "{name}", "x.csv")
	asked := 0
	for path, methods := range d.Paths {
		for method, o := range methods {
			method, url := strings.ToUpper(method), "/api/v1"+fill.Replace(path)
			if o.Permission == "" || o.Summary == "" {
				t.Errorf("%s %s has no permission or no summary", method, path)
			}
			body := ""
			if method != "GET" && method != "DELETE" {
				body = "{}"
			}
			if r := s.do(method, url, body, "Authorization", ""); r.status != 401 || r.json(t, "status") != "401" || r.header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s %s without a token gives %d %s", method, path, r.status, r.body)
			}
			for _, role := range access.Roles() {
				asked++
				r := s.do(method, url, body, "Authorization", "Bearer "+s.tokens[role])
				switch {
				case !role.May(o.Permission) && (r.status != 403 || !strings.Contains(r.body, strings.Replace(string(role), "readonly", "read-only", 1))):
					t.Errorf("%s %s as %s gives %d, want 403: %s", method, path, role, r.status, r.body)
				case role.May(o.Permission) && (r.status == 401 || r.status == 403 || r.status >= 500):
					t.Errorf("%s %s as %s gives %d: %s", method, path, role, r.status, r.body)
				}
			}
		}
	}
	if asked < 300 {
		t.Errorf("only %d requests were made", asked)
	}
	if strings.Contains(s.log.String(), "request failed") {
		t.Errorf("unknown errors:\n%s", s.log)
	}
}

// The paths that others rely on, from the first requirement.
var promised = strings.Fields(`POST/imports GET/imports/{id} POST/attributes GET/customers POST/customers GET/customers/{id}
	PATCH/customers/{id} DELETE/customers/{id} GET/customers/{id}/history POST/orders POST/suppressions POST/segments POST/segments/check
	POST/segments/count POST/templates POST/campaigns GET/campaigns/{id} POST/campaigns/{id}/approve POST/campaigns/{id}/launch
	POST/campaigns/{id}/pause POST/campaigns/{id}/resume POST/campaigns/{id}/cancel GET/campaigns/{id}/report GET/reports/campaigns
	POST/responses GET/call-lists POST/call-lists/{id}/lease POST/calls/{id}/outcome GET/print-runs/{id}/files`)

func TestDescription(t *testing.T) {
	t.Parallel()
	s := start(t, false)
	raw := s.want(200, "GET", "/api/openapi.json", "", "Authorization", "").body
	var d description
	if err := json.Unmarshal([]byte(raw), &d); err != nil || !strings.HasPrefix(d.OpenAPI, "3.1") {
		t.Fatalf("OpenAPI %q %v", d.OpenAPI, err)
	}
	for _, p := range promised {
		method, path, _ := strings.Cut(p, "/")
		if _, ok := d.Paths["/"+path][strings.ToLower(method)]; !ok {
			t.Errorf("%s is missing", p)
		}
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, []byte(raw), "", "  "); err != nil {
		t.Fatal(err)
	}
	pretty.WriteByte('\n')
	const golden = "testdata/openapi.golden.json"
	if *update {
		if err := os.WriteFile(golden, pretty.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(pretty.Bytes(), want) {
		t.Error("the description has changed: if it is meant so, run go test ./api -update and look at the difference")
	}
	if y := s.want(200, "GET", "/api/openapi.yaml", "", "Authorization", ""); !strings.Contains(y.body, "openapi: 3.1") {
		t.Error("no YAML")
	}
}

func TestDocsWorkOffline(t *testing.T) {
	t.Parallel()
	s := start(t, false)
	page := s.want(200, "GET", "/api/docs", "", "Authorization", "")
	if strings.Contains(page.body, "//") && strings.Contains(page.body, "http") || page.header.Get("Content-Security-Policy") == "" {
		t.Errorf("the page reaches out: %s", page.body)
	}
	for _, f := range []string{"docs.js", "swagger-ui.css", "swagger-ui-bundle.js"} {
		if !strings.Contains(page.body, "docs/"+f) {
			t.Errorf("%s is not used", f)
		}
		s.want(200, "GET", "/api/docs/"+f, "", "Authorization", "")
	}
	listed, err := os.ReadFile("static/VENDORED.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{"swagger-ui.css", "swagger-ui-bundle.js"} {
		body, err := os.ReadFile("static/" + f)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha512.Sum512(body)
		if !strings.Contains(string(listed), f+" | "+hex.EncodeToString(sum[:])) {
			t.Errorf("%s is not the file that VENDORED.md names", f)
		}
	}
}

func TestTokensThatDoNotCount(t *testing.T) {
	t.Parallel()
	s := start(t, false)
	expires := time.Now().Add(300 * time.Millisecond)
	_, late, err := s.deps.Access.CreateToken(t.Context(), "late", access.Admin, &expires)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Until(expires) + 10*time.Millisecond)
	revoked, gone, err := s.deps.Access.CreateToken(t.Context(), "gone", access.Admin, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.deps.Access.RevokeToken(t.Context(), revoked.ID); err != nil {
		t.Fatal(err)
	}
	for header, want := range map[string]string{
		"Bearer " + late: "The token expired on", "Bearer " + gone: "The token was revoked on", "Bearer ald_nonsense": "not known",
		"Basic YTpi": "Send a token", "Bearer": "Send a token", "Bearer  ": "Send a token",
	} {
		r := s.do("GET", "/api/v1/customers", "", "Authorization", header)
		if r.status != 401 || !strings.Contains(r.json(t, "detail"), want) || !strings.HasPrefix(r.header.Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("%q gives %d %s", header, r.status, r.body)
		}
	}
	if r := s.do("GET", "/api/v1/customers", "", "Authorization", "", "Cookie", "session=anything"); r.status != 401 {
		t.Errorf("a page's session is accepted: %d", r.status)
	}
}
