package tracking

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aldine/customers"
)

// followPause is how long hits gather before what follows from them is done, so that many share it.
const followPause = 100 * time.Millisecond

// followups does what follows from hits after they are stored: journeys go on, rented names come into the house file, hits that
// look like a program's together are judged again. What is to be done is stored with the hits, so nothing is forgotten when a
// process dies: the next one does it.
type followups struct {
	pause time.Duration
	late  time.Duration // when it looks without being woken: for what another process left behind, or what failed here
	do    func(ctx context.Context) (more bool, err error)
	woken chan struct{}
	stop  context.CancelFunc
	done  chan struct{}
}

func newFollowups(pause, late time.Duration, do func(ctx context.Context) (bool, error), failed func(error)) *followups {
	ctx, cancel := context.WithCancel(context.Background())
	f := &followups{pause: pause, late: late, do: do, woken: make(chan struct{}, 1), stop: cancel, done: make(chan struct{})}
	go f.run(ctx, failed)
	return f
}

// wake says that there is something to do.
func (f *followups) wake() {
	select {
	case f.woken <- struct{}{}:
	default:
	}
}

func (f *followups) run(ctx context.Context, failed func(error)) {
	defer close(f.done)
	for {
		timer := time.NewTimer(f.late)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-f.woken:
		case <-timer.C:
		}
		timer.Stop()
		for more := true; more && ctx.Err() == nil; {
			var err error
			if more, err = f.do(ctx); err != nil && ctx.Err() == nil {
				failed(err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(f.pause):
		}
	}
}

func (f *followups) close(ctx context.Context) {
	f.stop()
	select {
	case <-f.done:
	case <-ctx.Done():
	}
}

const followAtOnce = 500 // rows, each of one commit and campaign

// FollowUp does what follows from hits that are stored, and tells whether there may be more.
func (s *Service) FollowUp(ctx context.Context) (more bool, err error) {
	err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
			DELETE FROM hit_followups WHERE followup_id IN (
				SELECT followup_id FROM hit_followups ORDER BY followup_id LIMIT $1 FOR UPDATE SKIP LOCKED)
			RETURNING followup_id, campaign_id, people, clickers, suspects`, followAtOnce)
		if err != nil {
			return err
		}
		people, suspects, clickers, n := map[int64][]int64{}, map[int64][]int64{}, []int64{}, 0
		var id uuid.UUID
		var campaign int64
		var who, clicked, suspected []int64
		if _, err := pgx.ForEachRow(rows, []any{&id, &campaign, &who, &clicked, &suspected}, func() error {
			people[campaign], clickers = append(people[campaign], who...), append(clickers, clicked...)
			suspects[campaign] = append(suspects[campaign], suspected...)
			n++
			return nil
		}); err != nil {
			return err
		}
		more = n == followAtOnce
		for campaign, ids := range suspects {
			if err := s.judgeTx(ctx, tx, campaign, distinct(ids)); err != nil {
				return err
			}
		}
		if err := customers.HouseTx(ctx, tx, distinct(clickers)); err != nil {
			return err
		}
		var jobs []river.InsertManyParams
		for campaign, ids := range people {
			for part := range slices.Chunk(distinct(ids), 5000) {
				jobs = append(jobs, river.InsertManyParams{Args: RecordedArgs{CampaignID: campaign, CustomerIDs: part}})
			}
		}
		if len(jobs) == 0 {
			return nil
		}
		_, err = s.jobs.InsertManyFastTx(ctx, tx, jobs)
		return err
	})
	return more && err == nil, err
}

func distinct(ids []int64) []int64 {
	slices.Sort(ids)
	return slices.Compact(ids)
}
