package main

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"aldine/internal/pgtest"
)

// What no route answers is a problem document under /api and a page elsewhere: the two sides share one server.
func TestUnknownAddresses(t *testing.T) {
	t.Parallel()
	shell := newShell(t)
	token := shell.ok("token", "create", "--role", "admin")
	_, base := startServer(t, append(shell.args, "--log-level", "error")...)
	for _, c := range []struct {
		method, path, token string
		status              int
		mime                string
	}{
		{"GET", "/api/v1/nothing", token, 404, "application/problem+json"},
		{"PUT", "/api/v1/customers", token, 405, "application/problem+json"},
		{"DELETE", "/api/v1/customers", token, 405, "application/problem+json"},
		{"GET", "/api/v1/nothing", "", 401, "application/problem+json"},
		{"GET", "/api/nothing", token, 404, "application/problem+json"},
		{"GET", "/nothing", "", 200, "text/html"}, // the page to sign in, after a redirect
		{"GET", "/t/nothing", "", 404, "text/html"},
		{"GET", "/healthz", "", 200, "text/plain"},
		{"GET", "/readyz", "", 200, "text/plain"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), c.method, base+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.token != "" {
			r.Header.Set("Authorization", "Bearer "+c.token)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if got := answer.Header.Get("Content-Type"); answer.StatusCode != c.status || !strings.HasPrefix(got, c.mime) {
			t.Errorf("%s %s: %d %s, want %d %s", c.method, c.path, answer.StatusCode, got, c.status, c.mime)
		}
	}
}

func TestMetricsOfQuietQueues(t *testing.T) {
	t.Parallel()
	_, base := startServer(t, append(newShell(t).args, "--log-level", "error")...)
	answer, err := http.Get(base + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{`aldine_queue_jobs{queue="email",state="available"} 0`, `aldine_queue_jobs{queue="post",state="discarded"} 0`,
		`aldine_queue_oldest_seconds{queue="sms"} 0`} {
		if !strings.Contains(string(body), line+"\n") {
			t.Errorf("metrics lack %s", line)
		}
	}
}

func TestConfigurationFaultsComeTogether(t *testing.T) {
	t.Parallel()
	s := shell{t, []string{"--data", t.TempDir(), "--database-url", pgtest.NewURL(t)}}
	s.fails(2, []string{"--listen", "--public-url", "--smtp-url", "--sms-url", "--secret-key", "--email-connections", "--log-level", "--log-format"},
		"serve", "--listen", "nonsense", "--public-url", "x", "--smtp-url", "ftp://x", "--sms-url", "x", "--secret-key", "short",
		"--email-connections", "0", "--log-level", "loud", "--log-format", "xml")
}
