package customers

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nyaruka/phonenumbers"

	"aldine/internal/audit"
	"aldine/internal/fault"
)

// Register is a national do-not-call register: whose numbers must not be called, or texted, unless the person said yes.
type Register struct {
	ID             int64      `json:"id"`
	Name           string     `json:"name"`
	Country        string     `json:"country"`                  // ISO 3166 alpha-2; its numbers are the register's business
	Channel        string     `json:"channel"`                  // calls or sms; calls where ""
	MaxAgeDays     int        `json:"max_age_days"`             // of the file, on the day of the call; 0: 31, in the United Kingdom 28
	Required       bool       `json:"required"`                 // without a file young enough nobody is contacted
	ConsentExempts bool       `json:"consent_exempts"`          // a recorded yes for the channel comes before the register
	RelationMonths int        `json:"relation_months"`          // so does an order within so many months; 0: none does
	ScrubbedOn     string     `json:"scrubbed_on"`              // the date of the file in use, "" for none
	Numbers        int64      `json:"numbers"`                  // in use
	LoadedAt       *time.Time `json:"loaded_at"`                //
	CreatedAt      time.Time  `json:"created_at"`               //
	AgeDays        int        `json:"age_days"`                 // of the file today
	Fresh          bool       `json:"fresh"`                    // there is a file, and it is young enough today
	Loading        int64      `json:"loading_import,omitempty"` // the import that is bringing new numbers
}

// SaveRegister adds a register, or changes the one of the name. The file in use stays. Invalid names every wrong field.
func (s *Service) SaveRegister(ctx context.Context, r Register) (Register, error) {
	var faults []fault.Field
	bad := func(name, message string) { faults = append(faults, fault.Field{Name: name, Message: message}) }
	var err error
	if r.Name, err = cleanText(r.Name); err != nil || r.Name == "" || len(r.Name) > 100 {
		bad("name", "give it a name of at most 100 characters")
	}
	if r.Country, err = cleanCountry(r.Country); err != nil || r.Country == "" {
		bad("country", "say whose numbers it is about, with two letters such as US")
	}
	prefixes := phonePrefixes(r.Country)
	if r.Country != "" && err == nil && prefixes == nil {
		bad("country", "has no phone numbers of its own")
	}
	if r.Channel == "" {
		r.Channel = "calls"
	}
	if r.Channel != "calls" && r.Channel != "sms" {
		bad("channel", "use calls or sms")
	}
	if r.MaxAgeDays == 0 {
		r.MaxAgeDays = 31
		if r.Country == "GB" {
			r.MaxAgeDays = 28
		}
	}
	if r.MaxAgeDays < 1 || r.MaxAgeDays > 3650 {
		bad("max_age_days", "give 1 to 3650 days")
	}
	if r.RelationMonths < 0 || r.RelationMonths > 120 {
		bad("relation_months", "give 0 to 120 months")
	}
	if faults != nil {
		return Register{}, fault.Bad("The register is not valid", faults...)
	}
	var id int64
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		args := pgx.NamedArgs{"name": r.Name, "country": r.Country, "channel": r.Channel, "age": r.MaxAgeDays, "required": r.Required,
			"consent": r.ConsentExempts, "months": r.RelationMonths, "now": s.now(), "prefixes": prefixes}
		if err := tx.QueryRow(ctx, `
			INSERT INTO registers (name, country, channel, max_age_days, required, consent_exempts, relation_months, created_at)
			VALUES (@name, @country, @channel, @age, @required, @consent, @months, @now)
			ON CONFLICT (name) DO UPDATE SET country = excluded.country, channel = excluded.channel, max_age_days = excluded.max_age_days,
				required = excluded.required, consent_exempts = excluded.consent_exempts, relation_months = excluded.relation_months
			RETURNING register_id`, args).Scan(&id); err != nil {
			return err
		}
		args["id"] = id
		for _, sql := range []string{`DELETE FROM register_prefixes WHERE register_id = @id`,
			`INSERT INTO register_prefixes (prefix, register_id) SELECT prefix, @id FROM unnest(@prefixes::text[]) AS t (prefix) ORDER BY prefix`} {
			if _, err := tx.Exec(ctx, sql, args); err != nil {
				return err
			}
		}
		return audit.RecordTx(ctx, tx, s.now(), "register.save", "register", id, map[string]any{"name": r.Name, "country": r.Country,
			"channel": r.Channel, "max_age_days": r.MaxAgeDays, "required": r.Required, "consent_exempts": r.ConsentExempts, "relation_months": r.RelationMonths})
	})
	if err != nil {
		return Register{}, err
	}
	return s.DoNotCall(ctx, id)
}

