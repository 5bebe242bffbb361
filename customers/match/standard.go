package match

import (
	"strings"

	"aldine/customers/normal"
)

// Standard says how values are standardised where that is a matter of choice. It is set before rows are added.
type Standard struct {
	Country  string // ISO 3166 alpha-2, of telephone numbers without a country code, where they are shown
	KeepTags bool   // anna+shop@ is not anna@
	KeepDots bool   // a.nna@gmail.com is not anna@gmail.com
}

// email gives the form in which an address is compared.
func (s Standard) email(raw string) string {
	form := emailForm(raw)
	at := strings.LastIndexByte(form, '@')
	if at <= 0 || !s.KeepTags && !s.KeepDots {
		return form
	}
	domain := form[at+1:]
	local := strings.Trim(strings.ToLower(strings.TrimSpace(raw)), "<>\"' ")
	local = strings.TrimPrefix(local, "mailto:")
	if at = strings.LastIndexByte(local, '@'); at <= 0 || len(raw) > maxValue {
		return form
	}
	local = local[:at]
	if i := strings.IndexByte(local, '+'); i > 0 && !s.KeepTags {
		local = local[:i]
	}
	if domain == "gmail.com" && !s.KeepDots {
		local = strings.ReplaceAll(local, ".", "")
	}
	return local + "@" + domain
}

// cells are a row's values by what their columns hold.
type cells [columns]string

// cellsOf takes the columns that are known out of a row.
func (l *layout) cellsOf(row []string) (c cells) {
	for col := colGiven; col < columns; col++ {
		if at := l.at[col]; at >= 0 && at < len(row) {
			if c[col] = row[at]; len(c[col]) > maxValue {
				c[col] = strings.ToValidUTF8(c[col][:maxValue], "")
			}
		}
	}
	return c
}

// writtenFrom says which columns a field is read from, the usual one first.
var writtenFrom = [fields][]column{Given: {colGiven, colFull}, Middle: {colMiddle, colGiven, colFull}, Surname: {colSurname, colSurname2, colFull},
	Birth: {colBirth, colYear, colMonth, colDay}, Email: {colEmail}, Phone: {colPhone}, Identifier: {colIdentifier}, Number: {colNumber, colStreet},
	Street: {colStreet}, Street2: {colUnit, colStreet2}, City: {colCity}, Region: {colRegion}, Postcode: {colPostcode}, Company: {colCompany},
	Extra1: {colExtra1}, Extra2: {colExtra2}, Extra3: {colExtra3}, Extra4: {colExtra4}}

// joined are the fields that all their columns together make.
var joined = [fields]bool{Surname: true, Birth: true, Street2: true}

// written gives what a row says of a field.
func (c *cells) written(f Field) string {
	var found []string
	for _, col := range writtenFrom[f] {
		v := c[col]
		if v == "" || len(found) > 0 && (!joined[f] || col == colFull || f == Birth && c[colBirth] != "") {
			continue
		}
		found = append(found, v)
	}
	if f == Birth {
		return strings.Join(found, "-")
	}
	return strings.Join(found, " ")
}

// show puts the values as written beside the standardised ones, and telephone numbers in the form in which they are
// dialled from anywhere, where the country is known. They are compared by their last digits nonetheless, since a list may
// leave the country out.
func (s Standard) show(e *Explanation, a, b *cells) {
	for i := range e.Evidence {
		v := &e.Evidence[i]
		v.WrittenA, v.WrittenB = a.written(v.of), b.written(v.of)
		if v.of == Phone {
			v.A, v.B = s.phone(v.WrittenA, v.A), s.phone(v.WrittenB, v.B)
		}
	}
}

func (s Standard) phone(written, digits string) string {
	written = strings.TrimSpace(written)
	if strings.HasPrefix(written, "00") {
		written = "+" + written[2:]
	}
	if e164, err := normal.Phone(written, s.Country); err == nil && digits != "" {
		return e164
	}
	return digits
}
