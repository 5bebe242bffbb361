package normal

import "strings"

// legalForms end a company's name without telling it from others.
var legalForms = words("inc incorporated corp corporation co company ltd limited llc llp lp plc gmbh mbh ag kg ohg ug se sa sas sarl srl spa bv nv oy ab as aps pty the and und et cie group holding")

// Company gives the core of a company's name: folded, without its legal form.
func Company(s string) string {
	parts := strings.Fields(Fold(s))
	kept := parts[:0:0]
	for _, p := range parts {
		if !legalForms[p] {
			kept = append(kept, p)
		}
	}
	if len(kept) == 0 {
		kept = parts
	}
	return strings.Join(kept, " ")
}
