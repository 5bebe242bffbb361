package tracking

import (
	"context"

	"github.com/jackc/pgx/v5"

	"aldine/internal/fault"
)

// reclassifyAtOnce is how many customers' hits are judged in one transaction.
const reclassifyAtOnce = 2000

// Reclassify judges the stored hits of a campaign, or of all where it is 0, by today's rules, and tells how many are judged otherwise
// now. The figures of reports follow. It goes through customers in order and may be broken off and begun again; progress, where not nil, is
// told each campaign and how many of its customers with hits have been looked at. NotFound where there is no such campaign.
func (s *Service) Reclassify(ctx context.Context, campaignID int64, progress func(campaign, people int64)) (changed int64, err error) {
	rows, err := s.pool.Query(ctx, `SELECT campaign_id FROM campaigns WHERE @campaign::bigint IN (0, campaign_id) ORDER BY campaign_id`, pgx.NamedArgs{"campaign": campaignID})
	if err != nil {
		return 0, err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return 0, err
	}
	if len(ids) == 0 && campaignID != 0 {
		return 0, fault.New(fault.NotFound, "There is no campaign %d", campaignID)
	}
	for _, id := range ids {
		for after, people := int64(0), int64(0); ; {
			found, err := s.hitPeople(ctx, id, after)
			if err != nil {
				return changed, err
			}
			if len(found) == 0 {
				break
			}
			if err := pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
				n, err := s.judgedTx(ctx, tx, id, found)
				changed += n
				return err
			}); err != nil {
				return changed, err
			}
			after, people = found[len(found)-1], people+int64(len(found))
			if progress != nil {
				progress(id, people)
			}
		}
	}
	return changed, nil
}

// hitPeople gives the next customers with a touch in the campaign, by whom hits may have come.
func (s *Service) hitPeople(ctx context.Context, campaign, after int64) ([]int64, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT DISTINCT customer_id FROM (
			SELECT t.customer_id FROM steps s CROSS JOIN LATERAL (
				SELECT t.customer_id FROM touches t WHERE t.campaign_id = @campaign AND t.step_id = s.step_id AND t.customer_id > @after
				ORDER BY t.customer_id LIMIT @limit) t
			WHERE s.campaign_id = @campaign) AS touched ORDER BY customer_id LIMIT @limit`,
		pgx.NamedArgs{"campaign": campaign, "after": after, "limit": reclassifyAtOnce})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}
