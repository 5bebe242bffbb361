package customers

import (
	"context"
	"fmt"
	"sort"
	"strings"

	"github.com/jackc/pgx/v5"

	"aldine/internal/audit"
	"aldine/internal/fault"
)

// Input is a customer to create.
type Input struct {
	Fields
	Attributes map[string]any  `json:"attributes,omitempty"` // by name
	Lists      []string        `json:"lists,omitempty"`      // by name; made where they do not exist
	Consents   map[string]bool `json:"consents,omitempty"`   // by channel
}

// Patch changes a customer: fields and attributes by name. A null, or "" for a text, makes the value not known; what is
// absent stays. Attributes may also stand in a map under "attributes".
type Patch map[string]any

// Create adds a customer. Invalid names every wrong field, Conflict an external id that exists.
func (s *Service) Create(ctx context.Context, in Input) (Customer, error) {
	patch := Patch{}
	for i, p := range in.refs() {
		if *p != "" {
			patch[coreNames[i]] = *p
		}
	}
	var faults []fault.Field
	for channel := range in.Consents {
		if !isChannel(channel) {
			faults = append(faults, fault.Field{Name: "consents." + channel, Message: "is not a channel: use email, sms, post or calls"})
		}
	}
	if len(patch) == 0 {
		faults = append(faults, fault.Field{Name: "external_id", Message: "say who it is: give an external id, a name, an e-mail, a phone or an address"})
	}
	patch["attributes"] = in.Attributes
	var lists []int64
	if faults == nil { // nothing is made for an input known to be wrong
		for _, name := range in.Lists {
			id, err := s.EnsureList(ctx, name)
			if err != nil {
				return Customer{}, err
			}
			lists = append(lists, id)
		}
	}
	var c Customer
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		attributes, err := LoadAttributes(ctx, tx)
		if err != nil {
			return err
		}
		c.Attributes = map[string]any{}
		if err := s.apply(ctx, &c, attributes, patch, faults); err != nil {
			return err
		}
		if err := s.refuseErased(ctx, tx, c.Fields); err != nil {
			return err
		}
		if len(lists) > 0 {
			c.ListID = lists[0]
		}
		if err := s.LockHouseholdsTx(ctx, tx); err != nil {
			return err
		}
		if err := s.insertTx(ctx, tx, &c, attributes); err != nil {
			return err
		}
		if err := s.HouseholdsTx(ctx, tx, []ID{c.ID}, nil); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO list_members (customer_id, list_id, added_at)
			SELECT @id, list_id, @now FROM unnest(@lists::bigint[]) AS t (list_id) ORDER BY list_id ON CONFLICT DO NOTHING`,
			pgx.NamedArgs{"id": c.ID, "lists": lists, "now": s.now()}); err != nil {
			return err
		}
		var consents []Consent
		for channel, granted := range in.Consents {
			consents = append(consents, Consent{CustomerID: c.ID, Channel: channel, Granted: granted, Source: actor(ctx), At: s.now()})
		}
		if _, err := setConsentsTx(ctx, tx, consents, false); err != nil {
			return err
		}
		if err := audit.RecordTx(ctx, tx, s.now(), "customer.create", "customer", c.ID, nil); err != nil {
			return err
		}
		c, err = get(ctx, tx, c.ID)
		return err
	})
	return c, conflict(err, &c.Fields)
}

func conflict(err error, f *Fields) error {
	if uniqueViolation(err) {
		return fault.Wrap(fault.Conflict, err, "The external id %s belongs to another customer", f.ExternalID)
	}
	return err
}

// apply checks a patch and makes its changes in c; the Invalid error has all faults, also those found before.
func (s *Service) apply(ctx context.Context, c *Customer, attributes []Attribute, p Patch, faults []fault.Field) error {
	v, err := s.settings.Get(ctx)
	if err != nil {
		return err
	}
	bad := func(name, format string, args ...any) {
		faults = append(faults, fault.Field{Name: name, Message: fmt.Sprintf(format, args...)})
	}
	byName := make(map[string]Attribute, len(attributes))
	for _, a := range attributes {
		byName[a.Name] = a
	}
	country := v.DefaultCountry
	if given, ok := p["country"].(string); ok && given != "" {
		if code, err := cleanCountry(given); err == nil {
			country = code
		}
	} else if c.Country != "" {
		country = c.Country
	}
	set := func(path, name string, value any) {
		if i, ok := coreIndex[name]; ok && path == name {
			text, isText := value.(string)
			if value != nil && !isText {
				bad(path, "must be a text")
				return
			}
			clean, err := cleanCore(name, text, country)
			if err != nil {
				bad(path, "%q %v", short(text), err)
				return
			}
			*c.refs()[i] = clean
			return
		}
		a, ok := byName[name]
		if !ok {
			bad(path, "there is no field or attribute named %s", short(name))
			return
		}
		typed, err := typedValue(a.Type, value)
		if err != nil {
			bad(path, "%q %v", short(fmt.Sprint(value)), err)
			return
		}
		if typed == nil {
			delete(c.Attributes, name)
		} else {
			c.Attributes[name] = typed
		}
	}
	for name, value := range p {
		if nested, ok := value.(map[string]any); ok && name == "attributes" {
			for name, value := range nested {
				set("attributes."+name, name, value)
			}
			continue
		}
		set(name, name, value)
	}
	if faults != nil {
		sort.Slice(faults, func(i, j int) bool { return faults[i].Name < faults[j].Name })
		return fault.Bad("The customer is not valid", faults...)
	}
	return nil
}

// short keeps messages readable whatever the input holds.
func short(s string) string {
	s = strings.ToValidUTF8(s, "?")
	if r := []rune(s); len(r) > 60 {
		return string(r[:60]) + "..."
	}
	return s
}
