package match

// signature is how two records compare: for each field the level, and for exact agreement how common the value is.
type signature [fields]uint8

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
	l := compareText(t.stores[storeOf[f]], u, v)
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

// compare compares one field.
func (t *Table) compare(f Field, a, b *record) uint8 {
	x, y := a[f], b[f]
	switch {
	case x == 0 || y == 0:
		return uint8(Missing)
	case x == y:
		return t.codes[f][x]
	}
	return uint8(comparators[f](t.stores[storeOf[f]], x, y))
}

// sign compares two records in all fields.
func (t *Table) sign(i, j int32) (s signature) {
	a, b := &t.nodes[i], &t.nodes[j]
	for f := range fields {
		s[f] = t.compare(f, a, b)
	}
	t.signSwapped(&s, a, b)
	return s
}

func (t *Table) signSwapped(s *signature, a, b *record) {
	names, lines, surname, line2 := t.swapping(a, b)
	if names {
		s[Given], s[Surname] = uint8(Swapped), surname
	}
	if lines {
		s[Street], s[Street2] = uint8(Swapped), line2
	}
}
