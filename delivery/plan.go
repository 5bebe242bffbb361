package delivery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aldine/campaigns"
	"aldine/campaigns/journey"
	"aldine/customers"
	"aldine/delivery/costs"
)

// idsPerJob is how many customers one job serves.
const idsPerJob = 200

// PlanTx plans the touches of one send step and slice; see journey.Planner.
func (s *Service) PlanTx(ctx context.Context, tx pgx.Tx, r journey.PlanRequest) error {
	v, err := s.settings.Get(ctx)
	if err != nil {
		return err
	}
	// The campaign's row comes first and stays locked: slices of a campaign plan one after the other, so neither the
	// budget nor a key can be given out twice.
	available, err := campaigns.BudgetTx(ctx, tx, r.CampaignID)
	if err != nil {
		return err
	}
	affordable, err := pieces(available, r.Step.UnitCost)
	if err != nil {
		return err
	}
	rows, err := tx.Query(ctx, planSQL(r.Step.Channel, r.Step.Dedup, v.ConsentRequired(r.Step.Channel)), pgx.NamedArgs{
		"campaign": r.CampaignID, "step": r.Step.ID, "channel": r.Step.Channel, "first": r.FirstID, "last": r.LastID,
		"now": r.Now, "unit_cost": r.Step.UnitCost, "affordable": affordable, "duplicate": duplicateReason(r.Step.Dedup),
	})
	if err != nil {
		return err
	}
	planned, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return fmt.Errorf("plan step %s: %w", r.Step.Key, err)
	}
	if len(planned) == 0 {
		return nil
	}
	if err := costs.ReserveTx(ctx, tx, r.CampaignID, r.Step.ID, r.Step.UnitCost, len(planned), r.Now); err != nil {
		return err
	}
	return s.enqueueTx(ctx, tx, r.Step.Channel, r.CampaignID, r.Step.ID, planned)
}

// pieces tells how many pieces the money is enough for; nil for any number.
func pieces(available, unitCost decimal.Decimal) (*int64, error) {
	if !unitCost.IsPos() {
		return nil, nil
	}
	n := int64(0)
	if available.IsPos() {
		q, _, err := available.QuoRem(unitCost)
		if err != nil {
			return nil, err
		}
		whole, _, ok := q.Int64(0)
		if !ok {
			return nil, errors.New("the budget is too large to be counted in pieces")
		}
		n = whole
	}
	return &n, nil
}

func duplicateReason(dedup string) string {
	switch dedup {
	case "household", "address":
		return dedup
	}
	return "duplicate"
}

// dedupKeys tell by which value of customers c a step keeps touches apart.
var dedupKeys = map[string]string{
	"customer":  `NULL::text`, // the touch's own key does it
	"household": `'h:' || c.household_id`,
	"email":     `'e:' || lower(c.email)`,
	"phone":     `'p:' || c.phone`,
	"address":   `'a:' || c.address_hash`,
}

// destination tells where a touch over the channel goes, and whether it can, from customers c.
func destination(channel string) (value, reachable string) {
	switch channel {
	case "email":
		return `nullif(c.email, '')`, `coalesce(c.email, '') <> ''`
	case "post":
		return `NULL::text`, `c.address_hash IS NOT NULL`
	}
	return `nullif(c.phone, '')`, `coalesce(c.phone, '') <> ''`
}

