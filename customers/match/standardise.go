package match

import "strings"

// unknown are ways to write that a value is not known.
var unknown = map[string]bool{"NA": true, "N/A": true, "n/a": true, "NULL": true, "null": true, "NaN": true, "nan": true, "None": true, `\N`: true, "-": true,
	"--": true, "?": true, "unknown": true, "Unknown": true, "UNKNOWN": true, ".": true, "NaT": true, "<NA>": true}

func (t *Table) standardise(f *file, cells []string) record {
	var v [columns]string
	for col := colGiven; col < columns; col++ {
		if at := f.layout.at[col]; at >= 0 && at < len(cells) && !unknown[cells[at]] {
			v[col] = cells[at]
		}
	}
	var r record
	set := func(field Field, text string) { r[field] = t.stores[storeOf[field]].intern(text) }
	if v[colFull] != "" && v[colGiven] == "" && v[colSurname] == "" {
		v[colGiven], v[colSurname] = splitName(v[colFull])
	}
	if v[colMiddle] == "" && oneWord(v[colGiven]) {
		r[Given] = t.cached(Given, v[colGiven], fold)
	} else {
		first, rest := givenName(v[colGiven])
		set(Given, first)
		set(Middle, strings.TrimSpace(rest+" "+fold(v[colMiddle])))
	}
	r[Surname] = t.cached(Surname, strings.TrimSpace(v[colSurname]+" "+v[colSurname2]), familyName)
	birth := birthDate(v[colBirth], f.monthFirst)
	if birth == "" && v[colYear] != "" {
		month := v[colMonth]
		if m := monthName(strings.ToLower(month)); m != "" {
			month = m
		}
		birth = date(trimZero(v[colYear]), trimZero(month), trimZero(v[colDay]))
	}
	set(Birth, birth)
	set(Email, t.Standard.email(v[colEmail]))
	set(Phone, phoneForm(v[colPhone]))
	set(Identifier, code(v[colIdentifier]))
	num, street := streetLine(v[colStreet])
	if v[colNumber] != "" {
		num = code(v[colNumber])
	} else if f.layout.at[colNumber] >= 0 && num != "" {
		street, num = num+" "+street, ""
	}
	set(Number, num)
	set(Street, street)
	_, line2 := streetLine("\x00" + strings.TrimSpace(v[colUnit]+" "+v[colStreet2]))
	set(Street2, line2)
	r[City] = t.cached(City, v[colCity], place)
	r[Region] = t.cached(Region, v[colRegion], fold)
	r[Postcode] = t.cached(Postcode, v[colPostcode], postcode)
	r[Company] = t.cached(Company, v[colCompany], companyName)
	r[Extra1] = t.cached(Extra1, v[colExtra1], fold)
	r[Extra2] = t.cached(Extra2, v[colExtra2], fold)
	r[Extra3] = t.cached(Extra3, v[colExtra3], fold)
	r[Extra4] = t.cached(Extra4, v[colExtra4], fold)
	return r
}

// oneWord tells whether a name is of ASCII letters alone.
func oneWord(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i] | 0x20; c < 'a' || c > 'z' {
			return false
		}
	}
	return true
}

// maxCached is how many values of a field as written are remembered.
const maxCached = 200_000

// cached standardises a value, or remembers how it was done.
func (t *Table) cached(f Field, raw string, standard func(string) string) uint32 {
	if raw == "" {
		return 0
	}
	if v, ok := t.raw[f][raw]; ok {
		return v
	}
	v := t.stores[storeOf[f]].intern(standard(raw))
	if len(t.raw[f]) < maxCached && len(raw) <= maxValue {
		t.raw[f][strings.Clone(raw)] = v
	}
	return v
}

func trimZero(s string) string { return strings.TrimSuffix(strings.TrimSpace(s), ".0") }
