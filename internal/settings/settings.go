// Package settings holds what an administrator may change while the program runs: money, sender, consent rules,
// windows. Each setting has a name, a type and a default here; the database stores only what differs.
package settings

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"aldine/internal/audit"
	"aldine/internal/pace"
)

// Values are all settings. Durations are in whole days where the name says so.
type Values struct {
	BaseCurrency    string `json:"base_currency"`     // ISO 4217; "" until the first money is recorded
	DefaultCountry  string `json:"default_country"`   // ISO 3166 alpha-2, for phone numbers without a country code
	DefaultTimeZone string `json:"default_time_zone"` // IANA name, where neither number nor address tells

	CompanyName    string `json:"company_name"`
	CompanyAddress string `json:"company_address"` // one line; commercial mail must carry it
	FromName       string `json:"from_name"`
	FromEmail      string `json:"from_email"`
	SMSSender      string `json:"sms_sender"`

	// Where true, a channel needs a recorded yes; where false, the absence of a no is enough.
	ConsentEmail bool `json:"consent_email"`
	ConsentSMS   bool `json:"consent_sms"`
	ConsentPost  bool `json:"consent_post"`
	ConsentCalls bool `json:"consent_calls"`

	// Matchback: an order without a code is credited to the latest touch not older than this (domain rules: post 90,
	// calls 30, e-mail 7, SMS 3 days).
	MatchbackPostDays  int `json:"matchback_post_days"`
	MatchbackCallsDays int `json:"matchback_calls_days"`
	MatchbackEmailDays int `json:"matchback_email_days"`
	MatchbackSMSDays   int `json:"matchback_sms_days"`

	// An address is suppressed after so many soft bounces in a row within so many days.
	SoftBounces    int `json:"soft_bounces"`
	SoftBounceDays int `json:"soft_bounce_days"`

	// Mails that come back are kept as they came for so many days and at most so much room; 0 days: not at all.
	MailsKeepDays int `json:"mails_keep_days"`
	MailsKeepMB   int `json:"mails_keep_mb"`

	// A link that no person sees in HTML mails: whoever opens it is a program. Off, since spam filters dislike hidden links.
	TrapLink bool `json:"trap_link"`

	// Rented names whose licence is over are erased so many days after their last use, and never within the matchback of a letter.
	RentedKeepDays int `json:"rented_keep_days"`

	// What files said and is needed no more: rejected rows of imports, records of merge/purge runs, drafts with their uploads.
	RejectsKeepDays int `json:"rejects_keep_days"`

	// Opens and clicks are kept for so many whole months, 0 for good.
	HitMonths int `json:"hit_months"`

	// Events that other programs report are kept for so many months, 0 for good.
	EventMonths int `json:"event_months"`

	// Local hours, half-open [from, to), in which a person may be called.
	CallFromHour int `json:"call_from_hour"`
	CallToHour   int `json:"call_to_hour"`
	CallAttempts int `json:"call_attempts"` // tries per call before it counts as failed
	LeaseMinutes int `json:"lease_minutes"` // how long an agent keeps a leased call

	// Sending. Where a number is 0 the rule is off.
	RetryDays         int `json:"retry_days"`          // a message that is put off for its own sake (SMTP 4xx) is given up after so many days
	PauseRefusals     int `json:"pause_refusals"`      // so many refusals in a row for content or policy pause a campaign
	PauseFailurePct   int `json:"pause_failure_pct"`   // a campaign pauses when so many of 100 among its last 200 messages failed
	EmailPerMinute    int `json:"email_per_minute"`    // e-mails at most, for each process that sends
	EmailDomainMinute int `json:"email_domain_minute"` // the same for one recipient's domain
	CapDays           int `json:"cap_days"`            // no customer gets more than so many messages of a channel in this many days, all campaigns together
	CapEmail          int `json:"cap_email"`
	CapSMS            int `json:"cap_sms"`
	CapPost           int `json:"cap_post"`
	CapCalls          int `json:"cap_calls"`

	// Hours of the week in which messages may go, where a step does not say something else, as in "mon-fri 09:00-20:00 local".
	WindowEmail string `json:"window_email"`
	WindowSMS   string `json:"window_sms"`

	// Volume of a new sender's domain: e-mails on its first day (0: no limit), percent more on each further day, and the volume after
	// which there is no limit any more.
	RampStart     int `json:"ramp_start"`
	RampGrowthPct int `json:"ramp_growth_pct"`
	RampTarget    int `json:"ramp_target"`
}

// Defaults gives the settings of a new installation.
func Defaults() Values {
	return Values{
		DefaultCountry: "US", DefaultTimeZone: "UTC",
		CompanyName: "Aldine", CompanyAddress: "Set your postal address in Settings",
		FromName: "Aldine", FromEmail: "news@aldine.example", SMSSender: "ALDINE",
		MatchbackPostDays: 90, MatchbackCallsDays: 30, MatchbackEmailDays: 7, MatchbackSMSDays: 3,
		SoftBounces: 5, SoftBounceDays: 14, MailsKeepDays: 30, MailsKeepMB: 200,
		RentedKeepDays: 120, RejectsKeepDays: 90,
		CallFromHour: 8, CallToHour: 21, CallAttempts: 4, LeaseMinutes: 15,
		RetryDays: 4, PauseRefusals: 5, PauseFailurePct: 10, CapDays: 7, RampGrowthPct: 50, RampTarget: 100_000,
	}
}

