package customers

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"
)

// Address is a postal address; "" means not known.
type Address struct {
	Street     string `json:"street,omitempty"`
	Address2   string `json:"address2,omitempty"`
	City       string `json:"city,omitempty"`
	Region     string `json:"region,omitempty"`
	PostalCode string `json:"postal_code,omitempty"`
	Country    string `json:"country,omitempty"` // ISO 3166 alpha-2
}

// AddressHash gives the key of an address's normal form, or nil where there is no street or neither postal code nor
// city. Letter case, accents, punctuation and the usual short forms of street words do not matter; where a postal
// code is known, city and region do not either. The country counts, so callers fill in their default one.
func AddressHash(a Address) *int64 { return hashOf(addressForm(a)) }

// HouseholdHash gives the key of a household, a surname at an address, or nil where either is missing.
func HouseholdHash(lastName string, a Address) *int64 {
	name, form := fold(lastName), addressForm(a)
	if name == "" || form == "" {
		return nil
	}
	return hashOf(name + "\x00" + form)
}

func addressForm(a Address) string {
	street := fold(a.Street)
	postal := strings.ReplaceAll(fold(a.PostalCode), " ", "")
	city := fold(a.City)
	if street == "" || postal == "" && city == "" {
		return ""
	}
	place := postal
	if postal == "" {
		place = city + "\x00" + fold(a.Region)
	}
	return shortWords(street) + "\x00" + shortWords(fold(a.Address2)) + "\x00" + place + "\x00" + fold(a.Country)
}

// streetWords are the short forms that mail is written with.
var streetWords = map[string]string{
	"street": "st", "avenue": "ave", "av": "ave", "road": "rd", "drive": "dr", "lane": "ln", "court": "ct", "place": "pl",
	"boulevard": "blvd", "square": "sq", "terrace": "tce", "ter": "tce", "crescent": "cres", "circuit": "cct", "highway": "hwy",
	"parkway": "pkwy", "close": "cl", "north": "n", "south": "s", "east": "e", "west": "w", "apartment": "apt", "suite": "ste",
	"strasse": "str",
}

func shortWords(s string) string {
	if s == "" {
		return s
	}
	words := strings.Split(s, " ")
	for i, w := range words {
		if short, ok := streetWords[w]; ok {
			words[i] = short
		} else if strings.HasSuffix(w, "strasse") {
			words[i] = strings.TrimSuffix(w, "strasse") + "str"
		}
	}
	return strings.Join(words, " ")
}

// hashOf gives 64 bits of a cryptographic hash, since the input comes from strangers; nil for "".
func hashOf(s string) *int64 {
	if s == "" {
		return nil
	}
	sum := sha256.Sum256([]byte(s))
	h := int64(binary.BigEndian.Uint64(sum[:8]))
	return &h
}

// in gives the address with the country filled in where it is not known.
func (a Address) in(country string) Address {
	if a.Country == "" {
		a.Country = country
	}
	return a
}

// line gives the address on one line.
func (a Address) line() string {
	var parts []string
	for _, p := range []string{a.Street, a.Address2, strings.TrimSpace(a.PostalCode + " " + a.City), a.Region, a.Country} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, ", ")
}
