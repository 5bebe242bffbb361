package api_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"aldine/internal/access"
)

// waitFor asks until the value at path is want.
func (s *server) waitFor(url, path, want string) reply {
	s.t.Helper()
	var r reply
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if r = s.want(200, "GET", url, ""); r.json(s.t, path) == want {
			return r
		}
	}
	s.t.Fatalf("%s stays %s, want %s:\n%s\nlog: %s", path, r.json(s.t, path), want, r.body, s.log)
	return r
}

// TestFromImportToReport is a whole campaign by REST alone.
func TestFromImportToReport(t *testing.T) {
	t.Parallel()
	s := start(t, true)
	var csv strings.Builder
	csv.WriteString("Kundennr;first_name;surname;email;phone;street;city;postcode;country\n")
	for i := 1; i <= 40; i++ {
		fmt.Fprintf(&csv, "C%d;Ann%d;Lee%d;ann%d@example.org;+1202555%04d;%d Elm St;Springfield;12345;US\n", i, i, i, i, 100+i, i)
	}
	csv.WriteString("C41;Bad;Mail;not-an-address;;;;;\n")
	const start = "/api/v1/imports?kind=customers&list=House&name=people.csv&map=Kundennr%3Dexternal_id"
	r := s.want(202, "POST", start, csv.String(), "Content-Type", "text/csv", "Idempotency-Key", "import-1")
	again := s.want(202, "POST", start, csv.String(), "Content-Type", "text/csv", "Idempotency-Key", "import-1")
	if again.header.Get("Idempotency-Replayed") != "true" || again.json(t, "id") != r.json(t, "id") {
		t.Errorf("the upload was taken twice: %s", again.body)
	}
	imp := "/api/v1/imports/" + r.json(t, "id")
	done := s.waitFor(imp, "state", "finished")
	if got := done.json(t, "rows") + " " + done.json(t, "created") + " " + done.json(t, "rejected"); got != "41 40 1" {
		t.Errorf("rows, created, rejected: %s", got)
	}
	if rejects := s.want(200, "GET", imp+"/rejects", ""); !strings.Contains(rejects.body, "not-an-address") || !strings.Contains(rejects.body, "42") {
		t.Errorf("rejects: %s", rejects.body)
	}
	orders := "order_id,customer_external_id,ordered_at,quantity,amount,currency\nO1,C1,2025-05-01,1,20.00,USD\nO2,C2,2025-05-02,2,30.00,USD\n"
	var rows, duplicates string
	for range 2 { // the same file again brings nothing new
		r = s.want(202, "POST", "/api/v1/imports?kind=orders", orders, "Content-Type", "text/csv")
		im := s.waitFor("/api/v1/imports/"+r.json(t, "id"), "state", "finished")
		rows, duplicates = im.json(t, "rows"), im.json(t, "duplicates")
	}
	if rows != duplicates {
		t.Errorf("of %s rows imported again %s are duplicates", rows, duplicates)
	}
	if n := s.want(200, "POST", "/api/v1/segments/count", `{"expression":"total_spent > 25"}`).json(t, "count"); n != "1" {
		t.Errorf("count after the import of orders: %s", n)
	}
	for _, bad := range []struct{ url, body, want string }{
		{"/api/v1/imports?kind=pets", "a,b\n", "kind"},
		{"/api/v1/imports?list=x", "a,b\n", "kind"},
		{"/api/v1/imports?kind=customers", "", "empty"},
		{"/api/v1/imports?kind=customers&map=nonsense", "a,b\n1,2\n", "column=field"},
		{"/api/v1/imports?kind=customers&map=%7B%22a%22:7%7D", "a,b\n1,2\n", "map"},
		{"/api/v1/imports?kind=customers&map=a%3Dshoe_size", "a,b\n1,2\n", "shoe_size"},
	} {
		if r := s.do("POST", bad.url, bad.body, "Content-Type", "text/csv"); r.status != 422 || !strings.Contains(r.body, bad.want) {
			t.Errorf("%s gives %d %s", bad.url, r.status, r.body)
		}
	}
	if r := s.do("POST", "/api/v1/imports?kind=customers", "email\n"+strings.Repeat("a@example.org\n", 100_000), "Content-Type", "text/csv"); r.status != 413 {
		t.Errorf("an upload over the limit gives %d %s", r.status, r.body)
	}

	s.want(201, "POST", "/api/v1/templates", `{"name":"Mail","channel":"email","subject":"Hello {{ customer.first_name }}","html":"<p>Dear {{ customer.first_name }}: <a href=\"https://shop.example/\">shop</a>. <a href=\"{{ unsubscribe_url }}\">Stop</a> {{ company.address }}</p>"}`)
	s.want(201, "POST", "/api/v1/templates", `{"name":"Text","channel":"sms","body":"Hello {{ customer.first_name }}"}`)
	s.want(201, "POST", "/api/v1/templates", `{"name":"Letter","channel":"post","body":"Dear {{ customer.first_name }},\n\ncode {{ keycode }}"}`)
	s.want(201, "POST", "/api/v1/templates", `{"name":"Script","channel":"calls","body":"Hello {{ customer.first_name }}"}`)
	r = s.want(201, "POST", "/api/v1/campaigns", `{"name":"Spring","currency":"USD","fixed_cost":10,"expression":"email != \"\"",
		"cells":[{"name":"A","share":"75"},{"name":"Control","share":25,"control":true}],
		"journey":{"start":"mail","steps":[{"key":"mail","type":"email","template":"Mail","unit_cost":"0.01","next":"text"},
			{"key":"text","type":"sms","template":"Text","unit_cost":0.05,"next":"letter"},
			{"key":"letter","type":"letter","template":"Letter","unit_cost":"0.60","next":"call"},
			{"key":"call","type":"call","template":"Script","unit_cost":"1.50"}]}}`)
	camp := "/api/v1/campaigns/" + r.json(t, "id")
	if r.json(t, "state") != "draft" {
		t.Fatalf("a new campaign is %s", r.json(t, "state"))
	}
	if r := s.do("POST", camp+"/launch", ""); r.status != 409 {
		t.Errorf("launch without approval gives %d %s", r.status, r.body)
	}
	if r := s.do("POST", camp+"/approve", ""); r.status != 422 && r.status != 409 || !strings.Contains(r.body, "budget") {
		t.Errorf("approval without a budget gives %d %s", r.status, r.body)
	}
	s.want(200, "PATCH", camp, `{"budget":"500.00"}`)
	if f := s.want(200, "GET", camp+"/forecast", ""); f.json(t, "audience") != "40" {
		t.Errorf("forecast: %s", f.body)
	}
	if r := s.want(200, "POST", camp+"/approve", "{}"); r.json(t, "state") != "approved" {
		t.Errorf("approved: %s", r.json(t, "state"))
	}
	launched := s.want(200, "POST", camp+"/launch", "", "Idempotency-Key", "launch")
	if launched.json(t, "state") != "running" {
		t.Errorf("launched: %s", launched.body)
	}
	if r := s.want(200, "POST", camp+"/launch", "", "Idempotency-Key", "launch"); r.header.Get("Idempotency-Replayed") != "true" || r.body != launched.body {
		t.Errorf("the repeated launch differs: %s", r.body)
	}
	if r := s.do("POST", camp+"/launch", ""); r.status != 409 {
		t.Errorf("a second launch gives %d %s", r.status, r.body)
	}

	// The calls: every one is worked until the list is empty. Legal hours are widened, since tests run at night too.
	s.want(200, "PATCH", "/api/v1/settings", `{"call_from_hour":0,"call_to_hour":24}`)
	lists := s.waitFor("/api/v1/call-lists", "items.0.campaign_id", r.json(t, "id"))
	list := "/api/v1/call-lists/" + lists.json(t, "items.0.id")
	agent := []string{"Authorization", "Bearer " + s.tokens[access.Agent]}
	worked := 0
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); {
		lease := s.do("POST", list+"/lease", `{"count":1}`, agent...)
		if lease.status == 409 && strings.Contains(lease.body, "finished") {
			break
		}
		if lease.status != 200 {
			t.Fatalf("lease gives %d %s", lease.status, lease.body)
		}
		id := lease.json(t, "items.0.id")
		if id == "missing" {
			c := s.want(200, "GET", camp, "")
			if c.json(t, "state") == "finished" {
				break
			}
			time.Sleep(100 * time.Millisecond)
			continue
		}
		body := `{"outcome":"refused"}`
		if worked == 0 {
			// Two agents are two, even where their tokens have one name.
			_, namesake, err := s.deps.Access.CreateToken(t.Context(), string(access.Agent), access.Agent, nil)
			if err != nil {
				t.Fatal(err)
			}
			other := s.want(200, "POST", list+"/lease", `{"count":50}`, "Authorization", "Bearer "+namesake)
			if strings.Contains(other.body, `{"id":`+id+`,`) {
				t.Errorf("two agents hold call %s: %s", id, other.body)
			}
			s.want(409, "POST", "/api/v1/calls/"+id+"/outcome", body, "Authorization", "Bearer "+namesake)
			for i := 0; other.json(t, fmt.Sprintf("items.%d.id", i)) != "missing"; i++ { // back to the list, for the loop
				s.want(204, "POST", "/api/v1/calls/"+other.json(t, fmt.Sprintf("items.%d.id", i))+"/release", "", "Authorization", "Bearer "+namesake)
			}
			body = `{"outcome":"sale","order":{"order_ref":"TEL1","amount":"25.00","currency":"USD"}}`
		}
		if r := s.do("POST", "/api/v1/calls/"+id+"/outcome", `{"outcome":"fine"}`, agent...); r.status != 422 {
			t.Errorf("an unknown outcome gives %d %s", r.status, r.body)
		}
		s.want(200, "POST", "/api/v1/calls/"+id+"/outcome", body, agent...)
		worked++
	}
	c := s.waitFor(camp, "state", "finished")
	if c.json(t, "touches.by_state.planned") != "<nil>" && c.json(t, "touches.by_state.planned") != "0" || c.json(t, "touches.by_reason.control") == "<nil>" {
		t.Errorf("touches: %s", c.json(t, "touches"))
	}
	if worked == 0 {
		t.Error("no call was worked")
	}

	// What came of it.
	runs := s.want(200, "GET", "/api/v1/print-runs", "")
	files := s.want(200, "GET", "/api/v1/print-runs/"+runs.json(t, "items.0.id")+"/files", "")
	if len(files.json(t, "items.0.sha256")) != 64 || files.json(t, "folder") != "" {
		t.Errorf("files: %s", files.body)
	}
	if f := s.want(200, "GET", files.json(t, "items.0.url"), ""); len(f.body) == 0 {
		t.Error("an empty file")
	}
	s.want(404, "GET", "/api/v1/print-runs/"+runs.json(t, "items.0.id")+"/files/..%2Fmanifest.json", "")
	codes := s.want(200, "GET", camp+"/keycodes", "")
	code := codes.json(t, "items.0.keycode")
	resp := s.want(201, "POST", "/api/v1/responses", `{"ref":"shop-1","kind":"order","keycode":"`+code+`","external_id":"C3","order_ref":"W1","amount":"40.00","currency":"USD"}`)
	if resp.json(t, "state") != "recorded" {
		t.Errorf("response: %s", resp.body)
	}
	if r := s.want(200, "POST", "/api/v1/responses", `{"ref":"shop-1","kind":"order","keycode":"`+code+`","external_id":"C3","order_ref":"W1","amount":"40.00","currency":"USD"}`); r.json(t, "repeated") != "true" {
		t.Errorf("the same response again: %s", r.body)
	}
	report := s.waitFor(camp+"/report", "orders", "2")
	if report.json(t, "revenue") != "65.00" || report.json(t, "direct_orders") != "2" || report.json(t, "roi") == "<nil>" {
		t.Errorf("report: %s", report.body)
	}
	if rec := s.want(200, "GET", camp+"/reconcile", ""); rec.json(t, "ok") != "true" {
		t.Errorf("the figures do not reconcile: %s", rec.body)
	}
	ledger := s.want(200, "GET", camp+"/ledger?kind=fixed", "")
	if ledger.json(t, "items.0.amount") != "10.00" {
		t.Errorf("ledger: %s", ledger.body)
	}
	finance := s.want(200, "GET", "/api/v1/reports/campaigns?format=csv", "", "Authorization", "Bearer "+s.tokens[access.Finance])
	if !strings.Contains(finance.body, "Spring") || !strings.Contains(finance.body, report.json(t, "cost")) {
		t.Errorf("finance: %s", finance.body)
	}
	if strings.Contains(s.log.String(), "request failed") {
		t.Errorf("unknown errors:\n%s", s.log)
	}
}

