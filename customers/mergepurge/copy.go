package mergepurge

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"aldine/customers"
)

// Keys in the fields of a record, beside the names of fields. A suppression file's row that names nobody has those that begin
// with "by_": the forms by which it suppresses.
const (
	emailKey     = "email_key"
	householdKey = "household_key"
	addressKey   = "address_key"
	companyKey   = "company_key"
	byPrefix     = "by_"
)

// copyLine appends a record as a line of COPY.
func copyLine(b []byte, runID, no int64, in *Input, line int64, row *customers.MergeRow, reject string) []byte {
	b = strconv.AppendInt(b, runID, 10)
	b = append(b, '\t')
	b = strconv.AppendInt(b, no, 10)
	b = append(b, '\t')
	b = strconv.AppendInt(b, int64(in.No), 10)
	b = append(b, '\t')
	b = strconv.AppendInt(b, line, 10)
	b = append(b, '\t')
	if reject != "" {
		b = append(b, "\\N\trejected\t"...)
		b = appendText(b, reject)
		return append(b, "\t0\n"...)
	}
	b = appendFields(b, in.Kind, row)
	if in.Kind == Suppression {
		return append(b, "\t\\N\t\\N\t0\n"...)
	}
	return append(b, "\tnet\t\\N\t1\n"...)
}

// appendFields appends what a row says as JSON within COPY text.
func appendFields(b []byte, kind string, row *customers.MergeRow) []byte {
	open := byte('{')
	put := func(name, value string) {
		b = append(append(append(b, open, '"'), name...), `":"`...)
		b = appendJSON(b, value)
		b = append(b, '"')
		open = ','
	}
	key := func(name string, value *int64) {
		if value != nil {
			put(name, strconv.FormatInt(*value, 10))
		}
	}
	for name, value := range row.Named() {
		if name != "external_id" || kind == Suppression {
			put(name, value)
		}
	}
	if row.Email != "" {
		put(emailKey, strings.ToLower(row.Email))
	}
	key(householdKey, row.HouseholdID)
	key(addressKey, row.AddressHash)
	key(companyKey, row.CompanyID)
	if kind == Suppression && row.Nameless() {
		switch {
		case row.ExternalID != "" || row.Email != "" || row.Phone != "":
			for name, value := range map[string]string{"external_id": row.ExternalID, "email": strings.ToLower(row.Email), "phone": row.Phone} {
				if value != "" {
					put(byPrefix+name, value)
				}
			}
		default:
			key(byPrefix+"address", row.AddressHash)
		}
	}
	if open == '{' {
		b = append(b, '{')
	}
	return append(b, '}')
}

// appendJSON appends the inside of a JSON string, with its backslashes doubled for COPY.
func appendJSON(b []byte, s string) []byte {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			b = append(b, `\\"`...)
		case c == '\\':
			b = append(b, `\\\\`...)
		case c == 0:
		case c < ' ':
			b = append(b, `\\u00`...)
			b = append(b, "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		default:
			b = append(b, c)
		}
	}
	return b
}

// appendText appends a text for COPY.
func appendText(b []byte, s string) []byte {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '\\':
			b = append(b, `\\`...)
		case '\t', '\n', '\r':
			b = append(b, ' ')
		case 0:
		default:
			b = append(b, c)
		}
	}
	return b
}
