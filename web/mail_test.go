package web_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"aldine/internal/access"
)

// The mail behind a response is shown as text to those who work with responses, and to nobody else.
func TestMailAsItCame(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	marketer, reader := s.as(access.Marketer), s.as(access.ReadOnly)
	marketer.post("/customers", "last_name", "Smith", "email", "anna@example.org").to("/customers/1")
	r, err := s.deps.Inbound.Receive(access.With(t.Context(), access.System), "", []byte("From: Anna <anna@example.org>\r\nSubject: Hello\r\n\r\n<script>alert(1)</script>\u202e\x00 and roses\r\n"))
	must(t, err)
	if r.ResponseID == uuid.Nil || r.CustomerID != 1 {
		t.Fatalf("%+v", r)
	}
	path := "/mails/" + r.ResponseID.String()
	marketer.get("/customers/1").want(200).has("The mail as it came")
	p := marketer.get(path).want(200).has("<script>alert(1)</script>\uFFFD\uFFFD and roses")
	if strings.Contains(p.body, "<script>alert") {
		t.Error("the mail is not escaped")
	}
	marketer.get("/mails/" + uuid.NewString()).want(http.StatusNotFound)
	marketer.get("/mails/x").want(http.StatusNotFound)
	reader.get(path).want(http.StatusForbidden)
	if p := reader.get("/customers/1").want(200); strings.Contains(p.body, "/mails/") {
		t.Error("a reader is led to the mail")
	}
}
