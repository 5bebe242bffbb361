package customers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"aldine/internal/audit"
	"aldine/internal/fault"
	"aldine/internal/id"
)

// The scopes: what a suppression is about.
const (
	ScopeCustomer  = "customer"  // a person, under all numbers that he or she has or had
	ScopeHousehold = "household" // a surname at a residence
	ScopeAddress   = "address"   // all who live there
	ScopePhone     = "phone"
	ScopeEmail     = "email"
	ScopeDomain    = "domain" // all e-mail addresses of the domain and of those below it
)

// Suppression says who must not be contacted. It holds for everybody whom the value fits, now and later: a suppressed
// address covers all who live there.
type Suppression struct {
	ID        uuid.UUID  `json:"id"`
	Scope     string     `json:"scope"`             // customer, email, phone or address
	Value     string     `json:"value"`             // the customer's number, e-mail or phone; of an address, as shown
	Address   *Address   `json:"address,omitempty"` // of scope address
	Channel   string     `json:"channel"`           // email, sms, post, calls or all; all where ""
	Reason    string     `json:"reason"`            // "do-not-call register", "complaint"
	Source    string     `json:"source"`            // who says so; the actor where ""
	CreatedAt time.Time  `json:"created_at"`        // set when stored
	ExpiresAt *time.Time `json:"expires_at"`        // null: never
	key       string     // the value in normal form
}

// normalize checks a suppression and fills in its key.
func (p *Suppression) normalize(field, country string) []fault.Field {
	var faults []fault.Field
	bad := func(name, format string, args ...any) {
		faults = append(faults, fault.Field{Name: field + name, Message: fmt.Sprintf(format, args...)})
	}
	p.Value, p.Reason, p.Source = strings.TrimSpace(p.Value), strings.TrimSpace(p.Reason), strings.TrimSpace(p.Source)
	switch p.Scope {
	case ScopeCustomer:
		if n, err := strconv.ParseInt(p.Value, 10, 64); err != nil || n <= 0 {
			bad("value", "%q is not a customer's number", p.Value)
		} else {
			p.key = strconv.FormatInt(n, 10)
		}
	case ScopeEmail:
		key, err := NormalizeEmail(p.Value)
		if err != nil {
			bad("value", "%q %v", p.Value, err)
		}
		p.key = key
	case ScopePhone:
		key, err := NormalizePhone(p.Value, country)
		if err != nil {
			bad("value", "%q %v", p.Value, err)
		}
		p.key = key
	case ScopeAddress:
		if p.Address == nil {
			bad("address", "give the address: street, and postal code or city")
			break
		}
		a := *p.Address
		var err error
		if a.Country, err = cleanCountry(a.Country); err != nil {
			bad("address.country", "%q %v", p.Address.Country, err)
			break
		}
		hash := AddressHash(a.in(country))
		if hash == nil {
			bad("address", "give at least the street, and the postal code or city")
			break
		}
		p.key = strconv.FormatInt(*hash, 10)
		p.Value = a.line()
	default:
		bad("scope", "%q is not a scope: use customer, email, phone or address", p.Scope)
	}
	if p.Channel == "" {
		p.Channel = "all"
	}
	if p.Channel != "all" && !isChannel(p.Channel) {
		bad("channel", "%q is not a channel: use email, sms, post, calls or all", p.Channel)
	}
	if p.Reason == "" {
		bad("reason", "say why, so that a later reader knows")
	}
	for name, v := range map[string]string{"value": p.Value, "reason": p.Reason, "source": p.Source} {
		if len(v) > 500 || strings.ContainsRune(v, 0) {
			bad(name, "use at most 500 characters of text")
		}
	}
	return faults
}

// Suppress adds suppressions; one that exists gets the new reason and the later expiry. All faults of all entries
// come in one Invalid error, and then none is stored. The answer has one for each entry, in their order.
func (s *Service) Suppress(ctx context.Context, entries []Suppression) ([]Suppression, error) {
	var out []Suppression
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) (err error) {
		out, err = s.SuppressTx(ctx, tx, entries)
		return err
	})
	return out, err
}

