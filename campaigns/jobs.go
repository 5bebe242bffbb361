package campaigns

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"aldine/campaigns/journey"
	"aldine/internal/queue"
)

// FinishArgs checks whether a campaign has nothing left to do; see journey.FinishArgs.
type FinishArgs = journey.FinishArgs

// EnqueueFinishCheckTx asks for a FinishArgs job once the transaction has committed.
func EnqueueFinishCheckTx(ctx context.Context, tx pgx.Tx, jobs *queue.Client, campaignID int64) error {
	return journey.EnqueueFinishCheckTx(ctx, tx, jobs, campaignID)
}

// ResumedArgs tells that a campaign goes on after a pause. The worker is in package delivery.
type ResumedArgs struct {
	CampaignID int64 `json:"campaign_id"`
}

// Kind names the job.
func (ResumedArgs) Kind() string { return "campaign_resumed" }

// InsertOpts puts the job on its queue.
func (ResumedArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: queue.Journeys} }

// CancelledArgs tells that a campaign was cancelled. The worker is in package delivery.
type CancelledArgs struct {
	CampaignID int64 `json:"campaign_id"`
}

// Kind names the job.
func (CancelledArgs) Kind() string { return "campaign_cancelled" }

// InsertOpts puts the job on its queue.
func (CancelledArgs) InsertOpts() river.InsertOpts { return river.InsertOpts{Queue: queue.Journeys} }
