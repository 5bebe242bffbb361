package duplicates

import (
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"

	"aldine/internal/fault"
)

// The sides that a field's value may come from.
const (
	fromSurvivor = "survivor"
	fromOld      = "old"
)

// addressField is the name under which the columns of the postal address are chosen together: parts of two addresses make none.
const addressField = "address"

var (
	addressColumns = []string{"street", "address2", "city", "region", "postal_code", "country"}
	// plainFields are the core fields that are chosen one by one, as columns of customers.
	plainFields = []string{"external_id", "title", "first_name", "last_name", "suffix", "company", "email", "phone", "language", "time_zone"}
)

const attributePrefix = "a_" // of the columns of attributes

// field is one thing to choose: a core field, an attribute, or the address.
type field struct {
	name    string // as in choices
	columns []string
}

// fieldsOf gives all fields that the two rows have, in the order in which they are shown.
func fieldsOf(survivor, old row) []field {
	fields := make([]field, 0, len(plainFields)+1)
	for _, name := range plainFields {
		fields = append(fields, field{name, []string{name}})
		if name == "phone" {
			fields = append(fields, field{addressField, addressColumns})
		}
	}
	attributes := map[string]bool{}
	for _, r := range []row{survivor, old} {
		for column := range r {
			if strings.HasPrefix(column, attributePrefix) {
				attributes[column] = true
			}
		}
	}
	var names []string
	for column := range attributes {
		names = append(names, column)
	}
	sort.Strings(names)
	for _, column := range names {
		fields = append(fields, field{"attributes." + strings.TrimPrefix(column, attributePrefix), []string{column}})
	}
	return fields
}

func (f field) known(r row) bool {
	for _, c := range f.columns {
		if r.known(c) && c != "country" { // a country alone is no address
			return true
		}
	}
	return false
}

func (f field) same(a, b row) bool {
	for _, c := range f.columns {
		if !a.same(b, c) {
			return false
		}
	}
	return true
}

func (f field) text(r row) string {
	var parts []string
	for _, c := range f.columns {
		if v := r.text(c); v != "" {
			parts = append(parts, v)
		}
	}
	return strings.Join(parts, ", ")
}

// chooseFields decides for every field that either customer has. A person's word counts first; then the only value; then the
// more complete one; then that of the record which was updated later. The Invalid error names every wrong choice.
func chooseFields(survivor, old row, choose map[string]string) ([]Choice, error) {
	if err := checkChoices(survivor, old, choose); err != nil {
		return nil, err
	}
	var choices []Choice
	for _, f := range fieldsOf(survivor, old) {
		inSurvivor, inOld := f.known(survivor), f.known(old)
		if !inSurvivor && !inOld {
			continue
		}
		c := Choice{Field: f.name, Survivor: f.text(survivor), Old: f.text(old), Chosen: fromSurvivor}
		switch said, ok := choose[f.name]; {
		case ok:
			c.Chosen, c.Why = said, "chosen by a person"
		case f.same(survivor, old):
			c.Why = "the same in both"
		case !inOld:
			c.Why = "the only value"
		case !inSurvivor:
			c.Chosen, c.Why = fromOld, "the only value"
		case f.name == "external_id":
			c.Why = "the survivor keeps its own; the other one still finds it"
		case completeness(f, survivor) != completeness(f, old):
			c.Why = "more complete"
			if completeness(f, old) > completeness(f, survivor) {
				c.Chosen = fromOld
			}
		case old.time("updated_at").After(survivor.time("updated_at")):
			c.Chosen, c.Why = fromOld, "confirmed later"
		default:
			c.Why = "confirmed later"
			if !survivor.time("updated_at").After(old.time("updated_at")) {
				c.Why = "both confirmed at the same time: the survivor's"
			}
		}
		choices = append(choices, c)
	}
	return choices, nil
}

// completeness orders the values of one field: an initial is less than a name, an address that mail can be sent to is more
// than any other, and of others the one with more parts.
func completeness(f field, r row) int {
	switch f.name {
	case "first_name":
		if letters := strings.Trim(f.text(r), ". "); utf8.RuneCountInString(letters) < 2 {
			return 0
		}
		return 1
	case addressField:
		parts := 0
		for _, c := range f.columns {
			if r.known(c) {
				parts++
			}
		}
		if r.known("street") && (r.known("postal_code") || r.known("city")) {
			return 100 // a missing region makes no address worse
		}
		return parts
	}
	return 1
}

func checkChoices(survivor, old row, choose map[string]string) error {
	names := map[string]bool{}
	for _, f := range fieldsOf(survivor, old) {
		names[f.name] = true
	}
	var faults []fault.Field
	for name, side := range choose {
		switch {
		case !names[name]:
			message := "there is no field of this name"
			for _, c := range addressColumns {
				if c == name {
					message = "the parts of an address are chosen together: say address"
				}
			}
			faults = append(faults, fault.Field{Name: "choose." + name, Message: message})
		case side != fromSurvivor && side != fromOld:
			faults = append(faults, fault.Field{Name: "choose." + name, Message: fmt.Sprintf("say %s or %s", fromSurvivor, fromOld)})
		}
	}
	if faults == nil {
		return nil
	}
	sort.Slice(faults, func(i, j int) bool { return faults[i].Name < faults[j].Name })
	return fault.Bad("The choice of values is not valid", faults...)
}

// conflictOf tells why two customers never merge by themselves, "" where nothing speaks against it.
func conflictOf(a, b row) string {
	if a.known("external_id") && b.known("external_id") && !a.same(b, "external_id") {
		return fmt.Sprintf("two external ids: %s and %s", a.text("external_id"), b.text("external_id"))
	}
	return ""
}

// mergedRow gives the survivor's row as the choices make it, without what is derived from orders.
func mergedRow(survivor, old row, choices []Choice, now any) row {
	out := survivor.clone()
	from := map[string]string{}
	for _, c := range choices {
		from[c.Field] = c.Chosen
	}
	for _, f := range fieldsOf(survivor, old) {
		if from[f.name] != fromOld {
			continue
		}
		for _, c := range f.columns {
			out[c] = old[c]
		}
	}
	// The keys follow the values that they are made of.
	if from[addressField] == fromOld {
		out["address_hash"], out["residence_id"] = old["address_hash"], old["residence_id"]
	}
	if from["company"] == fromOld {
		out["company_id"] = old["company_id"]
	}
	if from[addressField] == fromOld && (from["last_name"] == fromOld || survivor.same(old, "last_name")) {
		out["household_id"] = old["household_id"]
	}
	if !out.known("list_id") {
		out["list_id"] = old["list_id"]
	}
	if old.time("created_at").Before(survivor.time("created_at")) {
		out["created_at"] = old["created_at"]
	}
	out.set("rented", survivor.bool("rented") && old.bool("rented")) // whoever is in the house file is no rented name
	out.set("updated_at", now)
	return out
}

// mixedHousehold tells whether name and address come from different sides, so that no row has the household's key.
func mixedHousehold(survivor, old row, choices []Choice) bool {
	from := map[string]string{}
	for _, c := range choices {
		from[c.Field] = c.Chosen
	}
	address, name := from[addressField] == fromOld, from["last_name"] == fromOld
	return address != name && !survivor.same(old, "last_name")
}
