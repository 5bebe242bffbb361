package web_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"aldine/internal/access"
)

// A browser that has gone on typing hangs up: the count that it asked for ends in the database.
func TestCountEndsWithTheNextKeystroke(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, err := s.pool.Exec(t.Context(), `INSERT INTO customers (customer_id, city, created_at, updated_at) SELECT i, repeat('a', 500), $1, $1 FROM generate_series(1, 20000) i`, start)
	must(t, err)
	b := s.as(access.Marketer)
	ctx, hangUp := context.WithCancel(t.Context())
	form := values([]string{"expression", `city matches "(a*)*(a*)*(a|aa)*b"`, "mode", "exact"})
	req, err := http.NewRequestWithContext(ctx, "POST", s.url+"/segments/check", strings.NewReader(form.Encode()))
	must(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("HX-Request", "true")
	done := make(chan error, 1)
	go func() {
		answer, err := b.client.Do(req)
		if err == nil {
			err = answer.Body.Close()
		}
		done <- err
	}()
	counting := func(want bool) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			var runs bool
			must(t, s.pool.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'
				AND query LIKE 'SELECT count(*) FROM customers c WHERE%')`).Scan(&runs))
			if runs == want {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("counting: %v after 20 seconds", runs)
			}
		}
	}
	counting(true)
	hangUp()
	if err := <-done; err == nil {
		t.Fatal("the count was answered")
	}
	counting(false)
}
