package campaigns

// State is where a campaign is in its life.
type State string

// The states.
const (
	Draft     State = "draft"
	Approved  State = "approved"
	Running   State = "running"
	Paused    State = "paused"
	Finished  State = "finished"
	Cancelled State = "cancelled"
)