// DeleteRegister removes a register with its numbers: they are not looked at any more. NotFound where there is none.
func (s *Service) DeleteRegister(ctx context.Context, registerID int64) error {
	err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		args := pgx.NamedArgs{"id": registerID}
		tag, err := tx.Exec(ctx, `DELETE FROM registers WHERE register_id = @id`, args)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return noRegister(registerID)
		}
		if _, err := tx.Exec(ctx, `DELETE FROM register_prefixes WHERE register_id = @id`, args); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, s.now(), "register.delete", "register", registerID, nil)
	})
	if err != nil {
		return err
	}
	return s.sweepRegister(ctx, registerID, math.MaxInt32)
}

func noRegister(id int64) error { return fault.New(fault.NotFound, "There is no register %d", id) }

// Registers gives all do-not-call registers, by name.
func (s *Service) Registers(ctx context.Context) ([]Register, error) { return s.registers(ctx, 0) }

// DoNotCall gives one do-not-call register; NotFound where there is none.
func (s *Service) DoNotCall(ctx context.Context, registerID int64) (Register, error) {
	found, err := s.registers(ctx, registerID)
	if err != nil {
		return Register{}, err
	}
	if len(found) == 0 || registerID == 0 {
		return Register{}, noRegister(registerID)
	}
	return found[0], nil
}

func (s *Service) registers(ctx context.Context, id int64) ([]Register, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT r.register_id, r.name, r.country, r.channel, r.max_age_days, r.required, r.consent_exempts, r.relation_months,
			coalesce(to_char(r.scrubbed_on, 'YYYY-MM-DD'), ''), r.numbers, r.loaded_at, r.created_at,
			coalesce((@now::timestamptz AT TIME ZONE 'UTC')::date - r.scrubbed_on, 0),
			coalesce((@now::timestamptz AT TIME ZONE 'UTC')::date - r.scrubbed_on <= r.max_age_days, false),
			coalesce((SELECT max(i.import_id) FROM imports i WHERE i.kind = 'register' AND i.state IN ('waiting', 'running')
				AND i.options ->> 'register_id' = r.register_id::text), 0)
		FROM registers r WHERE @id::bigint = 0 OR r.register_id = @id ORDER BY r.name`, pgx.NamedArgs{"id": id, "now": s.now()})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Register])
}

// Words tells how a register stands.
func (r Register) Words() string {
	what := map[string]string{"calls": "calls to", "sms": "short messages to"}[r.Channel] + " " + r.Country
	switch {
	case r.ScrubbedOn == "" && r.Required:
		return "no file yet: " + what + " are blocked"
	case r.ScrubbedOn == "":
		return "no file yet; not required"
	case r.Fresh:
		return fmt.Sprintf("fresh: %d of at most %d days old", r.AgeDays, r.MaxAgeDays)
	case r.Required:
		return fmt.Sprintf("stale: %d days old, at most %d are allowed: %s are blocked", r.AgeDays, r.MaxAgeDays, what)
	}
	return fmt.Sprintf("stale: %d days old, at most %d are allowed; not required", r.AgeDays, r.MaxAgeDays)
}

// RegisterFor tells what a register has against contacting one customer over a channel now: the reason (suppressed or
// register_stale, "" for nothing) and the register in words.
func (s *Service) RegisterFor(ctx context.Context, customerID ID, channel string) (reason, words string, err error) {
	err = s.pool.QueryRow(ctx, `SELECT x.reason, x.reason_ref FROM customers c CROSS JOIN `+RegisterJoin("c", channel)+` x WHERE c.customer_id = @id`,
		pgx.NamedArgs{"id": customerID, "now": s.now()}).Scan(&reason, &words)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", "", nil
	}
	_, words, _ = RegisterOf(words)
	return reason, words, err
}

// RegisterOf takes a reason_ref of RegisterJoin apart: the register's number, and in words its name and file.
func RegisterOf(ref string) (id int64, words string, ok bool) {
	rest, ok := strings.CutPrefix(ref, "register:")
	if !ok {
		return 0, "", false
	}
	number, words, _ := strings.Cut(rest, " ")
	id, err := strconv.ParseInt(number, 10, 64)
	return id, words, err == nil
}

// phonePrefixes gives what the numbers of a country begin with, without the plus sign; nil where it has none. Where
// countries share a calling code, an area code tells them apart in North America (those not given out yet count to the
// United States); elsewhere the register counts for all of them.
func phonePrefixes(country string) []string {
	code := phonenumbers.GetCountryCodeForRegion(country)
	if code == 0 {
		return nil
	}
	if code != 1 {
		return []string{strconv.Itoa(code)}
	}
	var out []string
	for area := 200; area <= 999; area++ {
		if areaCountry(strconv.Itoa(area)) == country {
			out = append(out, fmt.Sprintf("1%d", area))
		}
	}
	return out
}
