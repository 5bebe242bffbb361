package tracking

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"
)

// The rules of each version, as a digest of their words and times. Who changes a rule gets the digest of the new ones from this test,
// and writes it down under the next number: hits that were judged by the old ones are found by theirs.
var rulesOf = map[int]string{
	1: "2bc824bd4563ef35",
}

func TestChangedRulesHaveAnotherVersion(t *testing.T) {
	t.Parallel()
	h := sha256.New()
	for _, r := range []any{agents, peoples, compatible, explorers, tools, sweepTime, sweepTime3, trapTime, tooSoon} {
		fmt.Fprintln(h, r)
	}
	if got := hex.EncodeToString(h.Sum(nil))[:16]; rulesOf[rulesVersion] != got {
		t.Errorf("the rules of version %d are %s, not %s: if a hit can be judged otherwise now, raise rulesVersion and note them under the new number", rulesVersion, got, rulesOf[rulesVersion])
	}
	if fmt.Sprint(rulesVersion) != rulesText {
		t.Errorf("version %d is written %q in statements", rulesVersion, rulesText)
	}
}
