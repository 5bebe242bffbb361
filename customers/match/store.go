package match

import (
	"math"
	"strings"
)

// store holds each distinct value once; the number of a value stands for it in records. 0 is no value.
type store struct {
	of    []value
	index map[string]uint32
}

// value is a standardised text with what blocking and comparing need of it.
type value struct {
	text string
	mask uint64
	// number is, of a date, yyyymmdd; of an e-mail address, a hash of the domain; of a name, 1 where it has nicknames.
	number int32
	// sound is alike for names that sound alike; of an e-mail address it is a hash of what stands before the @.
	sound uint32
}

func newStore() *store {
	return &store{of: []value{{}}, index: map[string]uint32{}}
}

// intern gives the value's number. The text is copied, since it may be part of a whole row.
func (s *store) intern(text string) uint32 {
	if text == "" {
		return 0
	}
	if n, ok := s.index[text]; ok {
		return n
	}
	return s.put(strings.Clone(text))
}

// keep is intern for a text of its own.
func (s *store) keep(text string) uint32 {
	if text == "" {
		return 0
	}
	if n, ok := s.index[text]; ok {
		return n
	}
	return s.put(text)
}

func (s *store) put(text string) uint32 {
	n := uint32(len(s.of))
	s.index[text] = n
	s.of = append(s.of, value{text: text, mask: maskOf(text)})
	return n
}

// seal ends the filling and works out what blocking and comparing need of each value.
func (s *store) seal(f Field) {
	s.index = nil
	s.prepare(f, true)
}

// prepare works out what comparing needs of each value, and, where sounds are asked for, blocking.
func (s *store) prepare(f Field, sounds bool) {
	for i := range s.of {
		v := &s.of[i]
		switch f {
		case Birth:
			v.number = 0
			for _, c := range []byte(v.text) {
				v.number = v.number*10 + int32(c-'0')
			}
		case Email:
			local, domain, _ := strings.Cut(v.text, "@")
			v.number = int32(hash32(domain) >> 1)
			if len(local) >= 4 {
				v.sound = hash32(local) | 1
			}
		case Given, Street, Company:
			if sounds {
				v.sound = soundOf(v.text)
			}
			if nicknameRoots[v.text] != nil {
				v.number = 1
			}
		}
	}
	s.of[0] = value{}
}

// reset empties the store.
func (s *store) reset() {
	clear(s.index)
	clear(s.of)
	s.of = s.of[:1]
}

// Fields that may hold each other's values share a store, so that equal numbers are equal texts.
var storeOf = [fields]int{Given: 0, Middle: 0, Surname: 0, Birth: 1, Email: 2, Phone: 3, Identifier: 4, Number: 5, Street: 6, Street2: 6, City: 7,
	Region: 8, Postcode: 9, Company: 10, Extra1: 11, Extra2: 12, Extra3: 13, Extra4: 14}

const stores = 15

// firstExact is the code of exact agreement on a value that stands in one record; 8 more for each doubling.
const firstExact = uint8(Exact)

// exactCode gives the code for exact agreement on a value that stands in count records.
func exactCode(count uint32) uint8 {
	if count <= 1 {
		return firstExact
	}
	return uint8(min(255, float64(firstExact)+math.Round(8*math.Log2(float64(count)))))
}

// countOf is the inverse of exactCode.
func countOf(code uint8) float64 { return math.Exp2(float64(code-firstExact) / 8) }

func levelOf(code uint8) Level { return Level(min(code, firstExact)) }

// soundOf gives a code that names with a slip or another spelling mostly have in common: the first letter's class and
// the classes of the next three consonants.
func soundOf(s string) uint32 {
	s = strings.ReplaceAll(s, "ph", "f")
	code, n := uint32(0), 0
	last := byte(0)
	for i, r := range s {
		if r >= 0x80 {
			if n == 0 {
				return 1<<31 | hash32(s) // another script: the whole word
			}
			continue
		}
		class := byte(0)
		switch r {
		case 'b', 'f', 'p', 'v', 'w':
			class = 1
		case 'c', 'g', 'j', 'k', 'q', 's', 'x', 'z':
			class = 2
		case 'd', 't':
			class = 3
		case 'l':
			class = 4
		case 'm', 'n':
			class = 5
		case 'r':
			class = 6
		}
		switch {
		case i == 0:
			code, n = 8, 1
			if class == 0 {
				code = uint32(9)
			} else {
				code += 16 * uint32(class)
			}
		case class != 0 && class != last && n < 4:
			code = code<<3 | uint32(class)
			n++
		}
		if r != 'h' {
			last = class
		}
	}
	return code + 1
}

func hash32(s string) uint32 {
	h := uint32(2166136261)
	for i := 0; i < len(s); i++ {
		h = (h ^ uint32(s[i])) * 16777619
	}
	return h
}
