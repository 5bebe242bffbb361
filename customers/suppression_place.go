package customers

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// placeSuppressedTx keeps the spellings of suppressed addresses among those of customers, so that whoever lives there, in
// whatever spelling and whenever they come, has a residence by which the suppression is found.
func placeSuppressedTx(ctx context.Context, tx pgx.Tx, entries []Suppression) error {
	var places []int64
	for i := range entries {
		if entries[i].place != nil {
			places = append(places, entries[i].place.PlaceKey())
		}
	}
	if places == nil {
		return nil
	}
	many := len(places) > manyPlaces
	if err := lockPlacingTx(ctx, tx, many); err != nil {
		return err
	}
	if !many {
		if err := lockPlacesTx(ctx, tx, places, nil); err != nil {
			return err
		}
	}
	book, err := loadPlaces(ctx, tx, places)
	if err != nil {
		return err
	}
	for i := range entries {
		if l := entries[i].place; l != nil {
			book.residenceOf(l, l.Hash(), l.PlaceKey())
		}
	}
	return book.storeTx(ctx, tx)
}

// forgetSpellingsTx forgets the spellings of addresses but those by which a suppression is found: the suppressed
// spellings themselves, and those that name their residences and the residences of suppressed households.
func forgetSpellingsTx(ctx context.Context, tx pgx.Tx) error {
	for _, sql := range []string{
		`CREATE TEMP TABLE kept_residences ON COMMIT DROP AS
			WITH suppressed AS (SELECT r.address_hash, r.residence_id FROM residences r WHERE r.address_hash::text IN (SELECT match_key FROM suppressions WHERE scope = 'address'))
			SELECT r.place_key, r.address_hash, r.street, r.unit, r.residence_id FROM residences r
			WHERE r.address_hash IN (SELECT address_hash FROM suppressed UNION SELECT residence_id FROM suppressed
				UNION SELECT c.residence_id FROM suppressions s JOIN customers c ON c.household_id::text = s.match_key WHERE s.scope = 'household')`,
		`TRUNCATE residences, crowded_residences`,
		`INSERT INTO residences (place_key, address_hash, street, unit, residence_id) SELECT place_key, address_hash, street, unit, residence_id FROM kept_residences`,
	} {
		if _, err := tx.Exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}
