package customers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"golang.org/x/net/publicsuffix"

	"aldine/customers/normal"
	"aldine/internal/audit"
	"aldine/internal/fault"
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
	ID          uuid.UUID        `json:"id"`
	Scope       string           `json:"scope"`             // customer, household, address, phone, email or domain
	Value       string           `json:"value"`             // a customer's number (also of household), phone, e-mail or domain; of an address, as shown
	Address     *Address         `json:"address,omitempty"` // of scope address
	Channel     string           `json:"channel"`           // email, sms, post, calls or all; all where ""
	Reason      string           `json:"reason"`            // "do-not-call register", "complaint"
	Source      string           `json:"source"`            // who says so; the actor where ""
	CreatedAt   time.Time        `json:"created_at"`        // set when stored
	ReceivedAt  *time.Time       `json:"received_at"`       // when the person said so, where that is not when it was stored
	EffectiveAt *time.Time       `json:"effective_at"`      // from when it holds; null: at once
	ExpiresAt   *time.Time       `json:"expires_at"`        // null: never
	key         string           // the value in normal form
	place       *normal.Location // of scope address
}

// Scopes are all scopes, from the narrowest on.
var Scopes = []string{ScopeCustomer, ScopeEmail, ScopePhone, ScopeHousehold, ScopeAddress, ScopeDomain}

// normalize checks a suppression and fills in its key, as far as it can be told without the database.
func (p *Suppression) normalize(field, country string) []fault.Field {
	var faults []fault.Field
	bad := func(name, format string, args ...any) {
		faults = append(faults, fault.Field{Name: field + name, Message: fmt.Sprintf(format, args...)})
	}
	p.Value, p.Reason, p.Source = strings.TrimSpace(p.Value), strings.TrimSpace(p.Reason), strings.TrimSpace(p.Source)
	value := func(normal func(string) (string, error)) {
		key, err := normal(p.Value)
		if err != nil {
			bad("value", "%q %v", short(p.Value), err)
		}
		p.key = key
	}
	switch p.Scope {
	case ScopeCustomer, ScopeHousehold:
		if n, err := strconv.ParseInt(p.Value, 10, 64); err != nil || n <= 0 {
			bad("value", "%q is not a customer's number", short(p.Value))
		} else {
			p.key = strconv.FormatInt(n, 10)
		}
	case ScopeEmail:
		value(normal.Email)
	case ScopeDomain:
		value(suppressibleDomain)
	case ScopePhone:
		value(func(s string) (string, error) { return normal.Phone(s, country) })
	case ScopeAddress:
		if p.Address == nil {
			bad("address", "give the address: street, and postal code or city")
			break
		}
		a := *p.Address
		var err error
		if a.Country, err = cleanCountry(a.Country); err != nil {
			bad("address.country", "%q %v", short(p.Address.Country), err)
			break
		}
		place := normal.ParseAddress(normal.Address(a.in(country)))
		if !place.Known() {
			bad("address", "give at least the street, and the postal code or city")
			break
		}
		p.key, p.place = strconv.FormatInt(place.Hash(), 10), &place
		p.Value = a.line()
	default:
		bad("scope", "%q is not a scope: use customer, household, address, phone, email or domain", short(p.Scope))
	}
	if p.Channel == "" {
		p.Channel = "all"
	}
	if p.Channel != "all" && !isChannel(p.Channel) {
		bad("channel", "%q is not a channel: use email, sms, post, calls or all", short(p.Channel))
	}
	if p.Reason == "" {
		bad("reason", "say why, so that a later reader knows")
	}
	for _, t := range []struct{ name, text string }{{"value", p.Value}, {"reason", p.Reason}, {"source", p.Source}} {
		if len(t.text) > 500 || strings.ContainsRune(t.text, 0) || !utf8.ValidString(t.text) {
			bad(t.name, "use at most 500 characters of text")
		}
	}
	if p.EffectiveAt != nil && p.ExpiresAt != nil && !p.EffectiveAt.Before(*p.ExpiresAt) {
		bad("expires_at", "must be after the day from which it holds")
	}
	return faults
}

// suppressibleDomain gives a domain's normal form. A whole country or registry is refused: nobody means that.
func suppressibleDomain(s string) (string, error) {
	s = strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(s), "*."), "@")
	if strings.Contains(s, "@") {
		return "", errors.New("is an e-mail address: write the domain alone, such as example.com")
	}
	address, err := normal.Email("x@" + s)
	if err != nil {
		return "", errors.New("is not a domain: write it like example.com")
	}
	domain := strings.TrimPrefix(address, "x@")
	if suffix, icann := publicsuffix.PublicSuffix(domain); icann && suffix == domain {
		return "", errors.New("holds the domains of everybody in it: name one of them")
	}
	if strings.Count(domain, ".") >= maxDomainLabels {
		return "", fmt.Errorf("has more than %d parts", maxDomainLabels)
	}
	return domain, nil
}

// Suppress adds suppressions; one that exists gets the new reason, the earlier beginning and the later expiry. All
// faults of all entries come in one Invalid error, and then none is stored. The answer has one for each entry, in
// their order. A customer who was merged into another is suppressed under the number that is left.
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
	field := func(i int) string {
		if len(entries) > 1 {
			return fmt.Sprintf("suppressions[%d].", i)
		}
		return ""
	}
	for i := range entries {
		faults = append(faults, entries[i].normalize(field(i), v.DefaultCountry)...)
	}
	if faults == nil {
		wrong, err := resolveSuppressions(ctx, tx, entries)
		if err != nil {
			return nil, err
		}
		for i, message := range wrong {
			if message != "" {
				faults = append(faults, fault.Field{Name: field(i) + "value", Message: message})
			}
		}
	}
	if faults != nil {
		return nil, fault.Bad("The suppression is not valid", faults...)
	}
	out, _, err := s.storeSuppressionsTx(ctx, tx, entries)
	if err != nil {
		return nil, err
	}
	detail := map[string]any{"count": len(out)}
	object := "many"
	if len(out) == 1 { // the value is personal and stays out of the log
		object = out[0].ID.String()
		detail = map[string]any{"scope": out[0].Scope, "channel": out[0].Channel, "reason": out[0].Reason}
	}
	return out, audit.RecordTx(ctx, tx, s.now(), "suppression.add", "suppression", object, detail)
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
