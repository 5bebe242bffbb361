package sms_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"aldine/delivery/sms"
)

func TestGateway(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		answer http.HandlerFunc
		ref    string
		class  sms.Class
		reason string
	}{
		"accepted": {answer: func(w http.ResponseWriter, r *http.Request) {
			var m sms.Message
			if err := json.NewDecoder(r.Body).Decode(&m); err != nil || m.ID != "1-2-3" || m.Text != "Hi" || r.Header.Get("Authorization") != "Bearer secret" {
				t.Errorf("got %+v, %v, %q", m, err, r.Header.Get("Authorization"))
			}
			_, _ = w.Write([]byte(`{"message_id":"g-7"}`))
		}, ref: "g-7"},
		"accepted without a name": {answer: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(202) }},
		"refused": {answer: func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(422)
			_, _ = w.Write([]byte(`{"error":"not a mobile number"}`))
		}, class: sms.Refused, reason: "not a mobile number"},
		"broken":     {answer: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, class: sms.Transient, reason: "500"},
		"busy":       {answer: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) }, class: sms.Transient, reason: "429"},
		"bad token":  {answer: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }, class: sms.Transient, reason: "token"},
		"redirected": {answer: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", http.StatusFound) }, class: sms.Transient, reason: "302"},
		"hung up": {answer: func(w http.ResponseWriter, _ *http.Request) {
			c, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_ = c.Close()
			}
		}, class: sms.Unknown, reason: "no answer"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(tt.answer)
			defer srv.Close()
			g, err := sms.NewGateway(srv.URL, "secret")
			if err != nil {
				t.Fatal(err)
			}
			ref, err := g.Send(t.Context(), sms.Message{ID: "1-2-3", To: "+4930901820", From: "ALDINE", Text: "Hi"})
			if tt.class == 0 {
				if err != nil || ref != tt.ref {
					t.Fatalf("got %q, %v", ref, err)
				}
				return
			}
			var e *sms.Error
			if !errors.As(err, &e) || e.Class != tt.class || !strings.Contains(e.Reason, tt.reason) {
				t.Fatalf("got %v (%+v)", err, e)
			}
		})
	}
}

func TestGatewayOutOfReach(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.NotFoundHandler())
	srv.Close()
	g, err := sms.NewGateway(srv.URL, "")
	if err != nil {
		t.Fatal(err)
	}
	var e *sms.Error
	if _, err = g.Send(t.Context(), sms.Message{ID: "x"}); !errors.As(err, &e) || e.Class != sms.Transient {
		t.Fatalf("got %v", err)
	}
	if _, err := sms.NewGateway("gateway.example/x", ""); err == nil {
		t.Error("an address without a scheme was taken")
	}
}
