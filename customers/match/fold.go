package match

import "aldine/customers/normal"

// maxValue is how much of a value is looked at, in bytes; what follows cannot make two records one.
const maxValue = normal.MaxText

// The forms are those of the whole product; here they only have short names.
var (
	fold        = normal.Fold
	givenName   = normal.GivenName
	familyName  = normal.FamilyName
	splitName   = normal.SplitName
	companyName = normal.Company
	streetLine  = normal.StreetLine
	place       = normal.Place
	postcode    = normal.PostalCode
	code        = normal.Code
	emailForm   = normal.EmailMatch
	phoneForm   = normal.PhoneDigits
	sameRoot    = normal.SameName

	nicknameRoots = normal.Nicknames()
)
