package customers

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"aldine/internal/audit"
	"aldine/internal/fault"
)

// CustomerList is where customers came from: a house file, or a rented list with its deal, in the list's currency. The net names
// of a merge/purge run are a list of kind merged.
type CustomerList struct {
	ID               int64            `json:"id"`
	Name             string           `json:"name"`
	Kind             string           `json:"kind"` // house, rented or merged
	PricePerThousand decimal.Decimal  `json:"price_per_thousand"`
	Currency         string           `json:"currency,omitempty"`
	Uses             int              `json:"uses,omitempty"`               // campaigns that each name may be used in; 1 where 0
	MailBy           string           `json:"mail_by,omitempty"`            // last day of use, like "2026-12-31"
	NetShare         *decimal.Decimal `json:"net_share,omitempty"`          // 0.85: at least 85 % of the gross is paid for at the full price; 1 where null
	RunningCharge    decimal.Decimal  `json:"running_charge,omitempty"`     // per thousand names not used
	ExtraPerThousand decimal.Decimal  `json:"extra_per_thousand,omitempty"` // selections and delivery, per thousand of the gross
	Gross            int64            `json:"gross,omitempty"`              // names delivered; 0: as many as are used
	Members          int64            `json:"members"`
	CreatedAt        time.Time        `json:"created_at"`
}

// Lists gives all lists by name, with their sizes.
func (s *Service) Lists(ctx context.Context) ([]CustomerList, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT l.list_id, l.name, l.kind, l.price_per_thousand, coalesce(l.currency, ''), l.uses, coalesce(l.mail_by::text, ''), l.net_share,
			l.running_charge, l.extra_per_thousand, l.gross, coalesce(m.members, 0), l.created_at
		FROM lists l LEFT JOIN (SELECT list_id, count(*) AS members FROM list_members GROUP BY list_id) m USING (list_id)
		ORDER BY l.name`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (l CustomerList, err error) {
		return l, row.Scan(&l.ID, &l.Name, &l.Kind, &l.PricePerThousand, &l.Currency, &l.Uses, &l.MailBy, &l.NetShare,
			&l.RunningCharge, &l.ExtraPerThousand, &l.Gross, &l.Members, &l.CreatedAt)
	})
}

// check brings a list into normal form and gives what is wrong with it.
func (l *CustomerList) check() []fault.Field {
	var faults []fault.Field
	bad := func(name, message string) { faults = append(faults, fault.Field{Name: name, Message: message}) }
	var err error
	if l.Name, err = cleanText(l.Name); err != nil || l.Name == "" || len(l.Name) > 200 {
		bad("name", "give a name of at most 200 characters")
	}
	if l.Kind == "" {
		l.Kind = KindHouse
	}
	if l.Kind != KindHouse && l.Kind != KindRented {
		bad("kind", "use house or rented")
	}
	costs := false
	for _, price := range []struct {
		name  string
		value decimal.Decimal
	}{{"price_per_thousand", l.PricePerThousand}, {"running_charge", l.RunningCharge}, {"extra_per_thousand", l.ExtraPerThousand}} {
		costs = costs || !price.value.IsZero()
		if price.value.IsNeg() {
			bad(price.name, "a price is not negative")
		} else if err := fitsMoney(price.value); err != nil {
			bad(price.name, err.Error())
		}
	}
	if l.Currency != "" || costs {
		if l.Currency, err = cleanCurrency(l.Currency); err != nil {
			bad("currency", err.Error())
		}
	}
	if l.Uses == 0 {
		l.Uses = 1
	}
	if l.Uses < 0 || l.Uses > 1000 {
		bad("uses", "give the number of campaigns, 1 to 1000")
	}
	if l.MailBy = strings.TrimSpace(l.MailBy); l.MailBy != "" {
		if day, err := time.Parse(time.DateOnly, l.MailBy); err != nil || day.Year() < 2000 {
			bad("mail_by", "write a day like 2026-12-31")
		}
	}
	if l.NetShare == nil {
		whole := decimal.One
		l.NetShare = &whole
	}
	if l.NetShare.IsNeg() || l.NetShare.Cmp(decimal.One) > 0 || l.NetShare.Trim(0).Scale() > 6 {
		bad("net_share", "give a share from 0 to 1, such as 0.85 for 85 %")
	}
	if l.Gross < 0 || l.Gross > 1_000_000_000 {
		bad("gross", "give the number of names delivered, or 0")
	}
	return faults
}

// SaveList adds a list, or changes the kind and deal of the one with the same name. A list that turns from house to rented takes the
// customers who came by it, are on no house list and have never responded, out of the house file; the other way they come in.
// Invalid where something is wrong, Conflict for the net names of a merge/purge run, which come with that run.
func (s *Service) SaveList(ctx context.Context, l CustomerList) (CustomerList, error) {
	if faults := l.check(); faults != nil {
		return CustomerList{}, fault.Bad("The list is not valid", faults...)
	}
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		var before string
		err := tx.QueryRow(ctx, `SELECT kind FROM lists WHERE name = @name FOR UPDATE`, pgx.NamedArgs{"name": l.Name}).Scan(&before)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if before == KindMerged {
			return fault.New(fault.Conflict, "%q are the net names of a merge/purge run: choose another name", l.Name)
		}
		if err := tx.QueryRow(ctx, `
			INSERT INTO lists (name, kind, price_per_thousand, currency, uses, mail_by, net_share, running_charge, extra_per_thousand, gross, created_at)
			VALUES (@name, @kind, @price, nullif(@currency, ''), @uses, nullif(@mail_by, '')::date, @share, @running, @extra, @gross, @now)
			ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, price_per_thousand = excluded.price_per_thousand, currency = excluded.currency,
				uses = excluded.uses, mail_by = excluded.mail_by, net_share = excluded.net_share, running_charge = excluded.running_charge,
				extra_per_thousand = excluded.extra_per_thousand, gross = excluded.gross
			RETURNING list_id, created_at`, pgx.NamedArgs{"name": l.Name, "kind": l.Kind, "price": l.PricePerThousand, "currency": l.Currency,
			"uses": l.Uses, "mail_by": l.MailBy, "share": *l.NetShare, "running": l.RunningCharge, "extra": l.ExtraPerThousand, "gross": l.Gross,
			"now": s.now()}).Scan(&l.ID, &l.CreatedAt); err != nil {
			return err
		}
		detail := map[string]any{"name": l.Name, "kind": l.Kind, "price_per_thousand": l.PricePerThousand.String(), "uses": l.Uses,
			"mail_by": l.MailBy, "net_share": l.NetShare.String(), "gross": l.Gross}
		if before != "" && before != l.Kind {
			if detail["names_moved"], err = moveNamesTx(ctx, tx, l.ID, l.Kind == KindRented); err != nil {
				return err
			}
		}
		return audit.RecordTx(ctx, tx, s.now(), "list.save", "list", l.ID, detail)
	})
	return l, err
}

// EnsureList gives the id of the list with the name, which is made as a house list where it does not exist.
func (s *Service) EnsureList(ctx context.Context, name string) (int64, error) {
	name = strings.TrimSpace(name)
	var id int64
	err := s.pool.QueryRow(ctx, `SELECT list_id FROM lists WHERE name = @name`, pgx.NamedArgs{"name": name}).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		l, err := s.SaveList(ctx, CustomerList{Name: name})
		return l.ID, err
	}
	return id, err
}

// Product is something that can be bought.
type Product struct {
	SKU       string          `json:"sku"`
	Name      string          `json:"name"`
	Category  string          `json:"category"`
	Price     decimal.Decimal `json:"price"`
	Currency  string          `json:"currency,omitempty"`
	CreatedAt time.Time       `json:"created_at"`
}

// Products gives products by SKU, at most limit after the one given.
func (s *Service) Products(ctx context.Context, after string, limit int) ([]Product, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT sku, name, category, price, coalesce(currency, ''), created_at FROM products WHERE sku > @after ORDER BY sku LIMIT @limit`,
		pgx.NamedArgs{"after": after, "limit": max(1, min(limit, 1000))})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (p Product, err error) {
		return p, row.Scan(&p.SKU, &p.Name, &p.Category, &p.Price, &p.Currency, &p.CreatedAt)
	})
}

