package main

import (
	"io"
	"net/http"
	"time"
)

// readTimeout is how long a request may take to arrive, so that nobody holds connections by dripping bytes.
const readTimeout = time.Minute

// patient lets uploads take their time as long as something of them arrives within each wait: a large file over a slow
// line takes longer than any other request may.
func patient(next http.Handler, wait time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && (r.URL.Path == "/imports/upload" || r.URL.Path == "/api/v1/imports") {
			r.Body = &arriving{r.Body, http.NewResponseController(w), wait}
		}
		next.ServeHTTP(w, r)
	})
}

// arriving is a body whose reads have a time limit each.
type arriving struct {
	io.ReadCloser
	connection *http.ResponseController
	wait       time.Duration
}

// Read waits for more of the body.
func (a *arriving) Read(b []byte) (int, error) {
	if err := a.connection.SetReadDeadline(time.Now().Add(a.wait)); err != nil {
		return 0, err
	}
	return a.ReadCloser.Read(b)
}
