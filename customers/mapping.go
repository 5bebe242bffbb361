package customers

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"aldine/customers/normal"
	"aldine/internal/fault"
)

// What an import file may hold besides core fields and attributes.
const (
	fieldStreetNumber = "street_number" // goes before the street
	fieldFullName     = "full_name"     // "Anna Smith" or "Smith, Anna"
	consentPrefix     = "consent_"      // consent_email and so on: yes or no
)

// synonyms are the headers that are understood, by field, in folded form without spaces; the best come first.
var synonyms = map[string]map[string][]string{
	"suppressions": suppressionFields,
	"register":     registerFields,
	"customers": {
		"external_id": {"externalid", "customerexternalid", "customerid", "uniqueid", "recid", "recordid", "customernumber", "customerno", "clientid",
			"kundennummer", "kundennr", "contactid", "personid", "id"},
		"title":      {"title", "salutation", "honorific", "prefix", "anrede", "titel"},
		"first_name": {"firstname", "givenname", "forename", "fname", "vorname", "prenom", "nombre"},
		"last_name":  {"lastname", "surname", "familyname", "lname", "nachname", "familienname", "nom", "apellido"},
		"suffix":     {"suffix", "namesuffix"},
		"company":    {"company", "companyname", "organisation", "organization", "firma", "business"},
		"email":      {"email", "emailaddress", "mail", "emailadresse"},
		"phone": {"phone", "phonenumber", "telephone", "tel", "mobile", "mobilephone", "cell", "cellphone", "telefon", "telefonnummer",
			"handy", "msisdn"},
		"street":          {"street", "streetaddress", "address1", "addressline1", "address", "addr1", "strasse", "streetline", "streetname"},
		"address2":        {"address2", "addressline2", "addr2", "apartment", "unit", "flat", "adresszusatz"},
		"city":            {"city", "town", "suburb", "locality", "ort", "stadt", "ville", "ciudad"},
		"region":          {"region", "state", "province", "county", "bundesland"},
		"postal_code":     {"postalcode", "postcode", "zip", "zipcode", "plz", "postleitzahl", "codepostal"},
		"country":         {"country", "countrycode", "land", "pays"},
		"language":        {"language", "lang", "locale", "sprache"},
		"time_zone":       {"timezone", "tz"},
		fieldStreetNumber: {"streetnumber", "streetno", "housenumber", "houseno", "hausnummer"},
		fieldFullName:     {"fullname", "name", "contactname", "customername"},
		"consent_email":   {"consentemail", "emailconsent", "emailoptin", "optin", "optinemail", "newsletter", "subscribed"},
		"consent_sms":     {"consentsms", "smsconsent", "smsoptin", "optinsms"},
		"consent_post":    {"consentpost", "postconsent", "postoptin", "optinpost", "mailconsent"},
		"consent_calls":   {"consentcalls", "callsconsent", "callconsent", "consentphone", "phoneconsent", "phoneoptin", "optinphone"},
	},
	"orders": {
		"order_id":             {"orderid", "orderref", "ordernumber", "orderno", "transactionid", "invoiceid"},
		"customer_external_id": {"customerexternalid", "externalid", "customerid", "customer", "uniqueid", "recid"},
		"ordered_at":           {"orderedat", "orderdate", "date", "purchasedat", "createdat", "time"},
		"quantity":             {"quantity", "qty", "items", "units", "pieces"},
		"amount":               {"amount", "total", "totalamount", "value", "revenue", "price"},
		"currency":             {"currency", "currencycode"},
		"sku":                  {"sku", "product", "productid", "productsku", "article", "item"},
		"place":                {"place", "channel", "shop"},
		"reason":               {"reason", "occasion"},
		"keycode":              {"keycode", "sourcecode", "promotioncode", "coupon"},
	},
}

// orderNeeds are the fields that a file of orders must have.
var orderNeeds = []string{"order_id", "customer_external_id", "ordered_at", "amount"}

