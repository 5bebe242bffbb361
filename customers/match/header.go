package match

import (
	"fmt"
	"slices"
	"strings"

	"aldine/internal/fault"
)

// column is what a column of a file holds: a field, or something that fields are made from.
type column uint8

const (
	noColumn column = iota
	colID
	colGiven
	colMiddle
	colSurname
	colSurname2
	colFull
	colBirth
	colYear
	colMonth
	colDay
	colEmail
	colPhone
	colIdentifier
	colNumber
	colUnit
	colStreet
	colStreet2
	colCity
	colRegion
	colPostcode
	colCompany
	colExtra1
	colExtra2
	colExtra3
	colExtra4
	columns
)

// columnNames are the names that a mapping uses.
var columnNames = [columns]string{"", "id", "given_name", "middle_name", "surname", "second_surname", "full_name", "birth_date", "birth_year", "birth_month",
	"birth_day", "email", "phone", "identifier", "street_number", "unit", "street", "address2", "city", "region", "postal_code", "company", "extra1", "extra2", "extra3", "extra4"}

// headers are the headers that are understood, letters and digits only; the best come first. A column that says which
// records belong together (cluster, ent_id, label) is none of them, so that no answer is used as evidence.
var headers = [columns][]string{
	colID: {"id", "recid", "recordid", "uniqueid", "rowid", "externalid", "customerid", "customernumber", "customerno", "contactid", "personid", "clientid",
		"memberid", "voterid", "recordno", "recordnumber", "rowno", "rid", "uid", "uuid", "guid", "kundennummer", "kundennr", "key", "no"},
	colGiven: {"givenname", "firstname", "forename", "given", "first", "fname", "fnamec1", "firstnamec1", "givennames", "forenames", "vorname", "prenom", "nombre",
		"christianname", "firstnm", "nome", "voornaam"},
	colMiddle:   {"middlename", "middle", "middlenames", "secondname", "fnamec2", "firstnamec2", "mname", "middleinitial", "minit", "mi", "midlname", "middlenm"},
	colSurname:  {"surname", "lastname", "familyname", "family", "last", "lname", "lnamec1", "lastnamec1", "nachname", "familienname", "nom", "apellido", "apellidos", "cognome", "achternaam", "lastnm", "snm"},
	colSurname2: {"lnamec2", "lastnamec2", "secondsurname", "surname2", "apellido2", "segundoapellido"},
	colFull:     {"fullname", "name", "contactname", "customername", "personname", "firstandsurname", "nameandsurname"},
	colBirth: {"birthdate", "dateofbirth", "dob", "birthday", "born", "birth", "geburtsdatum", "geboren", "gebdatum", "datenaissance", "datedenaissance", "fechanacimiento",
		"fechadenacimiento"},
	colYear:  {"by", "birthyear", "yearofbirth", "yob", "dobyear", "dobyy", "geburtsjahr"},
	colMonth: {"bm", "birthmonth", "monthofbirth", "mob", "dobmonth", "dobmm", "geburtsmonat"},
	colDay:   {"bd", "birthdayofmonth", "dayofbirth", "dobday", "dobdd", "geburtstag"},
	colEmail: {"email", "emailaddress", "mail", "emailadresse", "emailid", "correo", "courriel"},
	colPhone: {"phone", "phonenumber", "telephone", "tel", "telephonenumber", "mobile", "mobilephone", "cell", "cellphone", "telefon", "telefonnummer", "handy", "msisdn", "phone1", "homephone", "phonenum", "fullphonenumber", "fullphonenum", "phoneno", "contactnumber", "contactphone"},
	colIdentifier: {"socsecid", "ssn", "socialsecuritynumber", "nationalid", "nationalinsurancenumber", "nino", "nhsnumber", "passport", "passportnumber", "taxid",
		"insurancenumber", "idnumber", "dni", "sozialversicherungsnummer", "medicare", "licensenumber"},
	colNumber:   {"streetnumber", "streetno", "housenumber", "houseno", "hausnummer", "hausnr", "number", "stnumber", "hnum", "streetnum", "hseno"},
	colUnit:     {"unit", "flat", "apartment", "apt", "unitnumber", "flatnumber", "suite"},
	colStreet:   {"street", "address1", "streetaddress", "addressline1", "addr1", "address", "addr", "strasse", "streetline", "streetname", "addressline", "stname", "rue", "calle", "resstreetaddress", "residentialaddress", "homeaddress", "fulladdress", "mailaddr1", "mailingaddress", "addressline", "stradd"},
	colStreet2:  {"address2", "addressline2", "addr2", "adresszusatz", "street2"},
	colCity:     {"city", "suburb", "town", "locality", "place", "ort", "stadt", "ville", "ciudad", "posttown", "wohnort", "municipality", "rescitydesc", "rescity", "cityname", "mailcity"},
	colRegion:   {"region", "state", "province", "county", "bundesland", "stateprovince", "territory", "statecd", "statecode", "resstate"},
	colPostcode: {"postalcode", "postcode", "zip", "zipcode", "plz", "postleitzahl", "codepostal", "codigopostal", "postcodefake", "pcode", "zip5", "postalzip", "reszip"},
	colCompany:  {"company", "companyname", "organisation", "organization", "firma", "business", "businessname", "firm", "organisationname", "organizationname", "orgname", "sitename", "restaurant", "restaurantname", "merchant", "merchantname", "vendor", "vendorname", "providername", "hospital", "school", "institution", "employer"},
	colExtra1:   {"extra1", "birthplace", "placeofbirth", "geburtsort", "birthstate", "countryofbirth", "birthcountry", "lieudenaissance"},
	colExtra2:   {"extra2", "occupation", "profession", "job", "beruf", "race", "racecode", "ethnicity", "ethniccode"},
	colExtra3:   {"extra3", "gender", "sex", "gendercode", "sexcode", "geschlecht", "sexe", "sexo"},
	colExtra4:   {"extra4", "age", "ageatyearend", "alter"},
}

