package customers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"aldine/internal/audit"
	"aldine/internal/fault"
	"aldine/internal/id"
)

// Channels are the media, as written everywhere.
var Channels = []string{"email", "sms", "post", "calls"}

func isChannel(s string) bool {
	for _, c := range Channels {
		if s == c {
			return true
		}
	}
	return false
}

// Consent is what one customer has said about one channel.
type Consent struct {
	CustomerID ID        `json:"customer_id"`
	Channel    string    `json:"channel"`
	Granted    bool      `json:"granted"`
	Source     string    `json:"source"` // where it was said: "import", "unsubscribe link", "agent"
	At         time.Time `json:"at"`     // when it was said; now where zero
}

// importSource is the source of consents that came with a file.
const importSource = "import"

// SetConsents records consents and the proof of each change. What was said later wins; a consent that says nothing new
// leaves no trace. Invalid names a wrong channel, NotFound a customer that does not exist.
func (s *Service) SetConsents(ctx context.Context, consents []Consent) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		changed, err := s.SetConsentsTx(ctx, tx, consents)
		if err != nil || len(changed) == 0 {
			return err
		}
		detail := map[string]any{"changed": len(changed)}
		object := "many"
		if len(consents) <= 10 {
			said := map[string]any{}
			for _, c := range consents {
				said[fmt.Sprintf("%d %s", c.CustomerID, c.Channel)] = c.Granted
			}
			detail["consents"] = said
			object = fmt.Sprint(consents[0].CustomerID)
		}
		return audit.RecordTx(ctx, tx, s.now(), "consent.set", "customer", object, detail)
	})
}

// SetConsentsTx is SetConsents within the caller's transaction, without an audit entry; it gives the ids of customers
// for whom something changed.
func (s *Service) SetConsentsTx(ctx context.Context, tx pgx.Tx, consents []Consent) ([]ID, error) {
	for i := range consents {
		c := &consents[i]
		if !isChannel(c.Channel) {
			return nil, fault.BadField("channel", "%q is not a channel: use email, sms, post or calls", c.Channel)
		}
		c.Source = strings.TrimSpace(c.Source)
		if c.Source == "" || len(c.Source) > 200 || strings.ContainsRune(c.Source, 0) {
			return nil, fault.BadField("source", "say where the consent was given, in at most 200 characters")
		}
		if c.At.IsZero() {
			c.At = s.now()
		}
	}
	consents = slices.Clone(consents)
	if err := resolveConsents(ctx, tx, consents); err != nil {
		return nil, err
	}
	if err := s.lockCustomersTx(ctx, tx, consents); err != nil {
		return nil, err
	}
	return setConsentsTx(ctx, tx, consents, false)
}

// resolveConsents lets what is said under the number of a merged customer hold for the survivor.
func resolveConsents(ctx context.Context, q Querier, consents []Consent) error {
	ids := make([]ID, len(consents))
	for i, c := range consents {
		ids[i] = c.CustomerID
	}
	now, err := ResolveAll(ctx, q, ids)
	if err != nil {
		return err
	}
	for i, c := range consents {
		if survivor, ok := now[c.CustomerID]; ok {
			consents[i].CustomerID = survivor
		}
	}
	return nil
}

// lockCustomersTx makes sure that the customers exist and stay until the end of the transaction.
func (s *Service) lockCustomersTx(ctx context.Context, tx pgx.Tx, consents []Consent) error {
	wanted := map[ID]bool{}
	ids := make([]ID, 0, len(consents))
	for _, c := range consents {
		if !wanted[c.CustomerID] {
			wanted[c.CustomerID] = true
			ids = append(ids, c.CustomerID)
		}
	}
	rows, err := tx.Query(ctx, `SELECT customer_id FROM customers WHERE customer_id = ANY(@ids) ORDER BY customer_id FOR SHARE`,
		pgx.NamedArgs{"ids": ids})
	if err != nil {
		return err
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[ID])
	if err != nil {
		return err
	}
	for _, id := range found {
		delete(wanted, id)
	}
	for id := range wanted {
		return fault.New(fault.NotFound, "There is no customer %d", id)
	}
	return nil
}

// setConsentsTx writes the last of each customer's and channel's consents. Where imported, a yes never overturns
// a recorded no: an old file must not undo an unsubscription.
func setConsentsTx(ctx context.Context, tx pgx.Tx, consents []Consent, imported bool) ([]ID, error) {
	if len(consents) == 0 {
		return nil, nil
	}
	type key struct {
		id      ID
		channel string
	}
	last := map[key]int{}
	for i, c := range consents {
		k := key{c.CustomerID, c.Channel}
		if j, ok := last[k]; !ok || !c.At.Before(consents[j].At) {
			last[k] = i
		}
	}
	var ids []ID
	var channels, sources []string
	var granted []bool
	var at []time.Time
	var events []uuid.UUID
	for i, c := range consents {
		if last[key{c.CustomerID, c.Channel}] != i {
			continue
		}
		ids, channels, sources = append(ids, c.CustomerID), append(channels, c.Channel), append(sources, c.Source)
		granted, at, events = append(granted, c.Granted), append(at, c.At), append(events, id.New())
	}
	rows, err := tx.Query(ctx, `
		WITH said AS (
			SELECT * FROM unnest(@ids::bigint[], @channels::text[], @granted::boolean[], @sources::text[], @at::timestamptz[], @events::uuid[])
				AS t (customer_id, channel, granted, source, at, event_id)
		), kept AS (
			INSERT INTO consents AS c (customer_id, channel, granted, source, at)
			SELECT customer_id, channel, granted, source, at FROM said ORDER BY customer_id, channel
			ON CONFLICT (customer_id, channel) DO UPDATE SET granted = excluded.granted, source = excluded.source, at = excluded.at
			WHERE c.granted <> excluded.granted AND c.at <= excluded.at AND NOT (@imported AND excluded.granted)
			RETURNING customer_id, channel
		)
		INSERT INTO consent_events (customer_id, event_id, channel, granted, source, at)
		SELECT s.customer_id, s.event_id, s.channel, s.granted, s.source, s.at
		FROM said s JOIN kept k USING (customer_id, channel)
		RETURNING customer_id`, pgx.NamedArgs{"ids": ids, "channels": channels, "granted": granted, "sources": sources,
		"at": at, "events": events, "imported": imported})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[ID])
}

// Consents gives what a customer has said, by channel.
func (s *Service) Consents(ctx context.Context, customerID ID) ([]Consent, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT customer_id, channel, granted, source, at FROM consents WHERE customer_id = @id ORDER BY channel`,
		pgx.NamedArgs{"id": customerID})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (c Consent, err error) {
		return c, row.Scan(&c.CustomerID, &c.Channel, &c.Granted, &c.Source, &c.At)
	})
}

// ConsentSQL gives a condition on customers as alias: may the channel be used? With required a recorded yes is
// needed, without it the absence of a no is enough. It has no parameters.
func ConsentSQL(alias, channel string, required bool) string {
	from := `EXISTS (SELECT 1 FROM consents consent WHERE consent.customer_id = ` + alias + `.customer_id AND consent.channel = ` + quote(channel)
	if required {
		return from + ` AND consent.granted)`
	}
	return `NOT ` + from + ` AND NOT consent.granted)`
}

func quote(s string) string { return `'` + strings.ReplaceAll(s, `'`, `''`) + `'` }