// SuppressTx is Suppress within the caller's transaction.
func (s *Service) SuppressTx(ctx context.Context, tx pgx.Tx, entries []Suppression) ([]Suppression, error) {
	v, err := s.settings.Get(ctx)
	if err != nil {
		return nil, err
	}
	entries = slices.Clone(entries)
	var faults []fault.Field
	for i := range entries {
		field := ""
		if len(entries) > 1 {
			field = fmt.Sprintf("suppressions[%d].", i)
		}
		faults = append(faults, entries[i].normalize(field, v.DefaultCountry)...)
	}
	if faults != nil {
		return nil, fault.Bad("The suppression is not valid", faults...)
	}
	batch := newSuppressionBatch(entries)
	rows, err := tx.Query(ctx, `
		INSERT INTO suppressions AS s (scope, match_key, channel, suppression_id, value, reason, source, created_at, expires_at)
		SELECT scope, match_key, channel, suppression_id, value, reason, coalesce(nullif(source, ''), @actor), @now, expires_at
		FROM unnest(@scopes::text[], @keys::text[], @channels::text[], @ids::uuid[], @values::text[], @reasons::text[], @sources::text[],
			@expiries::timestamptz[]) AS t (scope, match_key, channel, suppression_id, value, reason, source, expires_at)
		ORDER BY scope, match_key, channel
		ON CONFLICT (scope, match_key, channel) DO UPDATE SET reason = excluded.reason, source = excluded.source,
			expires_at = CASE WHEN s.expires_at IS NULL OR excluded.expires_at IS NULL THEN NULL
				ELSE greatest(s.expires_at, excluded.expires_at) END
		RETURNING match_key, suppression_id, scope, value, channel, reason, source, created_at, expires_at`, batch.args(s.now(), actor(ctx)))
	if err != nil {
		return nil, err
	}
	stored := map[[3]string]Suppression{}
	if _, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p Suppression, err error) {
		err = row.Scan(&p.key, &p.ID, &p.Scope, &p.Value, &p.Channel, &p.Reason, &p.Source, &p.CreatedAt, &p.ExpiresAt)
		stored[[3]string{p.Scope, p.key, p.Channel}] = p
		return p, err
	}); err != nil {
		return nil, err
	}
	out := make([]Suppression, len(entries)) // in the order given
	for i, p := range entries {
		out[i] = stored[[3]string{p.Scope, p.key, p.Channel}]
	}
	detail := map[string]any{"count": len(out)}
	object := "many"
	if len(out) == 1 { // the value is personal and stays out of the log
		object = out[0].ID.String()
		detail = map[string]any{"scope": out[0].Scope, "channel": out[0].Channel, "reason": out[0].Reason}
	}
	return out, audit.RecordTx(ctx, tx, s.now(), "suppression.add", "suppression", object, detail)
}

func scanSuppression(row pgx.CollectableRow) (p Suppression, err error) {
	return p, row.Scan(&p.ID, &p.Scope, &p.Value, &p.Channel, &p.Reason, &p.Source, &p.CreatedAt, &p.ExpiresAt)
}

// Unsuppress removes one suppression; NotFound where there is none.
func (s *Service) Unsuppress(ctx context.Context, suppressionID uuid.UUID) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		var scope, channel, reason string
		err := tx.QueryRow(ctx, `DELETE FROM suppressions WHERE suppression_id = @id RETURNING scope, channel, reason`,
			pgx.NamedArgs{"id": suppressionID}).Scan(&scope, &channel, &reason)
		if errors.Is(err, pgx.ErrNoRows) {
			return fault.New(fault.NotFound, "There is no suppression %s", suppressionID)
		}
		if err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, s.now(), "suppression.remove", "suppression", suppressionID,
			map[string]any{"scope": scope, "channel": channel, "reason": reason})
	})
}

// suppressionBatch holds the columns of entries, one row for each key and channel.
type suppressionBatch struct {
	ids                                              []uuid.UUID
	scopes, keys, channels, values, reasons, sources []string
	expiries                                         []*time.Time
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
			continue
		}
		row[k] = len(b.ids)
		b.ids, b.scopes, b.keys, b.channels = append(b.ids, id.New()), append(b.scopes, p.Scope), append(b.keys, p.key), append(b.channels, p.Channel)
		b.values, b.reasons, b.sources = append(b.values, p.Value), append(b.reasons, p.Reason), append(b.sources, p.Source)
		b.expiries = append(b.expiries, p.ExpiresAt)
	}
	return b
}

func (b *suppressionBatch) args(now time.Time, actor string) pgx.NamedArgs {
	return pgx.NamedArgs{"ids": b.ids, "scopes": b.scopes, "keys": b.keys, "channels": b.channels, "values": b.values,
		"reasons": b.reasons, "sources": b.sources, "expiries": b.expiries, "now": now, "actor": actor}
}
