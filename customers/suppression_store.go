package customers

import (
	"context"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"aldine/internal/id"
)

// resolveSuppressions finishes the keys of checked entries with what the database knows: the number that a merged
// customer has now, and the household of the customer that is named. The answer says what is wrong with each, "" for nothing.
func resolveSuppressions(ctx context.Context, q Querier, entries []Suppression) ([]string, error) {
	var ids []ID
	for i := range entries {
		if p := &entries[i]; p.Scope == ScopeCustomer || p.Scope == ScopeHousehold {
			n, _ := strconv.ParseInt(p.key, 10, 64) // normalize has read it
			ids = append(ids, n)
		}
	}
	wrong := make([]string, len(entries))
	if ids == nil {
		return wrong, nil
	}
	rows, err := q.Query(ctx, `
		SELECT i.id, coalesce(a.customer_id, i.id), c.household_id::text
		FROM (SELECT DISTINCT id FROM unnest(@ids::bigint[]) AS t (id)) i
		LEFT JOIN customer_aliases a ON a.old_id = i.id
		LEFT JOIN customers c ON c.customer_id = coalesce(a.customer_id, i.id)
		ORDER BY i.id`, pgx.NamedArgs{"ids": ids})
	if err != nil {
		return nil, err
	}
	type place struct {
		id        ID
		household *string
	}
	found := map[string]place{}
	var asked ID
	var p place
	if _, err := pgx.ForEachRow(rows, []any{&asked, &p.id, &p.household}, func() error {
		found[strconv.FormatInt(asked, 10)] = p
		return nil
	}); err != nil {
		return nil, err
	}
	for i := range entries {
		p := &entries[i]
		at, ok := found[p.key]
		switch {
		case !ok:
		case p.Scope == ScopeCustomer:
			p.key = strconv.FormatInt(at.id, 10)
			p.Value = p.key
		case p.Scope == ScopeHousehold && at.household == nil:
			wrong[i] = "there is no customer " + p.key + ", or no surname and address are known that make a household"
		case p.Scope == ScopeHousehold:
			p.Value = strconv.FormatInt(at.id, 10)
			p.key = *at.household
		}
	}
	return wrong, nil
}

// storeSuppressionsTx stores checked entries with their keys and tells how many are new. The answer is in their order.
func (s *Service) storeSuppressionsTx(ctx context.Context, tx pgx.Tx, entries []Suppression) ([]Suppression, int64, error) {
	if err := placeSuppressedTx(ctx, tx, entries); err != nil {
		return nil, 0, err
	}
	batch := newSuppressionBatch(entries)
	rows, err := tx.Query(ctx, `
		INSERT INTO suppressions AS s (scope, match_key, channel, suppression_id, value, reason, source, created_at, received_at, effective_at, expires_at)
		SELECT scope, match_key, channel, suppression_id, value, reason, coalesce(nullif(source, ''), @actor), @now, received_at, effective_at, expires_at
		FROM unnest(@scopes::text[], @keys::text[], @channels::text[], @ids::uuid[], @values::text[], @reasons::text[], @sources::text[],
			@received::timestamptz[], @effective::timestamptz[], @expiries::timestamptz[])
			AS t (scope, match_key, channel, suppression_id, value, reason, source, received_at, effective_at, expires_at)
		ORDER BY scope, match_key, channel
		ON CONFLICT (scope, match_key, channel) DO UPDATE SET reason = excluded.reason, source = excluded.source,
			received_at = least(s.received_at, excluded.received_at),
			effective_at = CASE WHEN s.effective_at IS NULL OR excluded.effective_at IS NULL THEN NULL
				ELSE least(s.effective_at, excluded.effective_at) END,
			expires_at = CASE WHEN s.expires_at IS NULL OR excluded.expires_at IS NULL THEN NULL
				ELSE greatest(s.expires_at, excluded.expires_at) END
		RETURNING match_key, xmax = 0, suppression_id, scope, value, channel, reason, source, created_at, received_at, effective_at, expires_at`,
		batch.args(s.now(), actor(ctx)))
	if err != nil {
		return nil, 0, err
	}
	stored := make(map[[3]string]Suppression, len(batch.ids))
	var p Suppression
	var isNew bool
	var fresh int64
	if _, err := pgx.ForEachRow(rows, append([]any{&p.key, &isNew}, p.targets()...), func() error {
		stored[[3]string{p.Scope, p.key, p.Channel}] = p
		if isNew {
			fresh++
		}
		return nil
	}); err != nil {
		return nil, 0, err
	}
	out := make([]Suppression, len(entries))
	for i, p := range entries {
		out[i] = stored[[3]string{p.Scope, p.key, p.Channel}]
	}
	return out, fresh, nil
}

// suppressionColumns is the select list that scanSuppression reads, of suppressions as s.
const suppressionColumns = `s.suppression_id, s.scope, s.value, s.channel, s.reason, s.source, s.created_at, s.received_at, s.effective_at, s.expires_at`

func (p *Suppression) targets() []any {
	return []any{&p.ID, &p.Scope, &p.Value, &p.Channel, &p.Reason, &p.Source, &p.CreatedAt, &p.ReceivedAt, &p.EffectiveAt, &p.ExpiresAt}
}

func scanSuppression(row pgx.CollectableRow) (p Suppression, err error) {
	return p, row.Scan(p.targets()...)
}

// suppressionBatch holds the columns of entries, one row for each key and channel.
type suppressionBatch struct {
	ids                                              []uuid.UUID
	scopes, keys, channels, values, reasons, sources []string
	received, effective, expiries                    []*time.Time
}

func newSuppressionBatch(entries []Suppression) *suppressionBatch {
	b := &suppressionBatch{}
	row := map[[3]string]int{}
	for _, p := range entries {
		k := [3]string{p.Scope, p.key, p.Channel}
		if i, ok := row[k]; ok { // named twice: the longer one holds
			if b.expiries[i] != nil && (p.ExpiresAt == nil || p.ExpiresAt.After(*b.expiries[i])) {
				b.expiries[i] = p.ExpiresAt
			}
			if b.effective[i] != nil && (p.EffectiveAt == nil || p.EffectiveAt.Before(*b.effective[i])) {
				b.effective[i] = p.EffectiveAt
			}
			continue
		}
		row[k] = len(b.ids)
		b.ids, b.scopes, b.keys, b.channels = append(b.ids, id.New()), append(b.scopes, p.Scope), append(b.keys, p.key), append(b.channels, p.Channel)
		b.values, b.reasons, b.sources = append(b.values, p.Value), append(b.reasons, p.Reason), append(b.sources, p.Source)
		b.received, b.effective, b.expiries = append(b.received, p.ReceivedAt), append(b.effective, p.EffectiveAt), append(b.expiries, p.ExpiresAt)
	}
	return b
}

func (b *suppressionBatch) args(now time.Time, actor string) pgx.NamedArgs {
	return pgx.NamedArgs{"ids": b.ids, "scopes": b.scopes, "keys": b.keys, "channels": b.channels, "values": b.values, "reasons": b.reasons,
		"sources": b.sources, "received": b.received, "effective": b.effective, "expiries": b.expiries, "now": now, "actor": actor}
}