func planSQL(channel, dedup string, consentRequired bool) string {
	dest, reachable := destination(channel)
	key, ok := dedupKeys[dedup]
	if !ok {
		key = dedupKeys["customer"]
	}
	return `
	WITH candidates AS MATERIALIZED (
		SELECT e.customer_id, e.cell_id, e.list_id, ` + dest + ` AS destination, ` + key + ` AS dedup_key, x.suppression_id::text AS reason_ref,
			CASE WHEN cell.is_control THEN 'control'
				WHEN c.customer_id IS NULL THEN 'deleted'
				WHEN NOT (` + reachable + `) THEN 'no_address'
				WHEN x.suppression_id IS NOT NULL THEN 'suppressed'
				WHEN NOT (` + customers.ConsentSQL("c", channel, consentRequired) + `) THEN 'no_consent'
			END AS reason
		FROM enrollments e
		JOIN cells cell ON cell.cell_id = e.cell_id
		LEFT JOIN customers c ON c.customer_id = e.customer_id
		LEFT JOIN ` + customers.SuppressionJoin("c", channel) + ` x ON true
		WHERE e.campaign_id = @campaign AND e.step_id = @step AND e.state = 'active' AND e.due_at <= @now
			AND e.customer_id BETWEEN @first AND @last
			AND NOT EXISTS (SELECT 1 FROM touches t
				WHERE t.customer_id = e.customer_id AND t.campaign_id + 0 = @campaign AND t.step_id + 0 = @step)
	), held AS ( -- an earlier slice's holder of the key comes first, then the lowest customer of this one
		SELECT c.*, coalesce(k.customer_id, min(c.customer_id) FILTER (WHERE c.reason IS NULL) OVER (PARTITION BY c.dedup_key)) AS holder
		FROM candidates c
		LEFT JOIN LATERAL (SELECT k.customer_id FROM touch_keys k
			WHERE k.campaign_id = @campaign AND k.step_id = @step AND k.dedup_key = c.dedup_key LIMIT 1) k ON true
	), apart AS (
		SELECT customer_id, cell_id, list_id, destination, dedup_key,
			CASE WHEN reason IS NOT NULL THEN reason WHEN dedup_key IS NOT NULL AND holder <> customer_id THEN @duplicate::text END AS reason,
			CASE WHEN reason = 'suppressed' THEN reason_ref
				WHEN reason IS NULL AND dedup_key IS NOT NULL AND holder <> customer_id THEN holder::text END AS reason_ref
		FROM held
	), placed AS (
		SELECT a.*, row_number() OVER (PARTITION BY reason IS NULL ORDER BY customer_id) AS place FROM apart a
	), decided AS (
		SELECT customer_id, cell_id, list_id, destination, dedup_key, reason_ref,
			CASE WHEN reason IS NULL AND place > @affordable::bigint THEN 'budget' ELSE reason END AS reason
		FROM placed
	), keyed AS (
		INSERT INTO touch_keys (campaign_id, step_id, dedup_key, customer_id)
		SELECT @campaign, @step, dedup_key, customer_id FROM decided WHERE reason IS NULL AND dedup_key IS NOT NULL
		ON CONFLICT (campaign_id, step_id, dedup_key) DO NOTHING
	), inserted AS (
		INSERT INTO touches (customer_id, campaign_id, step_id, channel, cell_id, list_id, state, reason, reason_ref, destination,
			keycode, unit_cost, planned_at, updated_at)
		SELECT d.customer_id, @campaign, @step, @channel, d.cell_id, d.list_id,
			CASE WHEN d.reason IS NULL THEN 'planned' ELSE 'excluded' END, d.reason, d.reason_ref,
			CASE WHEN d.reason IS NULL THEN d.destination END, k.keycode, @unit_cost, @now, @now
		FROM decided d
		LEFT JOIN keycodes k ON k.campaign_id = @campaign AND k.step_id = @step AND k.cell_id = d.cell_id AND k.list_id IS NOT DISTINCT FROM d.list_id
		ORDER BY d.customer_id
		RETURNING customer_id, state
	)
	SELECT customer_id FROM inserted WHERE state = 'planned' ORDER BY customer_id`
}

// enqueueTx inserts the jobs that send planned touches.
func (s *Service) enqueueTx(ctx context.Context, tx pgx.Tx, channel string, campaignID, stepID int64, ids []int64) error {
	if channel == "post" {
		_, err := s.jobs.InsertTx(ctx, tx, PrintRunArgs{CampaignID: campaignID, StepID: stepID}, &river.InsertOpts{ScheduledAt: time.Now().Add(printDelay)})
		return err
	}
	var jobs []river.InsertManyParams
	for part := range slices.Chunk(ids, idsPerJob) {
		jobs = append(jobs, river.InsertManyParams{Args: SendArgs{Channel: channel, CampaignID: campaignID, StepID: stepID, CustomerIDs: part}})
	}
	_, err := s.jobs.InsertManyFastTx(ctx, tx, jobs)
	return err
}
