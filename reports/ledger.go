package reports

import (
	"context"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"aldine/internal/fault"
)

// Entry is one row of the cost ledger.
type Entry struct {
	ID       uuid.UUID `json:"id"`
	At       time.Time `json:"at"`
	Kind     string    `json:"kind"`
	StepID   *int64    `json:"step_id,omitempty"`
	Step     string    `json:"step,omitempty"`
	CellID   *int64    `json:"cell_id,omitempty"`
	Cell     string    `json:"cell,omitempty"`
	ListID   *int64    `json:"list_id,omitempty"`
	List     string    `json:"list,omitempty"`
	Channel  string    `json:"channel,omitempty"`
	Keycode  string    `json:"keycode,omitempty"`
	Quantity int64     `json:"quantity"`
	UnitCost Money     `json:"unit_cost"`
	Amount   Money     `json:"amount"`
	Currency string    `json:"currency"`
	Note     string    `json:"note,omitempty"`
}

// LedgerPage chooses ledger rows: a page of them, oldest first, and only those behind one figure where a dimension
// is given.
type LedgerPage struct {
	Kind    string
	StepID  int64
	CellID  int64
	ListID  int64
	Channel string
	Keycode string
	After   string // as returned for the page before
	Limit   int    // 0: 100; at most 1000
}

const ledgerSQL = `
	SELECT e.entry_id, e.at, e.kind, e.step_id, coalesce(s.key, ''), e.cell_id, coalesce(c.name, ''), e.list_id, coalesce(l.name, ''),
		coalesce(e.channel, ''), coalesce(e.keycode, ''), e.quantity, e.unit_cost, e.amount, e.currency, e.note
	FROM cost_entries e
	LEFT JOIN steps s ON s.step_id = e.step_id LEFT JOIN cells c ON c.cell_id = e.cell_id LEFT JOIN lists l ON l.list_id = e.list_id
	WHERE e.campaign_id = @id AND (@kind::text = '' OR e.kind = @kind) AND (@step::bigint = 0 OR e.step_id = @step)
		AND (@cell::bigint = 0 OR e.cell_id = @cell) AND (@list::bigint = 0 OR e.list_id = @list)
		AND (@channel::text = '' OR e.channel = @channel) AND (@keycode::text = '' OR e.keycode = @keycode)
		AND (@after_at::timestamptz IS NULL OR (e.at, e.entry_id) > (@after_at, @after_id))
	ORDER BY e.at, e.entry_id LIMIT @limit`

// Ledger gives a page of a campaign's cost entries and the value for LedgerPage.After of the next ("": none).
func (s *Service) Ledger(ctx context.Context, campaignID int64, p LedgerPage) ([]Entry, string, error) {
	if p.Limit <= 0 {
		p.Limit = 100
	}
	p.Limit = min(p.Limit, 1000)
	at, id, err := readCursor(p.After)
	if err != nil {
		return nil, "", err
	}
	rows, _ := s.pool.Query(ctx, ledgerSQL, pgx.NamedArgs{"id": campaignID, "kind": p.Kind, "step": p.StepID, "cell": p.CellID,
		"list": p.ListID, "channel": p.Channel, "keycode": p.Keycode, "after_at": at, "after_id": id, "limit": p.Limit + 1})
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (e Entry, err error) {
		err = row.Scan(&e.ID, &e.At, &e.Kind, &e.StepID, &e.Step, &e.CellID, &e.Cell, &e.ListID, &e.List, &e.Channel, &e.Keycode,
			&e.Quantity, &e.UnitCost, &e.Amount, &e.Currency, &e.Note)
		e.UnitCost, e.Amount = tidy(e.UnitCost), tidy(e.Amount)
		return e, err
	})
	if err != nil || len(list) <= p.Limit {
		return list, "", err
	}
	list = list[:p.Limit]
	last := list[p.Limit-1]
	return list, writeCursor(last.At, last.ID), nil
}

func writeCursor(at time.Time, id uuid.UUID) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d %s", at.UnixMicro(), id))
}

func readCursor(s string) (*time.Time, uuid.UUID, error) {
	if s == "" {
		return nil, uuid.UUID{}, nil
	}
	bad := fault.BadField("after", "This is not a page of this list: start again without it")
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return nil, uuid.UUID{}, bad
	}
	micros, rest, _ := strings.Cut(string(raw), " ")
	n, err := strconv.ParseInt(micros, 10, 64)
	id, err2 := uuid.Parse(rest)
	if err != nil || err2 != nil {
		return nil, uuid.UUID{}, bad
	}
	at := time.UnixMicro(n)
	return &at, id, nil
}
