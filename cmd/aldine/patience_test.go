package main

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestOnlyUploadsMayTakeLong(t *testing.T) {
	t.Parallel()
	const wait = 400 * time.Millisecond
	server := httptest.NewUnstartedServer(patient(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			w.WriteHeader(http.StatusRequestTimeout)
		}
	}), wait))
	server.Config.ReadTimeout = wait
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	t.Cleanup(server.Close)
	for _, c := range []struct {
		path  string
		bytes int // sent of ten, one every quarter of the wait
		want  int
	}{
		{"/sign-in", 10, http.StatusRequestTimeout},
		{"/imports/upload", 10, http.StatusOK},
		{"/api/v1/imports", 10, http.StatusOK},
		{"/api/v1/imports", 3, http.StatusRequestTimeout}, // and then nothing more
	} {
		t.Run(fmt.Sprint(c.path, c.bytes), func(t *testing.T) {
			t.Parallel()
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(20 * wait))
			fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n", c.path)
			for range c.bytes {
				time.Sleep(wait / 4)
				if _, err := conn.Write([]byte("x")); err != nil {
					break // hung up: the answer says so
				}
			}
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil && c.want == http.StatusRequestTimeout {
				return // cut off while still sending
			}
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if answer.StatusCode != c.want {
				t.Errorf("status %d, want %d", answer.StatusCode, c.want)
			}
		})
	}
}
