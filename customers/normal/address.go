package normal

import "strings"

// Address is a postal address as it is stored; "" means not known.
type Address struct {
	Street     string // street line with number
	Address2   string // flat, building, district
	City       string
	Region     string
	PostalCode string
	Country    string // ISO 3166 alpha-2
}

// Location is the normal form of an address, part by part.
type Location struct {
	Number  string // house number with its letter: 12, 12a
	Street  string // words in their short forms: high st, hauptst
	Unit    string // flat, floor or building, without the word for it: 3, 2 5
	Place   string // postal code, else city and region
	Country string
}

// Known tells whether there is an address: a street or a house, and a place.
func (l *Location) Known() bool { return (l.Street != "" || l.Number != "") && l.Place != "" }

// ParseAddress gives an address's normal form. Where the postal code is known, city and region do not count.
func ParseAddress(a Address) Location {
	l := Location{Country: strings.ToLower(strings.TrimSpace(a.Country))}
	if a.PostalCode != "" {
		l.Place = postalIn(a.PostalCode, l.Country)
	}
	if l.Place == "" && a.City != "" {
		l.Place = Place(a.City) + "/" + Fold(a.Region)
		if l.Place[0] == '/' {
			l.Place = ""
		}
	}
	p := lineParser{country: l.Country}
	street, second := p.words(a.Street, 0), p.words(a.Address2, 1)
	if careOf(street) {
		street, second = second, nil // c/o somebody, and the street in the second line
	} else if careOf(second) {
		second = nil
	}
	street = p.takeUnits(street)
	l.Street, l.Number = p.takeNumber(street)
	if l.Number == "" && len(second) == 1 && isNumber(second[0].text) {
		l.Number, second = second[0].text, nil // the house number in the second line
	}
	for _, w := range p.takeUnits(second) {
		p.units = append(p.units, w.text)
	}
	l.Unit = strings.Join(p.units, " ")
	return l
}

// StreetLine gives the house number of one line of an address and the rest in short forms, with the unit at its end.
func StreetLine(s string) (number, street string) {
	p := lineParser{}
	return p.split(s)
}

func careOf(words []word) bool {
	return len(words) > 1 && (words[0].text == "c" && words[1].text == "o" || words[0].text == "co" || words[0].text == "attn" || words[0].text == "zhd")
}

// Place gives the form of a locality.
func Place(s string) string {
	s = Fold(s)
	if strings.IndexByte(s, ' ') < 0 {
		if short, ok := streetWords[s]; ok {
			return short
		}
		return s
	}
	parts := strings.Fields(s)
	for i, p := range parts {
		if short, ok := streetWords[p]; ok {
			parts[i] = short
		}
	}
	return strings.Join(parts, " ")
}

// PostalCode gives the form of a postal code: no spaces, and no zeros that a spreadsheet may have cut off.
func PostalCode(s string) string {
	s = strings.ReplaceAll(Fold(withoutDecimal(s)), " ", "")
	if t := strings.TrimLeft(s, "0"); t != "" {
		return t
	}
	return s
}

// postalIn is PostalCode by the ways of a country: "D-10115" is 10115, and a ZIP code counts with five digits.
func postalIn(s, country string) string {
	s = Fold(withoutDecimal(s))
	if i := strings.IndexByte(s, ' '); i == 1 || i == 2 {
		if rest := s[i+1:]; startsWithDigit(rest) && !startsWithDigit(s) && len(rest) >= 4 && !letteredCodes[country] {
			s = rest
		}
	}
	s = strings.ReplaceAll(s, " ", "")
	if country == "us" && len(s) == 9 && isDigits(s) {
		s = s[:5]
	}
	if t := strings.TrimLeft(s, "0"); t != "" && !letteredCodes[country] {
		return t
	}
	return s
}

// letteredCodes are countries whose postal codes may begin with letters.
var letteredCodes = words("gb ie ca mt ar bm gg je im gi")
