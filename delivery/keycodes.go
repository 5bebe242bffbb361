package delivery

import (
	"context"
	"crypto/rand"
	"errors"

	"github.com/jackc/pgx/v5"

	"aldine/campaigns/journey"
	"aldine/tracking"
)

// ensureKeycodesTx makes the codes that the slice needs and approval could not foresee: of a list that came later.
func (s *Service) ensureKeycodesTx(ctx context.Context, tx pgx.Tx, r journey.PlanRequest) error {
	type line struct {
		Cell int64
		List *int64
	}
	for range 5 { // a new code may meet an old one
		rows, err := tx.Query(ctx, `
			SELECT e.cell_id, e.list_id FROM (
				SELECT DISTINCT e.cell_id, e.list_id FROM enrollments e
				WHERE e.campaign_id = @campaign AND e.step_id = @step AND e.state = 'active' AND e.due_at <= @now
					AND e.customer_id BETWEEN @first AND @last) e
			JOIN cells c ON c.cell_id = e.cell_id AND NOT c.is_control
			LEFT JOIN keycodes k ON k.campaign_id = @campaign AND k.step_id = @step AND k.cell_id = e.cell_id AND k.list_id IS NOT DISTINCT FROM e.list_id
			WHERE k.keycode IS NULL ORDER BY e.cell_id, e.list_id`,
			pgx.NamedArgs{"campaign": r.CampaignID, "step": r.Step.ID, "now": r.Now, "first": r.FirstID, "last": r.LastID})
		if err != nil {
			return err
		}
		missing, err := pgx.CollectRows(rows, pgx.RowToStructByPos[line])
		if err != nil || len(missing) == 0 {
			return err
		}
		codes, cells, lists := make([]string, len(missing)), make([]int64, len(missing)), make([]*int64, len(missing))
		for i, m := range missing {
			codes[i], cells[i], lists[i] = tracking.NewKeycode(rand.Reader), m.Cell, m.List
		}
		if _, err := tx.Exec(ctx, `
			INSERT INTO keycodes (keycode, campaign_id, step_id, cell_id, list_id, medium, created_at)
			SELECT keycode, @campaign, @step, cell_id, list_id, @medium, @now
			FROM unnest(@codes::text[], @cells::bigint[], @lists::bigint[]) AS n (keycode, cell_id, list_id)
			ON CONFLICT DO NOTHING`, pgx.NamedArgs{
			"campaign": r.CampaignID, "step": r.Step.ID, "medium": r.Step.Channel, "now": r.Now, "codes": codes, "cells": cells, "lists": lists,
		}); err != nil {
			return err
		}
	}
	return errors.New("no free keycode could be found")
}
