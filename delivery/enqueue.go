package delivery

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
)

// enqueueTx inserts the jobs that send planned touches: at once, or for when the hours of their customers begin.
func (s *Service) enqueueTx(ctx context.Context, tx pgx.Tx, channel string, campaignID, stepID int64, ids []int64) error {
	if channel == "post" {
		_, err := s.jobs.InsertTx(ctx, tx, PrintRunArgs{CampaignID: campaignID, StepID: stepID}, &river.InsertOpts{ScheduledAt: time.Now().Add(printDelay)})
		return err
	}
	v, err := s.settings.Get(ctx)
	if err != nil {
		return err
	}
	var audience int64
	b := batch{CampaignID: campaignID, StepID: stepID, Channel: channel}
	if err := tx.QueryRow(ctx, `SELECT coalesce(c.audience, (SELECT sum(size) FROM journey_slices s WHERE s.campaign_id = c.campaign_id), 0),
			coalesce(s.config ->> 'window', ''), c.ends_at
		FROM campaigns c JOIN steps s ON s.campaign_id = c.campaign_id WHERE c.campaign_id = $1 AND s.step_id = $2`,
		campaignID, stepID).Scan(&audience, &b.Window, &b.EndsAt); err != nil {
		return err
	}
	now := s.now()
	waves, _, err := opening(ctx, tx, b, v, ids, now)
	if err != nil {
		return err
	}
	var at, later []river.InsertManyParams
	for opens, ids := range waves {
		for part := range slices.Chunk(ids, idsPerJob) {
			args := SendArgs{Channel: channel, CampaignID: campaignID, StepID: stepID, CustomerIDs: part}
			opts := args.InsertOpts()
			opts.Priority = priorityOf(audience)
			job := river.InsertManyParams{Args: args, InsertOpts: &opts}
			if wait := opens.Sub(now); wait > 0 && !ended(b, opens) { // the queue lives by the real clock
				opts.ScheduledAt = time.Now().Add(wait + spread())
				later = append(later, job)
			} else {
				at = append(at, job)
			}
		}
	}
	if len(later) > 0 {
		if _, err := s.jobs.InsertManyFastTx(ctx, tx, later); err != nil {
			return err
		}
	}
	return s.insertFairlyTx(ctx, tx, campaignID, at)
}

// spread mixes the jobs that wait for the same moment: the queue takes those of equal priority in the order of their times, so
// that of campaigns whose hours begin together none is first with all its jobs.
func spread() time.Duration { return time.Duration(rand.Int64N(int64(spreadOver))) }

const spreadOver = 3 * time.Second

// insertFairlyTx inserts jobs so that campaigns of the same priority take turns. The queue takes jobs by scheduled_at; that of a job
// which may run at once is free to say its turn, a microsecond each. A campaign's next job comes a turn after its last one that
// waits. One that has none waiting comes in where the queue is now, so it neither waits for all jobs of those before it, nor has it saved up
// turns while it had nothing to send.
func (s *Service) insertFairlyTx(ctx context.Context, tx pgx.Tx, campaignID int64, jobs []river.InsertManyParams) error {
	if len(jobs) == 0 {
		return nil
	}
	inserted, err := s.jobs.InsertManyTx(ctx, tx, jobs)
	if err != nil {
		return err
	}
	ids := make([]int64, len(inserted))
	for i, r := range inserted {
		ids[i] = r.Job.ID
	}
	_, err = tx.Exec(ctx, `
		WITH turn AS (
			SELECT coalesce(
				(SELECT j.scheduled_at + interval '1 microsecond' FROM river_job j WHERE j.state = 'available' AND j.queue = @queue AND j.priority = @priority
					AND j.args ->> 'campaign_id' = @campaign::bigint::text AND NOT j.id = ANY (@ids) ORDER BY j.scheduled_at DESC LIMIT 1),
				(SELECT j.scheduled_at FROM river_job j WHERE j.state = 'available' AND j.queue = @queue AND j.priority = @priority
					AND NOT j.id = ANY (@ids) ORDER BY j.scheduled_at LIMIT 1),
				clock_timestamp()) AS first
		)
		UPDATE river_job j SET scheduled_at = turn.first + make_interval(secs => (i.number - 1) / 1e6)
		FROM turn, unnest(@ids::bigint[]) WITH ORDINALITY AS i (id, number) WHERE j.id = i.id`, pgx.NamedArgs{
		"queue": jobs[0].InsertOpts.Queue, "priority": jobs[0].InsertOpts.Priority, "campaign": campaignID, "ids": ids})
	return err
}

// dropWaiting removes the jobs of a campaign that wait for their hour or the next day. What they would send is planned still: whoever
// calls this makes other jobs for it, or excludes it.
func (s *Service) dropWaiting(ctx context.Context, campaignID int64) error {
	_, err := s.pool.Exec(ctx, `
		DELETE FROM river_job WHERE kind = 'delivery_send' AND state = 'scheduled' AND errors IS NULL
			AND scheduled_at > clock_timestamp() + interval '10 seconds' AND args @> jsonb_build_object('campaign_id', @campaign::bigint)`,
		pgx.NamedArgs{"campaign": campaignID})
	return err
}
