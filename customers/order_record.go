package customers

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// RecordOrders stores orders, see RecordOrdersTx.
func (s *Service) RecordOrders(ctx context.Context, orders []Order) ([]OrderOutcome, error) {
	var out []OrderOutcome
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) (err error) {
		out, err = s.RecordOrdersTx(ctx, tx, orders)
		return err
	})
	return out, err
}

// RecordOrdersTx stores orders.
func (s *Service) RecordOrdersTx(ctx context.Context, tx pgx.Tx, orders []Order) ([]OrderOutcome, error) {
	return nil, nil
}
