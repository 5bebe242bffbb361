package customers

import (
	"unicode/utf8"

	"aldine/customers/normal"
)

// Places in coreNames of fields that are treated apart.
var (
	atExternalID = coreIndex["external_id"]
	atFirstName  = coreIndex["first_name"]
	atStreet     = coreIndex["street"]
	atCountry    = coreIndex["country"]
)

// isAddress tells whether a core field is part of the postal address.
func isAddress(i int) bool { return i >= atStreet && i <= atCountry }

// merge lets a row's values win over those of the person, as the first row of a file that names them; what the row
// does not know stays. An address that differs is replaced as a whole, as far as the file has its columns, so that no
// street is left with another town. It tells whether anything changed.
func (l *customerLoader) merge(p *person, in *incoming) bool {
	before := p.Fields
	mine, theirs := p.refs(), in.refs()
	moved := false
	for i := atStreet; i <= atCountry; i++ {
		moved = moved || *mine[i] != "" && *theirs[i] != "" && *mine[i] != *theirs[i]
	}
	changed := false
	for i := range mine {
		v := *theirs[i]
		if v == "" && !(moved && isAddress(i) && i != atCountry && l.core[i] >= 0) || v == *mine[i] {
			continue
		}
		if i == atFirstName && keepsName(*mine[i], v) {
			continue
		}
		if i == atExternalID && *mine[i] != "" { // another number of somebody who was merged: it finds, and names nobody
			continue
		}
		*mine[i] = v
		changed = true
	}
	for i, t := range l.typed {
		if v := in.values[i]; v != nil && !sameValue(p.Attributes[t.attribute.Name], v) {
			p.set(t.attribute.Name, v)
			changed = true
		}
	}
	return l.note(p, before, changed)
}

// fillIn adds what a later row of the file knows and no earlier one did: the first row has the last word, so that the
// same file again finds everything as it is. An address comes as a whole or not at all.
func (l *customerLoader) fillIn(p *person, in *incoming) bool {
	before := p.Fields
	mine, theirs := p.refs(), in.refs()
	homeless := true
	for i := atStreet; i <= atCountry; i++ {
		homeless = homeless && *mine[i] == ""
	}
	changed := false
	for i := range mine {
		v := *theirs[i]
		if v == "" || v == *mine[i] || isAddress(i) && !homeless {
			continue
		}
		if *mine[i] != "" && !(i == atFirstName && isInitialOf(normal.Fold(*mine[i]), normal.Fold(v)) && utf8.RuneCountInString(normal.Fold(v)) > 1) {
			continue
		}
		*mine[i] = v
		changed = true
	}
	for i, t := range l.typed {
		if v := in.values[i]; v != nil && p.Attributes[t.attribute.Name] == nil {
			p.set(t.attribute.Name, v)
			changed = true
		}
	}
	return l.note(p, before, changed)
}

// keepsName tells whether a full first name is kept against its mere initial.
func keepsName(full, initial string) bool {
	return utf8.RuneCountInString(normal.Fold(full)) > 1 && isInitialOf(normal.Fold(initial), normal.Fold(full))
}

func (p *person) set(name string, v any) {
	if p.Attributes == nil {
		p.Attributes = map[string]any{}
	}
	p.Attributes[name] = v
}

func (l *customerLoader) note(p *person, before Fields, changed bool) bool {
	if changed {
		p.changed = true
		l.rehash(p, &before)
	}
	return changed
}
