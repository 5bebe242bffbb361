package match

import "strings"

// streetWords are the short forms that mail is written with.
var streetWords = map[string]string{
	"street": "st", "str": "st", "strasse": "st", "avenue": "ave", "av": "ave", "road": "rd", "drive": "dr", "drv": "dr", "lane": "ln", "court": "ct", "crt": "ct",
	"place": "pl", "boulevard": "blvd", "boul": "blvd", "square": "sq", "terrace": "tce", "terr": "tce", "ter": "tce", "crescent": "cres", "crs": "cres",
	"circuit": "cct", "circle": "cir", "highway": "hwy", "parkway": "pkwy", "close": "cl", "north": "n", "south": "s", "east": "e", "west": "w",
	"northeast": "ne", "northwest": "nw", "southeast": "se", "southwest": "sw", "mount": "mt", "saint": "st", "grove": "gr", "gardens": "gdns", "esplanade": "esp",
	"parade": "pde", "trail": "trl", "way": "wy", "heights": "hts", "junction": "jct", "fort": "ft", "point": "pt", "village": "vlge", "platz": "pl",
}

// unitWords begin the part of an address that names a flat.
var unitWords = words("unit flat flt apartment apt apmnt suite ste room rm floor fl level lvl lot shop po box")

// streetLine standardises one line of an address and takes out the house number where one stands at either end.
func streetLine(s string) (number, street string) {
	parts := strings.Fields(fold(s))
	for i, p := range parts {
		if short, ok := streetWords[p]; ok {
			parts[i] = short
		} else if stem := strings.TrimSuffix(p, "strasse"); stem != p {
			parts[i] = stem + "st"
		} else if stem := strings.TrimSuffix(p, "str"); stem != p && len(stem) > 2 {
			parts[i] = stem + "st"
		}
	}
	// "flat 3 12 high st": the unit is kept at the end, so that "12 high st flat 3" is the same.
	if len(parts) > 3 && unitWords[parts[0]] && hasDigit(parts[1]) {
		parts = append(append([]string{}, parts[2:]...), parts[0], parts[1])
	}
	switch {
	case len(parts) > 1 && startsWithDigit(parts[0]) && len(parts[0]) <= 6:
		number, parts = parts[0], parts[1:]
	case len(parts) > 1 && startsWithDigit(parts[len(parts)-1]) && !unitWords[parts[len(parts)-2]] && len(parts[len(parts)-1]) <= 6:
		number, parts = parts[len(parts)-1], parts[:len(parts)-1]
	}
	return number, strings.Join(parts, " ")
}

func startsWithDigit(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }

func hasDigit(s string) bool { return strings.ContainsAny(s, "0123456789") }

// place standardises a locality.
func place(s string) string {
	parts := strings.Fields(fold(s))
	for i, p := range parts {
		if short, ok := streetWords[p]; ok {
			parts[i] = short
		}
	}
	return strings.Join(parts, " ")
}

// postcode standardises a postal code: no spaces, and no zeros that a spreadsheet may have cut off.
func postcode(s string) string {
	s = strings.ReplaceAll(fold(strings.TrimSuffix(strings.TrimSpace(s), ".0")), " ", "")
	if t := strings.TrimLeft(s, "0"); t != "" {
		return t
	}
	return s
}

// code standardises a number on a document: letters and digits.
func code(s string) string {
	return strings.ReplaceAll(fold(strings.TrimSuffix(strings.TrimSpace(s), ".0")), " ", "")
}
