package match

// atom is a part of a blocking key: a number for a record, 0 where the record lacks it.
type atom func(t *Table, r *record) uint64

func exactly(f Field) atom { return func(_ *Table, r *record) uint64 { return uint64(r[f]) } }

var (
	byGiven = atom(func(t *Table, r *record) uint64 {
		return uint64(t.soundOfGiven(r[Given]))
	})
	byInitial = atom(func(t *Table, r *record) uint64 {
		if s := t.stores[storeOf[Given]].of[r[Given]].text; s != "" {
			return uint64(s[0])
		}
		return 0
	})
	bySurname = atom(func(t *Table, r *record) uint64 {
		if r[Surname] == 0 {
			return 0
		}
		return uint64(t.stores[storeOf[Surname]].of[r[Surname]].sound)
	})
	// byNames is the same for names that have changed places.
	byNames = atom(func(t *Table, r *record) uint64 {
		if r[Given] == 0 || r[Surname] == 0 {
			return 0
		}
		s := t.stores[storeOf[Given]].of
		a, b := s[r[Given]].sound, s[r[Surname]].sound
		return uint64(min(a, b))<<32 | uint64(max(a, b))
	})
	byYear = atom(func(t *Table, r *record) uint64 {
		return uint64(t.stores[storeOf[Birth]].of[r[Birth]].number / 10000)
	})
	byMonthDay = atom(func(t *Table, r *record) uint64 {
		return uint64(t.stores[storeOf[Birth]].of[r[Birth]].number % 10000)
	})
	byStreet = atom(func(t *Table, r *record) uint64 {
		if r[Street] == 0 {
			return 0
		}
		return uint64(t.stores[storeOf[Street]].of[r[Street]].sound)
	})
	// byLocal is what stands before the @, where that is long enough to tell people apart.
	byLocal = atom(func(t *Table, r *record) uint64 {
		return uint64(t.stores[storeOf[Email]].of[r[Email]].sound)
	})
	byEmail = exactly(Email)
	byCity  = exactly(City)
	byPost  = exactly(Postcode)
)

func (t *Table) soundOfGiven(v uint32) uint32 {
	if v == 0 {
		return 0
	}
	s := &t.stores[storeOf[Given]].of[v]
	if s.number != 0 {
		return soundOf(nicknameRoots[s.text][0])
	}
	return s.sound
}

// pass is a way to find candidates: records that agree in all of keys. Where too many do, those are parted further by
// the finer keys, one after the other.
type pass struct {
	name  string
	keys  []atom
	finer []atom
}

// passes come in the order of how sure they are. A pass without values in the file finds nothing and costs little.
var passes = []pass{
	{"identifier", []atom{exactly(Identifier)}, []atom{byGiven}},
	{"email", []atom{byEmail}, []atom{byGiven, exactly(Birth)}},
	{"phone", []atom{exactly(Phone)}, []atom{byGiven, exactly(Birth)}},
	{"names", []atom{byNames}, []atom{exactly(Surname), byYear, byPost, byCity, byMonthDay, exactly(Street)}},
	{"birth date and given name", []atom{exactly(Birth)}, []atom{byGiven, byCity}},
	{"birth date and surname", []atom{exactly(Birth)}, []atom{bySurname, byInitial}},
	{"surname and postal code", []atom{bySurname}, []atom{byPost, byInitial, byStreet, exactly(Number)}},
	{"given name and postal code", []atom{byGiven}, []atom{byPost, byStreet, exactly(Number)}},
	{"surname and year", []atom{bySurname}, []atom{byYear, byInitial, byCity}},
	{"given name, month and day", []atom{byGiven}, []atom{byMonthDay, byCity, byPost}},
	{"street and house", []atom{byStreet}, []atom{exactly(Number), byCity, byInitial, exactly(Street)}},
	{"second address line", []atom{exactly(Street2)}, []atom{exactly(Number), byInitial}},
	{"surname and street", []atom{bySurname, byStreet}, []atom{exactly(Number), byInitial, byCity}},
	{"given name and street", []atom{byGiven, exactly(Street)}, []atom{exactly(Number), byCity}},
	{"surname and city", []atom{bySurname, byCity}, []atom{byInitial, exactly(Surname), byYear}},
	{"given name and city", []atom{byGiven, byCity}, []atom{byYear, exactly(Number)}},
	{"postal code and house", []atom{byPost}, []atom{exactly(Number), byInitial, byYear}},
	{"month, day and initial", []atom{byMonthDay}, []atom{byInitial, byCity, byPost}},
	{"name part of the email", []atom{byLocal}, []atom{byGiven}},
	{"company", []atom{exactly(Company)}, []atom{byInitial, bySurname, byCity}},
}
