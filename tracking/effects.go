package tracking

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"aldine/internal/id"
)

// effectsTx does what some responses ask for beyond being counted: an unsubscription withdraws consent, a complaint
// withdraws it and suppresses the address, a hard bounce suppresses the address and marks its touch, soft ones suppress it after
// a number in a row, and those that are our fault raise a trouble.
func (s *Service) effectsTx(ctx context.Context, tx pgx.Tx, source string, items []*item) error {
	var changes []consentChange
	var blocked []suppression
	var bounced, soft []*item
	for _, it := range items {
		channel := it.channel
		if channel == "" {
			channel = "email"
			if it.r.Phone != "" {
				channel = "sms"
			}
		}
		switch {
		case it.r.Kind == KindUnsubscribe, it.r.Kind == KindComplaint:
			for _, p := range it.people {
				changes = append(changes, consentChange{customerID: p, channel: channel, at: it.r.At})
			}
			if it.r.Kind == KindComplaint {
				blocked = append(blocked, it.suppression(channel, "complaint"))
			}
		case it.r.Kind == KindBounce && it.r.Hard:
			blocked = append(blocked, it.suppression(channel, because("hard bounce", it.r.Detail)))
			if it.customer() != 0 && it.stepID != 0 {
				bounced = append(bounced, it)
			}
		case it.r.Kind == KindBounce && channel == "email":
			soft = append(soft, it)
		}
	}
	if err := consentTx(ctx, tx, "response: "+source, changes); err != nil {
		return err
	}
	tired, err := s.softTx(ctx, tx, soft)
	if err != nil {
		return err
	}
	if err := s.suppressTx(ctx, tx, "response: "+source, append(blocked, tired...)); err != nil {
		return err
	}
	return s.bounceTx(ctx, tx, bounced)
}

// suppression is one address, or where none is known one customer, that must not be contacted on a channel.
type suppression struct{ scope, key, channel, reason string }

func (it *item) suppression(channel, reason string) suppression {
	address := it.destination
	if address == "-" {
		address = ""
	}
	switch channel {
	case "email":
		if it.r.Email != "" {
			address = it.r.Email
		}
		if address != "" {
			return suppression{"email", address, channel, reason}
		}
	case "sms", "calls":
		if it.r.Phone != "" {
			address = it.r.Phone
		}
		if address != "" {
			return suppression{"phone", address, channel, reason}
		}
	}
	if c := it.customer(); c != 0 {
		return suppression{"customer", fmt.Sprint(c), channel, reason}
	}
	return suppression{}
}

func (s *Service) suppressTx(ctx context.Context, tx pgx.Tx, source string, list []suppression) error {
	var scopes, keys, channels, reasons []string
	var ids []uuid.UUID
	for _, b := range list {
		if b.key != "" {
			scopes, keys, channels, reasons = append(scopes, b.scope), append(keys, b.key), append(channels, b.channel), append(reasons, b.reason)
			ids = append(ids, id.New())
		}
	}
	if len(ids) == 0 {
		return nil
	}
	// An entry that would have expired holds on: the address has said so again.
	_, err := tx.Exec(ctx, `
		INSERT INTO suppressions (scope, match_key, channel, suppression_id, value, reason, source, created_at)
		SELECT DISTINCT ON (scope, match_key, channel) scope, match_key, channel, id, match_key, reason, @source, @now
		FROM (SELECT scope, CASE WHEN scope = 'email' THEN lower(key) ELSE key END AS match_key, channel, reason, id
			FROM unnest(@scopes::text[], @keys::text[], @channels::text[], @reasons::text[], @ids::uuid[]) AS u (scope, key, channel, reason, id)) AS u
		ORDER BY scope, match_key, channel, id
		ON CONFLICT (scope, match_key, channel) DO UPDATE SET expires_at = NULL WHERE suppressions.expires_at IS NOT NULL`,
		pgx.NamedArgs{"source": source, "now": s.now(), "scopes": scopes, "keys": keys, "channels": channels, "reasons": reasons, "ids": ids})
	return err
}
