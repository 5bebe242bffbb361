package campaigns

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aldine/internal/queue"
)

// SweepArgs looks at all running campaigns for one that is over and was not noticed, or that no job carries on any more. The
// check that follows an event can miss what another transaction is just about to commit, and a job that failed too often is
// given up; this one comes round anyway.
type SweepArgs struct{}

// Kind names the job.
func (SweepArgs) Kind() string { return "campaign_sweep" }

// InsertOpts puts the job on its queue; one at a time is enough.
func (SweepArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: queue.Journeys, MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByPeriod: sweepEvery}}
}

const sweepEvery = 30 * time.Second

// Periodic gives the jobs that come round by themselves; the working client inserts them.
func (s *Service) Periodic() []*river.PeriodicJob {
	return []*river.PeriodicJob{river.NewPeriodicJob(river.PeriodicInterval(sweepEvery),
		func() (river.JobArgs, *river.InsertOpts) { return SweepArgs{}, nil }, nil),
		river.NewPeriodicJob(river.PeriodicInterval(forgetEvery),
			func() (river.JobArgs, *river.InsertOpts) { return ForgetRentedArgs{}, nil }, nil)}
}

func (s *Service) sweep(ctx context.Context) error {
	rows, err := s.pool.Query(ctx, `
		SELECT campaign_id FROM campaigns WHERE state = 'running' AND entry_done_at IS NOT NULL ORDER BY campaign_id`)
	if err != nil {
		return err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := s.finish(ctx, id); err != nil {
			return err
		}
	}
	if err := s.engine.ForgetAudiences(ctx); err != nil {
		return err
	}
	return s.carryOn(ctx)
}

// What is left to do and the job that does it are stored together, so where one is there and the other is not, the job was
// given up. The queue tells: a job is found by its campaign.
const (
	unfinished = ` FROM river_job j WHERE j.state IN ('available', 'pending', 'running', 'retryable', 'scheduled') AND j.args @> `
	unsentSQL  = `
		SELECT c.campaign_id FROM campaigns c
		WHERE c.state = 'running' AND EXISTS (SELECT 1 FROM touches t WHERE t.campaign_id = c.campaign_id AND (t.state = 'planned' OR t.state = 'sending' AND t.provider_ref LIKE 'job:%'))
			AND NOT EXISTS (SELECT 1` + unfinished + `jsonb_build_object('campaign_id', c.campaign_id)
				AND (j.kind = 'campaign_resumed' OR j.queue = ANY(@media)))
		ORDER BY c.campaign_id`
	standingSQL = `
		SELECT c.campaign_id FROM campaigns c
		WHERE c.state = 'running' AND (
			c.entry_done_at IS NULL AND NOT EXISTS (SELECT 1` + unfinished + `jsonb_build_object('campaign_id', c.campaign_id) AND j.kind = 'journey_entry')
			OR EXISTS (
				SELECT 1 FROM journey_slices s
				WHERE s.campaign_id = c.campaign_id AND s.next_at < @overdue AND EXISTS (
					SELECT 1 FROM enrollments e WHERE e.campaign_id = c.campaign_id AND e.customer_id BETWEEN s.first_id AND s.last_id
						AND e.state = 'active' AND e.due_at < @overdue)
				AND NOT EXISTS (SELECT 1` + unfinished + `jsonb_build_object('campaign_id', c.campaign_id, 'first_id', s.first_id) AND j.kind = 'journey_advance')))
		ORDER BY c.campaign_id`
)

const overdue = 5 * time.Minute

// carryOn makes new jobs for campaigns that have lost theirs.
func (s *Service) carryOn(ctx context.Context) error {
	for _, lost := range []struct {
		what, sql string
		again     func(context.Context, int64) error
	}{
		{"touches that no job sends", unsentSQL, func(ctx context.Context, id int64) error {
			_, err := s.jobs.Insert(ctx, ResumedArgs{CampaignID: id}, nil)
			return err
		}},
		{"customers whom no job walks", standingSQL, s.engine.Poke},
	} {
		rows, err := s.pool.Query(ctx, lost.sql, pgx.NamedArgs{
			"media": []string{queue.Email, queue.SMS, queue.Post, queue.Calls}, "overdue": s.now().Add(-overdue)})
		if err != nil {
			return err
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return err
		}
		for _, id := range ids {
			s.log.Warn("a campaign has "+lost.what+": new jobs are made", "campaign", id)
			if err := lost.again(ctx, id); err != nil {
				return err
			}
		}
	}
	return nil
}
