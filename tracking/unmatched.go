package tracking

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"aldine/internal/access"
	"aldine/internal/audit"
	"aldine/internal/fault"
	"aldine/internal/id"
	"aldine/internal/settings"
)

// UnmatchedResponse is a response that belongs to no campaign or no customer, kept for a person to look at.
type UnmatchedResponse struct {
	ID      uuid.UUID `json:"id"`
	Kind    Kind      `json:"kind"`
	At      time.Time `json:"at"`
	Source  string    `json:"source"`
	Reason  string    `json:"reason"`
	Payload Response  `json:"response"` // as it was reported
}

// UnmatchedPage is one page, oldest first; Next is "" on the last.
type UnmatchedPage struct {
	Responses []UnmatchedResponse `json:"responses"`
	Next      string              `json:"next,omitempty"`
}

// Unmatched lists what waits for a person, at most limit (100 where 0) after the cursor of an earlier page. Invalid
// where the cursor is not one of ours.
func (s *Service) Unmatched(ctx context.Context, after string, limit int) (UnmatchedPage, error) {
	if limit <= 0 || limit > 1000 {
		limit = 100
	}
	var at time.Time
	var last uuid.UUID
	if after != "" {
		stamp, key, _ := strings.Cut(after, "_")
		var err1, err2 error
		at, err1 = time.Parse(time.RFC3339Nano, stamp)
		last, err2 = uuid.Parse(key)
		if err1 != nil || err2 != nil {
			return UnmatchedPage{}, fault.BadField("after", "is not the cursor of a page")
		}
	}
	rows, err := s.pool.Query(ctx, `
		SELECT unmatched_id, kind, at, source, reason, payload
		FROM unmatched_responses
		WHERE resolved_at IS NULL AND (@first OR (at, unmatched_id) > (@at, @last))
		ORDER BY at, unmatched_id LIMIT @limit`,
		pgx.NamedArgs{"first": after == "", "at": at, "last": last, "limit": limit + 1})
	if err != nil {
		return UnmatchedPage{}, err
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[UnmatchedResponse])
	if err != nil {
		return UnmatchedPage{}, err
	}
	page := UnmatchedPage{Responses: list}
	if len(list) > limit {
		page.Responses = list[:limit]
		end := list[limit-1]
		page.Next = end.At.UTC().Format(time.RFC3339Nano) + "_" + end.ID.String()
	}
	return page, nil
}

// Resolution is what a person decides about an unmatched response: either its right keycode, or to let it go. A
// CustomerID may say who it was.
type Resolution struct {
	Keycode    string
	CustomerID int64
	Dismiss    bool
}

// Resolve acts on one unmatched response: with a keycode or customer it is recorded as if it had come so, else it is
// dismissed. NotFound where there is no such response, Conflict where it was resolved before, Invalid where the
// keycode is mistyped or still belongs nowhere.
func (s *Service) Resolve(ctx context.Context, unmatched uuid.UUID, r Resolution) (Outcome, error) {
	if !r.Dismiss && r.Keycode == "" && r.CustomerID == 0 {
		return Outcome{}, fault.BadField("keycode", "is missing: give the right keycode or the customer, or dismiss the response")
	}
	v, err := s.settings.Get(ctx)
	if err != nil {
		return Outcome{}, err
	}
	var out Outcome
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) (err error) {
		out, err = s.resolveTx(ctx, tx, unmatched, r, v)
		return err
	})
	return out, err
}

func (s *Service) resolveTx(ctx context.Context, tx pgx.Tx, unmatched uuid.UUID, r Resolution, v settings.Values) (Outcome, error) {
	var payload json.RawMessage
	var resolved bool
	err := tx.QueryRow(ctx, `
		SELECT payload, resolved_at IS NOT NULL FROM unmatched_responses WHERE unmatched_id = @id FOR UPDATE`,
		pgx.NamedArgs{"id": unmatched}).Scan(&payload, &resolved)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return Outcome{}, fault.New(fault.NotFound, "There is no such unmatched response")
	case err != nil:
		return Outcome{}, err
	case resolved:
		return Outcome{}, fault.New(fault.Conflict, "This response was resolved before")
	}
	out := Outcome{State: "dismissed"}
	if !r.Dismiss {
		if out, err = s.recordAgainTx(ctx, tx, unmatched, payload, r, v); err != nil {
			return Outcome{}, err
		}
	}
	now := s.now()
	if _, err := tx.Exec(ctx, `UPDATE unmatched_responses SET resolved_at = @now, resolved_by = @by WHERE unmatched_id = @id`,
		pgx.NamedArgs{"now": now, "by": access.From(ctx).String(), "id": unmatched}); err != nil {
		return Outcome{}, err
	}
	return out, audit.RecordTx(ctx, tx, now, "response.resolve", "unmatched_response", unmatched,
		map[string]any{"keycode": r.Keycode, "customer_id": r.CustomerID, "dismissed": r.Dismiss})
}

// recordAgainTx records the response with what the person added, and lets the caller's own id point to it.
func (s *Service) recordAgainTx(ctx context.Context, tx pgx.Tx, unmatched uuid.UUID, payload json.RawMessage, r Resolution, v settings.Values) (Outcome, error) {
	var response Response
	if err := json.Unmarshal(payload, &response); err != nil {
		return Outcome{}, fmt.Errorf("unmatched response %s: %w", unmatched, err)
	}
	ref := response.Ref
	response.Ref = ""
	if r.Keycode != "" {
		if response.Coupon != "" {
			response.Coupon = r.Keycode
			response.Keycode = ""
		} else {
			response.Keycode = r.Keycode
		}
	}
	if r.CustomerID != 0 {
		response.CustomerID = r.CustomerID
	}
	items, err := check([]Response{response}, v.DefaultCountry, s.now())
	if err != nil {
		return Outcome{}, err
	}
	it := items[0]
	it.id, it.r.Ref = id.New(), ""
	if err := s.matchTx(ctx, tx, items, v); err != nil {
		return Outcome{}, err
	}
	if it.unmatched != "" {
		name := "keycode"
		if r.Keycode == "" {
			name = "customer_id"
		}
		return Outcome{}, fault.BadField(name, "%s", it.unmatched)
	}
	if err := s.storeItemsTx(ctx, tx, "review", items, v); err != nil {
		return Outcome{}, err
	}
	out := make([]Outcome, 1)
	if err := outcomesTx(ctx, tx, items, out); err != nil {
		return Outcome{}, err
	}
	if _, err := tx.Exec(ctx, `UPDATE response_refs SET customer_id = @customer, response_id = @new WHERE response_id = @old`,
		pgx.NamedArgs{"customer": it.customer(), "new": it.id, "old": unmatched}); err != nil {
		return Outcome{}, err
	}
	out[0].Ref = ref
	return out[0], nil
}
