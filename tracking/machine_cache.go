package tracking

import (
	"encoding/json"
	"strings"
	"sync"
)

// agentCache remembers what user agents were taken for: looking through a name takes longer than all the rest of a hit,
// and a few thousand names are nearly all that a campaign meets.
type agentCache struct {
	mu   sync.RWMutex
	seen map[string]string // user agent -> why it is a program's, "" where it is a person's

	textMu sync.RWMutex
	texts  map[string]string // user agent as it came -> what of it is kept, as JSON
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

// text gives the part of a user agent that is kept with a hit, as JSON.
func (c *agentCache) text(agent string) string {
	if len(agent) > 1000 {
		return textOf(agent)
	}
	c.textMu.RLock()
	text, ok := c.texts[agent]
	c.textMu.RUnlock()
	if ok {
		return text
	}
	text = textOf(agent)
	c.textMu.Lock()
	if c.texts == nil || len(c.texts) >= agentsKept {
		c.texts = make(map[string]string)
	}
	c.texts[strings.Clone(agent)] = text
	c.textMu.Unlock()
	return text
}

func textOf(agent string) string {
	b, err := json.Marshal(clean(agent, 200))
	if err != nil {
		return `""`
	}
	return string(b)
}

var knownAgents agentCache
