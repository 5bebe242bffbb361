package customers

import "aldine/customers/normal"

// NormalizeEmail gives an address's normal form, as normal.Email does.
func NormalizeEmail(s string) (string, error) { return normal.Email(s) }
