package normal

import "strings"

// streetWords are the short forms that mail is written with.
var streetWords = map[string]string{
	"street": "st", "str": "st", "strasse": "st", "avenue": "ave", "av": "ave", "road": "rd", "drive": "dr", "drv": "dr", "lane": "ln", "court": "ct", "crt": "ct",
	"place": "pl", "boulevard": "blvd", "boul": "blvd", "square": "sq", "terrace": "tce", "terr": "tce", "ter": "tce", "crescent": "cres", "crs": "cres",
	"circuit": "cct", "circle": "cir", "highway": "hwy", "parkway": "pkwy", "close": "cl", "north": "n", "south": "s", "east": "e", "west": "w",
	"northeast": "ne", "northwest": "nw", "southeast": "se", "southwest": "sw", "mount": "mt", "saint": "st", "grove": "gr", "gardens": "gdns", "esplanade": "esp",
	"parade": "pde", "trail": "trl", "way": "wy", "heights": "hts", "junction": "jct", "fort": "ft", "point": "pt", "village": "vlge", "platz": "pl",
}

// moreStreetWords hold within addresses whose country is known.
var moreStreetWords = map[string]string{
	"straat": "st", "bd": "blvd", "bld": "blvd", "bvd": "blvd", "chemin": "ch", "impasse": "imp", "allee": "all", "route": "rte", "avenida": "ave", "avda": "ave",
	"piazza": "pza", "viale": "vle", "faubourg": "fg", "residence": "res", "postfach": "pobox", "laan": "ln", "plein": "pln", "ulitsa": "ul", "ulica": "ul",
}

// unitWords begin the part of an address that names a flat.
var unitWords = words("unit flat flt apartment apt apmnt suite ste room rm floor fl level lvl lot shop po box")

// designators are the words for a flat that do not count within an address: what follows them does.
var designators = words("unit flat flt apartment apt apmnt suite ste room rm floor fl level lvl lot shop app appt appartement wohnung whg top tuer stiege stg stock etage " +
	"piso planta puerta interno int scala bat batiment verdieping kamer kv korpus no nr num numero nummer building bldg hinterhaus vorderhaus og eg")

// split is StreetLine: of a line whose country is not known.
func (p *lineParser) split(s string) (number, street string) {
	if strings.IndexByte(s, '#') >= 0 {
		s = strings.ReplaceAll(s, "#", " apt ")
	}
	parts := strings.Fields(Fold(s))
	for i, w := range parts {
		if short, ok := streetWords[w]; ok {
			parts[i] = short
		} else {
			parts[i] = joinedStreet(w)
		}
	}
	// "flat 3 12 high st": the unit is kept at the end, so that "12 high st flat 3" is the same.
	if len(parts) > 3 && unitWords[parts[0]] && hasDigit(parts[1]) {
		parts = append(append([]string{}, parts[2:]...), parts[0], parts[1])
	}
	last := len(parts) - 1
	switch {
	case len(parts) > 1 && startsWithDigit(parts[0]) && len(parts[0]) <= 6:
		number, parts = parts[0], parts[1:]
	case len(parts) > 1 && startsWithDigit(parts[last]) && !unitWords[parts[last-1]] && len(parts[last]) <= 6:
		number, parts = parts[last], parts[:last]
	}
	return number, strings.Join(parts, " ")
}

// joinedStreet shortens the word for a street that is written in one with its name.
func joinedStreet(w string) string {
	if stem := strings.TrimSuffix(w, "strasse"); stem != w {
		return stem + "st"
	}
	if stem := strings.TrimSuffix(w, "str"); stem != w && len(stem) > 2 {
		return stem + "st"
	}
	return w
}

// word is a word of an address line in folded and shortened form.
type word struct {
	text string
	tail bool // written in one with the number before: the 4 of 12/4
}

// lineParser takes the lines of one address apart.
type lineParser struct {
	country string
	units   []string
	buffer  [2][8]word
}

// words gives the folded words of a line.
func (p *lineParser) words(s string, line int) []word {
	if s == "" {
		return nil
	}
	out := p.buffer[line][:0]
	if len(s) > 2*MaxText {
		s = strings.ToValidUTF8(s[:2*MaxText], "")
	}
	for len(s) > 0 {
		i := strings.IndexAny(s, " ,\t")
		raw := s
		if i >= 0 {
			raw, s = s[:i], s[i+1:]
		} else {
			s = ""
		}
		if raw == "" {
			continue
		}
		if raw[0] == '#' {
			out = append(out, word{text: "apt"})
		}
		folded := Fold(raw)
		number := startsWithDigit(folded)
		for first := true; folded != ""; first = false {
			w := folded
			if i := strings.IndexByte(folded, ' '); i >= 0 {
				w, folded = folded[:i], folded[i+1:]
			} else {
				folded = ""
			}
			out = append(out, word{p.short(w), number && !first})
		}
	}
	if len(out) > 1 && (out[0].text == "po" || out[0].text == "p") && (out[1].text == "box" || len(out) > 2 && out[1].text == "o" && out[2].text == "box") {
		at := 1
		if out[1].text == "o" {
			at = 2
		}
		out = out[at:]
		out[0].text = "pobox"
	}
	return out
}

