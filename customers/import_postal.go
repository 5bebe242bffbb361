package customers

import "strings"

// postalDigits are the lengths of postal codes in countries where they are all digits and may begin with a zero, which
// spreadsheets take away.
var postalDigits = map[string]int{
	"DE": 5, "US": 5, "FR": 5, "IT": 5, "ES": 5, "FI": 5, "EE": 5, "MX": 5, "TR": 5, "UA": 5, "KR": 5, "MY": 5, "PR": 5,
	"AU": 4, "NO": 4, "ZA": 4, "NZ": 4, "RO": 6, "CN": 6, "SG": 6,
}

// repairPostal puts back the zeros that a postal code lost when it was read as a number, at most two, and takes off the
// ".0" that came instead. It tells whether it did anything.
func repairPostal(code, country string) (string, bool) {
	n := postalDigits[country]
	digits := strings.TrimSuffix(code, ".0")
	if n == 0 || len(digits) > n || len(digits) < n-2 || len(digits) == n && len(digits) == len(code) {
		return code, false
	}
	for i := 0; i < len(digits); i++ {
		if digits[i] < '0' || digits[i] > '9' {
			return code, false
		}
	}
	return strings.Repeat("0", n-len(digits)) + digits, true
}
