package customers

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"aldine/customers/normal"
)

func displayName(c *Customer) string {
	switch {
	case c.FirstName != "" || c.LastName != "":
		return strings.TrimSpace(c.FirstName + " " + c.LastName)
	case c.Company != "":
		return c.Company
	case c.Email != "":
		return c.Email
	}
	return "Customer " + strconv.FormatInt(c.ID, 10)
}

// namesAgree tells whether two people may be one: neither first nor last name is known of both and different.
func namesAgree(a, b *Fields) bool {
	return firstNamesAgree(a.FirstName, b.FirstName) && foldedAgree(a.LastName, b.LastName)
}

func foldedAgree(a, b string) bool {
	return a == "" || b == "" || normal.SameWords(a, b)
}

// firstNamesAgree also takes an initial for the name it begins: "J." may be Jane.
func firstNamesAgree(a, b string) bool {
	if a == "" || b == "" || normal.SameWords(a, b) {
		return true
	}
	x, y := normal.Fold(a), normal.Fold(b)
	return isInitialOf(x, y) || isInitialOf(y, x)
}

func isInitialOf(initial, name string) bool {
	return initial != "" && utf8.RuneCountInString(initial) == 1 && strings.HasPrefix(name, initial)
}
