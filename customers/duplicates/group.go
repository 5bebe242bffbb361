package duplicates

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"aldine/customers/match"
)

const groupRows = 10_000

// group gives the customers of each cluster one person_id, the lowest of their numbers, and takes it from those who belong
// together no longer. Links that a person has refused are left out.
func (s *Service) group(ctx context.Context, search Search, m *match.Matched, ids []int64, p *progress) error {
	apart, err := s.different(ctx, s.Pool)
	if err != nil {
		return err
	}
	refused := make(map[int64]bool, 2*len(apart))
	for c := range apart {
		refused[c.A], refused[c.B] = true, true
	}
	person := make([]int64, len(ids)) // of each row; 0 for nobody else
	clusterOf := map[int]int{}        // rows of clusters that somebody spoke about
	links := map[int][]edge{}
	if err := m.Clusters(func(rows []int) error {
		spoken := 0
		for _, r := range rows {
			if refused[ids[r]] {
				spoken++
			}
		}
		for _, r := range rows {
			if person[r] = ids[rows[0]]; spoken > 1 {
				clusterOf[r], person[r] = rows[0], 0
			}
		}
		return nil
	}); err != nil {
		return err
	}
	if len(clusterOf) > 0 {
		if err := m.Pairs(search.Threshold, func(pair match.Pair) error {
			if c, ok := clusterOf[pair.A]; ok && clusterOf[pair.B] == c {
				if !apart[coupleOf(ids[pair.A], ids[pair.B])] {
					links[c] = append(links[c], edge{ids[pair.A], ids[pair.B], pair.Score})
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	split := map[int64]int64{}
	for _, l := range links {
		for id, g := range persons(l, apart) {
			split[id] = g
		}
	}
	for first := 0; first < len(ids); first += groupRows {
		last := min(first+groupRows, len(ids))
		part := make([]*int64, last-first)
		for i := range part {
			if n := person[first+i]; n != 0 {
				part[i] = &n
			} else if n, ok := split[ids[first+i]]; ok {
				part[i] = &n
			}
		}
		if err := s.insist(ctx, `
			UPDATE customers c SET person_id = g.person_id FROM unnest(@ids::bigint[], @persons::bigint[]) AS g (customer_id, person_id)
			WHERE c.customer_id = g.customer_id AND c.person_id IS DISTINCT FROM g.person_id`,
			pgx.NamedArgs{"ids": ids[first:last], "persons": part}); err != nil {
			return err
		}
		if err := p.report(ctx, "grouping", int64(last), int64(len(ids))); err != nil {
			return err
		}
	}
	// Somebody may have been merged, or decided about, while the search ran.
	err = s.insist(ctx, `
		UPDATE customers c SET person_id = CASE WHEN g.n > 1 THEN g.low END
		FROM (SELECT person_id, min(customer_id) AS low, count(*) AS n FROM customers WHERE person_id IS NOT NULL GROUP BY person_id) g
		WHERE c.person_id = g.person_id AND (g.low <> g.person_id OR g.n = 1)`, nil)
	if err != nil {
		return err
	}
	return s.regroupAll(ctx)
}

// insist does a statement again that got in the way of an import: hours of matching are not lost to a deadlock.
func (s *Service) insist(ctx context.Context, sql string, args pgx.NamedArgs) error {
	for try := 1; ; try++ {
		_, err := s.Pool.Exec(ctx, sql, args)
		var pe *pgconn.PgError
		if !errors.As(err, &pe) || pe.Code != "40P01" || try == 10 {
			return err
		}
	}
}

// different gives all pairs that somebody called two people.
func (s *Service) different(ctx context.Context, q interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}) (map[couple]bool, error) {
	rows, err := q.Query(ctx, `SELECT customer_id, other_id FROM duplicates WHERE state = 'different' ORDER BY customer_id, other_id`)
	if err != nil {
		return nil, err
	}
	m := map[couple]bool{}
	var c couple
	_, err = pgx.ForEachRow(rows, []any{&c.A, &c.B}, func() error {
		m[c] = true
		return nil
	})
	return m, err
}

// regroupAll looks again at the groups of pairs that were called two people while the search ran.
func (s *Service) regroupAll(ctx context.Context) error {
	rows, err := s.Pool.Query(ctx, `
		SELECT DISTINCT a.person_id FROM duplicates d JOIN customers a ON a.customer_id = d.customer_id JOIN customers b ON b.customer_id = d.other_id
		WHERE d.state = 'different' AND a.person_id = b.person_id ORDER BY a.person_id`)
	if err != nil {
		return err
	}
	groups, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return err
	}
	for _, g := range groups {
		if err := pgx.BeginFunc(ctx, s.Pool, func(tx pgx.Tx) error { return regroupTx(ctx, tx, []int64{g}) }); err != nil {
			return err
		}
	}
	return nil
}

// regroupTx makes the groups of those who are in the groups named anew, from the pairs that are stored.
func regroupTx(ctx context.Context, tx pgx.Tx, groups []int64) error {
	rows, err := tx.Query(ctx, `SELECT customer_id FROM customers WHERE person_id = ANY(@groups) OR customer_id = ANY(@groups) ORDER BY customer_id FOR NO KEY UPDATE`,
		pgx.NamedArgs{"groups": groups})
	if err != nil {
		return err
	}
	members, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return err
	}
	rows, err = tx.Query(ctx, `
		SELECT d.customer_id, d.other_id, d.score, d.state FROM duplicates d
		WHERE d.customer_id = ANY(@members) AND d.other_id = ANY(@members) AND (d.state = 'different' OR d.score >= coalesce(
			(SELECT s.threshold FROM duplicate_searches s WHERE s.kind = 'search' AND s.state = 'finished' ORDER BY s.run_id DESC LIMIT 1), @usual))
		ORDER BY d.score DESC, d.customer_id, d.other_id`, pgx.NamedArgs{"members": members, "usual": match.DefaultThreshold})
	if err != nil {
		return err
	}
	var links []edge
	apart := map[couple]bool{}
	var e edge
	var state string
	if _, err := pgx.ForEachRow(rows, []any{&e.A, &e.B, &e.Score, &state}, func() error {
		if state == StateDifferent {
			apart[coupleOf(e.A, e.B)] = true
		} else {
			links = append(links, e)
		}
		return nil
	}); err != nil {
		return err
	}
	group := persons(links, apart)
	now := make([]grouped, len(members))
	for i, id := range members {
		now[i] = grouped{ID: id}
		if g, ok := group[id]; ok {
			now[i].After = &g
		}
	}
	return setPersonsTx(ctx, tx, now)
}
