//go:build soak

package main

import (
	"os"
	"strconv"
	"testing"
	"time"
)

// TestSoakSending runs with `make soak`; ALDINE_SOAK_MAILS says how many mails.
func TestSoakSending(t *testing.T) {
	n := 100_000
	if s := os.Getenv("ALDINE_SOAK_MAILS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	soak(t, n)
}

// TestSoakHits crashes the program and the database under load ten times each.
func TestSoakHits(t *testing.T) { crashHits(t, 10, 4*time.Second) }