func TestBodiesAreJSONWhateverCurlSays(t *testing.T) {
	t.Parallel()
	s := start(t, false)
	const form = "application/x-www-form-urlencoded"
	if r := s.want(200, "POST", "/api/v1/segments/count", `{"expression":""}`, "Content-Type", form); r.json(t, "count") != "0" {
		t.Error(r.body)
	}
	s.want(400, "POST", "/api/v1/segments/count", `expression=`, "Content-Type", form)
	s.want(415, "POST", "/api/v1/segments/count", `<x/>`, "Content-Type", "text/xml")
}

func TestIdempotency(t *testing.T) {
	t.Parallel()
	s := start(t, false)
	const url = "/api/v1/customers"
	first := s.want(201, "POST", url, `{"first_name":"Anna"}`, "Idempotency-Key", "k1")
	second := s.want(201, "POST", url, `{"first_name":"Anna"}`, "Idempotency-Key", "k1")
	if second.body != first.body || second.header.Get("Idempotency-Replayed") != "true" || first.header.Get("Idempotency-Replayed") != "" {
		t.Errorf("first %s, then %s", first.body, second.body)
	}
	if r := s.want(422, "POST", url, `{"first_name":"Bob"}`, "Idempotency-Key", "k1"); !strings.Contains(r.body, "another request") {
		t.Error(r.body)
	}
	// Another actor's key is another key.
	if r := s.want(201, "POST", url, `{"first_name":"Anna"}`, "Idempotency-Key", "k1", "Authorization", "Bearer "+s.tokens[access.Marketer]); r.json(t, "id") == first.json(t, "id") {
		t.Error("two tokens share a key")
	}
	// So it is where both tokens have the same name.
	_, namesake, err := s.deps.Access.CreateToken(t.Context(), string(access.Admin), access.Admin, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r := s.want(201, "POST", url, `{"first_name":"Anna"}`, "Idempotency-Key", "k1", "Authorization", "Bearer "+namesake); r.json(t, "id") == first.json(t, "id") {
		t.Error("two tokens of one name share a key")
	}
	// Without the permission nothing is kept, not even the key.
	s.want(403, "POST", "/api/v1/imports?kind=customers", "email\n", "Idempotency-Key", "forbidden", "Authorization", "Bearer "+s.tokens[access.ReadOnly])
	var keys int
	if err := s.pool.QueryRow(t.Context(), `SELECT count(*) FROM idempotency_keys WHERE key = 'forbidden'`).Scan(&keys); err != nil || keys != 0 {
		t.Errorf("%d keys of a forbidden request, %v", keys, err)
	}
	s.want(404, "POST", "/api/v1/nothing", `{}`, "Idempotency-Key", "k1")
	// What was refused may be sent again with the same key.
	s.want(422, "POST", url, `{"email":"x"}`, "Idempotency-Key", "k2")
	s.want(201, "POST", url, `{"email":"x@example.org"}`, "Idempotency-Key", "k2")
	s.want(422, "POST", url, `{}`, "Idempotency-Key", strings.Repeat("k", 300))

	// Without a body.
	id := first.json(t, "id")
	s.want(204, "DELETE", url+"/"+id, "", "Idempotency-Key", "k3")
	if r := s.want(204, "DELETE", url+"/"+id, "", "Idempotency-Key", "k3"); r.header.Get("Idempotency-Replayed") != "true" {
		t.Error("the deletion was not replayed")
	}
	s.want(404, "DELETE", url+"/"+id, "")

	// Secrets are not kept.
	token := s.want(201, "POST", "/api/v1/tokens", `{"name":"x","role":"agent"}`, "Idempotency-Key", "k4")
	if r := s.want(409, "POST", "/api/v1/tokens", `{"name":"x","role":"agent"}`, "Idempotency-Key", "k4"); !strings.Contains(r.body, "only once") {
		t.Error(r.body)
	}
	var kept bool
	if err := s.pool.QueryRow(t.Context(), `SELECT bool_or(position(convert_to($1, 'UTF8') IN body) > 0) FROM idempotency_keys`, token.json(t, "token")).Scan(&kept); err != nil || kept {
		t.Errorf("the secret is kept: %v %v", kept, err)
	}

	// At once: one is done, the others are told to wait or get its answer.
	var mu sync.Mutex
	statuses, ids := map[int]int{}, map[string]bool{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			r := s.do("POST", url, `{"first_name":"Carl","email":"carl@example.org"}`, "Idempotency-Key", "k5")
			mu.Lock()
			defer mu.Unlock()
			statuses[r.status]++
			if r.status == 201 {
				ids[r.json(t, "id")] = true
			} else if r.header.Get("Retry-After") == "" {
				t.Errorf("%d without Retry-After: %s", r.status, r.body)
			}
		})
	}
	wg.Wait()
	if len(ids) != 1 || statuses[201]+statuses[409] != 8 {
		t.Errorf("eight at once: %v, customers %v", statuses, ids)
	}
	if n := s.want(200, "GET", url+"?search=carl@example.org", "").json(t, "items.1"); n != "missing" {
		t.Errorf("two customers were made: %s", n)
	}
}
