package customers

import (
	"context"
	"errors"
	"strings"

	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"
	"golang.org/x/text/currency"

	"aldine/internal/audit"
	"aldine/internal/fault"
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
var maxMoney = decimal.MustParse("100000000000")

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

// SetExchangeRate says what one unit of a currency is worth in the base currency. Orders recorded before keep theirs.
func (s *Service) SetExchangeRate(ctx context.Context, code string, rate decimal.Decimal) error {
	code, err := cleanCurrency(code)
	if err != nil {
		return fault.BadField("currency", "%v", err)
	}
	if !rate.IsPos() || rate.CmpAbs(maxMoney) >= 0 {
		return fault.BadField("rate", "a rate is greater than 0")
	}
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `
			INSERT INTO exchange_rates (currency, rate, updated_at) VALUES (@currency, @rate, @now)
			ON CONFLICT (currency) DO UPDATE SET rate = excluded.rate, updated_at = excluded.updated_at`,
			pgx.NamedArgs{"currency": code, "rate": rate.Round(8), "now": s.now()}); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, s.now(), "rate.set", "currency", code, map[string]any{"rate": rate.String()})
	})
}
