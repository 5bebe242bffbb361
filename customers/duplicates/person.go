package duplicates

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
)

// grouped is what a merge did to the person_id of a customer.
type grouped struct {
	ID     int64  `json:"id"`
	Before *int64 `json:"before"`
	After  *int64 `json:"after"`
}

// joinPersons makes one group of those that the two belonged to, without the old one. Where somebody said that two of them
// are different, the groups stay apart.
func (w *work) joinPersons(ctx context.Context) error {
	rows, err := w.tx.Query(ctx, `
		SELECT c.customer_id, c.person_id FROM customers c
		WHERE c.customer_id IN (@survivor, @old)
			OR c.person_id IN (SELECT p.person_id FROM customers p WHERE p.customer_id IN (@survivor, @old))
		ORDER BY c.customer_id FOR NO KEY UPDATE`, w.args(nil))
	if err != nil {
		return err
	}
	type member struct {
		ID     int64
		Person *int64
	}
	members, err := pgx.CollectRows(rows, pgx.RowToStructByPos[member])
	if err != nil {
		return err
	}
	var mine, all, theirs []int64 // the survivor's group, both without the old one, the old one's rest
	person := map[int64]*int64{}
	for _, m := range members {
		person[m.ID] = m.Person
	}
	for _, m := range members {
		if m.ID == w.old {
			continue
		}
		all = append(all, m.ID)
		if m.ID == w.survivor || m.Person != nil && person[w.survivor] != nil && *m.Person == *person[w.survivor] {
			mine = append(mine, m.ID)
		} else {
			theirs = append(theirs, m.ID)
		}
	}
	groups := [][]int64{all}
	if len(theirs) > 0 {
		var apart bool
		if err := w.tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM duplicates WHERE state = 'different' AND customer_id = ANY(@all) AND other_id = ANY(@all))`,
			pgx.NamedArgs{"all": all}).Scan(&apart); err != nil {
			return err
		}
		if apart {
			groups = [][]int64{mine, theirs}
		}
	}
	for _, g := range groups {
		var now *int64
		if len(g) > 1 {
			low := slices.Min(g)
			now = &low
		}
		for _, id := range g {
			w.before.Persons = append(w.before.Persons, grouped{id, person[id], now})
		}
	}
	return w.setPersons(ctx, w.before.Persons)
}

// setPersons writes the groups' After where it is not yet.
func (w *work) setPersons(ctx context.Context, groups []grouped) error {
	return setPersonsTx(ctx, w.tx, groups)
}

func setPersonsTx(ctx context.Context, tx pgx.Tx, groups []grouped) error {
	ids, persons := make([]int64, len(groups)), make([]*int64, len(groups))
	for i, g := range groups {
		ids[i], persons[i] = g.ID, g.After
	}
	_, err := tx.Exec(ctx, `
		UPDATE customers c SET person_id = g.person_id FROM unnest(@ids::bigint[], @persons::bigint[]) AS g (customer_id, person_id)
		WHERE c.customer_id = g.customer_id AND c.person_id IS DISTINCT FROM g.person_id`, pgx.NamedArgs{"ids": ids, "persons": persons})
	return err
}

// edge is a link between two customers.
type edge struct {
	A, B  int64
	Score float64
}

// couple names a pair, the lower number first.
type couple struct{ A, B int64 }

func coupleOf(a, b int64) couple { return couple{min(a, b), max(a, b)} }

// persons groups customers by their links, the strongest first, and leaves out a link that would bring two together of whom
// somebody said that they are different. It gives the lowest number of each one's group; who is alone is left out.
func persons(links []edge, different map[couple]bool) map[int64]int64 {
	slices.SortStableFunc(links, func(a, b edge) int {
		switch {
		case a.Score > b.Score:
			return -1
		case a.Score < b.Score:
			return 1
		}
		return 0
	})
	members := map[int64][]int64{} // by lowest number
	group := map[int64]int64{}
	of := func(id int64) int64 {
		if g, ok := group[id]; ok {
			return g
		}
		group[id], members[id] = id, []int64{id}
		return id
	}
	for _, l := range links {
		a, b := of(l.A), of(l.B)
		if a == b || opposed(members[a], members[b], different) {
			continue
		}
		low, high := min(a, b), max(a, b)
		for _, id := range members[high] {
			group[id] = low
		}
		members[low] = append(members[low], members[high]...)
		delete(members, high)
	}
	for id, g := range group {
		if len(members[g]) < 2 {
			delete(group, id)
		}
	}
	return group
}

func opposed(a, b []int64, different map[couple]bool) bool {
	if len(different) == 0 {
		return false
	}
	for _, x := range a {
		for _, y := range b {
			if different[coupleOf(x, y)] {
				return true
			}
		}
	}
	return false
}
