package tracking

import "sync"

// agentCache remembers what user agents were taken for: looking through a name takes longer than all the rest of a hit,
// and a few thousand names are nearly all that a campaign meets.
type agentCache struct {
	mu   sync.RWMutex
	seen map[string]string // user agent -> why it is a program's, "" where it is a person's
}

// agentsKept bounds the memory that strangers can fill, with names of at most 1,000 letters.
const agentsKept = 4096

func (c *agentCache) why(agent string) string {
	agent = clean(agent, 1000)
	c.mu.RLock()
	why, ok := c.seen[agent]
	c.mu.RUnlock()
	if ok {
		return why
	}
	why = machineAgent(agent)
	c.mu.Lock()
	if c.seen == nil || len(c.seen) >= agentsKept {
		c.seen = make(map[string]string)
	}
	c.seen[agent] = why
	c.mu.Unlock()
	return why
}

var knownAgents agentCache
