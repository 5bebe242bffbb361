//go:build soak

package proof_test

import "testing"

// TestSoakEveryActNeedsItsMarks does all acts on which figures depend.
func TestSoakEveryActNeedsItsMarks(t *testing.T) {
	needMarks(t, "time passes", "person hits", "program hits", "order", "refund", "shop's orders", "imported orders", "reply", "bounce or complaint", "merge", "undo",
		"erase", "resolve", "reclassify", "cancel")
}

// TestSoakFigures is long.
func TestSoakFigures(t *testing.T) { randomActs(t, 4000) }
