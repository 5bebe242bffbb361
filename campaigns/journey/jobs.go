package journey

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aldine/internal/queue"
)

// EntryArgs enters the next slice of a campaign's audience: customers with ids above After.
type EntryArgs struct {
	CampaignID int64 `json:"campaign_id"`
	After      int64 `json:"after"`
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

// FinishArgs checks whether a campaign has nothing left to do, and if so calls it finished. Slot is when it looks, in
// seconds: what happens in one slot is looked at together.
type FinishArgs struct {
	CampaignID int64 `json:"campaign_id"`
	Slot       int64 `json:"slot"`
}

// Kind names the job.
func (FinishArgs) Kind() string { return "campaign_finish" }

// finishSlot lets many ends come together in one check.
const finishSlot = 2 * time.Second

// InsertOpts puts the job on its queue; one check per campaign and slot is enough. Were it one per campaign, a check that is
// just running would keep out the one for a change that it cannot see yet.
func (FinishArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: queue.Journeys, UniqueOpts: river.UniqueOpts{ByArgs: true}}
}

// EnqueueFinishCheckTx asks for a FinishArgs job once the transaction has committed. Call it wherever the last open
// thing of a campaign may have ended: a batch sent, a call done, a print run written.
func EnqueueFinishCheckTx(ctx context.Context, tx pgx.Tx, jobs *queue.Client, campaignID int64) error {
	at := time.Now().Truncate(finishSlot).Add(2 * finishSlot) // at least one slot away: time for the transaction to commit
	_, err := jobs.InsertTx(ctx, tx, FinishArgs{CampaignID: campaignID, Slot: at.Unix()}, &river.InsertOpts{ScheduledAt: at})
	return err
}
