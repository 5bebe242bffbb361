package tracking

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

func TestAgentCacheKeepsWithinBounds(t *testing.T) {
	t.Parallel()
	var c agentCache
	const person = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
	var all sync.WaitGroup
	for g := range 4 {
		all.Go(func() {
			for i := range 3000 {
				name := fmt.Sprintf("crawler-%d-%d %s", g, i, strings.Repeat("x", 2000))
				if why := c.why(name); why != "known program" {
					t.Errorf("%.20s is taken for %q", name, why)
				}
			}
		})
	}
	all.Wait()
	for range 2 { // found out, then remembered
		if why := c.why(person); why != "" {
			t.Errorf("a browser is taken for %q", why)
		}
	}
	if len(c.seen) > agentsKept {
		t.Errorf("%d names are kept", len(c.seen))
	}
	for name := range c.seen {
		if len(name) > 1000 {
			t.Fatalf("a name of %d bytes is kept", len(name))
		}
	}
}
