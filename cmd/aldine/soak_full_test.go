//go:build soak

package main

import (
	"os"
	"strconv"
	"testing"
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
