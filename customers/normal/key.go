package normal

import (
	"crypto/sha256"
	"encoding/binary"
)

// Hash gives 64 bits of a cryptographic hash, since the input comes from strangers; 0 for "" and never else.
func Hash(s string) int64 {
	if s == "" {
		return 0
	}
	return sum([]byte(s))
}

func sum(b []byte) int64 {
	h := sha256.Sum256(b)
	return max1(int64(binary.BigEndian.Uint64(h[:8])))
}

func max1(n int64) int64 {
	if n == 0 {
		return 1
	}
	return n
}

// AddressHash gives the key of an address's normal form, or 0 where there is no street or neither postal code nor
// city. Letter case, accents, punctuation and the usual short forms do not matter. The country counts, so callers fill
// in their default one.
func AddressHash(a Address) int64 {
	l := ParseAddress(a)
	return l.Hash()
}

// Hash is the key of the whole normal form, 0 where there is no address.
func (l *Location) Hash() int64 {
	if !l.Known() {
		return 0
	}
	return join5(l.Number, l.Street, l.Unit, l.Place, l.Country)
}

// PlaceKey is the key under which spellings of one address are looked for: postal code, else city, with house number and
// country; 0 where there is no address.
func (l *Location) PlaceKey() int64 {
	if !l.Known() {
		return 0
	}
	return join5("place", l.Number, l.Place, l.Country, "")
}

// HouseholdHash gives the key of a surname at a residence, 0 where either is missing.
func HouseholdHash(lastName string, residence int64) int64 {
	return HouseholdOf(FamilyName(lastName), residence)
}

// HouseholdOf is HouseholdHash of a surname in the form that FamilyName gives.
func HouseholdOf(family string, residence int64) int64 {
	if family == "" || residence == 0 {
		return 0
	}
	b := binary.BigEndian.AppendUint64(append(make([]byte, 0, 64), "household\x00"...), uint64(residence))
	return sum(append(b, family...))
}

// CompanyHash gives the key of a company: its name without legal form, in its country; 0 without a name.
func CompanyHash(name, country string) int64 {
	core := Company(name)
	if core == "" {
		return 0
	}
	return join5("company", core, country, "", "")
}

func join5(parts ...string) int64 {
	b := make([]byte, 0, 160)
	for _, p := range parts {
		b = append(append(b, p...), 0)
	}
	return sum(b)
}
