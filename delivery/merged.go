package delivery

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aldine/campaigns/journey"
	"aldine/customers"
	"aldine/delivery/calls"
	"aldine/delivery/costs"
	"aldine/internal/tally"
)

type mergedWorker struct {
	river.WorkerDefaults[customers.MergedArgs]
	service *Service
}

// Work brings what was under way for merged customers in order.
func (w *mergedWorker) Work(ctx context.Context, job *river.Job[customers.MergedArgs]) error {
	return w.service.merged(ctx, job.Args.CustomerIDs)
}

// merged leaves out what is planned under numbers that are aliases, since the survivor has a contact of that campaign;
// gives planned contacts of customers, which may have come with a merge, the jobs that send them; plans again what an earlier
// merge, undone by now, left out; and lets journeys that moved go on. It looks at how things are, so a job too many does no
// harm.
func (s *Service) merged(ctx context.Context, ids []int64) error {
	for _, id := range ids {
		survivor, err := customers.Resolve(ctx, s.pool, id)
		if err != nil {
			return err
		}
		if survivor != id {
			err = s.leaveMerged(ctx, id, survivor)
		} else {
			err = s.carryOn(ctx, id)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// place is a step at which a customer has a contact.
type place struct{ CampaignID, StepID int64 }

func (s *Service) places(ctx context.Context, customerID int64, where string) ([]place, error) {
	rows, err := s.pool.Query(ctx, `SELECT t.campaign_id, t.step_id FROM touches t JOIN campaigns c ON c.campaign_id = t.campaign_id
		WHERE t.customer_id = @customer AND `+where+` ORDER BY t.campaign_id, t.step_id`, pgx.NamedArgs{"customer": customerID})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[place])
}

// leaveMerged excludes what is planned under an alias and takes its calls off the lists; the money is set free.
func (s *Service) leaveMerged(ctx context.Context, old, survivor int64) error {
	places, err := s.places(ctx, old, `(t.state = 'planned' OR t.state = 'sending' AND t.channel = 'calls')`)
	if err != nil {
		return err
	}
	for _, p := range places {
		b, err := s.loadBatch(ctx, p.CampaignID, p.StepID)
		if err != nil {
			return err
		}
		if err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
			now := s.now()
			rows, err := tx.Query(ctx, `
				UPDATE touches t SET state = 'excluded', reason = 'merged', reason_ref = (@survivor::bigint)::text, destination = NULL, updated_at = @now
				WHERE t.customer_id = @customer AND t.campaign_id + 0 = @campaign AND t.step_id + 0 = @step AND t.state || '' = 'planned'
				RETURNING t.customer_id, t.state, '', coalesce(t.keycode, ''), t.cell_id, t.list_id, t.unit_cost`,
				pgx.NamedArgs{"survivor": survivor, "now": now, "customer": old, "campaign": b.CampaignID, "step": b.StepID})
			if err != nil {
				return err
			}
			out, err := pgx.CollectRows(rows, pgx.RowToStructByPos[touch])
			if err != nil {
				return err
			}
			if err := bookTx(ctx, tx, b, out, now); err != nil || b.Channel != "calls" {
				return err
			}
			return calls.WithdrawTx(ctx, tx, calls.Withdrawal{CampaignID: b.CampaignID, StepID: b.StepID, CustomerID: old,
				Reason: "merged", Currency: b.Currency}, now)
		}); err != nil {
			return err
		}
	}
	return s.checkEnds(ctx, places)
}

func (s *Service) checkEnds(ctx context.Context, places []place) error {
	for i, p := range places {
		if i > 0 && places[i-1].CampaignID == p.CampaignID {
			continue
		}
		if err := s.finishCheck(ctx, p.CampaignID); err != nil {
			return err
		}
	}
	return nil
}

