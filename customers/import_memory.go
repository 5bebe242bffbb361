package customers

import "sync"

// phoneCache remembers numbers seen lately: parsing one takes longer than all the rest of a row.
type phoneCache struct {
	mu   sync.Mutex
	seen map[[2]string]phoneVerdict
}

type phoneVerdict struct {
	e164 string
	err  error
}

const phonesKept = 50_000

func (c *phoneCache) normalize(s, country string) (string, error) {
	key := [2]string{s, country}
	c.mu.Lock()
	v, ok := c.seen[key]
	c.mu.Unlock()
	if ok {
		return v.e164, v.err
	}
	v.e164, v.err = NormalizePhone(s, country)
	c.mu.Lock()
	if c.seen == nil || len(c.seen) >= phonesKept {
		c.seen = make(map[[2]string]phoneVerdict)
	}
	c.seen[key] = v
	c.mu.Unlock()
	return v.e164, v.err
}

// idSet is a set of customers; numbers given out one after the other take a bit each.
type idSet map[int64]*[512]uint64

func (s idSet) add(id ID) {
	page := s[id>>15]
	if page == nil {
		page = new([512]uint64)
		s[id>>15] = page
	}
	page[id>>6&511] |= 1 << (id & 63)
}

func (s idSet) has(id ID) bool {
	page := s[id>>15]
	return page != nil && page[id>>6&511]&(1<<(id&63)) != 0
}
