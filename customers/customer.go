package customers

import (
	"maps"
	"time"

	"github.com/govalues/decimal"
)

// ID names a customer; 0 is a person not known.
type ID = int64

// Fields are the core facts of a customer; "" means not known. Values stored are in normal form.
type Fields struct {
	ExternalID string `json:"external_id,omitempty"`
	Title      string `json:"title,omitempty"`
	FirstName  string `json:"first_name,omitempty"`
	LastName   string `json:"last_name,omitempty"`
	Suffix     string `json:"suffix,omitempty"`
	Company    string `json:"company,omitempty"`
	Email      string `json:"email,omitempty"`       // as given before the @, domain in lower-case ASCII
	Phone      string `json:"phone,omitempty"`       // E.164
	Street     string `json:"street,omitempty"`      // street line with number
	Address2   string `json:"address2,omitempty"`    // flat, building, district
	City       string `json:"city,omitempty"`        //
	Region     string `json:"region,omitempty"`      // state or province
	PostalCode string `json:"postal_code,omitempty"` //
	Country    string `json:"country,omitempty"`     // ISO 3166 alpha-2
	Language   string `json:"language,omitempty"`    // BCP 47
	TimeZone   string `json:"time_zone,omitempty"`   // IANA name
}

// coreNames are the core fields in the order of Fields; they are columns of customers by the same names.
var coreNames = [coreCount]string{"external_id", "title", "first_name", "last_name", "suffix", "company", "email", "phone",
	"street", "address2", "city", "region", "postal_code", "country", "language", "time_zone"}

const coreCount = 16

// coreIndex finds a core field by its name.
var coreIndex = func() map[string]int {
	m := map[string]int{}
	for i, n := range coreNames {
		m[n] = i
	}
	return m
}()

// refs gives pointers to the fields in the order of coreNames.
func (f *Fields) refs() [coreCount]*string {
	return [coreCount]*string{&f.ExternalID, &f.Title, &f.FirstName, &f.LastName, &f.Suffix, &f.Company, &f.Email, &f.Phone,
		&f.Street, &f.Address2, &f.City, &f.Region, &f.PostalCode, &f.Country, &f.Language, &f.TimeZone}
}

// Address gives the postal address of the fields.
func (f *Fields) Address() Address {
	return Address{Street: f.Street, Address2: f.Address2, City: f.City, Region: f.Region, PostalCode: f.PostalCode, Country: f.Country}
}

// Customer is one customer with everything that templates, pages and the API show.
type Customer struct {
	ID ID `json:"id"`
	Fields
	ListID       int64 `json:"list_id,omitempty"` // list of origin
	Rented       bool  `json:"rented,omitempty"`  // a rented name: no part of the house file until there is a response
	Keys         `json:"-"`
	OrdersCount  int             `json:"orders_count"`
	TotalSpent   decimal.Decimal `json:"total_spent"` // in the base currency
	FirstOrderAt *time.Time      `json:"first_order_at,omitempty"`
	LastOrderAt  *time.Time      `json:"last_order_at,omitempty"`
	CreatedAt    time.Time       `json:"created_at"`
	UpdatedAt    time.Time       `json:"updated_at"`
	// Attributes known of the customer, by name: string, float64 (number), decimal.Decimal (money), bool,
	// time.Time (date: midnight UTC; time) or []string. Unknown ones are absent.
	Attributes map[string]any `json:"attributes"`

	unknown map[string]any // the variables of all attributes where nothing is known; belongs to all who were read together
}

// Profile is a customer as templates and senders see it.
type Profile = Customer

// Name gives the name to show: first and last name, else company, else e-mail, else the number.
func (c *Customer) Name() string { return displayName(c) }

// Vars gives the variables of templates: every core field ("" where not known), derived facts and attributes.
// A text attribute not known is "", any other kind is nil.
func (c *Customer) Vars() map[string]any {
	v := make(map[string]any, coreCount+4+len(c.unknown))
	c.VarsInto(v)
	return v
}

// VarsInto puts the variables of templates into a map that held those of another customer read with this one.
func (c *Customer) VarsInto(v map[string]any) {
	for i, p := range c.refs() {
		v[coreNames[i]] = *p
	}
	v["id"] = c.ID
	v["orders_count"] = c.OrdersCount
	v["total_spent"] = c.TotalSpent.String()
	v["last_order_at"] = nil
	if c.LastOrderAt != nil {
		v["last_order_at"] = *c.LastOrderAt
	}
	maps.Copy(v, c.unknown)
	for n, a := range c.Attributes {
		if d, ok := a.(decimal.Decimal); ok {
			a = d.String()
		}
		v[n] = a
	}
}
