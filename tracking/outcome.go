package tracking

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// keepTx keeps responses that belong nowhere for a person to look at.
func keepTx(ctx context.Context, tx pgx.Tx, source string, items []*item) error {
	if len(items) == 0 {
		return nil
	}
	n := len(items)
	ids, kinds, ats := make([]uuid.UUID, n), make([]string, n), make([]time.Time, n)
	reasons, payloads := make([]string, n), make([]string, n)
	for i, it := range items {
		payload, err := json.Marshal(it.r)
		if err != nil {
			return fmt.Errorf("response to keep: %w", err)
		}
		ids[i], kinds[i], ats[i], reasons[i], payloads[i] = it.id, string(it.r.Kind), it.r.At, it.unmatched, string(payload)
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO unmatched_responses (unmatched_id, kind, at, source, reason, payload)
		SELECT id, kind, at, @source, reason, payload::jsonb
		FROM unnest(@ids::uuid[], @kinds::text[], @ats::timestamptz[], @reasons::text[], @payloads::text[])
			AS u (id, kind, at, reason, payload)`,
		pgx.NamedArgs{"source": source, "ids": ids, "kinds": kinds, "ats": ats, "reasons": reasons, "payloads": payloads})
	return err
}

// outcomesTx fills the outcomes of items just stored.
func outcomesTx(ctx context.Context, tx pgx.Tx, items []*item, out []Outcome) error {
	var people []int64
	var ids []uuid.UUID
	for _, it := range items {
		if it.unmatched == "" {
			people, ids = append(people, it.customer()), append(ids, it.id)
		}
	}
	campaigns := map[uuid.UUID]int64{} // attribution may have found one
	if len(ids) > 0 {
		rows, err := tx.Query(ctx, `
			SELECT r.response_id, coalesce(r.campaign_id, 0)
			FROM unnest(@people::bigint[], @ids::uuid[]) AS q (customer_id, response_id) JOIN responses r USING (customer_id, response_id)
			ORDER BY r.response_id`, pgx.NamedArgs{"people": people, "ids": ids})
		if err != nil {
			return err
		}
		var id uuid.UUID
		var campaign int64
		if _, err := pgx.ForEachRow(rows, []any{&id, &campaign}, func() error { campaigns[id] = campaign; return nil }); err != nil {
			return err
		}
	}
	for _, it := range items {
		o := Outcome{Ref: it.r.Ref, State: Recorded, Reason: it.note, ResponseID: it.id, CustomerID: it.customer(), CampaignID: campaigns[it.id]}
		if it.unmatched != "" {
			o.State, o.Reason, o.CustomerID = Unmatched, it.unmatched, 0
		}
		out[it.n] = o
		for _, n := range it.again {
			out[n] = o
			out[n].Repeated = true
		}
	}
	return nil
}
