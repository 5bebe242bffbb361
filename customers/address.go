package customers

import (
	"strings"

	"aldine/customers/normal"
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

// hashOf gives 64 bits of a cryptographic hash; nil for "".
func hashOf(s string) *int64 { return key(normal.Hash(s)) }

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
