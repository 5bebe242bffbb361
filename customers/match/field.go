package match

// Field is something that records are compared by.
type Field uint8

// The fields, in the order in which they are shown.
const (
	Given Field = iota
	Middle
	Surname
	Birth
	Email
	Phone
	Identifier
	Number
	Street
	Street2
	City
	Region
	Postcode
	Company
	Extra1
	Extra2
	Extra3
	Extra4
	fields
)

var fieldNames = [fields]string{"given_name", "middle_name", "surname", "birth_date", "email", "phone", "identifier", "street_number", "street",
	"address2", "city", "region", "postal_code", "company", "extra1", "extra2", "extra3", "extra4"}

func (f Field) String() string {
	if f < fields {
		return fieldNames[f]
	}
	return "unknown"
}

// shared are the fields that the people of one household have in common.
var shared = [fields]bool{Surname: true, Phone: true, Number: true, Street: true, Street2: true, City: true, Region: true, Postcode: true}

// Level says how far two values agree.
type Level uint8

// The levels. What each means depends on the field: see docs/matching.md.
const (
	Missing   Level = iota // one of the values is not known: neither for nor against
	Alias                  // another form of the same: a nickname, day and month exchanged, the name part of an address
	Swapped                // the values stand in each other's field
	Close                  // one slip of the pen
	Near                   // two or three slips
	Partial                // a part agrees: an initial, two of year, month and day
	Faint                  // little agrees: only the year, only the first letters
	Different              // nothing agrees
	Exact                  // the same; how much that weighs depends on how rare the value is
	levels
)

var levelNames = [levels]string{"missing", "alias", "swapped", "close", "near", "partial", "faint", "different", "exact"}

func (l Level) String() string {
	if l < levels {
		return levelNames[l]
	}
	return "unknown"
}
