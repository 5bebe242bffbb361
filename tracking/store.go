package tracking

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aldine/customers"
	"aldine/internal/id"
	"aldine/internal/tally"
)

// row is one row of the table responses; 0 and "" stand for null.
type row struct {
	customerID, campaignID, stepID, cellID, linkID int64

	id      uuid.UUID
	kind    Kind
	at      time.Time
	channel string
	keycode string
	order   string
	method  string
	machine bool
	detail  map[string]any
}

// storeTx inserts rows and wakes the journeys of their campaigns. Rows stored before under the same key are left as
// they are, so that a commit whose answer was lost can be repeated.
func (s *Service) storeTx(ctx context.Context, tx pgx.Tx, rows []row) error {
	if len(rows) == 0 {
		return nil
	}
	n := len(rows)
	var (
		customers, campaigns, steps, cells, links = make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
		kinds, channels, keycodes, orders         = make([]string, n), make([]string, n), make([]string, n), make([]string, n)
		methods, details                          = make([]string, n), make([]string, n)
		ids                                       = make([]uuid.UUID, n)
		ats                                       = make([]time.Time, n)
		machines                                  = make([]bool, n)
	)
	for i, r := range rows {
		customers[i], campaigns[i], steps[i], cells[i], links[i] = r.customerID, r.campaignID, r.stepID, r.cellID, r.linkID
		kinds[i], channels[i], keycodes[i], orders[i], methods[i] = string(r.kind), r.channel, r.keycode, r.order, r.method
		ids[i], ats[i], machines[i] = r.id, r.at, r.machine
		detail, err := encodeDetail(r.detail)
		if err != nil {
			return err
		}
		details[i] = detail
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO responses (customer_id, response_id, kind, at, recorded_at, campaign_id, step_id, cell_id, channel,
			keycode, link_id, order_ref, method, machine, detail)
		SELECT customer_id, response_id, kind, at, @now, nullif(campaign_id, 0), nullif(step_id, 0), nullif(cell_id, 0),
			nullif(channel, ''), nullif(keycode, ''), nullif(link_id, 0), nullif(order_ref, ''), method, machine, detail::jsonb
		FROM unnest(@customers::bigint[], @ids::uuid[], @kinds::text[], @ats::timestamptz[], @campaigns::bigint[],
			@steps::bigint[], @cells::bigint[], @channels::text[], @keycodes::text[], @links::bigint[], @orders::text[],
			@methods::text[], @machines::boolean[], @details::text[])
			AS r (customer_id, response_id, kind, at, campaign_id, step_id, cell_id, channel, keycode, link_id, order_ref,
				method, machine, detail)
		ON CONFLICT (customer_id, response_id, at) DO NOTHING`,
		pgx.NamedArgs{
			"now": s.now(), "customers": customers, "ids": ids, "kinds": kinds, "ats": ats, "campaigns": campaigns,
			"steps": steps, "cells": cells, "channels": channels, "keycodes": keycodes, "links": links, "orders": orders,
			"methods": methods, "machines": machines, "details": details,
		})
	if err != nil {
		return err
	}
	var marks tally.Marks
	for _, r := range rows {
		marks.Add(r.campaignID, r.customerID)
	}
	if err := marks.SetTx(ctx, tx, s.now()); err != nil {
		return err
	}
	if err := houseTx(ctx, tx, rows); err != nil {
		return err
	}
	return s.wakeTx(ctx, tx, rows)
}

// houseTx takes rented names who responded into the house file. What a program did, and what is no answer (an opened mail, a
// bounce, an unsubscription, a complaint), does not make a customer.
func houseTx(ctx context.Context, tx pgx.Tx, rows []row) error {
	var ids []int64
	for _, r := range rows {
		switch r.kind {
		case KindClick, KindReply, KindCall, KindVisit, KindCoupon, KindOrder, KindSurvey:
			if !r.machine && r.customerID != 0 {
				ids = append(ids, r.customerID)
			}
		}
	}
	slices.Sort(ids)
	return customers.HouseTx(ctx, tx, slices.Compact(ids))
}

// wakeTx enqueues RecordedArgs for the people among rows, one job per campaign.
func (s *Service) wakeTx(ctx context.Context, tx pgx.Tx, rows []row) error {
	people := map[int64][]int64{}
	for _, r := range rows {
		if !r.machine && r.campaignID != 0 && r.customerID != 0 {
			people[r.campaignID] = append(people[r.campaignID], r.customerID)
		}
	}
	var jobs []river.InsertManyParams
	for campaign, ids := range people {
		slices.Sort(ids)
		jobs = append(jobs, river.InsertManyParams{Args: RecordedArgs{CampaignID: campaign, CustomerIDs: slices.Compact(ids)}})
	}
	if len(jobs) == 0 {
		return nil
	}
	_, err := s.jobs.InsertManyFastTx(ctx, tx, jobs)
	return err
}

func encodeDetail(d map[string]any) (string, error) {
	if len(d) == 0 {
		return "{}", nil
	}
	b, err := json.Marshal(d)
	// PostgreSQL's JSON has no place for the zero character, and nobody misses it.
	return strings.ReplaceAll(string(b), `\u0000`, ""), err
}

// clean makes a stranger's text fit to be stored: valid, without control characters, at most n characters.
func clean(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}

// consentChange grants or withdraws one channel.
type consentChange struct {
	customerID int64
	channel    string
	granted    bool
	at         time.Time
}

// consentTx applies changes and writes down those that changed anything. A withdrawal always counts, whatever was
// recorded as later: an objection is absolute.
func consentTx(ctx context.Context, tx pgx.Tx, source string, changes []consentChange) error {
	if len(changes) == 0 {
		return nil
	}
	n := len(changes)
	customers, channels, granted := make([]int64, n), make([]string, n), make([]bool, n)
	ats, events := make([]time.Time, n), make([]uuid.UUID, n)
	for i, c := range changes {
		customers[i], channels[i], granted[i], ats[i], events[i] = c.customerID, c.channel, c.granted, c.at, id.New()
	}
	_, err := tx.Exec(ctx, `
		WITH want AS (
			SELECT DISTINCT ON (customer_id, channel) customer_id, channel, granted, at, event_id
			FROM unnest(@customers::bigint[], @channels::text[], @granted::boolean[], @ats::timestamptz[], @events::uuid[])
				AS w (customer_id, channel, granted, at, event_id)
			ORDER BY customer_id, channel, at DESC, event_id
		), changed AS (
			INSERT INTO consents AS c (customer_id, channel, granted, source, at)
			SELECT customer_id, channel, granted, @source, at FROM want ORDER BY customer_id, channel
			ON CONFLICT (customer_id, channel) DO UPDATE
			SET granted = excluded.granted, source = excluded.source, at = excluded.at
			WHERE c.granted <> excluded.granted
			RETURNING customer_id, channel
		)
		INSERT INTO consent_events (customer_id, event_id, channel, granted, source, at)
		SELECT w.customer_id, w.event_id, w.channel, w.granted, @source, w.at
		FROM want w JOIN changed USING (customer_id, channel)`,
		pgx.NamedArgs{"source": source, "customers": customers, "channels": channels, "granted": granted, "ats": ats, "events": events})
	return err
}
