package match

// atom is a part of a blocking key: a field's value as it is, which the field's number stands for, or one of those below.
type atom uint8

const (
	byGiven    = atom(fields) + iota // how the given name sounds, nicknames as their full name
	byInitial                        // the first letter of the given name
	bySurname                        // how the surname sounds
	byNames                          // how both names sound, whichever comes first
	byYear                           // the year of birth
	byMonthDay                       // the month and day of birth
	byStreet                         // how the street sounds
	byLocal                          // what stands before the @, where that is long enough to tell people apart
	byFirm                           // how the company sounds
	atoms
)

const (
	byIdentifier = atom(Identifier)
	byEmail      = atom(Email)
	byBirth      = atom(Birth)
	byPhone      = atom(Phone)
	byLine2      = atom(Street2)
	bySameStreet = atom(Street)
	bySameName   = atom(Surname)
	byNumber     = atom(Number)
	byCity       = atom(City)
	byPost       = atom(Postcode)
	byCompany    = atom(Company)
)

// atom gives a part of a record's keys, 0 where the record lacks it.
func (t *Table) atom(a atom, r *record) uint64 {
	switch a {
	case byGiven:
		return uint64(t.soundOfGiven(r[Given]))
	case byInitial:
		if s := t.at(Given, r[Given]).text; s != "" {
			return uint64(s[0])
		}
		return 0
	case bySurname:
		if r[Surname] == 0 {
			return 0
		}
		return uint64(t.at(Surname, r[Surname]).sound)
	case byNames:
		if r[Given] == 0 || r[Surname] == 0 {
			return 0
		}
		x, y := t.at(Given, r[Given]).sound, t.at(Surname, r[Surname]).sound
		return uint64(min(x, y))<<32 | uint64(max(x, y))
	case byYear:
		return uint64(t.at(Birth, r[Birth]).number / 10000)
	case byMonthDay:
		return uint64(t.at(Birth, r[Birth]).number % 10000)
	case byStreet:
		if r[Street] == 0 {
			return 0
		}
		return uint64(t.at(Street, r[Street]).sound)
	case byFirm:
		if r[Company] == 0 {
			return 0
		}
		return uint64(t.at(Company, r[Company]).sound)
	case byLocal:
		return uint64(t.at(Email, r[Email]).sound)
	}
	return uint64(r[a])
}

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
	{"identifier", []atom{byIdentifier}, []atom{byGiven}},
	{"email", []atom{byEmail}, []atom{byGiven, byBirth}},
	{"phone", []atom{byPhone}, []atom{byGiven, byBirth}},
	{"names", []atom{byNames}, []atom{bySameName, byYear, byPost, byCity, byMonthDay, bySameStreet}},
	{"birth date and given name", []atom{byBirth}, []atom{byGiven, byCity}},
	{"birth date and surname", []atom{byBirth}, []atom{bySurname, byInitial}},
	{"surname and postal code", []atom{bySurname}, []atom{byPost, byInitial, byStreet, byNumber}},
	{"given name and postal code", []atom{byGiven}, []atom{byPost, byStreet, byNumber}},
	{"surname and year", []atom{bySurname}, []atom{byYear, byInitial, byCity}},
	{"given name, month and day", []atom{byGiven}, []atom{byMonthDay, byCity, byPost}},
	{"street and house", []atom{byStreet}, []atom{byNumber, byCity, byInitial, bySameStreet}},
	{"second address line", []atom{byLine2}, []atom{byNumber, byInitial}},
	{"surname and street", []atom{bySurname, byStreet}, []atom{byNumber, byInitial, byCity}},
	{"given name and street", []atom{byGiven, bySameStreet}, []atom{byNumber, byCity}},
	{"surname and city", []atom{bySurname, byCity}, []atom{byInitial, bySameName, byYear}},
	{"given name and city", []atom{byGiven, byCity}, []atom{byYear, byNumber}},
	{"postal code and house", []atom{byPost}, []atom{byNumber, byInitial, byYear}},
	{"month, day and initial", []atom{byMonthDay}, []atom{byInitial, byCity, byPost}},
	{"name part of the email", []atom{byLocal}, []atom{byGiven}},
	{"company", []atom{byCompany}, []atom{byInitial, bySurname, byCity}},
	{"sound of the company", []atom{byFirm}, []atom{bySurname, byCity, byNumber}},
}
