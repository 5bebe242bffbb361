package duplicates

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"aldine/customers"
	"aldine/customers/match"
	"aldine/internal/fault"
)

const pairColumns = `d.customer_id, d.other_id, d.score, d.evidence, coalesce(d.conflict, ''), d.state, d.found_at, coalesce(d.decided_by, ''), d.decided_at`

func scanPair(row pgx.CollectableRow) (p Pair, err error) {
	return p, row.Scan(&p.CustomerID, &p.OtherID, &p.Score, &p.Evidence, &p.Conflict, &p.State, &p.FoundAt, &p.DecidedBy, &p.DecidedAt)
}

// Open lists open pairs, the best first.
func (s *Service) Open(ctx context.Context, after Cursor, limit int) ([]Pair, error) {
	if after == (Cursor{}) {
		after.Score = 2 // above every probability
	}
	// The first condition is what the index understands; among equal scores the numbers go upwards.
	rows, err := s.Pool.Query(ctx, `
		SELECT `+pairColumns+` FROM duplicates d
		WHERE d.state = 'open' AND d.score <= @score AND (d.score < @score OR (d.customer_id, d.other_id) > (@customer, @other))
		ORDER BY d.score DESC, d.customer_id, d.other_id LIMIT @limit`,
		pgx.NamedArgs{"score": after.Score, "customer": after.CustomerID, "other": after.OtherID, "limit": max(1, min(limit, 200))})
	if err != nil {
		return nil, err
	}
	pairs, err := pgx.CollectRows(rows, scanPair)
	if err != nil {
		return nil, err
	}
	return pairs, s.sides(ctx, pairs)
}

// Pair gives the pair of two customers, in whichever order; NotFound where no search has found it.
func (s *Service) Pair(ctx context.Context, a, b int64) (Pair, error) {
	c := coupleOf(a, b)
	rows, err := s.Pool.Query(ctx, `SELECT `+pairColumns+` FROM duplicates d WHERE d.customer_id = @a AND d.other_id = @b`,
		pgx.NamedArgs{"a": c.A, "b": c.B})
	if err != nil {
		return Pair{}, err
	}
	p, err := pgx.CollectExactlyOneRow(rows, scanPair)
	if errors.Is(err, pgx.ErrNoRows) {
		return Pair{}, fault.New(fault.NotFound, "No search has found customers %d and %d to be alike", c.A, c.B)
	}
	if err != nil {
		return Pair{}, err
	}
	pairs := []Pair{p}
	err = s.sides(ctx, pairs)
	return pairs[0], err
}

// PairsOf gives the pairs that a customer is part of, the best first, at most 100.
func (s *Service) PairsOf(ctx context.Context, customerID int64) ([]Pair, error) {
	rows, err := s.Pool.Query(ctx, `
		SELECT `+pairColumns+` FROM (SELECT * FROM duplicates WHERE customer_id = @id UNION ALL SELECT * FROM duplicates WHERE other_id = @id) d
		WHERE d.state <> 'merged' ORDER BY d.score DESC, d.customer_id, d.other_id LIMIT 100`, pgx.NamedArgs{"id": customerID})
	if err != nil {
		return nil, err
	}
	pairs, err := pgx.CollectRows(rows, scanPair)
	if err != nil {
		return nil, err
	}
	return pairs, s.sides(ctx, pairs)
}

// sides fills in both customers of each pair.
func (s *Service) sides(ctx context.Context, pairs []Pair) error {
	ids := make([]int64, 0, 2*len(pairs))
	for _, p := range pairs {
		ids = append(ids, p.CustomerID, p.OtherID)
	}
	profiles, err := s.Customers.Profiles(ctx, s.Pool, ids)
	if err != nil {
		return err
	}
	if err := s.hideEvidence(ctx, pairs); err != nil {
		return err
	}
	consents, lists := map[int64][]customers.Consent{}, map[int64][]string{}
	rows, err := s.Pool.Query(ctx, `SELECT customer_id, channel, granted, source, at FROM consents WHERE customer_id = ANY(@ids) ORDER BY customer_id, channel`,
		pgx.NamedArgs{"ids": ids})
	if err != nil {
		return err
	}
	var c customers.Consent
	if _, err := pgx.ForEachRow(rows, []any{&c.CustomerID, &c.Channel, &c.Granted, &c.Source, &c.At}, func() error {
		consents[c.CustomerID] = append(consents[c.CustomerID], c)
		return nil
	}); err != nil {
		return err
	}
	rows, err = s.Pool.Query(ctx, `SELECT m.customer_id, l.name FROM list_members m JOIN lists l ON l.list_id = m.list_id
		WHERE m.customer_id = ANY(@ids) ORDER BY m.customer_id, l.name`, pgx.NamedArgs{"ids": ids})
	if err != nil {
		return err
	}
	var id int64
	var name string
	if _, err := pgx.ForEachRow(rows, []any{&id, &name}, func() error {
		lists[id] = append(lists[id], name)
		return nil
	}); err != nil {
		return err
	}
	side := func(id int64) Side {
		s := Side{Customer: profiles[id], Consents: consents[id], Lists: lists[id]}
		if s.Consents == nil {
			s.Consents = []customers.Consent{}
		}
		if s.Lists == nil {
			s.Lists = []string{}
		}
		return s
	}
	for i := range pairs {
		pairs[i].A, pairs[i].B = side(pairs[i].CustomerID), side(pairs[i].OtherID)
	}
	return nil
}

// Counts tells how many pairs there are.
func (s *Service) Counts(ctx context.Context) (c Counts, err error) {
	err = s.Pool.QueryRow(ctx, `
		SELECT count(*) FILTER (WHERE state = 'open'),
			count(*) FILTER (WHERE state = 'open' AND conflict IS NULL AND score >= @threshold),
			count(*) FILTER (WHERE state = 'open' AND conflict IS NOT NULL),
			count(*) FILTER (WHERE state = 'merged'), count(*) FILTER (WHERE state = 'different')
		FROM duplicates`, pgx.NamedArgs{"threshold": s.threshold(ctx)}).Scan(&c.Open, &c.Sure, &c.Conflicts, &c.Merged, &c.Different)
	return c, err
}

// threshold is that of the last search.
func (s *Service) threshold(ctx context.Context) float64 {
	t := float64(match.DefaultThreshold)
	_ = s.Pool.QueryRow(ctx, `SELECT threshold FROM duplicate_searches WHERE kind = 'search' AND state = 'finished' ORDER BY run_id DESC LIMIT 1`).Scan(&t)
	return t
}