// SaveProduct adds a product or changes the one with the same SKU.
func (s *Service) SaveProduct(ctx context.Context, p Product) error {
	var faults []fault.Field
	for _, f := range []struct {
		name  string
		value *string
		need  bool
	}{{"sku", &p.SKU, true}, {"name", &p.Name, false}, {"category", &p.Category, false}} {
		clean, err := cleanText(*f.value)
		if err != nil || len(clean) > 200 || f.need && clean == "" {
			faults = append(faults, fault.Field{Name: f.name, Message: "give a text of at most 200 characters"})
		}
		*f.value = clean
	}
	if p.Name == "" {
		p.Name = p.SKU
	}
	if err := fitsMoney(p.Price); err != nil || p.Price.IsNeg() {
		faults = append(faults, fault.Field{Name: "price", Message: "use a price of 0 or more with at most four decimals"})
	}
	if p.Currency != "" || !p.Price.IsZero() {
		var err error
		if p.Currency, err = cleanCurrency(p.Currency); err != nil {
			faults = append(faults, fault.Field{Name: "currency", Message: err.Error()})
		}
	}
	if faults != nil {
		return fault.Bad("The product is not valid", faults...)
	}
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `
			INSERT INTO products (sku, name, category, price, currency, created_at)
			VALUES (@sku, @name, @category, @price, nullif(@currency, ''), @now)
			ON CONFLICT (sku) DO UPDATE SET name = excluded.name, category = excluded.category, price = excluded.price,
				currency = excluded.currency`, pgx.NamedArgs{"sku": p.SKU, "name": p.Name, "category": p.Category,
			"price": p.Price, "currency": p.Currency, "now": s.now()}); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, s.now(), "product.save", "product", p.SKU, nil)
	})
}

func uniqueViolation(err error) bool {
	var pe *pgconn.PgError
	return errors.As(err, &pe) && pe.Code == "23505"
}