func (p *lineParser) short(w string) string {
	if startsWithDigit(w) {
		return w
	}
	if short, ok := streetWords[w]; ok && !(w == "ter" && p.country == "fr") {
		return short
	}
	if p.country != "" {
		if short, ok := moreStreetWords[w]; ok {
			return short
		}
		if stem := strings.TrimSuffix(w, "straat"); stem != w && len(stem) > 2 {
			return stem + "st"
		}
		if stem := strings.TrimSuffix(w, "platz"); stem != w && len(stem) > 2 {
			return stem + "pl"
		}
	}
	return joinedStreet(w)
}

// takeUnits moves flats and floors, "apt 5", "3rd floor", "top 4", out of a line.
func (p *lineParser) takeUnits(line []word) []word {
	kept := line[:0]
	for i := 0; i < len(line); i++ {
		w := line[i]
		next := ""
		if i+1 < len(line) {
			next = line[i+1].text
		}
		switch {
		case designators[w.text] && isUnitValue(next) && !(next != "" && len(next) == 1 && i+2 < len(line) && !startsWithDigit(next)):
			if w.text == "no" || w.text == "nr" || w.text == "num" || w.text == "numero" || w.text == "nummer" {
				continue // the number of the house follows
			}
			p.units = append(p.units, next)
			i++
		case isOrdinal(w.text) && floors[next]:
			p.units = append(p.units, ordinal(w.text))
			i++
		case w.text == "pobox" && startsWithDigit(next):
			kept = append(kept, w)
		default:
			kept = append(kept, w)
		}
	}
	return kept
}

var floors = words("floor fl etage stock og verdieping piso planta stg level")

// isUnitValue tells whether a word names a flat: a number, a letter, a number behind a letter.
func isUnitValue(w string) bool {
	return w != "" && (startsWithDigit(w) || len(w) == 1 || len(w) <= 4 && hasDigit(w))
}

// takeNumber parts the house number from the rest of the street line. Where a country writes it behind the street it is
// looked for there first, else in front.
func (p *lineParser) takeNumber(line []word) (street, number string) {
	if len(line) > 0 && line[0].text == "pobox" && len(line) > 1 {
		return "pobox", joinWords(line[1:])
	}
	if !numberBehind[p.country] {
		if rest, n := p.numberInFront(line); n != "" {
			return joinWords(rest), n
		}
	}
	if rest, n := p.numberAtEnd(line); n != "" {
		return joinWords(rest), n
	}
	if numberBehind[p.country] {
		if rest, n := p.numberInFront(line); n != "" {
			return joinWords(rest), n
		}
	}
	return joinWords(line), ""
}

// numberBehind are countries that write the house number after the street.
var numberBehind = words("de at ch li nl be dk se no fi is ee lv lt pl cz sk hu si hr rs ba me mk al bg ro gr cy tr ru ua by it es pt ad sm va br ar cl mx pe co uy il")

func (p *lineParser) numberInFront(line []word) (rest []word, number string) {
	if len(line) < 2 || !isNumber(line[0].text) {
		return line, ""
	}
	number, rest = line[0].text, line[1:]
	for len(rest) > 1 && (rest[0].tail || rest[0].text == "bis" || rest[0].text == "ter" || rest[0].text == "quater" || isHouseLetter(rest[0].text) && !startsWithDigit(rest[1].text)) {
		switch {
		case !startsWithDigit(rest[0].text):
			number += rest[0].text
		case p.country == "au" || p.country == "nz": // 3/12: flat 3 of house 12
			p.units = append(p.units, number)
			number = rest[0].text
		default:
			p.units = append(p.units, rest[0].text)
		}
		rest = rest[1:]
	}
	return rest, number
}

func isHouseLetter(w string) bool { return len(w) == 1 && w[0] >= 'a' && w[0] <= 'd' }

// numberAtEnd finds the first number behind which nothing but numbers and their additions stand.
func (p *lineParser) numberAtEnd(line []word) (rest []word, number string) {
	at := len(line)
	for i := len(line) - 1; i > 0; i-- {
		w := line[i]
		if isNumber(w.text) && !w.tail {
			at = i
		} else if !w.tail && !(len(w.text) == 1 || additions[w.text] || startsWithDigit(w.text)) {
			break
		}
	}
	if at == len(line) {
		return line, ""
	}
	number = line[at].text
	for i, w := range line[at+1:] {
		if i == 0 && len(w.text) == 1 && !startsWithDigit(w.text) || w.text == "bis" || w.text == "ter" {
			number += w.text
		} else {
			p.units = append(p.units, w.text)
		}
	}
	return line[:at], number
}

// additions stand behind house numbers.
var additions = words("bis ter quater hs huis ii iii iv vi vii bg rd tv th mf og eg")

func joinWords(line []word) string {
	switch len(line) {
	case 0:
		return ""
	case 1:
		return line[0].text
	}
	var b strings.Builder
	for i, w := range line {
		if i > 0 {
			b.WriteByte(' ')
		}
		if b.Len() > MaxText {
			break
		}
		b.WriteString(w.text)
	}
	return cut(b.String())
}

// isNumber tells a house number, 12 or 12a, from the name of a street, 5th.
func isNumber(w string) bool {
	if !startsWithDigit(w) || len(w) > 8 {
		return false
	}
	return !isOrdinal(w)
}

func isOrdinal(w string) bool {
	if len(w) < 3 || !startsWithDigit(w) {
		return false
	}
	switch w[len(w)-2:] {
	case "st", "nd", "rd", "th":
		return isDigits(w[:len(w)-2])
	}
	return false
}

func ordinal(w string) string { return w[:len(w)-2] }

func startsWithDigit(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }

func hasDigit(s string) bool { return strings.ContainsAny(s, "0123456789") }

func isDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