// carryOn sends what is planned for a customer and walks the journeys.
func (s *Service) carryOn(ctx context.Context, customerID int64) error {
	places, err := s.places(ctx, customerID, `(t.state = 'planned' OR t.state = 'excluded' AND t.reason = 'merged' AND c.state IN ('running', 'paused'))`)
	if err != nil {
		return err
	}
	for _, p := range places {
		b, err := s.loadBatch(ctx, p.CampaignID, p.StepID)
		if err != nil {
			return err
		}
		if err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error { return s.planAgainTx(ctx, tx, b, customerID) }); err != nil {
			return err
		}
	}
	return s.walkOn(ctx, customerID)
}

// planAgainTx sets a contact that a merge had left out back to planned, with its money, and makes the job that sends it.
func (s *Service) planAgainTx(ctx context.Context, tx pgx.Tx, b batch, customerID int64) error {
	now := s.now()
	rows, err := tx.Query(ctx, `
		UPDATE touches t SET state = 'planned', reason = NULL, reason_ref = NULL, updated_at = @now
		WHERE t.customer_id = @customer AND t.campaign_id + 0 = @campaign AND t.step_id + 0 = @step AND t.state || '' = 'excluded' AND t.reason = 'merged'
		RETURNING t.customer_id, t.state, '', coalesce(t.keycode, ''), t.cell_id, t.list_id, t.unit_cost`,
		pgx.NamedArgs{"now": now, "customer": customerID, "campaign": b.CampaignID, "step": b.StepID})
	if err != nil {
		return err
	}
	again, err := pgx.CollectRows(rows, pgx.RowToStructByPos[touch])
	if err != nil {
		return err
	}
	if err := tally.MarkTx(ctx, tx, b.CampaignID, now, customerID); err != nil {
		return err
	}
	for _, t := range again {
		if err := costs.ReserveTx(ctx, tx, b.CampaignID, b.StepID, t.UnitCost, 1, now); err != nil {
			return err
		}
	}
	return s.enqueueTx(ctx, tx, b.Channel, b.CampaignID, b.StepID, []int64{customerID})
}

// walkOn lets the slices look at a customer who has come into a journey from another number. Where no slice has the number, it gets
// one of its own, which counts nobody: the audience does not grow.
func (s *Service) walkOn(ctx context.Context, customerID int64) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		args := pgx.NamedArgs{"customer": customerID}
		if _, err := tx.Exec(ctx, `
			INSERT INTO journey_slices (campaign_id, first_id, last_id, size)
			SELECT e.campaign_id, e.customer_id, e.customer_id, 0 FROM enrollments e JOIN campaigns c ON c.campaign_id = e.campaign_id
			WHERE e.customer_id = @customer AND e.state = 'active' AND c.entry_done_at IS NOT NULL AND NOT EXISTS (
				SELECT 1 FROM journey_slices s WHERE s.campaign_id = e.campaign_id AND e.customer_id BETWEEN s.first_id AND s.last_id)
			ORDER BY e.campaign_id ON CONFLICT DO NOTHING`, args); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `
			SELECT s.campaign_id, s.first_id, s.last_id FROM enrollments e JOIN campaigns c ON c.campaign_id = e.campaign_id AND c.state = 'running'
			JOIN journey_slices s ON s.campaign_id = e.campaign_id AND e.customer_id BETWEEN s.first_id AND s.last_id
			WHERE e.customer_id = @customer AND e.state = 'active' ORDER BY s.campaign_id, s.first_id`, args)
		if err != nil {
			return err
		}
		type slice struct{ CampaignID, FirstID, LastID int64 }
		found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[slice])
		if err != nil || len(found) == 0 {
			return err
		}
		jobs := make([]river.InsertManyParams, 0, len(found))
		for _, a := range found {
			jobs = append(jobs, river.InsertManyParams{Args: journey.AdvanceArgs{CampaignID: a.CampaignID, FirstID: a.FirstID, LastID: a.LastID}})
		}
		_, err = s.jobs.InsertManyFastTx(ctx, tx, jobs)
		return err
	})
}
