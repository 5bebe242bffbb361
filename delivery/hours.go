package delivery

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/delivery/calls"
	"aldine/internal/pace"
	"aldine/internal/settings"
)

// hoursOf gives the hours in which messages of a step may go: its own, or those of the settings. Letters and calls have none here.
func hoursOf(b batch, v settings.Values) pace.Window {
	if b.Channel != "email" && b.Channel != "sms" {
		return pace.Window{}
	}
	if w, err := pace.ParseWindow(b.Window); b.Window != "" && err == nil {
		return w
	}
	return v.Window(b.Channel)
}

// rampOf gives how the volume of a step's sender grows.
func rampOf(b batch, v settings.Values) pace.Ramp {
	if b.Channel != "email" {
		return pace.Ramp{}
	}
	return v.Ramp()
}

// ended tells whether the campaign is over at a time.
func ended(b batch, at time.Time) bool { return b.EndsAt != nil && !at.Before(*b.EndsAt) }

// due are the touches of a job that may go now, and when the others may.
type due struct {
	ids  []int64
	till time.Time // by when they have to have gone; zero: whenever
	late []int64   // whose hours begin after the campaign's end
	next time.Time // when the first of the others may go; zero: there are no others
}

// dueOf parts the customers of a job. Where no rule holds for the step it asks nothing, and gives all.
func (s *Service) dueOf(ctx context.Context, b batch, ids []int64) (d due, err error) {
	v, err := s.settings.Get(ctx)
	if err != nil {
		return d, err
	}
	if b.EndsAt != nil {
		d.till = *b.EndsAt
	}
	now, w, ramp := s.now(), hoursOf(b, v), rampOf(b, v)
	if w.IsZero() && !ramp.On() || ended(b, now) {
		d.ids = ids
		return d, nil
	}
	if ids, err = s.stillPlanned(ctx, b, ids); err != nil || len(ids) == 0 {
		return d, err
	}
	waves, till, err := opening(ctx, s.pool, b, v, ids, now)
	if err != nil {
		return d, err
	}
	d.till = earlier(d.till, till)
	for opens, ids := range waves {
		switch {
		case !opens.After(now):
			d.ids = ids
		case ended(b, opens):
			d.late = append(d.late, ids...)
		default:
			d.next = earlier(d.next, opens)
		}
	}
	return d, nil
}

// earlier gives the earlier of two times, of which a zero one is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// stillPlanned gives those of a job's customers whose touches are planned.
func (s *Service) stillPlanned(ctx context.Context, b batch, ids []int64) ([]int64, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT i.customer_id FROM unnest(@ids::bigint[]) AS i (customer_id)
		CROSS JOIN LATERAL (SELECT FROM touches u
			WHERE u.customer_id = i.customer_id AND u.campaign_id = @campaign AND u.step_id = @step AND u.state = 'planned' OFFSET 0) t
		ORDER BY i.customer_id`, pgx.NamedArgs{"ids": ids, "campaign": b.CampaignID, "step": b.StepID})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}

type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// opening parts customers by when the hours of a step begin for them next: now, where these are not over. till is when they
// first end for one of those.
func opening(ctx context.Context, q querier, b batch, v settings.Values, ids []int64, now time.Time) (waves map[time.Time][]int64, till time.Time, err error) {
	w := hoursOf(b, v)
	if !w.Local {
		return map[time.Time][]int64{w.Next(now, v.Zone()): ids}, w.End(now, v.Zone()), nil
	}
	rows, err := q.Query(ctx, `
		SELECT i.customer_id, CASE WHEN @phones THEN coalesce(c.phone, '') ELSE '' END, coalesce(c.country, ''), coalesce(c.time_zone, '')
		FROM unnest(@ids::bigint[]) AS i (customer_id) LEFT JOIN customers c ON c.customer_id = i.customer_id
		ORDER BY i.customer_id`, pgx.NamedArgs{"ids": ids, "phones": b.Channel == "sms"})
	if err != nil {
		return nil, till, err
	}
	waves, opens := map[time.Time][]int64{}, map[string]time.Time{}
	var id int64
	var phone, country, stated string
	_, err = pgx.ForEachRow(rows, []any{&id, &phone, &country, &stated}, func() error {
		names := calls.Zones(phone, country, stated, v.DefaultTimeZone)
		at, known := opens[names]
		if !known {
			zones := locations(names)
			at = w.NextAll(now, zones)
			for _, zone := range zones {
				if at.Equal(now) && w.Open(now, zone) {
					till = earlier(till, w.End(now, zone))
				}
			}
			opens[names] = at
		}
		waves[at] = append(waves[at], id)
		return nil
	})
	return waves, till, err
}

// locations gives the zones that calls.Zones names.
func locations(names string) []*time.Location {
	var zones []*time.Location
	for name := range strings.SplitSeq(names, ",") {
		if zone, err := calls.Location(name); err == nil {
			zones = append(zones, zone)
		}
	}
	if zones == nil {
		zones = []*time.Location{time.UTC}
	}
	return zones
}
