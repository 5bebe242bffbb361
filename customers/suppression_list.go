package customers

import (
	"context"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// SuppressionQuery says which suppressions to list.
type SuppressionQuery struct {
	Search string // the value as entered, or its normal form
	Cursor string // Next of the page before
	Limit  int    // at most 200; 50 where 0
}

// SuppressionPage is one page; Next is "" on the last.
type SuppressionPage struct {
	Suppressions []Suppression
	Next         string
}

// Suppressions lists suppressions, the newest first. Invalid where the cursor is not one of ours.
func (s *Service) Suppressions(ctx context.Context, query SuppressionQuery) (SuppressionPage, error) {
	limit := query.Limit
	if limit <= 0 {
		limit = 50
	}
	limit = min(limit, 200)
	args := pgx.NamedArgs{"limit": limit + 1}
	where := "true"
	if query.Cursor != "" {
		at, rest, err := decodeCursor(query.Cursor)
		if err != nil {
			return SuppressionPage{}, err
		}
		last, err := uuid.Parse(rest)
		if err != nil {
			return SuppressionPage{}, errCursor
		}
		where = `(created_at, suppression_id) < (@at, @id)`
		args["at"], args["id"] = at, last
	}
	if search := strings.TrimSpace(strings.ReplaceAll(query.Search, "\x00", "")); search != "" {
		v, err := s.settings.Get(ctx)
		if err != nil {
			return SuppressionPage{}, err
		}
		phone, _ := NormalizePhone(search, v.DefaultCountry)
		where += ` AND (scope IN ('customer', 'email', 'phone', 'address') AND match_key IN (@search, @phone) OR lower(value) LIKE @like)`
		args["search"], args["phone"], args["like"] = strings.ToLower(search), phone, like(strings.ToLower(search))
	}
	rows, err := s.pool.Query(ctx, `
		SELECT suppression_id, scope, value, channel, reason, source, created_at, expires_at FROM suppressions
		WHERE `+where+` ORDER BY created_at DESC, suppression_id DESC LIMIT @limit`, args)
	if err != nil {
		return SuppressionPage{}, err
	}
	found, err := pgx.CollectRows(rows, scanSuppression)
	if err != nil {
		return SuppressionPage{}, err
	}
	if len(found) <= limit {
		return SuppressionPage{Suppressions: found}, nil
	}
	end := found[limit-1]
	return SuppressionPage{Suppressions: found[:limit], Next: encodeCursor(end.CreatedAt, end.ID.String())}, nil
}

// SuppressionFor gives the suppression that keeps one customer from being contacted over a channel now, or nil.
func (s *Service) SuppressionFor(ctx context.Context, customerID ID, channel string) (*Suppression, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT p.suppression_id, p.scope, p.value, p.channel, p.reason, p.source, p.created_at, p.expires_at
		FROM customers c CROSS JOIN `+SuppressionJoin("c", channel)+` x
		JOIN suppressions p ON p.suppression_id = x.suppression_id
		WHERE c.customer_id = @id ORDER BY p.suppression_id LIMIT 1`, pgx.NamedArgs{"id": customerID, "now": s.now()})
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, scanSuppression)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}
