package customers

import (
	"context"
	"strings"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"aldine/customers/normal"
)

// SuppressionQuery says which suppressions to list.
type SuppressionQuery struct {
	Search string // the value or the beginning of it, as entered or in normal form
	Scope  string // only this one; "" for all
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
		where = `(s.created_at, s.suppression_id) < (@at, @id)`
		args["at"], args["id"] = at, last
	}
	if search := strings.TrimSpace(strings.ReplaceAll(query.Search, "\x00", "")); search != "" {
		v, err := s.settings.Get(ctx)
		if err != nil {
			return SuppressionPage{}, err
		}
		phone, _ := normal.Phone(search, v.DefaultCountry)
		domain, _ := suppressibleDomain(search)
		args["keys"], args["like"] = []string{strings.ToLower(search), phone, domain}, like(strings.ToLower(search))
		// Each branch has its index.
		where += ` AND (s.scope, s.match_key, s.channel) IN (
			SELECT k.scope, k.match_key, k.channel FROM suppressions k WHERE k.scope = ANY (@scopes) AND k.match_key = ANY (@keys)
			UNION SELECT k.scope, k.match_key, k.channel FROM suppressions k WHERE lower(k.value) LIKE @like)`
		args["scopes"] = Scopes
	}
	if query.Scope != "" {
		where += ` AND s.scope = @scope`
		args["scope"] = query.Scope
	}
	rows, err := s.pool.Query(ctx, `SELECT `+suppressionColumns+` FROM suppressions s
		WHERE `+where+` ORDER BY s.created_at DESC, s.suppression_id DESC LIMIT @limit`, args)
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
		SELECT `+suppressionColumns+`
		FROM customers c CROSS JOIN `+SuppressionJoin("c", channel)+` x
		JOIN suppressions s ON s.suppression_id = x.suppression_id
		WHERE c.customer_id = @id ORDER BY s.suppression_id LIMIT 1`, pgx.NamedArgs{"id": customerID, "now": s.now()})
	if err != nil {
		return nil, err
	}
	found, err := pgx.CollectRows(rows, scanSuppression)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}
