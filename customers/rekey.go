package customers

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// RekeyTx computes the keys of address and household again for customers whose name and address were brought together from two
// records.
func (s *Service) RekeyTx(ctx context.Context, tx pgx.Tx, ids []ID) error {
	v, err := s.settings.Get(ctx)
	if err != nil {
		return err
	}
	found, err := Profiles(ctx, tx, ids)
	if err != nil {
		return err
	}
	for _, c := range found {
		c.rehash(v.DefaultCountry)
		if _, err := tx.Exec(ctx, `UPDATE customers SET household_id = @household, address_hash = @address WHERE customer_id = @id`,
			pgx.NamedArgs{"id": c.ID, "household": c.HouseholdID, "address": c.AddressHash}); err != nil {
			return err
		}
	}
	return nil
}
