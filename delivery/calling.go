package delivery

import (
	"context"

	"github.com/jackc/pgx/v5"

	"aldine/customers"
	"aldine/delivery/calls"
)

// listCalls puts the planned calls of some customers on the step's call list. It is one transaction without the outside
// world, so trying again is harmless.
func (s *Service) listCalls(ctx context.Context, b batch, ids []int64) error {
	v, err := s.settings.Get(ctx)
	if err != nil {
		return err
	}
	now := s.now()
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, claimSQL(b.Channel, v), claimArgs(b, v, ids, 1, calls.Claim, now))
		if err != nil {
			return err
		}
		all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[touch])
		if err != nil || len(all) == 0 {
			return err
		}
		if err := bookTx(ctx, tx, b, all, now); err != nil {
			return err
		}
		claimed := make([]int64, 0, len(all))
		for _, t := range all {
			if t.State == "sending" {
				claimed = append(claimed, t.CustomerID)
			}
		}
		profiles, err := customers.Profiles(ctx, tx, claimed)
		if err != nil {
			return err
		}
		entries := make([]calls.Entry, 0, len(claimed))
		for _, t := range all {
			if t.State != "sending" {
				continue
			}
			p := profiles[t.CustomerID]
			entries = append(entries, calls.Entry{
				CustomerID: t.CustomerID, Phone: t.Destination, TimeZone: calls.Zones(t.Destination, p.Country, p.TimeZone, v.DefaultTimeZone),
			})
		}
		return calls.AddTx(ctx, tx, b.CampaignID, b.StepID, b.Name+" · "+b.StepKey, entries, now)
	})
	if err != nil {
		return err
	}
	return s.finishCheck(ctx, b.CampaignID)
}