func headerKey(s string) string { return strings.ReplaceAll(normal.Fold(s), " ", "") }

// proposeMapping finds the field of each column by its header; columns that nothing is known of are absent. Attributes
// go by their names. Where two columns mean one field, the better name wins, then the one further left.
func proposeMapping(kind string, header []string, attributes []Attribute) map[string]string {
	proposed := map[string]string{}
	columns := map[string]string{} // folded header -> column
	for _, h := range header {
		if key := headerKey(h); key != "" {
			if _, twice := columns[key]; !twice {
				columns[key] = h
			}
		}
	}
	if kind == "customers" {
		for _, a := range attributes {
			if h, ok := columns[headerKey(a.Name)]; ok {
				proposed[h] = a.Name
			}
		}
	}
	fields := make([]string, 0, len(synonyms[kind]))
	for field := range synonyms[kind] {
		fields = append(fields, field)
	}
	sort.Strings(fields)
	for _, field := range fields {
		for _, key := range append([]string{headerKey(field)}, synonyms[kind][field]...) {
			if h, ok := columns[key]; ok && proposed[h] == "" {
				proposed[h] = field
				break
			}
		}
	}
	return proposed
}

// chooseMapping joins what the caller says of columns with what their headers propose. A column said to be "" or "-" is
// left out. The Invalid error names columns and fields that do not exist.
func chooseMapping(kind string, header []string, attributes []Attribute, given map[string]string) (map[string]string, error) {
	m := proposeMapping(kind, header, attributes)
	known := map[string]bool{}
	for field := range synonyms[kind] {
		known[field] = true
	}
	if kind == "customers" {
		for _, a := range attributes {
			known[a.Name] = true
		}
	}
	var faults []fault.Field
	taken := map[string]string{}
	columns := make([]string, 0, len(given))
	for column := range given {
		columns = append(columns, column)
	}
	sort.Strings(columns)
	for _, column := range columns {
		field := strings.TrimSpace(given[column])
		name := "map." + short(column)
		if !slices.Contains(header, column) {
			faults = append(faults, fault.Field{Name: name, Message: "the file has no such column; it has " + short(strings.Join(header, ", "))})
			continue
		}
		if field == "" || field == "-" {
			delete(m, column)
			continue
		}
		if !known[field] {
			faults = append(faults, fault.Field{Name: name, Message: fmt.Sprintf("there is no field or attribute named %q", short(field))})
			continue
		}
		if other, ok := taken[field]; ok {
			faults = append(faults, fault.Field{Name: name, Message: fmt.Sprintf("%s is the field of column %q already", field, short(other))})
			continue
		}
		taken[field] = column
		for c, f := range m {
			if f == field {
				delete(m, c)
			}
		}
		m[column] = field
	}
	if faults != nil {
		return nil, fault.Bad("The column mapping is not valid", faults...)
	}
	return m, checkMapping(kind, header, m)
}

func checkMapping(kind string, header []string, m map[string]string) error {
	mapped := map[string]bool{}
	for _, field := range m {
		mapped[field] = true
	}
	if kind == "customers" {
		for _, field := range append(coreNames[:8:8], "street", fieldFullName) {
			if mapped[field] {
				return nil
			}
		}
		return fault.BadField("file", "no column of the first line is known; it must name columns such as external_id, email or last_name, and reads: %s",
			short(strings.Join(header, ", ")))
	}
	switch kind {
	case "register":
		if !mapped["phone"] {
			return fault.BadField("column", "no column is known to hold the numbers: name it; the first line reads: %s", short(strings.Join(header, ", ")))
		}
		return nil
	case "suppressions": // the loader says what the scope needs
		return nil
	}
	var missing []string
	for _, field := range orderNeeds {
		if !mapped[field] {
			missing = append(missing, field)
		}
	}
	if missing != nil {
		return fault.BadField("file", "the first line lacks %s; it reads: %s", strings.Join(missing, ", "), short(strings.Join(header, ", ")))
	}
	return nil
}
