package calls

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nyaruka/phonenumbers"

	"aldine/customers"
)

// Claim is what a touch carries in provider_ref while it is on a call list.
const Claim = "calls"

// Entry is one customer to put on a call list.
type Entry struct {
	CustomerID int64
	Phone      string
	TimeZone   string // see Zones
}

// AddTx puts customers on the list of a step, which it makes when it is the first time; who is on it already stays.
func AddTx(ctx context.Context, tx pgx.Tx, campaignID, stepID int64, name string, entries []Entry, now time.Time) error {
	n := len(entries)
	if n == 0 {
		return nil
	}
	var list int64
	err := tx.QueryRow(ctx, `
		INSERT INTO call_lists (campaign_id, step_id, name, created_at) VALUES (@campaign, @step, @name, @now)
		ON CONFLICT (campaign_id, step_id) DO UPDATE SET name = call_lists.name RETURNING call_list_id`,
		pgx.NamedArgs{"campaign": campaignID, "step": stepID, "name": name, "now": now}).Scan(&list)
	if err != nil {
		return err
	}
	ids, phones, zones := make([]int64, n), make([]string, n), make([]string, n)
	for i, e := range entries {
		ids[i], phones[i], zones[i] = e.CustomerID, e.Phone, e.TimeZone
	}
	_, err = tx.Exec(ctx, `
		INSERT INTO calls (call_list_id, campaign_id, step_id, customer_id, phone, time_zone, state, due_at, updated_at)
		SELECT @list, @campaign, @step, customer_id, phone, time_zone, 'ready', @now, @now
		FROM unnest(@ids::bigint[], @phones::text[], @zones::text[]) AS e (customer_id, phone, time_zone)
		ORDER BY customer_id
		ON CONFLICT (call_list_id, customer_id) DO NOTHING`, pgx.NamedArgs{
		"list": list, "campaign": campaignID, "step": stepID, "now": now, "ids": ids, "phones": phones, "zones": zones,
	})
	return err
}

// located keeps time zones, which are a few hundred: to load one reads a file.
var located sync.Map

// Location is time.LoadLocation for those who ask often.
func Location(zone string) (*time.Location, error) {
	if l, ok := located.Load(zone); ok {
		return l.(*time.Location), nil
	}
	l, err := time.LoadLocation(zone)
	if err == nil {
		located.Store(zone, l)
	}
	return l, err
}

// Zones gives all time zones that a person may be in, parted by commas: those of the number, and that of the address
// (stated, else the country's where it has only one). A call is legal where it is within the hours in each of them.
func Zones(phone, country, stated, fallback string) string {
	var zones []string
	add := func(zone string) {
		if _, err := Location(zone); err == nil && zone != "" && !slices.Contains(zones, zone) {
			zones = append(zones, zone)
		}
	}
	if n, err := phonenumbers.Parse(phone, ""); err == nil {
		if of, err := phonenumbers.GetTimezonesForNumber(n); err == nil {
			for _, zone := range of {
				if zone != phonenumbers.UNKNOWN_TIMEZONE {
					add(zone)
				}
			}
		}
	}
	if stated != "" {
		add(stated)
	} else {
		add(customers.TimeZoneOf("", country))
	}
	if len(zones) == 0 {
		add(fallback)
	}
	if len(zones) == 0 {
		zones = []string{"UTC"}
	}
	return strings.Join(zones, ",")
}
