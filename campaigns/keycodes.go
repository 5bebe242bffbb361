package campaigns

import (
	"context"

	"github.com/jackc/pgx/v5"

	"aldine/tracking"
)

// keycodesTx makes the keycodes that are missing: one for each send step, cell outside the control, and list.
// A nil list stands for customers of no list.
func (s *Service) keycodesTx(ctx context.Context, tx pgx.Tx, campaignID int64, version int, lists []*int64) error {
	lists = append([]*int64{nil}, lists...)
	for { // a random code may be taken already: then another one is tried
		rows, err := tx.Query(ctx, `
			SELECT s.step_id, c.cell_id, l.list_id, s.channel
			FROM steps s JOIN cells c ON c.campaign_id = s.campaign_id AND NOT c.is_control
			CROSS JOIN (SELECT DISTINCT u AS list_id FROM unnest(@lists::bigint[]) u) l
			WHERE s.campaign_id = @id AND s.version = @version AND s.kind = 'send' AND NOT EXISTS (
				SELECT 1 FROM keycodes k WHERE k.campaign_id = s.campaign_id AND k.step_id = s.step_id AND k.cell_id = c.cell_id
					AND k.list_id IS NOT DISTINCT FROM l.list_id)
			ORDER BY s.position, c.position, l.list_id NULLS FIRST`, pgx.NamedArgs{"id": campaignID, "version": version, "lists": lists})
		if err != nil {
			return err
		}
		var codes, media []string
		var steps, cells []int64
		var of []*int64
		var step, cell int64
		var list *int64
		var medium string
		if _, err := pgx.ForEachRow(rows, []any{&step, &cell, &list, &medium}, func() error {
			codes, media = append(codes, tracking.NewKeycode(nil)), append(media, medium)
			steps, cells, of = append(steps, step), append(cells, cell), append(of, list)
			return nil
		}); err != nil || len(codes) == 0 {
			return err
		}
		if _, err := tx.Exec(ctx, `
			INSERT INTO keycodes (keycode, campaign_id, step_id, cell_id, list_id, medium, created_at)
			SELECT code, @id, step, cell, list, medium, @now
			FROM unnest(@codes::text[], @steps::bigint[], @cells::bigint[], @of::bigint[], @media::text[]) u (code, step, cell, list, medium)
			ON CONFLICT (keycode) DO NOTHING`, pgx.NamedArgs{
			"id": campaignID, "now": s.now(), "codes": codes, "steps": steps, "cells": cells, "of": of, "media": media,
		}); err != nil {
			return err
		}
	}
}

// sliceKeycodesTx makes the keycodes of lists that came into the audience after the approval.
func (s *Service) sliceKeycodesTx(ctx context.Context, tx pgx.Tx, campaignID, firstID, lastID int64) error {
	rows, err := tx.Query(ctx, `
		SELECT DISTINCT list_id FROM enrollments
		WHERE campaign_id = @id AND customer_id BETWEEN @first AND @last AND state = 'active' AND list_id IS NOT NULL ORDER BY list_id`,
		pgx.NamedArgs{"id": campaignID, "first": firstID, "last": lastID})
	if err != nil {
		return err
	}
	lists, err := pgx.CollectRows(rows, pgx.RowTo[*int64])
	if err != nil || len(lists) == 0 {
		return err
	}
	var version int
	if err := tx.QueryRow(ctx, `SELECT version FROM campaigns WHERE campaign_id = @id`, pgx.NamedArgs{"id": campaignID}).Scan(&version); err != nil {
		return err
	}
	return s.keycodesTx(ctx, tx, campaignID, version, lists)
}
