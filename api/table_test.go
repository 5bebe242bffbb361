package api_test

import (
	"crypto/rand"
	"strings"
	"testing"

	"aldine/internal/access"
	"aldine/tracking"
)

// call is one request and what its answer must and must not hold.
type call struct {
	name    string
	request string // method and path
	body    string
	role    access.Role // admin where ""
	status  int
	has     []string
	hasNot  []string
}

func TestRequests(t *testing.T) {
	t.Parallel()
	s := start(t, false)
	code := tracking.NewKeycode(rand.Reader)
	for _, c := range []call{
		{name: "unknown path", request: "GET /api/v1/nothing", status: 404, has: []string{`"There is nothing at /api/v1/nothing"`, `"status":404`}},
		{name: "unknown path beside the version", request: "GET /api/other", status: 404, has: []string{`"title":"Not Found"`}},
		{name: "wrong method", request: "PUT /api/v1/customers", status: 405, has: []string{"PUT is not possible"}},
		{name: "not JSON", request: "POST /api/v1/customers", body: `{"first_name":`, status: 400, has: []string{"not JSON"}, hasNot: []string{"first_name"}},
		{name: "wrong type", request: "POST /api/v1/customers", body: `{"first_name": 7}`, status: 422, has: []string{`"name":"first_name"`, "expected string"}},
		{name: "unknown field", request: "POST /api/v1/customers", body: `{"frist_name": "x"}`, status: 422, has: []string{`"name":"frist_name"`}},
		{name: "bad e-mail", request: "POST /api/v1/customers", body: `{"email": "a b"}`, status: 422, has: []string{`"name":"email"`}},
		{name: "bad id", request: "GET /api/v1/customers/abc", status: 422, has: []string{`"name":"id"`}},
		{name: "no such customer", request: "GET /api/v1/customers/4711", status: 404, has: []string{"4711"}},
		{name: "limit too large", request: "GET /api/v1/customers?limit=100000", status: 422, has: []string{`"name":"limit"`}},
		{name: "too large a body", request: "POST /api/v1/customers", body: `{"first_name":"` + strings.Repeat("x", 5<<20) + `"}`, status: 413, has: []string{`"status":413`}},

		{name: "define an attribute", request: "POST /api/v1/attributes", body: `{"name":"flower","label":"Flower","type":"text"}`, status: 201, has: []string{`"name":"flower"`}},
		{name: "the same attribute", request: "POST /api/v1/attributes", body: `{"name":"flower","label":"Flower","type":"text"}`, status: 409, has: []string{"flower"}},
		{name: "an attribute of no type", request: "POST /api/v1/attributes", body: `{"name":"x","label":"x","type":"colour"}`, status: 422, has: []string{`"name":"type"`}},
		{name: "an attribute that is no name", request: "POST /api/v1/attributes", body: `{"name":"x; DROP TABLE customers","label":"x","type":"text"}`, status: 422, has: []string{`"name":"name"`}},
		{name: "create", request: "POST /api/v1/customers", status: 201,
			body: `{"external_id":"A1","first_name":"Anna","last_name":"Smith","email":"anna@example.org","phone":"+12025550123","street":"1 Elm St","city":"Springfield","postal_code":"12345","country":"US","attributes":{"flower":"rose"},"consents":{"email":true}}`,
			has:  []string{`"id":1`, `"flower":"rose"`, `"total_spent":"0`}, hasNot: []string{"$schema", "household"}},
		{name: "get", request: "GET /api/v1/customers/1", status: 200, has: []string{`"channel":"email","granted":true`, `"first_name":"Anna"`}},
		{name: "patch", request: "PATCH /api/v1/customers/1", body: `{"city":"Shelbyville","attributes":{"flower":"tulip"}}`, status: 200, has: []string{"Shelbyville", "tulip"}},
		{name: "patch what is not there", request: "PATCH /api/v1/customers/1", body: `{"colour":"red"}`, status: 422, has: []string{"colour"}},
		{name: "search", request: "GET /api/v1/customers?search=smith", status: 200, has: []string{`"items":[{"id":1`}, hasNot: []string{`"next"`}},
		{name: "empty page", request: "GET /api/v1/customers?search=nobody", status: 200, has: []string{`"items":[]`}},
		{name: "finance may not see people", request: "GET /api/v1/customers/1", role: access.Finance, status: 403, has: []string{"finance"}, hasNot: []string{"Anna"}},
		{name: "consents", request: "PUT /api/v1/customers/1/consents", body: `{"sms":false}`, status: 200, has: []string{`"channel":"sms","granted":false`}},
		{name: "consents of no channel", request: "PUT /api/v1/customers/1/consents", body: `{"fax":true}`, status: 422, has: []string{"email, sms, post, calls"}},

		{name: "order with a number", request: "POST /api/v1/orders", body: `{"order_id":"O1","customer_external_id":"A1","ordered_at":"2026-01-05T10:00:00Z","quantity":1,"amount":12.5,"currency":"EUR"}`, status: 201, has: []string{`"id":"O1"`, `"state":"created"`}, hasNot: []string{"items"}},
		{name: "the same order once more", request: "POST /api/v1/orders", body: `{"order_id":"O1","customer_external_id":"A1","ordered_at":"2026-01-05T10:00:00Z","amount":"12.50","currency":"EUR"}`, status: 200, has: []string{`"state":"unchanged"`}},
		{name: "order dated by day", request: "POST /api/v1/orders", body: `{"order_id":"D1","ordered_at":"2026-01-05","amount":"1","currency":"EUR"}`, status: 201},
		{name: "orders again, and one that is wrong", request: "POST /api/v1/orders", status: 200,
			body: `[{"order_id":"O1","customer_external_id":"A1","ordered_at":"2026-01-05T10:00:00Z","quantity":1,"amount":"12.50","currency":"EUR"},{"order_id":"O2","customer_external_id":"nobody","ordered_at":"2026-01-05T10:00:00Z","quantity":1,"amount":"1","currency":"EUR"}]`,
			has:  []string{`"state":"unchanged"`, `"state":"rejected"`}},
		{name: "order with a mistyped keycode", request: "POST /api/v1/orders", status: 422, has: []string{`"name":"keycode"`},
			body: `{"order_id":"O9","ordered_at":"2026-01-05","amount":"1","currency":"EUR","keycode":"ABCDEFGH"}`},
		{name: "one of two with a mistyped keycode", request: "POST /api/v1/orders", status: 200, has: []string{`"id":"O9","order_id":"O9","state":"rejected","reason":"keycode: `, `"unchanged"`},
			body: `[{"order_id":"O9","ordered_at":"2026-01-05","amount":"1","currency":"EUR","keycode":"ABCDEFGH"},{"order_id":"D1","ordered_at":"2026-01-05","amount":"1","currency":"EUR"}]`},
		{name: "only a wrong order", request: "POST /api/v1/orders", body: `{"order_id":"O3","customer_external_id":"nobody","ordered_at":"2026-01-05T10:00:00Z","quantity":1,"amount":"1","currency":"EUR"}`, status: 422, has: []string{`"name":"customer_external_id"`}},
		{name: "order in a currency without a rate", request: "POST /api/v1/orders", body: `{"order_id":"O4","customer_external_id":"A1","ordered_at":"2026-01-05T10:00:00Z","quantity":1,"amount":"1","currency":"CHF"}`, status: 422, has: []string{"CHF"}},
		{name: "a rate", request: "PUT /api/v1/exchange-rates", body: `{"currency":"CHF","rate":"1.05"}`, status: 204},
		{name: "rates", request: "GET /api/v1/exchange-rates", role: access.Finance, status: 200, has: []string{`"currency":"CHF","rate":"1.05"`}},
		{name: "order with the rate", request: "POST /api/v1/orders", body: `{"order_id":"O4","customer_external_id":"A1","ordered_at":"2026-01-06T10:00:00Z","quantity":1,"amount":"10","currency":"CHF"}`, status: 201, has: []string{"created"}},
		{name: "no orders", request: "POST /api/v1/orders", body: `[]`, status: 422},
		{name: "amount that is none", request: "POST /api/v1/orders", body: `{"order_id":"O5","amount":"ten","ordered_at":"yesterday"}`, status: 422, has: []string{`"name":"amount"`, `"name":"ordered_at"`}, hasNot: []string{"decimal.Decimal"}},
		{name: "totals", request: "GET /api/v1/customers/1", status: 200, has: []string{`"total_spent":"23.0`, `"orders_count":2`}},
		{name: "history", request: "GET /api/v1/customers/1/history", status: 200, has: []string{`"kind":"order","what":"O4"`, `"amount":"10.00"`, `"kind":"consent"`}},

		{name: "event", request: "POST /api/v1/events", body: `{"ref":"e1","customer_external_id":"A1","name":"viewed","at":"2026-01-07T10:00:00Z","value":2.5,"properties":{"page":"/roses","seconds":42.50,"app":true}}`, status: 201, has: []string{`"state":"recorded"`, `"ref":"e1"`, `"customer_id":1`}, hasNot: []string{"items"}},
		{name: "the same event once more", request: "POST /api/v1/events", body: `{"ref":"e1","customer_id":1,"name":"viewed","at":"2026-01-07T10:00:00Z","value":"2.50","properties":{"seconds":42.5,"page":"/roses","app":true}}`, status: 200, has: []string{`"state":"repeated"`}},
		{name: "another event under the same ref", request: "POST /api/v1/events", body: `{"ref":"e1","customer_id":1,"name":"left","at":"2026-01-07T10:00:00Z"}`, status: 422, has: []string{`"name":"ref"`, "other content"}},
		{name: "events, and some that are wrong", request: "POST /api/v1/events", status: 200,
			body: `[{"customer_id":1,"name":"viewed","at":"2026-01-08"},{"customer_external_id":"nobody","name":"viewed"},{"customer_id":1,"name":""},{"customer_id":1,"name":"x","properties":{"a":[1]}}]`,
			has:  []string{`"state":"recorded"`, `customer_external_id: there is no customer`, `name: is missing`, `properties: a must be a text`}},
		{name: "only wrong events", request: "POST /api/v1/events", body: `[{"customer_id":1},{"name":"viewed"}]`, status: 422, has: []string{`"name":"[0].name"`, `"name":"[1].customer_external_id"`}},
		{name: "events that cannot be read", request: "POST /api/v1/events", body: `[{"customer_id":"x","name":7},{"properties":[1],"at":"soon","colour":"red"}]`, status: 422,
			has: []string{`"name":"[0].customer_id"`, `"name":"[0].name"`, `"name":"[1].properties","message":"must be an object of names and values"`, `"name":"[1].at"`, `"name":"[1].colour"`}},
		{name: "no events", request: "POST /api/v1/events", body: `[]`, status: 422},
		{name: "too many events", request: "POST /api/v1/events", body: "[" + strings.Repeat(`{"name":"x"},`, 5000) + `{"name":"x"}]`, status: 422, has: []string{"at most 5000"}},
		{name: "readers report no events", request: "POST /api/v1/events", role: access.ReadOnly, body: `{"customer_id":1,"name":"viewed"}`, status: 403},
		{name: "events of a customer", request: "GET /api/v1/customers/1/events?name=viewed&limit=1", role: access.ReadOnly, status: 200, has: []string{`"at":"2026-01-08T00:00:00Z"`, `"next":"`}},
		{name: "oldest event of a customer", request: "GET /api/v1/customers/1/events?name=viewed&limit=50", status: 200, has: []string{`"value":"2.5","properties":{"app":true,"page":"/roses","seconds":42.5}`}, hasNot: []string{`"next"`}},
		{name: "events from nowhere", request: "GET /api/v1/customers/1/events?after=x", status: 422, has: []string{"page mark"}},
		{name: "events of nobody", request: "GET /api/v1/customers/99/events", status: 404},
		{name: "events of a name that cannot be", request: "GET /api/v1/customers/1/events?name=a%00b", status: 422, has: []string{`"name":"name"`, "no text"}},
		{name: "events of a name that is no text", request: "GET /api/v1/customers/1/events?name=%ff", status: 422, has: []string{`"name":"name"`}},
		{name: "an event at no time", request: "POST /api/v1/events", body: `{"customer_id":1,"name":"viewed","at":"0001-01-01T00:00:00Z"}`, status: 422, has: []string{`"name":"at"`, "before 1900"}},
		{name: "very many faulty events", request: "POST /api/v1/events", body: "[" + strings.Repeat("1,", 1<<20) + "1]", status: 422, has: []string{`"name":"[0].body"`}, hasNot: []string{`"[100].`}},
		{name: "history with events", request: "GET /api/v1/customers/1/history", status: 200, has: []string{`"kind":"event","what":"viewed"`, `"value":"2.5","properties":{"app":true`}},

		{name: "suppress", request: "POST /api/v1/suppressions", body: `{"scope":"email","value":"Bob@Example.org","channel":"email","reason":"asked"}`, status: 201, has: []string{`{"id":"`, `"scope":"email"`}, hasNot: []string{"items"}},
		{name: "suppress without saying why", request: "POST /api/v1/suppressions", body: `[{"scope":"email","value":"kim@example.org"}]`, status: 200, has: []string{`"items":`}},
		{name: "suppress nonsense", request: "POST /api/v1/suppressions", body: `{"scope":"planet","value":"x"}`, status: 422, has: []string{"scope"}},
		{name: "suppressions", request: "GET /api/v1/suppressions?search=bob@example.org", status: 200, has: []string{"asked"}},
		{name: "a suppression that is not there", request: "DELETE /api/v1/suppressions/01890000-0000-7000-8000-000000000000", status: 404},
		{name: "an id that is none", request: "DELETE /api/v1/suppressions/17", status: 422, has: []string{`"name":"id"`}},

		{name: "check a good expression", request: "POST /api/v1/segments/check", body: `{"expression":"orders_count >= 2 and flower == \"tulip\""}`, status: 200, has: []string{`"valid":true`, `"errors":[]`}},
		{name: "check a bad expression", request: "POST /api/v1/segments/check", body: `{"expression":"orders_count >= 2\nand flwer == \"tulip\""}`, status: 200,
			has: []string{`"valid":false`, `"line":2`, `"column":5`, "flower"}},
		{name: "count", request: "POST /api/v1/segments/count", body: `{"expression":"orders_count >= 2","mode":"exact"}`, status: 200, has: []string{`"count":1`, `"low":1`, `"high":1`, `"exact":true`}},
		{name: "estimate", request: "POST /api/v1/segments/count", body: `{"expression":"orders_count >= 2","mode":"estimate"}`, status: 200, has: []string{`"count":`, `"low":`, `"high":`}},
		{name: "count a bad expression", request: "POST /api/v1/segments/count", body: `{"expression":"orders_cuont > 1"}`, status: 422, has: []string{`"line":1,"column":1`, "orders_count"}},
		{name: "count in a strange way", request: "POST /api/v1/segments/count", body: `{"expression":"","mode":"guess"}`, status: 422, has: []string{`"name":"mode"`}},
		{name: "injection", request: "POST /api/v1/segments/count", body: `{"expression":"first_name == \"x'; DROP TABLE customers; --\""}`, status: 200, has: []string{`"count":0`}},
		{name: "save", request: "POST /api/v1/segments", body: `{"name":"buyers","expression":"orders_count >= 1"}`, status: 201, has: []string{`"id":1`}},
		{name: "save again", request: "POST /api/v1/segments", body: `{"name":"buyers","expression":"orders_count >= 1"}`, status: 409, has: []string{"buyers"}},
		{name: "save a bad one", request: "POST /api/v1/segments", body: `{"name":"bad","expression":"nothing > 1"}`, status: 422, has: []string{`"line":1`}},
		{name: "change", request: "PUT /api/v1/segments/1", body: `{"name":"buyers","expression":"orders_count >= 2"}`, status: 200, has: []string{"orders_count \\u003e= 2|orders_count >= 2"}},
		{name: "count and keep", request: "POST /api/v1/segments/1/count", status: 200, has: []string{`"count":1`}},
		{name: "sample", request: "POST /api/v1/segments/sample", body: `{"expression":"in_segment(\"buyers\")"}`, status: 200, has: []string{"Anna"}},
		{name: "an agent may not", request: "POST /api/v1/segments", role: access.Agent, body: `{"name":"x","expression":""}`, status: 403},

		{name: "template with an unclosed tag", request: "POST /api/v1/templates", body: `{"name":"t","channel":"sms","body":"Hello\n{% if customer.first_name %}x"}`, status: 422, has: []string{`"name":"body"`, `"line":2`}},
		{name: "template with an unknown variable", request: "POST /api/v1/templates", body: `{"name":"t","channel":"sms","body":"Hello {{ customer.frist_name }}"}`, status: 422, has: []string{"frist_name"}},
		{name: "template", request: "POST /api/v1/templates", body: `{"name":"hello","channel":"email","subject":"Hi {{ customer.first_name }}","html":"<p>Hello {{ customer.first_name }}, <a href=\"https://shop.example/\">shop</a> {{ unsubscribe_url }} {{ company.address }}</p>"}`, status: 201, has: []string{`"version":1`}},
		{name: "preview", request: "POST /api/v1/templates/1/preview", body: `{"customer_id":1}`, status: 200, has: []string{"Hi Anna"}},
		{name: "test send", request: "POST /api/v1/templates/1/test-send", body: `{"to":"me@example.org","customer_id":1}`, status: 204},
		{name: "outbox", request: "GET /api/v1/outbox?channel=email", status: 200, has: []string{"me@example.org", "Hi Anna"}},

		{name: "settings", request: "PATCH /api/v1/settings", body: `{"company_name":"Garden Ltd","call_from_hour":9}`, status: 200, has: []string{"Garden Ltd"}},
		{name: "bad settings", request: "PATCH /api/v1/settings", body: `{"default_time_zone":"Mars/Olympus","call_from_hour":22}`, status: 422, has: []string{`"name":"call_from_hour"`, `"name":"default_time_zone"`}},
		{name: "unknown setting", request: "PATCH /api/v1/settings", body: `{"colour":"red"}`, status: 422, has: []string{"colour"}},
		{name: "audit", request: "GET /api/v1/audit?limit=200", status: 200, has: []string{"settings.update", "token:admin", "segment"}},
		{name: "audit is not for marketers", request: "GET /api/v1/audit", role: access.Marketer, status: 403},
		{name: "token", request: "POST /api/v1/tokens", body: `{"name":"crm","role":"read-only"}`, status: 201, has: []string{`"token":"ald_`, `"role":"readonly"`}},
		{name: "token of no role", request: "POST /api/v1/tokens", body: `{"name":"crm","role":"king"}`, status: 422, has: []string{`"name":"role"`}},
		{name: "tokens show no secrets", request: "GET /api/v1/tokens", status: 200, has: []string{`"name":"crm"`}, hasNot: []string{`"token":`, `"hash"`}},
		{name: "user", request: "POST /api/v1/users", body: `{"email":"u@example.org","role":"agent"}`, status: 201, has: []string{"one_time_password"}},
		{name: "user again", request: "POST /api/v1/users", body: `{"email":"U@example.org","role":"agent"}`, status: 409},
		{name: "disable", request: "PATCH /api/v1/users/1", body: `{"disabled":true}`, status: 200, has: []string{"disabled_at"}},
		{name: "users show no hashes", request: "GET /api/v1/users", status: 200, has: []string{"u@example.org"}, hasNot: []string{"argon2", "one_time_password\":\""}},
		{name: "dashboard", request: "GET /api/v1/dashboard", status: 200, has: []string{`"customers":1`}},
		{name: "no campaign", request: "GET /api/v1/campaigns/77/report", status: 404, has: []string{"77"}},
		{name: "no print run", request: "GET /api/v1/print-runs/77/files", status: 404},
		{name: "out of the print folder", request: "GET /api/v1/print-runs/77/files/..%2f..%2fsecret", status: 404, hasNot: []string{"secret\n"}},
		{name: "no call", request: "POST /api/v1/calls/77/outcome", body: `{"outcome":"sale"}`, status: 404},
		{name: "mistyped keycode", request: "POST /api/v1/responses", body: `{"ref":"r0","kind":"coupon","keycode":"ABCDEFGH"}`, status: 422, has: []string{`"name":"keycode"`}},
		{name: "unknown keycode", request: "POST /api/v1/responses", body: `{"ref":"r1","kind":"coupon","keycode":"` + code + `"}`, status: 201, has: []string{`{"id":"`, `"state":"unmatched"`, `"reason":`}},
		{name: "response of no kind", request: "POST /api/v1/responses", body: `{"kind":"wave"}`, status: 422, has: []string{"kind"}},
		{name: "response with an unknown field", request: "POST /api/v1/responses", body: `{"kind":"coupon","kyecode":"X"}`, status: 422, has: []string{"kyecode"}},
		{name: "unmatched", request: "GET /api/v1/responses/unmatched", status: 200, has: []string{code}},
		{name: "inbound SMS", request: "POST /api/v1/sms/inbound", body: `{"from":"+12025550123","to":"12345","text":"STOP","ref":"m1"}`, status: 200, has: []string{`"keyword":"stop"`}},
		{name: "finance as JSON", request: "GET /api/v1/reports/campaigns", role: access.Finance, status: 200, has: []string{`"items":[]`, `"totals":[]`}},
		{name: "finance as CSV", request: "GET /api/v1/reports/campaigns?format=csv", role: access.Finance, status: 200, has: []string{"campaign_id,code,name,state"}},
		{name: "finance as XLSX", request: "GET /api/v1/reports/campaigns?format=xlsx", role: access.Finance, status: 200, has: []string{"PK"}},
		{name: "finance as nonsense", request: "GET /api/v1/reports/campaigns?format=pdf", status: 422, has: []string{`"name":"format"`}},
		{name: "run without a name", request: "POST /api/v1/merge-runs", body: `{"level":"person"}`, status: 422, has: []string{`"name":"name"`}},
		{name: "run at no level", request: "POST /api/v1/merge-runs", body: `{"name":"x","level":"planet"}`, status: 422, has: []string{`"name":"level"`}},
		{name: "run", request: "POST /api/v1/merge-runs", body: `{"name":"Mailing","level":"person","allocation":"hierarchy","seed":7}`, status: 201, has: []string{`"id":1`, `"state":"draft"`, `"seed":7`}},
		{name: "run of a read-only person", request: "POST /api/v1/merge-runs", role: access.ReadOnly, body: `{"name":"Other"}`, status: 403},
		{name: "runs", request: "GET /api/v1/merge-runs", role: access.ReadOnly, status: 200, has: []string{`"name":"Mailing"`}},
		{name: "no such run", request: "GET /api/v1/merge-runs/77", status: 404, has: []string{"77"}},
		{name: "house file with a bad expression", request: "POST /api/v1/merge-runs/1/inputs?kind=house&expression=frist_name%20%3D%3D%201", status: 422, has: []string{"first_name"}},
		{name: "house file", request: "POST /api/v1/merge-runs/1/inputs?kind=house", status: 201, has: []string{`"no":1`, `"kind":"house"`}},
		{name: "input of no kind", request: "POST /api/v1/merge-runs/1/inputs?kind=borrowed", body: "a\n1\n", status: 422, has: []string{`"name":"kind"`}},
		{name: "rented list without a file", request: "POST /api/v1/merge-runs/1/inputs?kind=rented&name=R", status: 422, has: []string{"body is empty"}},
		{name: "rented list with a deal that is none", request: "POST /api/v1/merge-runs/1/inputs?kind=rented&name=R&net_share=most", body: "last_name,street\nX,1 Elm St\n", status: 422, has: []string{`"name":"net_share"`}},
		{name: "rented list with a share above all", request: "POST /api/v1/merge-runs/1/inputs?kind=rented&name=R&net_share=85", body: "last_name,street\nX,1 Elm St\n", status: 422, has: []string{"net_share"}},
		{name: "rented list", request: "POST /api/v1/merge-runs/1/inputs?kind=rented&name=R&price_per_thousand=100&currency=EUR&net_share=0.85", status: 201,
			body: "first_name,last_name,street,postal_code,city,country\nAnna,Smith,1 Elm St,12345,Shelbyville,US\nCarl,Young,7 Oak St,54321,Springfield,US\n", has: []string{`"no":2`, `"net_share":"0.85"`}},
		{name: "columns that do not exist", request: "PATCH /api/v1/merge-runs/1/inputs/2", body: `{"mapping":{"nothing":"last_name"}}`, status: 422},
		{name: "priority", request: "PATCH /api/v1/merge-runs/1/inputs/2", body: `{"priority":1}`, status: 200, has: []string{`"priority":1`}},
		{name: "preview", request: "GET /api/v1/merge-runs/1/inputs/2/preview?rows=1", status: 200, has: []string{`"line":2`, "Anna", `"verdict":"taken"`}, hasNot: []string{"Carl"}},
		{name: "no such list of the run", request: "DELETE /api/v1/merge-runs/1/inputs/9", status: 404},
		{name: "no report yet", request: "GET /api/v1/merge-runs/1/report", status: 409, has: []string{"draft"}},
		{name: "no workbook yet", request: "GET /api/v1/merge-runs/1/report.xlsx", status: 409},
		{name: "no net names yet", request: "GET /api/v1/merge-runs/1/net.csv", status: 409},
		{name: "records of a draft", request: "GET /api/v1/merge-runs/1/records?verdict=lost", status: 422, has: []string{`"name":"verdict"`}},
		{name: "apply a draft", request: "POST /api/v1/merge-runs/1/apply", status: 409},
		{name: "start", request: "POST /api/v1/merge-runs/1/start", status: 202, has: []string{`"state":"waiting"`}},
		{name: "start again", request: "POST /api/v1/merge-runs/1/start", status: 409},
		{name: "delete what is under way", request: "DELETE /api/v1/merge-runs/1", status: 409},
		{name: "cancel", request: "POST /api/v1/merge-runs/1/cancel", status: 202, has: []string{`"state":"cancelled"`}},
		{name: "delete", request: "DELETE /api/v1/merge-runs/1", status: 204},

		{name: "search for duplicates with a silly threshold", request: "POST /api/v1/duplicate-searches", body: `{"threshold":7}`, status: 422, has: []string{"threshold"}},
		{name: "search for duplicates", request: "POST /api/v1/duplicate-searches", body: `{}`, status: 202, has: []string{`"state":"waiting"`}},
		{name: "searches", request: "GET /api/v1/duplicate-searches", status: 200, has: []string{`"id":1`}},
		{name: "stop the search", request: "POST /api/v1/duplicate-searches/1/cancel", status: 200, has: []string{`"state":"cancelled"`}},
		{name: "pairs", request: "GET /api/v1/duplicates", status: 200, has: []string{`"items":[]`}},
		{name: "pairs after nonsense", request: "GET /api/v1/duplicates?after=1,x,2", status: 422, has: []string{`"name":"after"`}},
		{name: "how many pairs", request: "GET /api/v1/duplicates/counts", status: 200, has: []string{`"open":0`}},
		{name: "no such pair", request: "GET /api/v1/duplicates/1/2", status: 404},
		{name: "decide on no pair", request: "POST /api/v1/duplicates/1/2/decision", body: `{"different":true}`, status: 404},
		{name: "merge more than was seen", request: "POST /api/v1/duplicates/merge-sure", body: `{"expected":5}`, status: 409, has: []string{"0 pairs are sure now, not 5"}},
		{name: "a second Anna", request: "POST /api/v1/customers", body: `{"external_id":"A2","first_name":"Ana","last_name":"Smith"}`, status: 201, has: []string{`"id":2`}},
		{name: "merge with nobody", request: "POST /api/v1/customers/1/merges", body: `{}`, status: 422, has: []string{`"name":"old"`}},
		{name: "merge with oneself", request: "POST /api/v1/customers/1/merges", body: `{"old":1}`, status: 422},
		{name: "look at the merge", request: "GET /api/v1/customers/1/merge-preview?old=2", status: 200, has: []string{`"survivor_id":1`, `"field":"first_name"`, "external"}},
		{name: "merge across two external ids", request: "POST /api/v1/customers/1/merges", body: `{"old":2}`, status: 409, has: []string{"despite_conflict"}},
		{name: "merge with a choice that is none", request: "POST /api/v1/customers/1/merges", body: `{"old":2,"despite_conflict":true,"choose":{"shoe":"old"}}`, status: 422},
		{name: "merge", request: "POST /api/v1/customers/1/merges", body: `{"old":2,"despite_conflict":true,"choose":{"first_name":"survivor"}}`, status: 201, has: []string{`"survivor_id":1`, `"old_id":2`}},
		{name: "an old number", request: "GET /api/v1/customers/2", status: 200, has: []string{`"id":1`}},
		{name: "merges", request: "GET /api/v1/customers/2/merges", status: 200, has: []string{`"old_id":2`}},
		{name: "undo no merge", request: "POST /api/v1/customer-merges/01890000-0000-7000-8000-000000000000/undo", status: 404},
		{name: "undo what is no id", request: "POST /api/v1/customer-merges/7/undo", status: 422},

		{name: "erase", request: "DELETE /api/v1/customers/1", status: 204},
		{name: "erased", request: "GET /api/v1/customers/1", status: 404},
		{name: "a journey that is wrong", request: "POST /api/v1/journeys/check", body: `{"start":"a","steps":[{"key":"a","type":"email","template":"nothing"}]}`, status: 200, has: []string{`"valid":false`, "journey.steps[0]"}},
	} {
		role := c.role
		if role == "" {
			role = access.Admin
		}
		method, path, _ := strings.Cut(c.request, " ")
		r := s.do(method, path, c.body, "Authorization", "Bearer "+s.tokens[role])
		shown := r.body
		if len(shown) > 1500 {
			shown = shown[:1500]
		}
		if r.status != c.status {
			t.Errorf("%s: %s gives %d, want %d: %s", c.name, c.request, r.status, c.status, shown)
			continue
		}
		if r.status >= 400 && r.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: an error of type %s", c.name, r.header.Get("Content-Type"))
		}
		for _, w := range c.has {
			found := false
			for _, either := range strings.Split(w, "|") {
				found = found || strings.Contains(r.body, either)
			}
			if !found {
				t.Errorf("%s: no %s in %s", c.name, w, shown)
			}
		}
		for _, w := range c.hasNot {
			if strings.Contains(r.body, w) {
				t.Errorf("%s: %s in %s", c.name, w, shown)
			}
		}
	}
	if strings.Contains(s.log.String(), "request failed") {
		t.Errorf("unknown errors:\n%s", s.log)
	}
}

func TestUnknownErrorsRevealNothing(t *testing.T) {
	t.Parallel()
	s := start(t, false)
	if _, err := s.pool.Exec(t.Context(), `ALTER TABLE segments RENAME TO hidden`); err != nil {
		t.Fatal(err)
	}
	r := s.want(500, "GET", "/api/v1/segments", "")
	if strings.Contains(r.body, "segments") || strings.Contains(r.body, "SQLSTATE") || r.json(t, "request_id") != r.header.Get("X-Request-Id") {
		t.Errorf("the answer is %s", r.body)
	}
	if n := strings.Count(s.log.String(), r.json(t, "request_id")); n != 1 {
		t.Errorf("logged %d times:\n%s", n, s.log)
	}
}
