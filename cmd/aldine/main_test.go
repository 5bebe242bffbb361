package main

import (
	"os"
	"testing"
)

// TestMain lets the test binary stand in for the program: tests that kill a process start themselves again.
func TestMain(m *testing.M) {
	if os.Getenv("ALDINE_TEST_AS_PROGRAM") != "" {
		main()
	}
	status := m.Run()
	closeBrowser()
	os.Exit(status)
}
