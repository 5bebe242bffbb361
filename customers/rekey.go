package customers

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// RekeyTx gives customers, whose name and address were brought together from two records, the keys of their own spelling, and
// has their residences and households found anew.
func (s *Service) RekeyTx(ctx context.Context, tx pgx.Tx, ids []ID) error {
	v, err := s.settings.Get(ctx)
	if err != nil {
		return err
	}
	found, err := Profiles(ctx, tx, ids)
	if err != nil {
		return err
	}
	var left []int64
	for _, c := range found {
		k := ownKeys(&c.Fields, v.DefaultCountry)
		if _, err := tx.Exec(ctx, `UPDATE customers SET address_hash = @address, residence_id = @residence, household_id = @household, company_id = @company
			WHERE customer_id = @id`, pgx.NamedArgs{"id": c.ID, "address": k.AddressHash, "residence": k.ResidenceID, "household": k.HouseholdID,
			"company": k.CompanyID}); err != nil {
			return err
		}
		if was := plainKey(c.ResidenceID); was != 0 && was != plainKey(k.ResidenceID) {
			left = append(left, was)
		}
	}
	if err := s.NoteHouseholdsTx(ctx, tx, ids, left); err != nil {
		return err
	}
	return s.QueueHouseholdsTx(ctx, tx)
}
