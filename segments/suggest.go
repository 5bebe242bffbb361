package segments

import (
	"fmt"
	"strings"
)

// commonNames are what people call our fields elsewhere.
var commonNames = map[string]string{
	"zip": "postal_code", "zipcode": "postal_code", "zip_code": "postal_code", "postcode": "postal_code", "plz": "postal_code",
	"state": "region", "province": "region", "surname": "last_name", "name": "last_name", "lastname": "last_name",
	"given_name": "first_name", "firstname": "first_name", "mail": "email", "e_mail": "email", "telephone": "phone",
	"tel": "phone", "mobile": "phone", "town": "city", "timezone": "time_zone", "orders": "orders_count", "order_count": "orders_count",
	"spent": "total_spent", "revenue": "total_spent", "last_order": "last_order_at", "first_order": "first_order_at",
	"rfm_score": "rfm", "recency": "recency_score", "frequency": "frequency_score", "monetary": "monetary_score", "monetary_value": "monetary_score",
	"id": "external_id", "customer_id": "external_id", "created": "created_at", "lang": "language",
	"True": "true", "False": "false", "TRUE": "true", "FALSE": "false", "yes": "true", "Yes": "true", "no": "false", "No": "false", "ja": "true", "nein": "false",
	"today": "now()", "Today": "now()", "TODAY": "now()", "current_date": "now()", "CURRENT_DATE": "now()", "heute": "now()",
	"yesterday": `ago("1d")`, "gestern": `ago("1d")`, "age": `now() - birthday >= duration("18y")`, "alter": `now() - birthday >= duration("18y")`,
	"land": "country", "ort": "city", "stadt": "city", "postleitzahl": "postal_code", "strasse": "street", "vorname": "first_name", "nachname": "last_name",
	"anrede": "title", "firma": "company", "sprache": "language", "telefon": "phone", "umsatz": "total_spent", "bestellungen": "orders_count", "liste": "list",
}

// didYouMean gives ": did you mean x?" for the candidate nearest to name, "" where none is near.
func didYouMean(name string, candidates []string) string {
	best, distance := "", len([]rune(name))/3+1
	for _, candidate := range candidates {
		// Of a short name one letter at most: FROM is not meant for rfm.
		if d := editDistance(strings.ToLower(name), strings.ToLower(candidate), distance); 2*d > max(2, len([]rune(candidate))) {
			continue
		} else if d < distance || d == distance && best == "" {
			best, distance = candidate, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(": did you mean %q?", best)
}

// editDistance counts the letters to insert, delete, replace or swap with their neighbour between a and b; more than
// limit where there are more.
func editDistance(a, b string, limit int) int {
	x, y := []rune(a), []rune(b)
	if len(x)-len(y) > limit || len(y)-len(x) > limit || len(x) > 100 || len(y) > 100 {
		return limit + 1
	}
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(y)]
}
