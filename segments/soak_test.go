//go:build soak

package segments

import (
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Both evaluators mean the same over 100,000 expressions (or ALDINE_EXPRESSIONS), in universes drawn anew.
func TestSoakEvaluatorsAgree(t *testing.T) {
	want := int64(100_000)
	if n, err := strconv.ParseInt(os.Getenv("ALDINE_EXPRESSIONS"), 10, 64); err == nil {
		want = n
	}
	var drawn tally
	for !t.Failed() && int64(drawn.expressions) < want {
		t.Run("universes", func(t *testing.T) {
			for range 2 {
				seed := rand.Uint64()
				t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
					t.Parallel()
					u := newUniverse(t, seed)
					rapid.Check(t, func(rt *rapid.T) {
						for range 20 {
							u.check(t, rt, &drawn)
						}
					})
				})
			}
		})
	}
	t.Logf("%d expressions", drawn.expressions)
	if missing := drawn.missing(20, true); missing != nil && drawn.expressions >= 100_000 {
		t.Errorf("drawn less than 20 times: %s", strings.Join(missing, "; "))
	}
}
