package mergepurge

import (
	"context"
	"errors"
	"regexp"
	"time"

	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"

	"aldine/internal/fault"
)

var currency = regexp.MustCompile(`^[A-Z]{3}$`)

func (d *Deal) check() []fault.Field {
	var faults []fault.Field
	bad := func(name, message string) {
		faults = append(faults, fault.Field{Name: "deal." + name, Message: message})
	}
	for name, v := range map[string]decimal.Decimal{"price_per_thousand": d.PricePerThousand, "running_charge": d.RunningCharge, "extra_per_thousand": d.ExtraPerThousand} {
		if v.IsNeg() || v.Trim(0).Scale() > 4 || v.Prec()-v.Scale() > 9 {
			bad(name, "use an amount of 0 or more with at most four decimals")
		}
	}
	if d.NetShare.IsNeg() || d.NetShare.Cmp(decimal.One) > 0 || d.NetShare.Trim(0).Scale() > 6 {
		bad("net_share", "use a share from 0 to 1, such as 0.85")
	}
	if d.Currency != "" && !currency.MatchString(d.Currency) {
		bad("currency", "use a code of three letters (ISO 4217), such as EUR")
	}
	if d.Gross < 0 {
		bad("gross", "a number of names is not negative")
	}
	if d.Uses < 0 || d.Uses > 1000 {
		bad("uses", "use a number from 1 to 1000")
	}
	if d.MailBy != "" {
		if _, err := time.Parse(time.DateOnly, d.MailBy); err != nil {
			bad("mail_by", "use a date such as 2027-03-31")
		}
	}
	return faults
}

// findListTx finds the rented list that an input's name means, and takes its deal where none is given. Conflict where the
// name is that of another kind of list.
func (s *Service) findListTx(ctx context.Context, tx pgx.Tx, in *Input) error {
	var kind string
	var d Deal
	err := tx.QueryRow(ctx, `
		SELECT list_id, kind, price_per_thousand, net_share, running_charge, extra_per_thousand, coalesce(currency, ''), gross, uses,
			coalesce(to_char(mail_by, 'YYYY-MM-DD'), '')
		FROM lists WHERE name = @name`, pgx.NamedArgs{"name": in.Name}).Scan(&in.ListID, &kind, &d.PricePerThousand, &d.NetShare, &d.RunningCharge,
		&d.ExtraPerThousand, &d.Currency, &d.Gross, &d.Uses, &d.MailBy)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	if kind != Rented {
		return fault.New(fault.Conflict, "There is a %s list named %q: a rented list needs another name", kind, in.Name)
	}
	if in.Deal == nil {
		in.Deal = &d
	}
	return nil
}
