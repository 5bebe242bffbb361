package customers

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
