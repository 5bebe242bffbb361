package customers

import "aldine/customers/normal"

// Keys are the levels at which a customer belongs with others, nil where there is nothing to tell it by.
type Keys struct {
	AddressHash *int64 // of the address as it is written, in normal form
	ResidenceID *int64 // of the address whatever its spelling
	HouseholdID *int64 // of the surname at the residence
	CompanyID   *int64 // of the company's name without legal form, with its country
}

// ownKeys gives the keys as far as the customer's own fields tell them: the residence and the household under which they are
// found until other spellings have been looked at, which RefreshHouseholds does. country is the default one.
func ownKeys(f *Fields, country string) Keys {
	address := normal.AddressHash(normal.Address(f.Address().in(country)))
	return Keys{AddressHash: key(address), ResidenceID: key(address), HouseholdID: key(normal.HouseholdHash(f.LastName, address)),
		CompanyID: key(normal.CompanyHash(f.Company, f.Address().in(country).Country))}
}

// rehash computes the keys after a change. Where name, company and address are as before the keys stay, since they may be those
// of another spelling.
func (c *Customer) rehash(before *Fields, country string) (moved bool) {
	if c.LastName == before.LastName && c.Company == before.Company && c.Address() == before.Address() {
		return false
	}
	c.Keys = ownKeys(&c.Fields, country)
	return true
}

// key gives a key as it is stored: nil for none.
func key(hash int64) *int64 {
	if hash == 0 {
		return nil
	}
	return &hash
}

// plainKey is key turned round.
func plainKey(p *int64) int64 {
	if p == nil {
		return 0
	}
	return *p
}