// ConsentRequired tells whether a channel (email, sms, post, calls) needs a recorded yes.
func (v Values) ConsentRequired(channel string) bool {
	switch channel {
	case "email":
		return v.ConsentEmail
	case "sms":
		return v.ConsentSMS
	case "post":
		return v.ConsentPost
	case "calls":
		return v.ConsentCalls
	}
	return true
}

// Cap gives how many messages of a channel a customer gets at most within CapDays; 0 for any number.
func (v Values) Cap(channel string) int {
	return map[string]int{"email": v.CapEmail, "sms": v.CapSMS, "post": v.CapPost, "calls": v.CapCalls}[channel]
}

// Window gives the hours in which messages of a channel may go where a step does not say something else.
func (v Values) Window(channel string) pace.Window {
	w, _ := pace.ParseWindow(map[string]string{"email": v.WindowEmail, "sms": v.WindowSMS}[channel]) // checked when it was stored
	return w
}

// Ramp gives how the volume of the e-mails' sender grows.
func (v Values) Ramp() pace.Ramp {
	return pace.EmailRamp(v.RampStart, v.RampGrowthPct, v.RampTarget, v.FromEmail, v.Zone())
}

// Zone gives the default time zone.
func (v Values) Zone() *time.Location {
	zone, err := time.LoadLocation(v.DefaultTimeZone)
	if err != nil {
		return time.UTC
	}
	return zone
}

// Store reads and changes the settings; reads are kept for a few seconds.
type Store struct {
	pool *pgxpool.Pool
	now  func() time.Time

	mu     sync.Mutex
	kept   Values
	keptAt time.Time
	loaded bool
}

// New gives a store.
func New(pool *pgxpool.Pool, now func() time.Time) *Store { return &Store{pool: pool, now: now} }

const keepFor = 5 * time.Second

// Get gives the settings, at most five seconds old unless the database cannot be asked.
func (s *Store) Get(ctx context.Context) (Values, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.keptAt.IsZero() && time.Since(s.keptAt) < keepFor {
		return s.kept, nil
	}
	// A caller inside a transaction holds a connection already. If all others are held by callers like it, waiting for
	// one would never end: then what is kept must do.
	short, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	v, err := load(short, s.pool)
	if err != nil && s.loaded && ctx.Err() == nil {
		return s.kept, nil
	}
	if err != nil {
		return Values{}, err
	}
	s.kept, s.keptAt, s.loaded = v, time.Now(), true
	return v, nil
}

type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

func load(ctx context.Context, q querier) (Values, error) {
	rows, err := q.Query(ctx, `SELECT name, value FROM settings ORDER BY name`)
	if err != nil {
		return Values{}, err
	}
	stored := map[string]json.RawMessage{}
	var name string
	var value json.RawMessage
	if _, err = pgx.ForEachRow(rows, []any{&name, &value}, func() error {
		stored[name] = append(json.RawMessage(nil), value...)
		return nil
	}); err != nil {
		return Values{}, err
	}
	body, err := json.Marshal(stored)
	if err != nil {
		return Values{}, err
	}
	v := Defaults()
	if err := json.Unmarshal(body, &v); err != nil {
		return Values{}, fmt.Errorf("stored settings: %w", err)
	}
	return v, nil
}

// Update changes settings: change gets the present values, may refuse with an error, and what it leaves is stored.
func (s *Store) Update(ctx context.Context, change func(*Values) error) (Values, error) {
	var v Values
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) (err error) {
		v, err = s.UpdateTx(ctx, tx, change)
		return err
	})
	return v, err
}

// UpdateTx is Update within the caller's transaction.
func (s *Store) UpdateTx(ctx context.Context, tx pgx.Tx, change func(*Values) error) (Values, error) {
	if _, err := tx.Exec(ctx, `LOCK TABLE settings IN SHARE ROW EXCLUSIVE MODE`); err != nil {
		return Values{}, err
	}
	before, err := load(ctx, tx)
	if err != nil {
		return Values{}, err
	}
	after := before
	if err := change(&after); err != nil {
		return Values{}, err
	}
	old, err := fields(before)
	if err != nil {
		return Values{}, err
	}
	changed, err := fields(after)
	if err != nil {
		return Values{}, err
	}
	detail := map[string]any{}
	for name, value := range changed {
		if string(old[name]) == string(value) {
			continue
		}
		detail[name] = value
		if _, err := tx.Exec(ctx, `
			INSERT INTO settings (name, value, updated_at) VALUES (@name, @value, @now)
			ON CONFLICT (name) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at`,
			pgx.NamedArgs{"name": name, "value": value, "now": s.now()}); err != nil {
			return Values{}, err
		}
	}
	if len(detail) > 0 {
		if err := audit.RecordTx(ctx, tx, s.now(), "settings.update", "settings", "all", detail); err != nil {
			return Values{}, err
		}
	}
	s.mu.Lock()
	s.keptAt = time.Time{}
	s.mu.Unlock()
	return after, nil
}

func fields(v Values) (map[string]json.RawMessage, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var m map[string]json.RawMessage
	return m, json.Unmarshal(body, &m)
}
