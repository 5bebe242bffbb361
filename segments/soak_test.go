//go:build soak

package segments

import (
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"
	"pgregory.net/rapid"
)

// Both evaluators mean the same over 100,000 expressions (or ALDINE_EXPRESSIONS), in worlds drawn anew.
func TestSoakEvaluatorsAgree(t *testing.T) {
	want := int64(100_000)
	if n, err := strconv.ParseInt(os.Getenv("ALDINE_EXPRESSIONS"), 10, 64); err == nil {
		want = n
	}
	var done atomic.Int64
	for world := int64(0); done.Load() < want; world++ {
		seed := rand.Uint64()
		t.Run("world", func(t *testing.T) {
			s, pool := worldOf(t, 60, seed)
			facts := allFacts(t, pool)
			var both errgroup.Group
			for worker := range 2 {
				both.Go(func() error {
					draw := rapid.Custom(func(rt *rapid.T) string { return source{t: rt}.cond(rapid.IntRange(0, 4).Draw(rt, "depth")) })
					for i := range 1000 {
						expression := draw.Example(int(seed>>33) + worker*1000 + i)
						if err := disagreement(context.Background(), s, pool, facts, expression); err != nil {
							t.Errorf("seed %d: %s\n%v", seed, expression, err)
							return err
						}
						done.Add(1)
					}
					return nil
				})
			}
			_ = both.Wait()
		})
		if t.Failed() {
			return
		}
	}
	t.Logf("%d expressions", done.Load())
}
