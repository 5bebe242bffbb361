package journey

import (
	"context"
	"fmt"
	"math"

	"github.com/jackc/pgx/v5"

	"aldine/customers"
	"aldine/segments"
)

// freeze keeps who the audience of a campaign is at the moment of its launch, once: entry may take hours and be paused, and a
// ranking such as top(5000, total_spent) must be the same for its first slice and for its last. The campaign's row is not
// locked meanwhile, so it can be paused and cancelled. Of a campaign whose entry began before audiences were frozen the
// rest is.
func (e *Engine) freeze(ctx context.Context, id int64) error {
	return pgx.BeginFunc(ctx, e.Pool, func(tx pgx.Tx) error {
		var expression string
		after := int64(math.MinInt64)
		rows, err := tx.Query(ctx, `
			SELECT c.expression, coalesce((SELECT max(last_id) FROM journey_slices s WHERE s.campaign_id = c.campaign_id), @first::bigint)
			FROM campaigns c
			WHERE c.campaign_id = @id AND c.state = 'running' AND c.entry_done_at IS NULL
				AND NOT EXISTS (SELECT 1 FROM audiences a WHERE a.campaign_id = c.campaign_id)`, pgx.NamedArgs{"id": id, "first": after})
		if err != nil {
			return err
		}
		tag, err := pgx.ForEachRow(rows, []any{&expression, &after}, func() error { return nil })
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		// Who comes second waits here until the first is through.
		if tag, err = tx.Exec(ctx, `INSERT INTO audiences (campaign_id, members, frozen_at) VALUES (@id, 0, @now) ON CONFLICT DO NOTHING`,
			pgx.NamedArgs{"id": id, "now": e.Now()}); err != nil || tag.RowsAffected() == 0 {
			return err
		}
		catalog, err := segments.LoadCatalog(ctx, tx)
		if err != nil {
			return err
		}
		audience, err := catalog.Compile(expression, e.Now())
		if err != nil {
			return fmt.Errorf("audience of campaign %d: %w", id, err)
		}
		// A merge beside the look would take the member and leave the number: those under way are waited for, and later ones see the audience.
		if err := customers.HoldMergesTx(ctx, tx); err != nil {
			return err
		}
		ids, err := audience.MembersTx(ctx, tx, after)
		if err != nil {
			return fmt.Errorf("audience of campaign %d: %w", id, err)
		}
		return keepTx(ctx, tx, id, ids)
	})
}

// keepTx writes the slices of an audience. The first is small, so that the first messages leave at once.
func keepTx(ctx context.Context, tx pgx.Tx, campaignID int64, ids []int64) error {
	var slices [][]any
	for rest := ids; len(rest) > 0; {
		n := sliceSize
		if len(slices) == 0 {
			n = firstSize
		}
		n = min(n, len(rest))
		slices = append(slices, []any{campaignID, rest[0], rest[n-1], rest[:n]})
		rest = rest[n:]
	}
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"audience_slices"}, []string{"campaign_id", "first_id", "last_id", "customer_ids"}, pgx.CopyFromRows(slices)); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE audiences SET members = @members WHERE campaign_id = @id`, pgx.NamedArgs{"id": campaignID, "members": len(ids)})
	return err
}

// forgetSlicesTx deletes the slices of an audience that has entered.
func forgetSlicesTx(ctx context.Context, tx pgx.Tx, campaignID int64) error {
	_, err := tx.Exec(ctx, `DELETE FROM audience_slices WHERE campaign_id = @id`, pgx.NamedArgs{"id": campaignID})
	return err
}

// ForgetAudiences deletes the slices of campaigns that are over before all had entered.
func (e *Engine) ForgetAudiences(ctx context.Context) error {
	_, err := e.Pool.Exec(ctx, `
		DELETE FROM audience_slices a USING campaigns c
		WHERE c.campaign_id = a.campaign_id AND c.state IN ('finished', 'cancelled')`)
	return err
}
