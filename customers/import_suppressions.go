package customers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/internal/fault"
	"aldine/internal/settings"
)

// suppressionFields are the fields of a file of suppressions with the headers that are understood.
var suppressionFields = map[string][]string{
	"customer": {"customer", "customerid", "customernumber", "household"},
	"email":    {"email", "emailaddress", "mail", "emailadresse"},
	"domain":   {"domain", "emaildomain"},
	"phone":    {"phone", "phonenumber", "telephone", "tel", "mobile", "cell", "number", "telefon", "telefonnummer", "msisdn"},
	"street":   {"street", "streetaddress", "address1", "address", "strasse"},
	"address2": {"address2", "addressline2", "unit", "flat"}, "city": {"city", "town", "suburb", "ort"}, "region": {"region", "state", "province"},
	"postal_code": {"postalcode", "postcode", "zip", "zipcode", "plz"}, "country": {"country", "countrycode", "land"},
	"channel": {"channel", "medium"}, "reason": {"reason", "grund"}, "source": {"source"},
	"received_at":  {"received", "receivedat", "receivedon", "datereceived"},
	"effective_at": {"effective", "effectiveat", "effectivefrom", "validfrom"},
	"expires_at":   {"expires", "expiresat", "expiry", "validuntil"},
}

// suppressionColumn is the field that holds the value of each scope.
var suppressionColumn = map[string]string{ScopeCustomer: "customer", ScopeHousehold: "customer", ScopeEmail: "email", ScopeDomain: "domain",
	ScopePhone: "phone", ScopeAddress: "street"}

// StartSuppressions is a file of suppressions to load: one row each, whose values come before those given here.
type StartSuppressions struct {
	Suppression // scope, channel, reason, source and dates of rows that do not say
	FileName    string
	Column      string // with the values, where its header does not tell; not for addresses
	Body        io.Reader
	Hold        bool // no job is made: the caller runs it with RunImport
}

// StartSuppressions stores a file of suppressions and makes the job that loads it, in chunks, carrying on after a stop.
// Invalid where an option is wrong or the file has no column for the scope.
func (s *Service) StartSuppressions(ctx context.Context, in StartSuppressions) (Import, error) {
	field, ok := suppressionColumn[in.Scope]
	if !ok {
		return Import{}, fault.BadField("scope", "%q is not a scope: use customer, household, address, phone, email or domain", short(in.Scope))
	}
	sample := in.Suppression
	sample.Value, sample.Address = "1", nil
	var faults []fault.Field
	for _, f := range sample.normalize("", "US") {
		if f.Name != "value" && f.Name != "address" {
			faults = append(faults, f)
		}
	}
	if faults != nil {
		return Import{}, fault.Bad("The suppressions are not valid", faults...)
	}
	mapping := map[string]string{}
	if in.Column != "" && in.Scope != ScopeAddress {
		mapping[in.Column] = field
	}
	if sample.Source == "" {
		sample.Source = actor(ctx)
	}
	sample.Value = ""
	return s.StartImport(ctx, StartImport{Kind: "suppressions", FileName: in.FileName, Mapping: mapping, Body: in.Body, Hold: in.Hold,
		options: map[string]any{"suppression": sample}})
}

// options reads what an import's rows are about.
func (s *Service) options(ctx context.Context, imp Import, into any) error {
	var raw []byte
	if err := s.pool.QueryRow(ctx, `SELECT options FROM imports WHERE import_id = @id`, pgx.NamedArgs{"id": imp.ID}).Scan(&raw); err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}

// suppressionLoader loads suppressions.
type suppressionLoader struct {
	service  *Service
	columns  map[string]int
	settings settings.Values
	all      Suppression // what holds for all rows
}

func (s *Service) newSuppressionLoader(ctx context.Context, imp Import, _ []string, columns map[string]int, v settings.Values) (loader, error) {
	var options struct {
		Suppression Suppression `json:"suppression"`
	}
	if err := s.options(ctx, imp, &options); err != nil {
		return nil, err
	}
	l := &suppressionLoader{service: s, columns: columns, settings: v, all: options.Suppression}
	if _, ok := columns[suppressionColumn[l.all.Scope]]; !ok {
		return nil, fault.BadField("column", "no column of the file is known to hold the %s: name it", suppressionColumn[l.all.Scope])
	}
	return l, nil
}

func (l *suppressionLoader) same(_, _ []string) bool              { return false }
func (l *suppressionLoader) replay(context.Context, []item) error { return nil }
func (l *suppressionLoader) stored()                              {}

func (l *suppressionLoader) parse(it *item) {
	get := func(field string) string {
		if c, ok := l.columns[field]; ok {
			return strings.TrimSpace(it.fields[c])
		}
		return ""
	}
	p := l.all
	for _, f := range []struct {
		field string
		into  *string
	}{{"channel", &p.Channel}, {"reason", &p.Reason}, {"source", &p.Source}} {
		if v := get(f.field); v != "" {
			*f.into = v
		}
	}
	for _, f := range []struct {
		field string
		into  **time.Time
	}{{"received_at", &p.ReceivedAt}, {"effective_at", &p.EffectiveAt}, {"expires_at", &p.ExpiresAt}} {
		if v := get(f.field); v != "" {
			at, err := parseDay(v)
			if err != nil {
				it.reject = fmt.Sprintf("%s: %q %v", f.field, short(v), err)
				return
			}
			*f.into = &at
		}
	}
	if p.Scope == ScopeAddress {
		p.Address = &Address{Street: get("street"), Address2: get("address2"), City: get("city"), Region: get("region"),
			PostalCode: get("postal_code"), Country: get("country")}
	} else {
		p.Value = get(suppressionColumn[p.Scope])
	}
	if faults := p.normalize("", l.settings.DefaultCountry); faults != nil {
		it.reject = faults[0].Name + ": " + faults[0].Message
		return
	}
	it.suppression = &p
}

// parseDay reads a day or a moment; a day stands for its midnight (UTC).
func parseDay(s string) (time.Time, error) {
	for _, layout := range []string{time.DateOnly, time.RFC3339, "2006-01-02 15:04:05"} {
		if at, err := time.Parse(layout, s); err == nil {
			return at, nil
		}
	}
	return time.Time{}, errors.New("is not a day: write it as 2026-01-31")
}

func (l *suppressionLoader) storeTx(ctx context.Context, tx pgx.Tx, items []item) (counts, error) {
	var entries []Suppression
	var rows []int
	for i := range items {
		if items[i].suppression != nil && items[i].reject == "" {
			entries, rows = append(entries, *items[i].suppression), append(rows, i)
		}
	}
	if entries == nil {
		return counts{}, nil
	}
	wrong, err := resolveSuppressions(ctx, tx, entries)
	if err != nil {
		return counts{}, err
	}
	good := entries[:0]
	for i, message := range wrong {
		if message != "" {
			items[rows[i]].reject = message
			continue
		}
		good = append(good, entries[i])
	}
	distinct := int64(len(newSuppressionBatch(good).ids))
	_, fresh, err := l.service.storeSuppressionsTx(ctx, tx, good)
	return counts{created: fresh, updated: distinct - fresh, duplicates: int64(len(good)) - distinct}, err
}
