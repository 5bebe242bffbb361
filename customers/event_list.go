package customers

import (
	"context"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// EventNames gives all names that events have had, by name.
func EventNames(ctx context.Context, q Querier) ([]string, error) {
	rows, err := q.Query(ctx, `SELECT name FROM event_names ORDER BY name COLLATE "C"`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// EventQuery says which events of a customer to list.
type EventQuery struct {
	Name   string // only those
	Cursor string // the page before's Next
	Limit  int    // at most 200; 50 where 0
}

// EventPage is one page of events, the newest first; Next is "" on the last.
type EventPage struct {
	Events []Event
	Next   string
}

// Events gives what a customer did, the newest first. The number of a merged customer stands for the one that is left. NotFound
// where there is no customer; Invalid for a page mark that is none.
func (s *Service) Events(ctx context.Context, customerID ID, q EventQuery) (page EventPage, err error) {
	c, err := s.Get(ctx, customerID)
	if err != nil {
		return page, err
	}
	if q.Limit <= 0 {
		q.Limit = 50
	}
	q.Limit = min(q.Limit, 200)
	args := pgx.NamedArgs{"id": c.ID, "name": q.Name, "limit": q.Limit + 1}
	after := ""
	if q.Cursor != "" {
		at, key, err := decodeCursor(q.Cursor)
		if err != nil {
			return page, err
		}
		last, err := uuid.Parse(key)
		if err != nil {
			return page, errCursor
		}
		args["at"], args["last"], after = at, last, ` AND (e.at, e.event_id) < (@at, @last::uuid)`
	}
	rows, err := s.pool.Query(ctx, `SELECT `+eventColumns+` FROM events e WHERE e.customer_id = @id AND (@name::text = '' OR e.name = @name)`+after+`
		ORDER BY e.at DESC, e.event_id DESC LIMIT @limit`, args)
	if err != nil {
		return page, err
	}
	if page.Events, err = pgx.CollectRows(rows, scanEvent); err != nil {
		return page, err
	}
	if len(page.Events) > q.Limit {
		page.Events = page.Events[:q.Limit]
		last := page.Events[q.Limit-1]
		page.Next = encodeCursor(last.At, last.ID.String())
	}
	return page, nil
}
