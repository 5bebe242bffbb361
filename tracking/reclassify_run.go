package tracking

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/riverqueue/river"

	"aldine/internal/fault"
	"aldine/internal/queue"
)

// One step of a reclassification is one transaction. It ends where there are enough hits to judge or enough customers
// without any have been looked through, so that it takes well under a second whatever is stored.
const (
	reclassifyHits   = 5000
	reclassifyPeople = 5000
	reclassifyFor    = 20 * time.Second // at a stretch; after that, other jobs have their turn
)

// ReclassifyArgs asks for a reclassification to go on.
type ReclassifyArgs struct {
	RunID int64 `json:"run_id"`
}

// Kind names the job.
func (ReclassifyArgs) Kind() string { return "tracking_reclassify" }

// InsertOpts names the queue.
func (ReclassifyArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: queue.Tracking} }

type reclassifyWorker struct {
	river.WorkerDefaults[ReclassifyArgs]
	service *Service
}

// Work goes on with a run for a while and comes back to it.
func (w *reclassifyWorker) Work(ctx context.Context, job *river.Job[ReclassifyArgs]) error {
	for begun := time.Now(); time.Since(begun) < reclassifyFor; {
		r, err := w.service.ReclassifySome(ctx, job.Args.RunID)
		if fault.Is(err, fault.NotFound) {
			return river.JobCancel(err)
		}
		if err != nil || !r.Open() {
			return err
		}
	}
	return river.JobSnooze(time.Second)
}

// ResumeReclassification makes a job for a run that was under way when a process died; for the start of a program. A job too
// many does no harm: steps follow one another, whoever does them.
func (s *Service) ResumeReclassification(ctx context.Context) error {
	return queue.Resume(ctx, s.pool, s.jobs, `SELECT run_id FROM reclassifications WHERE state IN ('waiting', 'running') ORDER BY run_id`,
		func(run int64) river.JobArgs { return ReclassifyArgs{RunID: run} })
}

// ReclassifySome does one step of a run and gives how far it is. What it judged, what reports have to count again and
// the place reached are one commit: killed at any moment, the run goes on where it was. NotFound where there is no such run.
func (s *Service) ReclassifySome(ctx context.Context, runID int64) (r Reclassification, err error) {
	for range 3 {
		err = pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
			r, err = s.reclassifyTx(ctx, tx, runID)
			return err
		})
		// Hits that come in just now are judged, too, in another order.
		if pe := (*pgconn.PgError)(nil); !errors.As(err, &pe) || pe.Code != "40P01" {
			break
		}
	}
	return r, err
}

func (s *Service) reclassifyTx(ctx context.Context, tx pgx.Tx, runID int64) (Reclassification, error) {
	rows, err := tx.Query(ctx, `SELECT `+reclassifyColumns+` FROM reclassifications WHERE run_id = @id FOR UPDATE`, pgx.NamedArgs{"id": runID})
	if err != nil {
		return Reclassification{}, err
	}
	r, err := pgx.CollectExactlyOneRow(rows, scanReclassification)
	if errors.Is(err, pgx.ErrNoRows) {
		return r, noReclassification(runID)
	}
	if err != nil || !r.Open() {
		return r, err
	}
	people, reached, err := stalePeopleTx(ctx, tx, r)
	if err != nil {
		return r, err
	}
	looked, changed, err := s.judgedTx(ctx, tx, r.CampaignID, people, r.Every)
	if err != nil {
		return r, err
	}
	state := Running
	if reached >= r.Last {
		state = Finished
	}
	rows, err = tx.Query(ctx, `
		UPDATE reclassifications SET state = @state, reached = @reached, looked = looked + @looked, changed = changed + @changed,
			started_at = coalesce(started_at, @now), finished_at = CASE WHEN @state = 'finished' THEN @now::timestamptz END
		WHERE run_id = @id RETURNING `+reclassifyColumns,
		pgx.NamedArgs{"id": r.ID, "state": state, "reached": reached, "looked": looked, "changed": changed, "now": s.now()})
	if err != nil {
		return r, err
	}
	return pgx.CollectExactlyOneRow(rows, scanReclassification)
}

// stalePeopleTx gives the next customers whose hits are to be judged, and up to which number none is left out.
func stalePeopleTx(ctx context.Context, tx pgx.Tx, r Reclassification) (people []int64, reached int64, err error) {
	args := pgx.NamedArgs{"reached": r.Reached, "campaign": r.CampaignID, "every": r.Every, "rules": rulesVersion, "limit": reclassifyHits}
	next := `SELECT min(customer_id) FROM responses WHERE customer_id > @reached`
	if r.CampaignID != 0 { // few customers of many: those with a touch
		next = `
			SELECT min(t.customer_id) FROM steps s CROSS JOIN LATERAL (
				SELECT t.customer_id FROM touches t WHERE t.campaign_id = @campaign AND t.step_id = s.step_id AND t.customer_id > @reached
				ORDER BY t.customer_id LIMIT 1) t
			WHERE s.campaign_id = @campaign`
	}
	var first *int64
	if err := tx.QueryRow(ctx, next, args).Scan(&first); err != nil {
		return nil, 0, err
	}
	if first == nil || *first > r.Last {
		return nil, r.Last, nil
	}
	reached = min(*first+reclassifyPeople-1, r.Last)
	args["first"], args["till"] = *first, reached
	rows, err := tx.Query(ctx, `
		SELECT customer_id FROM responses r
		WHERE customer_id BETWEEN @first AND @till AND method = 'token' AND kind IN ('open', 'click') AND detail <> '{}'
			AND (@campaign = 0 AND campaign_id + 0 > 0 OR campaign_id + 0 = @campaign) AND (@every OR rules IS DISTINCT FROM @rules)
		ORDER BY customer_id LIMIT @limit`, args)
	if err != nil {
		return nil, 0, err
	}
	if people, err = pgx.CollectRows(rows, pgx.RowTo[int64]); err != nil {
		return nil, 0, err
	}
	if len(people) == reclassifyHits {
		reached = people[len(people)-1]
	}
	return slices.Compact(people), reached, nil
}
