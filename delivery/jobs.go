package delivery

import (
	"math"
	"time"

	"github.com/riverqueue/river"

	"aldine/internal/queue"
)

// SendArgs sends the planned touches of some customers at one step. A touch that is not planned any more is left alone.
type SendArgs struct {
	Channel     string              `json:"channel"` // email, sms or calls
	CampaignID  int64               `json:"campaign_id"`
	StepID      int64               `json:"step_id"`
	CustomerIDs queue.Packed[int64] `json:"customer_ids"`
}

// Kind names the job.
func (SendArgs) Kind() string { return "delivery_send" }

// InsertOpts puts the job on its medium's queue.
func (a SendArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: a.Channel, MaxAttempts: sendAttempts}
}

// PrintRunArgs prints all planned letters of one step. Each slice that is planned brings one; the first to run takes
// everything that is planned by then, the others find nothing left.
type PrintRunArgs struct {
	CampaignID int64 `json:"campaign_id"`
	StepID     int64 `json:"step_id"`
}

// Kind names the job.
func (PrintRunArgs) Kind() string { return "delivery_print" }

// InsertOpts puts the job on its queue.
func (PrintRunArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: queue.Post, MaxAttempts: maxAttempts}
}

// Jobs that send go on until everything is settled; a message that is put off for its own sake is given up by the setting
// retry_days. Print runs are tried for about four hours, and again by the campaigns' sweep.
const (
	sendAttempts = math.MaxInt16
	maxAttempts  = 25
)

// retryAt lets a job whose relay, gateway or disk fails try again soon at first, then every ten minutes.
func retryAt(attempt int) time.Time {
	wait := 10 * time.Second
	for range attempt - 1 {
		if wait *= 2; wait > 10*time.Minute {
			wait = 10 * time.Minute
			break
		}
	}
	return time.Now().Add(wait)
}

// What a campaign sends comes the sooner the less of it there is, so that one of a million does not hold up one of a hundred.
// Within the same priority who came first goes first. 1 is for what a customer waits for.
const (
	prioritySmall  = 2
	priorityMiddle = 3
	priorityLarge  = 4
)

func priorityOf(audience int64) int {
	switch {
	case audience <= 5_000:
		return prioritySmall
	case audience <= 100_000:
		return priorityMiddle
	}
	return priorityLarge
}

const printDelay = 3 * time.Second // lets the slices of a small campaign come into one run
