package customers

import (
	"cmp"
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"aldine/customers/normal"
)

// Bounds of comparing, so that no address costs more than many others: above them only equal spellings count.
const (
	placeSpellings   = 500 // of addresses with one postal code, house number and country
	residenceMembers = 200 // of one residence, for spellings of surnames; more live in offices, hostels and placeholders
)

// spelling is an address as somebody wrote it, in normal form.
type spelling struct {
	place, hash  int64
	street, unit string
	residence    int64
}

// placebook is what is known of the places that a slice of customers touches.
type placebook struct {
	byHash map[int64]*spelling
	count  map[int64]int         // spellings by place
	first  map[int64][]*spelling // those that name a residence, by place
	fresh  []*spelling
}

func newPlacebook() *placebook {
	return &placebook{byHash: map[int64]*spelling{}, count: map[int64]int{}, first: map[int64][]*spelling{}}
}

func (b *placebook) add(p *spelling) {
	b.byHash[p.hash] = p
	b.count[p.place]++
	if p.residence == p.hash {
		b.first[p.place] = append(b.first[p.place], p)
	}
}

// residenceOf gives the residence of an address: that of its spelling where it is known, else that of the most alike spelling
// that names one, else its own.
func (b *placebook) residenceOf(l *normal.Location, hash, place int64) int64 {
	if p := b.byHash[hash]; p != nil {
		return p.residence
	}
	if b.count[place] >= placeSpellings {
		return hash
	}
	p := &spelling{place: place, hash: hash, street: l.Street, unit: l.Unit, residence: hash}
	var best *spelling
	for _, q := range b.first[place] {
		if normal.SameUnit(p.unit, q.unit) && normal.SameStreet(p.street, q.street) && (best == nil || p.nearer(q, best)) {
			best = q
		}
	}
	if best != nil {
		p.residence = best.residence
	}
	b.add(p)
	b.fresh = append(b.fresh, p)
	return p.residence
}

// nearer orders spellings by how alike they are to p; the hash decides between equals, so that no order of reading does.
func (p *spelling) nearer(q, than *spelling) bool {
	distance := func(q *spelling) int {
		return normal.Slips([]rune(p.street), []rune(q.street), 8) + normal.Slips([]rune(p.unit), []rune(q.unit), 8)
	}
	return cmp.Or(cmp.Compare(distance(q), distance(than)), cmp.Compare(q.hash, than.hash)) < 0
}

// loadPlaces reads what is known of places.
func loadPlaces(ctx context.Context, tx pgx.Tx, places []int64) (*placebook, error) {
	b := newPlacebook()
	slices.Sort(places)
	rows, err := tx.Query(ctx, `
		SELECT r.place_key, r.address_hash, r.street, r.unit, r.residence_id FROM unnest(@places::bigint[]) AS p (place_key)
		CROSS JOIN LATERAL (SELECT * FROM residences r WHERE r.place_key = p.place_key ORDER BY r.address_hash LIMIT @most) r
		ORDER BY 1, 2`, pgx.NamedArgs{"places": slices.Compact(places), "most": 2 * placeSpellings})
	if err != nil {
		return nil, err
	}
	var p spelling
	_, err = pgx.ForEachRow(rows, []any{&p.place, &p.hash, &p.street, &p.unit, &p.residence}, func() error {
		q := p
		b.add(&q)
		return nil
	})
	return b, err
}

// storeTx keeps the spellings that were new.
func (b *placebook) storeTx(ctx context.Context, tx pgx.Tx) error {
	if len(b.fresh) == 0 {
		return nil
	}
	slices.SortFunc(b.fresh, func(p, q *spelling) int { return cmp.Or(cmp.Compare(p.place, q.place), cmp.Compare(p.hash, q.hash)) })
	n := len(b.fresh)
	places, hashes, residences, streets, units := make([]int64, n), make([]int64, n), make([]int64, n), make([]string, n), make([]string, n)
	for i, p := range b.fresh {
		places[i], hashes[i], residences[i], streets[i], units[i] = p.place, p.hash, p.residence, p.street, p.unit
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO residences (place_key, address_hash, street, unit, residence_id)
		SELECT * FROM unnest(@places::bigint[], @hashes::bigint[], @streets::text[], @units::text[], @residences::bigint[]) ON CONFLICT DO NOTHING`,
		pgx.NamedArgs{"places": places, "hashes": hashes, "streets": streets, "units": units, "residences": residences})
	return err
}
