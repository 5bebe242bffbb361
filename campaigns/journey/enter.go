package journey

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"aldine/internal/tally"
)

// Sizes of entry: the customers of a slice.
const (
	sliceSize = 10_000
	firstSize = 1_000 // so that the first messages leave at once
)

// Enter enters one slice of a campaign's audience, which it freezes before the first, and asks for the next, in one
// transaction. A campaign that is not running stays as it is: Poke goes on after the last slice.
func (e *Engine) Enter(ctx context.Context, a EntryArgs) error {
	if err := e.freeze(ctx, a.CampaignID); err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, e.Pool, func(tx pgx.Tx) error {
		c, err := lockTx(ctx, tx, a.CampaignID)
		if err != nil || c.state != "running" || c.entryDone {
			return err
		}
		var done bool // by a job that was worked twice, or beside one from a poke
		if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM journey_slices WHERE campaign_id = @id AND first_id > @after)`,
			pgx.NamedArgs{"id": c.id, "after": a.After}).Scan(&done); err != nil || done {
			return err
		}
		members, err := nextSlice(ctx, tx, c.id, a.After)
		if err != nil {
			return err
		}
		if members == nil {
			return e.entryDoneTx(ctx, tx, c)
		}
		s, err := e.enterTx(ctx, tx, c, members)
		if err != nil {
			return err
		}
		if s.size > 0 {
			if _, err := e.Jobs.InsertTx(ctx, tx, AdvanceArgs{CampaignID: c.id, FirstID: s.first, LastID: s.last}, nil); err != nil {
				return err
			}
		}
		next := EntryArgs{CampaignID: c.id, After: members[len(members)-1]}
		_, err = e.Jobs.InsertTx(ctx, tx, next, nil)
		return err
	})
}

// nextSlice gives the members of the first slice above after, nil where none is left.
func nextSlice(ctx context.Context, tx pgx.Tx, campaignID, after int64) (members []int64, err error) {
	err = tx.QueryRow(ctx, `SELECT customer_ids FROM audience_slices WHERE campaign_id = @id AND first_id > @after ORDER BY first_id LIMIT 1`,
		pgx.NamedArgs{"id": campaignID, "after": after}).Scan(&members)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return members, err
}

type slice struct {
	size        int
	first, last int64
}

// enterTx enters the members of a slice who are still there: nobody who was erased since.
func (e *Engine) enterTx(ctx context.Context, tx pgx.Tx, c campaign, members []int64) (s slice, err error) {
	now := e.Now()
	steps, err := LoadSteps(ctx, tx, c.id, c.version)
	if err != nil {
		return s, err
	}
	if len(steps) == 0 {
		return s, fmt.Errorf("campaign %d has no steps of version %d", c.id, c.version)
	}
	cells, bounds, err := loadCells(ctx, tx, c.id)
	if err != nil {
		return s, err
	}
	args := pgx.NamedArgs{
		"campaign": c.id, "version": c.version, "members": members, "cells": cells, "bounds": bounds, "seed": c.id,
		"step": steps[0].ID, "due": arrival(steps[0], now), "now": now,
	}
	var first, last *int64
	// Who came by a rented list and is in the house file now, counts as of no list: nothing is hired. width_bucket gives the number of bounds not above the hash: the index of the cell.
	err = tx.QueryRow(ctx, `
		WITH picked AS MATERIALIZED (
			SELECT c.customer_id, CASE WHEN c.rented OR l.kind IS DISTINCT FROM 'rented' THEN c.list_id END AS list_id
			FROM unnest(@members::bigint[]) m (customer_id) JOIN customers c ON c.customer_id = m.customer_id LEFT JOIN lists l ON l.list_id = c.list_id
		), entered AS (
			INSERT INTO enrollments (customer_id, campaign_id, version, cell_id, list_id, step_id, due_at, state, entered_at, updated_at)
			SELECT customer_id, @campaign, @version,
				(@cells::bigint[])[width_bucket((hashint8extended(customer_id, @seed) % 10000 + 10000) % 10000, @bounds::bigint[])],
				list_id, @step, @due, 'active', @now, @now
			FROM picked ORDER BY customer_id
			ON CONFLICT (customer_id, campaign_id) DO NOTHING
			RETURNING customer_id
		)
		SELECT count(*), min(customer_id), max(customer_id) FROM entered`, args).Scan(&s.size, &first, &last)
	if err != nil || s.size == 0 {
		return s, err
	}
	s.first, s.last = *first, *last
	if err := tally.MarkRangeTx(ctx, tx, c.id, now, s.first, s.last); err != nil {
		return s, err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO journey_slices (campaign_id, first_id, last_id, size) VALUES (@campaign, @first, @last, @size)`,
		pgx.NamedArgs{"campaign": c.id, "first": s.first, "last": s.last, "size": s.size}); err != nil {
		return s, err
	}
	return s, e.Keycodes(ctx, tx, c.id, s.first, s.last)
}

// loadCells gives a campaign's cells and where each begins within 0 to 9999.
func loadCells(ctx context.Context, tx pgx.Tx, campaignID int64) (cells, bounds []int64, err error) {
	rows, err := tx.Query(ctx, `SELECT cell_id, share FROM cells WHERE campaign_id = @id ORDER BY position`, pgx.NamedArgs{"id": campaignID})
	if err != nil {
		return nil, nil, err
	}
	var cell, share, begin int64
	_, err = pgx.ForEachRow(rows, []any{&cell, &share}, func() error {
		cells, bounds = append(cells, cell), append(bounds, begin)
		begin += share
		return nil
	})
	return cells, bounds, err
}

// entryDoneTx closes the audience.
func (e *Engine) entryDoneTx(ctx context.Context, tx pgx.Tx, c campaign) error {
	if _, err := tx.Exec(ctx, `
		UPDATE campaigns SET entry_done_at = @now, updated_at = @now,
			audience = (SELECT COALESCE(sum(size), 0) FROM journey_slices WHERE campaign_id = @id)
		WHERE campaign_id = @id`, pgx.NamedArgs{"id": c.id, "now": e.Now()}); err != nil {
		return err
	}
	if err := forgetSlicesTx(ctx, tx, c.id); err != nil {
		return err
	}
	if err := e.EntryDone(ctx, tx, c.id); err != nil {
		return err
	}
	steps, err := LoadSteps(ctx, tx, c.id, c.version)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(steps, func(s Step) bool { return Grouped(s.Dedup) }) { // these have waited for all to come
		return e.PokeTx(ctx, tx, c.id)
	}
	return EnqueueFinishCheckTx(ctx, tx, e.Jobs, c.id)
}

// arrival gives when a customer who comes to a step now may be acted on.
func arrival(s Step, now time.Time) time.Time {
	if s.Kind != Wait {
		return now
	}
	switch {
	case s.Config.Until != nil:
		if s.Config.Until.After(now) {
			return *s.Config.Until
		}
		return now
	case s.Config.UntilResponse != "":
		d, _ := ParseDuration(s.Config.Timeout) // checked when it was written
		return now.Add(d)
	}
	d, _ := ParseDuration(s.Config.For)
	return now.Add(d)
}
