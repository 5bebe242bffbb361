// Package normal gives the forms in which names, addresses, e-mail addresses, telephone numbers and companies are
// compared, and the keys made of them. It is pure and needs no database; the marketing database and the matcher use
// the same forms, so that what the one takes for equal the other does too.
//
//   - Fold is the one folding of text that everything else builds on.
//   - GivenName, FamilyName, SplitName, SameName: names without titles, particles and suffixes; nicknames.
//   - StreetLine, Place, PostalCode, ParseAddress: house number, street, unit and place, by the ways of many countries.
//   - Email, EmailMatch, Phone, PhoneDigits, Company, Code: the other things that identify.
//   - AddressHash, PlaceKey, HouseholdHash, CompanyHash: keys to store, of 64 bits.
//   - SameStreet, SameSurname: what counts as a slip of the pen.
//
// A form of a form is that form again. Whatever the input holds, a form is at most 256 bytes long or so, and making it
// takes time in proportion.
package normal