// columnAliases are further names for the mapping.
var columnAliases = map[string]column{"first_name": colGiven, "last_name": colSurname, "dob": colBirth, "date_of_birth": colBirth, "address1": colStreet,
	"postcode": colPostcode, "zip": colPostcode, "state": colRegion, "suburb": colCity, "town": colCity}

// layout says what a file's columns hold. Several candidates for the id stay, best first: one is chosen by its values.
type layout struct {
	at  [columns]int // index of the column, or -1
	ids []int
	// doubtful says that "name" may be that of a business: the values tell.
	doubtful bool
}

// FieldNames gives the names that a mapping may use.
func FieldNames() []string { return columnNames[1:] }

func headerKey(s string) string {
	return strings.ReplaceAll(fold(s), " ", "")
}

// chooseLayout finds what each column holds by its header, after what the caller says in given (field name to header;
// an empty header or "-" leaves the field out). The Invalid error names what is wrong with given, or says that no
// column is known.
func chooseLayout(header []string, given map[string]string) (layout, error) {
	l := layout{}
	for i := range l.at {
		l.at[i] = -1
	}
	taken := map[int]bool{}
	fixed := map[column]bool{}
	var faults []fault.Field
	for _, name := range sortedKeys(given) {
		col := columnByName(name)
		if col == noColumn {
			faults = append(faults, fault.Field{Name: "map." + name, Message: "there is no such field; the fields are " + strings.Join(FieldNames(), ", ")})
			continue
		}
		fixed[col] = true
		want := strings.TrimSpace(given[name])
		if want == "" || want == "-" {
			continue
		}
		i := slices.Index(header, want)
		if i < 0 {
			faults = append(faults, fault.Field{Name: "map." + name, Message: fmt.Sprintf("the file has no column %q; it has %s", short(want), short(strings.Join(header, ", ")))})
			continue
		}
		l.at[col] = i
		taken[i] = true
	}
	if faults != nil {
		return l, fault.Bad("The column mapping is not valid", faults...)
	}
	keys := make([]string, len(header))
	for i, h := range header {
		keys[i] = headerKey(h)
	}
	for col := colID; col < columns; col++ {
		if fixed[col] {
			continue
		}
		for _, name := range headers[col] {
			i := slices.Index(keys, name)
			if i < 0 || taken[i] {
				continue
			}
			if col == colID {
				if !slices.Contains(l.ids, i) {
					l.ids = append(l.ids, i)
				}
				continue
			}
			l.at[col] = i
			taken[i] = true
			break
		}
	}
	if i := l.at[colFull]; i >= 0 && l.at[colGiven] >= 0 && l.at[colSurname] < 0 && !fixed[colFull] && !fixed[colSurname] {
		l.at[colSurname], l.at[colFull] = i, -1 // beside a given name, "name" is the surname
	}
	l.doubtful = l.at[colFull] >= 0 && keys[l.at[colFull]] == "name" && !fixed[colFull] && !fixed[colCompany]
	for _, col := range []column{colGiven, colSurname, colBirth, colYear, colEmail, colIdentifier, colCompany, colExtra3} {
		l.doubtful = l.doubtful && l.at[col] < 0
	}
	if l.at[colID] >= 0 {
		l.ids = []int{l.at[colID]}
	}
	for col := colGiven; col < columns; col++ {
		if l.at[col] >= 0 {
			return l, nil
		}
	}
	return l, fault.BadField("file", "no column of the first line is known; it must name columns such as first_name, surname, date_of_birth, email or address, and reads: %s",
		short(strings.Join(header, ", ")))
}

func columnByName(name string) column {
	name = strings.ToLower(strings.TrimSpace(name))
	if c, ok := columnAliases[name]; ok {
		return c
	}
	if i := slices.Index(columnNames[1:], name); i >= 0 {
		return column(i + 1)
	}
	return noColumn
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// short keeps what is quoted in an error readable.
func short(s string) string {
	if r := []rune(s); len(r) > 300 {
		return string(r[:300]) + "…"
	}
	return s
}
