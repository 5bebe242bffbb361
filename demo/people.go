package demo

import (
	"encoding/csv"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"
)

// person is one generated customer.
type person struct {
	id                                             string
	title, first, last, company                    string
	email, phone                                   string
	street, city, region, zip, country, language   string
	birthday                                       string
	garden                                         int // square metres
	interests                                      string
	emailConsent, smsConsent, postConsent, noCalls string
	keen                                           float64 // how readily the person buys; drives orders and responses
}

// people draws n persons, numbered from first. About one in nine shares a home and surname with the person before: households are real.
// Some lack an e-mail, a phone or an address, some withdrew a consent, a few share one e-mail as couples do.
func people(rng *rand.Rand, n, first int, prefix string) []person {
	out := make([]person, 0, n)
	for i := range n {
		var p person
		c := pickCountry(rng)
		female := rng.IntN(2) == 0
		p.id = fmt.Sprintf("%s-%06d", prefix, first+i+1)
		p.title, p.first = "Mr", pick(rng, c.male)
		if female {
			p.title, p.first = "Ms", pick(rng, c.female)
		}
		p.country, p.language = c.code, c.language
		var before *person
		if i > 0 && out[i-1].country == c.code && out[i-1].street != "" && rng.IntN(6) == 0 {
			before = &out[i-1]
		}
		if before != nil {
			p.last, p.street, p.city, p.region, p.zip = before.last, before.street, before.city, before.region, before.zip
			p.phone = before.phone
			for p.first == before.first { // two of one name at one address would be one person
				p.first = pick(rng, append(slices.Clone(c.female), c.male...))
			}
		} else {
			p.last = pick(rng, c.surnames)
			at := c.places[rng.IntN(len(c.places))]
			p.street = fmt.Sprintf(c.streetFormat, pick(rng, c.streets), 1+rng.IntN(240))
			p.city, p.region = at.city, at.region
			p.zip = postalCode(rng, c, at)
			if rng.IntN(100) < 78 {
				p.phone = at.area + digits(rng, at.digits)
			}
		}
		if rng.IntN(100) < 88 {
			p.email = address(p, first+i)
			if before != nil && before.email != "" && rng.IntN(8) == 0 {
				p.email = before.email // a couple's shared address
			}
		}
		if rng.IntN(100) < 6 {
			p.street, p.city, p.zip, p.region = "", "", "", ""
		}
		if rng.IntN(100) < 3 {
			p.company = p.last + pick(rng, []string{" Garden Centre", " & Sons", " Landscaping", " Nurseries"})
		}
		if rng.IntN(100) < 70 {
			p.birthday = time.Date(1940+rng.IntN(65), time.Month(1+rng.IntN(12)), 1+rng.IntN(28), 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
		}
		p.garden = 20 + int(rng.ExpFloat64()*280)
		p.interests = interests(rng)
		p.emailConsent = consent(rng, 82, 7)
		p.smsConsent = consent(rng, 60, 12)
		p.postConsent = consent(rng, 0, 3)
		p.noCalls = consent(rng, 0, 9)
		p.keen = rng.Float64() * rng.Float64()
		out = append(out, p)
	}
	return out
}

func pickCountry(rng *rand.Rand) country {
	k := rng.IntN(100)
	for _, c := range countries {
		if k < c.share {
			return c
		}
		k -= c.share
	}
	return countries[0]
}

func pick(rng *rand.Rand, from []string) string { return from[rng.IntN(len(from))] }

func digits(rng *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte('0' + rng.IntN(10))
	}
	return string(b)
}

func postalCode(rng *rand.Rand, c country, at place) string {
	if c.code == "GB" {
		const letters = "ABDEFGHJLNPQRSTUWXYZ"
		return fmt.Sprintf("%s %d%c%c", at.zip, rng.IntN(10), letters[rng.IntN(len(letters))], letters[rng.IntN(len(letters))])
	}
	return at.zip + digits(rng, c.zipDigits-len(at.zip))
}

var ascii = strings.NewReplacer("ä", "ae", "ö", "oe", "ü", "ue", "ß", "ss", "'", "", " ", "")

func address(p person, i int) string {
	domains := [...]string{"example.com", "example.org", "example.net", "mail.example"}
	return fmt.Sprintf("%s.%s%d@%s", ascii.Replace(strings.ToLower(p.first)), ascii.Replace(strings.ToLower(p.last)), i+100, domains[i%len(domains)])
}

func interests(rng *rand.Rand) string {
	all := []string{"bulbs", "seeds", "roses", "tools", "gifts"}
	var some []string
	for _, s := range all {
		if rng.IntN(3) == 0 {
			some = append(some, s)
		}
	}
	return strings.Join(some, ";")
}

// consent gives "yes" for yes of a hundred, "no" for no of a hundred, and "" (never asked) for the rest.
func consent(rng *rand.Rand, yes, no int) string {
	switch k := rng.IntN(100); {
	case k < yes:
		return "yes"
	case k < yes+no:
		return "no"
	}
	return ""
}

var customerHeader = []string{"external_id", "title", "first_name", "last_name", "company", "email", "phone", "street", "city", "region",
	"postal_code", "country", "language", "birthday", "garden_size", "interests", "email_consent", "sms_consent", "post_consent", "calls_consent"}

func writeCustomers(w io.Writer, all []person) error {
	c := csv.NewWriter(w)
	if err := c.Write(customerHeader); err != nil {
		return err
	}
	for _, p := range all {
		if err := c.Write([]string{p.id, p.title, p.first, p.last, p.company, p.email, p.phone, p.street, p.city, p.region, p.zip, p.country,
			p.language, p.birthday, strconv.Itoa(p.garden), p.interests, p.emailConsent, p.smsConsent, p.postConsent, p.noCalls}); err != nil {
			return err
		}
	}
	c.Flush()
	return c.Error()
}

// writeOrders gives the persons an order history of three years up to end: keen people order more and more recently,
// some have never ordered. An order is one row for each of its products.
func writeOrders(w io.Writer, rng *rand.Rand, all []person, end time.Time) (orders int, err error) {
	c := csv.NewWriter(w)
	if err := c.Write([]string{"order_id", "customer_external_id", "ordered_at", "sku", "quantity", "amount", "currency", "place", "reason"}); err != nil {
		return 0, err
	}
	for _, p := range all {
		n := int(p.keen * 9 * rng.Float64())
		if n == 0 && rng.IntN(2) == 0 {
			n = 1
		}
		for range n {
			orders++
			at := end.Add(-time.Duration(rng.Float64()*(1.2-p.keen)*float64(3*365*24)) * time.Hour)
			id := fmt.Sprintf("%s-%d", p.id, orders)
			place := pick(rng, []string{"web", "web", "web", "phone", "mail", "shop"})
			reason := pick(rng, []string{"", "", "catalogue", "season", "gift"})
			for range 1 + rng.IntN(3)/2 {
				item := products[rng.IntN(len(products))]
				quantity := 1 + rng.IntN(8)/6
				amount := fmt.Sprintf("%d.%02d", item.cents*quantity/100, item.cents*quantity%100)
				if err := c.Write([]string{id, p.id, at.UTC().Format(time.RFC3339), item.sku, strconv.Itoa(quantity), amount, "USD", place, reason}); err != nil {
					return orders, err
				}
			}
		}
	}
	c.Flush()
	return orders, c.Error()
}
