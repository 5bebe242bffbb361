package customers

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"aldine/customers/normal"
)

// HouseholdsTx brings residence, household and company of customers up to date, after their names or addresses changed, and the
// households of residences that others have left. It takes locks that keep others from doing so for the same places
// at once; call LockHouseholdsTx before the first row is changed where that is far back in the transaction.
func (s *Service) HouseholdsTx(ctx context.Context, tx pgx.Tx, ids []ID, left []int64) error {
	many := len(ids)+len(left) > manyPlaces
	if err := lockPlacingTx(ctx, tx, many); err != nil {
		return err
	}
	_, err := s.householdsTx(ctx, tx, ids, left, many)
	return err
}

// LockHouseholdsTx waits until no slice of households is in work, and keeps the next from starting before the transaction ends.
func (s *Service) LockHouseholdsTx(ctx context.Context, tx pgx.Tx) error {
	return lockPlacingTx(ctx, tx, false)
}

// manyPlaces is from how many on one lock on everything is better than one for each.
const manyPlaces = 200

// lockPlacingTx takes the lock under which addresses are placed: alone, or with others, who then lock each place.
func lockPlacingTx(ctx context.Context, tx pgx.Tx, alone bool) error {
	if alone {
		return lockAloneTx(ctx, tx)
	}
	_, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock_shared(@key)`, pgx.NamedArgs{"key": lockHouseholds})
	return err
}

// lockAloneTx waits until nobody else changes households, and keeps all others from it: the way of those who change many.
func lockAloneTx(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(@key)`, pgx.NamedArgs{"key": lockHouseholds})
	return err
}

// placed is a customer with the keys that are stored and those that should be.
type placed struct {
	id       ID
	lastName string
	company  string
	address  Address
	was, is  struct{ address, residence, household, company int64 }
	location normal.Location
	place    int64
}

// householdsTx does the work for one slice in a handful of statements, whatever the number of customers. It gives how many
// customers' keys it changed. Unless the caller holds the lock alone, it takes one for each place.
func (s *Service) householdsTx(ctx context.Context, tx pgx.Tx, ids []ID, left []int64, alone bool) (changed int64, err error) {
	v, err := s.settings.Get(ctx)
	if err != nil {
		return 0, err
	}
	people, err := loadPlaced(ctx, tx, ids)
	if err != nil {
		return 0, err
	}
	var places []int64
	for i := range people {
		p := &people[i]
		a := p.address.in(v.DefaultCountry)
		p.is.company = normal.CompanyHash(p.company, a.Country)
		p.location = normal.ParseAddress(normal.Address(a))
		if p.is.address = p.location.Hash(); p.is.address != 0 {
			p.place = p.location.PlaceKey()
			places = append(places, p.place)
		}
	}
	if !alone {
		if err := lockPlacesTx(ctx, tx, places, left); err != nil {
			return 0, err
		}
	}
	book, err := loadPlaces(ctx, tx, places)
	if err != nil {
		return 0, err
	}
	touched := append([]int64(nil), left...)
	var moved []*placed
	for i := range people {
		p := &people[i]
		if p.is.address != 0 {
			p.is.residence = book.residenceOf(&p.location, p.is.address, p.place)
			touched = append(touched, p.is.residence)
		}
		if p.is.household = p.was.household; p.is.residence != p.was.residence {
			p.is.household = normal.HouseholdHash(p.lastName, p.is.residence)
		}
		if p.was.residence != 0 && p.was.residence != p.is.residence {
			touched = append(touched, p.was.residence)
		}
		if p.was != p.is {
			moved = append(moved, p)
		}
	}
	if err := book.storeTx(ctx, tx); err != nil {
		return 0, err
	}
	if err := storePlacedTx(ctx, tx, moved); err != nil {
		return 0, err
	}
	slices.Sort(touched)
	households, err := s.surnamesTx(ctx, tx, slices.Compact(touched), people)
	return int64(len(moved)) + households, err
}

func loadPlaced(ctx context.Context, tx pgx.Tx, ids []ID) ([]placed, error) {
	rows, err := tx.Query(ctx, `
		SELECT customer_id, coalesce(last_name, ''), coalesce(company, ''), coalesce(street, ''), coalesce(address2, ''), coalesce(city, ''), coalesce(region, ''),
			coalesce(postal_code, ''), coalesce(country, ''), coalesce(address_hash, 0), coalesce(residence_id, 0), coalesce(household_id, 0), coalesce(company_id, 0)
		FROM customers WHERE customer_id = ANY(@ids) ORDER BY customer_id`, pgx.NamedArgs{"ids": ids})
	if err != nil {
		return nil, err
	}
	people := make([]placed, 0, len(ids))
	var p placed
	a := &p.address
	_, err = pgx.ForEachRow(rows, []any{&p.id, &p.lastName, &p.company, &a.Street, &a.Address2, &a.City, &a.Region, &a.PostalCode, &a.Country,
		&p.was.address, &p.was.residence, &p.was.household, &p.was.company}, func() error {
		people = append(people, p)
		return nil
	})
	return people, err
}

func storePlacedTx(ctx context.Context, tx pgx.Tx, moved []*placed) error {
	if len(moved) == 0 {
		return nil
	}
	n := len(moved)
	ids, addresses, residences, households, companies := make([]ID, n), make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
	for i, p := range moved {
		ids[i], addresses[i], residences[i], households[i], companies[i] = p.id, p.is.address, p.is.residence, p.is.household, p.is.company
	}
	_, err := tx.Exec(ctx, `
		UPDATE customers c SET address_hash = nullif(t.address, 0), residence_id = nullif(t.residence, 0), household_id = nullif(t.household, 0),
			company_id = nullif(t.company, 0)
		FROM unnest(@ids::bigint[], @addresses::bigint[], @residences::bigint[], @households::bigint[], @companies::bigint[])
			AS t (customer_id, address, residence, household, company) WHERE c.customer_id = t.customer_id`,
		pgx.NamedArgs{"ids": ids, "addresses": addresses, "residences": residences, "households": households, "companies": companies})
	return err
}

// lockPlacesTx keeps others from placing customers at the same places and residences until the transaction ends.
func lockPlacesTx(ctx context.Context, tx pgx.Tx, places, residences []int64) error {
	var keys []int32
	for _, k := range slices.Concat(places, residences) {
		keys = append(keys, int32(k))
	}
	slices.Sort(keys)
	for _, k := range slices.Compact(keys) {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(@lock, @key)`, pgx.NamedArgs{"lock": lockHouseholds, "key": k}); err != nil {
			return err
		}
	}
	return nil
}
