package match

// memo remembers how names and places compare, since the common ones meet again and again. It belongs to one worker.
type memo []remembered

type remembered struct {
	key   uint64
	level Level
}

const memoSize = 1 << 16

// remembers says which fields are worth remembering.
var remembers = [fields]bool{Given: true, Surname: true, Street: true, Street2: true, City: true, Company: true}

func newMemo() memo { return make(memo, memoSize) }

// level compares two different values that are both known.
func (t *Table) level(f Field, x, y uint32, m memo) Level {
	if !remembers[f] {
		return comparators[f](t.at(f, x), t.at(f, y))
	}
	if x > y {
		x, y = y, x
	}
	key := uint64(f+1)<<58 ^ uint64(x)<<29 ^ uint64(y)
	e := &m[key*0x9E3779B97F4A7C15>>(64-16)]
	if e.key != key {
		*e = remembered{key, comparators[f](t.at(f, x), t.at(f, y))}
	}
	return e.level
}

// signature is how two records compare.
type signature struct {
	at     [fields]uint8 // the level; for exact agreement, the code of how common the value is
	common [fields]uint8 // for other agreement, the code of the commoner of both values, to a doubling
}

// named tells whether both records have a name that is compared: then they are of people, and a company is what
// colleagues share.
func (s *signature) named() bool {
	return s.at[Given] != uint8(Missing) || s.at[Surname] != uint8(Missing)
}

// commonest gives the code of the commoner of two values, to a doubling.
func (t *Table) commonest(f Field, x, y uint32) uint8 {
	return max(t.codes[f][x], t.codes[f][y], firstExact) &^ 7
}

// exchanged tells whether two values of one record stand in each other's field in the other record, and compares them:
// first gets the level Swapped, second says what the other two values say.
func (t *Table) exchanged(f, g Field, a, b *record) (second uint8, ok bool) {
	if a[f] == b[f] && a[f] != 0 || a[g] == b[g] && a[g] != 0 {
		return 0, false
	}
	x := a[f] != 0 && a[f] == b[g]
	y := a[g] != 0 && a[g] == b[f]
	switch {
	case x && y:
		return t.codes[g][a[g]], true
	case !x && !y:
		return 0, false
	}
	u, v := a[g], b[f]
	if y {
		u, v = a[f], b[g]
	}
	if u == 0 || v == 0 {
		return uint8(Missing), true
	}
	l := compareText(t.at(f, u), t.at(f, v))
	return uint8(l), f == Street || l <= Near
}

// swapping tells whether names, and lines of the address, have changed places.
func (t *Table) swapping(a, b *record) (names, lines bool, surname, line2 uint8) {
	if a[Given] != b[Given] || a[Surname] != b[Surname] {
		surname, names = t.exchanged(Given, Surname, a, b)
	}
	if a[Street] != b[Street] || a[Street2] != b[Street2] {
		line2, lines = t.exchanged(Street, Street2, a, b)
	}
	return names, lines, surname, line2
}

func (t *Table) at(f Field, v uint32) *value { return &t.stores[storeOf[f]].of[v] }

// compare compares one field.
func (t *Table) compare(f Field, a, b *record, m memo) uint8 {
	x, y := a[f], b[f]
	switch {
	case x == 0 || y == 0:
		return uint8(Missing)
	case x == y:
		return t.codes[f][x]
	}
	return uint8(t.level(f, x, y, m))
}

// sign compares two records in all fields.
func (t *Table) sign(i, j int32, m memo) (s signature) {
	a, b := &t.nodes[i], &t.nodes[j]
	for f := range fields {
		s.at[f] = t.compare(f, a, b, m)
		if s.at[f] != uint8(Missing) && s.at[f] < firstExact {
			s.common[f] = t.commonest(f, a[f], b[f])
		}
	}
	t.signSwapped(&s, a, b)
	return s
}

func (t *Table) signSwapped(s *signature, a, b *record) {
	names, lines, surname, line2 := t.swapping(a, b)
	if names {
		s.at[Given], s.at[Surname], s.common[Given], s.common[Surname] = uint8(Swapped), surname, 0, 0
	}
	if lines {
		s.at[Street], s.at[Street2], s.common[Street], s.common[Street2] = uint8(Swapped), line2, 0, 0
	}
}
