package web_test

import (
	"strings"
	"testing"

	"aldine/internal/access"
)

// Without a script a segment is checked, counted and saved by its form; with one, it is compared with others.
func TestSegmentWithoutScript(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.as(access.Marketer)
	for _, city := range []string{"Bath", "Bath", "York"} {
		b.post("/customers", "last_name", "Smith", "city", city).to("/customers/")
	}
	if p := b.get("/segments/new").want(200); !strings.Contains(p.body, `<noscript><button class="btn" formaction="/segments/check"`) {
		t.Error("no button that checks without a script")
	}
	b.post("/segments/check", "name", "", "expression", `city == "Bath"`).want(200).has("2 customers", "exact")
	b.post("/segments/check", "expression", `city == Bath`).want(200).has("Bath")
	b.post("/segments", "name", "bath", "expression", `city == "Bath"`).to("/segments/1")
	b.get("/segments/1").want(200).has("2 customers, counted")
	b.post("/segments/check", "id", "1", "name", "bath", "expression", `city == "York"`).want(200).has("1 customer")
	b.post("/segments/1", "name", "bath", "expression", `city == "York"`).to("/segments/1")
	b.get("/segments/1").want(200).has("1 customers, counted", "Version 2")
	b.post("/segments", "name", "all", "expression", "").to("/segments/2")
	b.fragment("POST", "/segments/overlap", "expression", `city == "Bath"`, "with", "2", "with", "1").want(200).has("this one", "all", "bath", "2", "1")
}
