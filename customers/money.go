package customers

import (
	"errors"
	"strings"

	"github.com/govalues/decimal"
	"golang.org/x/text/currency"
)

// cleanCurrency gives an ISO 4217 code in capitals.
func cleanCurrency(s string) (string, error) {
	s = strings.ToUpper(strings.TrimSpace(s))
	if len(s) == 3 {
		if unit, err := currency.ParseISO(s); err == nil && unit != currency.XXX {
			return s, nil
		}
	}
	return "", errors.New("is not a currency: use an ISO 4217 code such as EUR")
}

// maxMoney keeps amounts and their sums within numeric(19,4).
var maxMoney = decimal.MustParse("1000000000000")

// fitsMoney tells what is wrong with an amount that cannot be stored exactly.
func fitsMoney(d decimal.Decimal) error {
	if d.Trim(0).Scale() > 4 {
		return errors.New("has more than four decimals")
	}
	if d.CmpAbs(maxMoney) >= 0 {
		return errors.New("is too large")
	}
	return nil
}
