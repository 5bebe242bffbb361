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

// CustomerList is where customers came from: a house file or a rented list, with its price.
type CustomerList struct {
	ID               int64           `json:"id"`
	Name             string          `json:"name"`
	Kind             string          `json:"kind"` // house or rented
	PricePerThousand decimal.Decimal `json:"price_per_thousand"`
	Currency         string          `json:"currency,omitempty"`
	Members          int64           `json:"members"`
	CreatedAt        time.Time       `json:"created_at"`
}

// Lists gives all lists by name, with their sizes.
func (s *Service) Lists(ctx context.Context) ([]CustomerList, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT l.list_id, l.name, l.kind, l.price_per_thousand, coalesce(l.currency, ''), coalesce(m.members, 0), l.created_at
		FROM lists l LEFT JOIN (SELECT list_id, count(*) AS members FROM list_members GROUP BY list_id) m USING (list_id)
		ORDER BY l.name`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (l CustomerList, err error) {
		return l, row.Scan(&l.ID, &l.Name, &l.Kind, &l.PricePerThousand, &l.Currency, &l.Members, &l.CreatedAt)
	})
}

// SaveList adds a list, or changes the kind and price of the one with the same name.
func (s *Service) SaveList(ctx context.Context, l CustomerList) (CustomerList, error) {
	var faults []fault.Field
	name, err := cleanText(l.Name)
	if err != nil || name == "" || len(name) > 200 {
		faults = append(faults, fault.Field{Name: "name", Message: "give a name of at most 200 characters"})
	}
	l.Name = name
	if l.Kind == "" {
		l.Kind = "house"
	}
	if l.Kind != "house" && l.Kind != "rented" {
		faults = append(faults, fault.Field{Name: "kind", Message: "use house or rented"})
	}
	if l.PricePerThousand.IsNeg() {
		faults = append(faults, fault.Field{Name: "price_per_thousand", Message: "a price is not negative"})
	}
	if err := fitsMoney(l.PricePerThousand); err != nil {
		faults = append(faults, fault.Field{Name: "price_per_thousand", Message: err.Error()})
	}
	if l.Currency != "" || !l.PricePerThousand.IsZero() {
		if l.Currency, err = cleanCurrency(l.Currency); err != nil {
			faults = append(faults, fault.Field{Name: "currency", Message: err.Error()})
		}
	}
	if faults != nil {
		return CustomerList{}, fault.Bad("The list is not valid", faults...)
	}
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, `
			INSERT INTO lists (name, kind, price_per_thousand, currency, created_at)
			VALUES (@name, @kind, @price, nullif(@currency, ''), @now)
			ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, price_per_thousand = excluded.price_per_thousand,
				currency = excluded.currency
			RETURNING list_id, created_at`, pgx.NamedArgs{"name": l.Name, "kind": l.Kind, "price": l.PricePerThousand,
			"currency": l.Currency, "now": s.now()}).Scan(&l.ID, &l.CreatedAt); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, s.now(), "list.save", "list", l.ID,
			map[string]any{"name": l.Name, "kind": l.Kind, "price_per_thousand": l.PricePerThousand.String()})
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
