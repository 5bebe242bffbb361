package journey

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"aldine/internal/queue"
)

// EntryArgs enters the next slice of a campaign's audience: customers with ids above After.
type EntryArgs struct {
	CampaignID int64 `json:"campaign_id"`
	After      int64 `json:"after"`
	Span       int   `json:"span,omitempty"` // how many ids to look at; 0 is few, to begin with
}

// Kind names the job.
func (EntryArgs) Kind() string { return "journey_entry" }

// InsertOpts puts the job on its queue.
func (EntryArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: queue.Journeys} }

// AdvanceArgs walks one slice of a campaign's customers.
type AdvanceArgs struct {
	CampaignID int64 `json:"campaign_id"`
	FirstID    int64 `json:"first_id"`
	LastID     int64 `json:"last_id"`

	LookAt time.Time `json:"look_at,omitzero"` // what the job was put off to; zero for one that follows an event
}

// Kind names the job.
func (AdvanceArgs) Kind() string { return "journey_advance" }

// InsertOpts puts the job on its queue.
func (AdvanceArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: queue.Journeys} }

// FinishArgs checks whether a campaign has nothing left to do, and if so calls it finished.
type FinishArgs struct {
	CampaignID int64 `json:"campaign_id"`
}

// Kind names the job.
func (FinishArgs) Kind() string { return "campaign_finish" }

// finishDelay lets many ends come together in one check.
const finishDelay = 2 * time.Second

// InsertOpts puts the job on its queue; one check per campaign is enough. A running one counts
// too, although it may have looked before the change that asks for this check was committed: the sweep catches that.
func (FinishArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: queue.Journeys, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateScheduled, rivertype.JobStateRunning, rivertype.JobStateRetryable,
	}}}
}

// EnqueueFinishCheckTx asks for a FinishArgs job once the transaction has committed. Call it wherever the last open
// thing of a campaign may have ended: a batch sent, a call done, a print run written.
func EnqueueFinishCheckTx(ctx context.Context, tx pgx.Tx, jobs *queue.Client, campaignID int64) error {
	_, err := jobs.InsertTx(ctx, tx, FinishArgs{CampaignID: campaignID}, &river.InsertOpts{ScheduledAt: time.Now().Add(finishDelay)})
	return err
}
