package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/govalues/decimal"
	"github.com/jackc/pgx/v5"

	"aldine/campaigns"
	"aldine/campaigns/journey"
	"aldine/delivery/costs"
	"aldine/internal/tally"
)

// idsPerJob is how many customers one job serves.
const idsPerJob = 500

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
	zone, err := time.LoadLocation(v.DefaultTimeZone)
	if err != nil {
		return err
	}
	l := levelOf(r.Step.Dedup)
	args := pgx.NamedArgs{
		"campaign": r.CampaignID, "step": r.Step.ID, "channel": r.Step.Channel, "first": r.FirstID, "last": r.LastID, "mates": []int64{},
		"now": r.Now, "today": r.Now.In(zone).Format(time.DateOnly), "unit_cost": r.Step.UnitCost, "affordable": affordable, "duplicate": l.reason,
		"cap": v.Cap(r.Step.Channel), "capped_since": r.Now.AddDate(0, 0, -v.CapDays),
	}
	if l.column != "" { // a group is decided as a whole, with its members in other slices
		if args["mates"], err = ids(ctx, tx, matesSQL(l.column), args); err != nil {
			return err
		}
	}
	if err := tally.MarkTx(ctx, tx, r.CampaignID, r.Now, args["mates"].([]int64)...); err != nil { // the walk marks its own slice
		return err
	}
	planned, err := ids(ctx, tx, planSQL(r.Step.Channel, l, v.ConsentRequired(r.Step.Channel), v.Cap(r.Step.Channel) > 0), args)
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

func ids(ctx context.Context, tx pgx.Tx, sql string, args pgx.NamedArgs) ([]int64, error) {
	rows, err := tx.Query(ctx, sql, args)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
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
