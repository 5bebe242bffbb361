package customers

import (
	"cmp"
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"aldine/customers/normal"
)

// member is one who lives at a residence.
type member struct {
	id        ID
	family    string // surname in normal form
	household int64
}

// surnamesTx brings the households of residences up to date. What they are depends on nothing but who lives there: surnames come
// in the order of the lowest number that bears them, and each joins the first one before that is alike and heads a
// household. It gives how many customers' households it changed.
func (s *Service) surnamesTx(ctx context.Context, tx pgx.Tx, residences []int64, people []placed) (int64, error) {
	if len(residences) == 0 {
		return 0, nil
	}
	homes, err := membersOf(ctx, tx, residences)
	if err != nil {
		return 0, err
	}
	crowded, err := crowdedTx(ctx, tx, residences, homes)
	if err != nil {
		return 0, err
	}
	at := map[int64][]*placed{} // of this slice, at crowded residences
	for i := range people {
		if _, ok := crowded[people[i].is.residence]; ok {
			at[people[i].is.residence] = append(at[people[i].is.residence], &people[i])
		}
	}
	var ids []ID
	var households []int64
	set := func(id ID, is, was int64) {
		if is != was {
			ids, households = append(ids, id), append(households, is)
		}
	}
	for _, residence := range residences {
		isNew, full := crowded[residence]
		switch {
		case !full:
			for _, m := range headed(homes[residence], residence) {
				set(m.id, m.is, m.household)
			}
		case isNew: // those who lived there before have had the households of a small residence
			if err := eachMember(ctx, tx, residence, func(m member) { set(m.id, normal.HouseholdOf(m.family, residence), m.household) }); err != nil {
				return 0, err
			}
		default:
			for _, p := range at[residence] {
				set(p.id, normal.HouseholdHash(p.lastName, residence), p.is.household)
			}
		}
	}
	if len(ids) == 0 {
		return 0, nil
	}
	tag, err := tx.Exec(ctx, `UPDATE customers c SET household_id = nullif(t.household, 0)
		FROM unnest(@ids::bigint[], @households::bigint[]) AS t (customer_id, household) WHERE c.customer_id = t.customer_id`,
		pgx.NamedArgs{"ids": ids, "households": households})
	return tag.RowsAffected(), err
}

// housed is a member with the household that is theirs.
type housed struct {
	member
	is int64
}

// headed parts the members of a residence, ordered by number, into households.
func headed(members []member, residence int64) []housed {
	var heads []string
	headOf := map[string]string{}
	out := make([]housed, len(members))
	for i, m := range members {
		head, known := headOf[m.family]
		if !known {
			head = m.family
			if at := slices.IndexFunc(heads, func(h string) bool { return normal.SameSurname(h, m.family) }); at >= 0 {
				head = heads[at]
			} else if m.family != "" {
				heads = append(heads, head)
			}
			headOf[m.family] = head
		}
		out[i] = housed{m, normal.HouseholdOf(head, residence)}
	}
	return out
}

// membersOf reads who lives at residences, one more than are compared where there are many.
func membersOf(ctx context.Context, tx pgx.Tx, residences []int64) (map[int64][]member, error) {
	rows, err := tx.Query(ctx, `
		SELECT r.residence_id, c.customer_id, coalesce(c.last_name, ''), coalesce(c.household_id, 0) FROM unnest(@residences::bigint[]) AS r (residence_id)
		CROSS JOIN LATERAL (SELECT * FROM customers c WHERE c.residence_id = r.residence_id LIMIT @most) c`,
		pgx.NamedArgs{"residences": residences, "most": residenceMembers + 1})
	if err != nil {
		return nil, err
	}
	homes := make(map[int64][]member, len(residences))
	var residence int64
	var name string
	var m member
	_, err = pgx.ForEachRow(rows, []any{&residence, &m.id, &name, &m.household}, func() error {
		m.family = normal.FamilyName(name)
		homes[residence] = append(homes[residence], m)
		return nil
	})
	for _, members := range homes {
		slices.SortFunc(members, func(a, b member) int { return cmp.Compare(a.id, b.id) })
	}
	return homes, err
}

// eachMember calls f with all who live at a residence.
func eachMember(ctx context.Context, tx pgx.Tx, residence int64, f func(member)) error {
	rows, err := tx.Query(ctx, `SELECT customer_id, coalesce(last_name, ''), coalesce(household_id, 0) FROM customers WHERE residence_id = @residence`,
		pgx.NamedArgs{"residence": residence})
	if err != nil {
		return err
	}
	var name, last, family string
	var m member
	_, err = pgx.ForEachRow(rows, []any{&m.id, &name, &m.household}, func() error {
		if name != last {
			last, family = name, normal.FamilyName(name)
		}
		m.family = family
		f(m)
		return nil
	})
	return err
}

// crowdedTx gives the residences with more members than are compared, and whether they have become so just now.
func crowdedTx(ctx context.Context, tx pgx.Tx, residences []int64, homes map[int64][]member) (map[int64]bool, error) {
	rows, err := tx.Query(ctx, `SELECT residence_id FROM crowded_residences WHERE residence_id = ANY(@residences) ORDER BY residence_id`,
		pgx.NamedArgs{"residences": residences})
	if err != nil {
		return nil, err
	}
	known, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return nil, err
	}
	crowded := map[int64]bool{}
	var come, gone []int64
	for _, residence := range residences {
		_, was := slices.BinarySearch(known, residence)
		switch is := len(homes[residence]) > residenceMembers; {
		case is:
			crowded[residence] = !was
			if !was {
				come = append(come, residence)
			}
		case was:
			gone = append(gone, residence)
		}
	}
	if come == nil && gone == nil {
		return crowded, nil
	}
	_, err = tx.Exec(ctx, `WITH gone AS (DELETE FROM crowded_residences WHERE residence_id = ANY(@gone))
		INSERT INTO crowded_residences (residence_id) SELECT unnest(@come::bigint[]) ON CONFLICT DO NOTHING`, pgx.NamedArgs{"come": come, "gone": gone})
	return crowded, err
}
