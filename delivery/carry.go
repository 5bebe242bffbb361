package delivery

import (
	"context"
	"fmt"
	"sync"
	"time"

	"aldine/customers"
)

// Times of a job that sends.
const (
	settleEvery = 2 * time.Second        // what is answered is written down, at the latest
	lookEvery   = 500 * time.Millisecond // whether the campaign still runs
	growEvery   = 20 * time.Millisecond  // whether one more connection would help
)

// maxTroubles is how many messages in a row may find nobody who answers before the others better wait too.
const maxTroubles = 3

// run is the claimed touches of one job on their way out.
type run struct {
	batch    batch
	journal  *handover
	touches  []touch
	profiles map[int64]customers.Profile
	renderer *renderer
	attempt  int
	last     bool // no further attempt follows: what is put off has failed

	mu       sync.Mutex
	next     int
	stopped  bool
	troubles int       // in a row without any answer
	putOff   string    // why some must be tried again
	answered []outcome // not written down yet
}

// take gives the next touch; false where there is none or the job is to stop.
func (r *run) take() (*touch, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped || r.next == len(r.touches) {
		return nil, false
	}
	r.next++
	return &r.touches[r.next-1], true
}

// waiting tells how many touches nobody has taken.
func (r *run) waiting() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		return 0
	}
	return len(r.touches) - r.next
}

func (r *run) stop() {
	r.mu.Lock()
	r.stopped = true
	r.mu.Unlock()
}

// begin marks a touch as in doubt. It must come before the provider can have the message.
func (r *run) begin(t *touch) error { return r.journal.mark(fateBegun, t.CustomerID) }

// done takes the outcome of a touch and tells whether to go on.
func (r *run) done(t *touch, o outcome) bool {
	o.CustomerID = t.CustomerID
	mark := fateFailed
	switch o.State {
	case "sent":
		mark = fateSent
	case "planned":
		mark = fateBack
	case "unconfirmed":
		mark = fateBegun
	}
	_ = r.journal.mark(mark, t.CustomerID) // without it the touch is in doubt, which is safe
	r.mu.Lock()
	defer r.mu.Unlock()
	if o.State == "planned" {
		if o.Reason != "" {
			r.putOff = o.Reason
		}
		reason := o.Reason
		o.result.Reason = ""
		if r.last {
			o.State, o.result.Reason = "failed", fmt.Sprintf("given up after %d tries: %s", r.attempt, reason)
		}
	}
	switch {
	case o.stop:
		r.troubles++
	case o.State != "unconfirmed":
		r.troubles = 0
	}
	r.stopped = r.stopped || r.troubles >= maxTroubles && !r.last
	r.answered = append(r.answered, o)
	return !r.stopped
}

// collect gives what was answered since it was last asked; at the end also those that nobody took.
func (r *run) collect(end bool) []result {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]result, 0, len(r.answered))
	for _, o := range r.answered {
		out = append(out, o.result)
	}
	r.answered = r.answered[:0]
	if end {
		for ; r.next < len(r.touches); r.next++ {
			out = append(out, result{CustomerID: r.touches[r.next].CustomerID, State: "planned"})
		}
	}
	return out
}

// carry hands the run over with as many hands at once as help: one more starts whenever touches wait and more says that there is
// room. Meanwhile it writes down what is answered, and stops when the campaign does.
func (s *Service) carry(ctx context.Context, r *run, claim string, hand func(), more func() bool) error {
	var hands sync.WaitGroup
	hands.Go(hand)
	done := make(chan struct{})
	over := make(chan error, 1)
	go func() {
		over <- s.attend(ctx, r, claim, done, func() {
			if r.waiting() > 2 && more() {
				hands.Go(hand)
			}
		})
	}()
	hands.Wait()
	close(done)
	err := <-over
	hands.Wait() // one may have been started just then
	if err != nil {
		return err
	}
	return s.settleSurely(ctx, r.batch, claim, r.collect(true))
}

// attend looks after a run until it is done.
func (s *Service) attend(ctx context.Context, r *run, claim string, done <-chan struct{}, grow func()) error {
	tick := time.NewTicker(growEvery)
	defer tick.Stop()
	settled, looked := time.Now(), time.Now()
	for {
		select {
		case <-done:
			return nil
		case <-ctx.Done():
			r.stop()
			<-done
			return nil
		case now := <-tick.C:
			grow()
			if now.Sub(looked) >= lookEvery {
				looked = now
				if on, err := s.running(ctx, r.batch.CampaignID); err != nil || !on {
					r.stop()
				}
			}
			if now.Sub(settled) >= settleEvery {
				settled = now
				if err := s.settleSurely(ctx, r.batch, claim, r.collect(false)); err != nil {
					r.stop()
					<-done
					return err
				}
			}
		}
	}
}

// running tells whether the campaign may send.
func (s *Service) running(ctx context.Context, campaignID int64) (on bool, err error) {
	err = s.pool.QueryRow(ctx, `SELECT state IN ('running', 'finished') FROM campaigns WHERE campaign_id = $1`, campaignID).Scan(&on)
	return on, err
}

// settleSurely writes results down, and tries for some minutes where the database is away: what was sent is known only
// here.
func (s *Service) settleSurely(ctx context.Context, b batch, claim string, results []result) error {
	write := context.WithoutCancel(ctx)
	for try := 0; ; try++ {
		err := s.settle(write, b, claim, results)
		if err == nil || try == 60 || !away(err) {
			return err
		}
		s.log.Warn("what was sent cannot be written down yet", "campaign", b.Code, "step", b.StepKey, "error", err)
		time.Sleep(2 * time.Second)
	}
}
