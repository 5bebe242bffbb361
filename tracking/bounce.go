package tracking

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aldine/internal/queue"
	"aldine/internal/tally"
)

// BouncedArgs says that a message came back of which nobody knew yet whether it went out. The worker, in delivery,
// settles its touch.
type BouncedArgs struct {
	CampaignID int64 `json:"campaign_id"`
	StepID     int64 `json:"step_id"`
	CustomerID int64 `json:"customer_id"`
}

// Kind names the job.
func (BouncedArgs) Kind() string { return "tracking_bounced" }

// InsertOpts puts the job in the journeys' queue.
func (BouncedArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: queue.Journeys} }

// bounceTx marks the touches of messages that came back.
func (s *Service) bounceTx(ctx context.Context, tx pgx.Tx, items []*item) error {
	if len(items) == 0 {
		return nil
	}
	n := len(items)
	people, campaigns, steps := make([]int64, n), make([]int64, n), make([]int64, n)
	for i, it := range items {
		people[i], campaigns[i], steps[i] = it.customer(), it.campaignID, it.stepID
	}
	const which = `unnest(@people::bigint[], @campaigns::bigint[], @steps::bigint[]) AS b (customer_id, campaign_id, step_id)
		WHERE t.customer_id = b.customer_id AND t.campaign_id = b.campaign_id AND t.step_id = b.step_id`
	args := pgx.NamedArgs{"now": s.now(), "people": people, "campaigns": campaigns, "steps": steps}
	if _, err := tx.Exec(ctx, `
		UPDATE touches t SET state = 'bounced', reason = 'hard bounce', updated_at = @now FROM `+which+` AND t.state = 'sent'`, args); err != nil {
		return err
	}
	var marks tally.Marks
	for i := range items {
		marks.Add(campaigns[i], people[i])
	}
	if err := marks.SetTx(ctx, tx, s.now()); err != nil {
		return err
	}
	// What is not settled yet still holds money, which is not ours to move.
	rows, err := tx.Query(ctx, `
		SELECT DISTINCT t.campaign_id, t.step_id, t.customer_id FROM touches t, `+which+`
			AND (t.state = 'unconfirmed' OR t.state = 'sending' AND t.channel IN ('email', 'sms'))
		ORDER BY t.campaign_id, t.step_id, t.customer_id`, args)
	if err != nil {
		return err
	}
	open, err := pgx.CollectRows(rows, pgx.RowToStructByPos[BouncedArgs])
	if err != nil || len(open) == 0 {
		return err
	}
	jobs := make([]river.InsertManyParams, len(open))
	for i, a := range open {
		jobs[i].Args = a
	}
	_, err = s.jobs.InsertManyFastTx(ctx, tx, jobs)
	return err
}
