package delivery

import (
	"context"
	"slices"
	"sync"
	"time"

	"aldine/customers"
	"aldine/delivery/bounce"
	"aldine/delivery/email"
)

// Times of a job that sends.
const (
	settleEvery = 2 * time.Second        // what is answered is written down, at the latest
	lookEvery   = 500 * time.Millisecond // whether the campaign still runs
	growEvery   = 20 * time.Millisecond  // whether one more connection would help
	limitedFor  = 10 * time.Second       // how long a job waits for rates before it makes room for others
	turn        = 15 * time.Second       // how long a job may hold its place while others of its priority wait
)

// maxTroubles is how many messages in a row may find nobody who answers before the others better wait too.
const maxTroubles = 3

// outcome of handing over one message.
type outcome struct {
	result
	stop  bool         // the relay or gateway did not answer: soon the rest better waits
	away  bool         // it took no messages at all, whatever this one is
	cause bounce.Cause // of a refusal, where the provider tells
	hard  bool         // no message will ever reach the address
	alone bool         // a failure that says nothing of any other message
	to    string
}

// run is the claimed touches of one job on their way out.
type run struct {
	batch      batch
	journal    *handover
	touches    []touch
	profiles   map[int64]*customers.Profile
	renderer   *renderer
	letterhead *letterhead                   // of mails
	giveUp     bool                          // a message that is put off once more has failed
	may        func(*touch) bool             // whether a message may go now; nil: always
	note       func(o *outcome) (why string) // gives a reason to pause the campaign
	till       time.Time                     // when the hours of the step end; zero: never
	priority   int                           // of the job

	mu       sync.Mutex
	next     int
	stopped  bool
	back     bool      // some are planned again
	returned int       // how many
	troubles int       // in a row without any answer
	putOff   string    // why some must be tried again
	pause    string    // why the campaign has to be paused
	answered []outcome // not written down yet
	paused   bool      // it was told
	limited  time.Time // since when messages wait for a rate
	late     []string  // where those go that had to wait too long for it
}

// take gives the next touch that may go; false where there is none at present or the job is to stop.
func (r *run) take() (*touch, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped {
		return nil, false
	}
	for i := r.next; i < len(r.touches); i++ {
		if r.may != nil && !r.may(&r.touches[i]) {
			continue
		}
		r.touches[i], r.touches[r.next] = r.touches[r.next], r.touches[i]
		r.next++
		return &r.touches[r.next-1], true
	}
	if r.next < len(r.touches) && r.limited.IsZero() {
		r.limited = time.Now()
	}
	return nil, false
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

// begin marks a touch as in doubt. It must come before the provider can have the message, and fails when it must not get it.
func (r *run) begin(t *touch) error {
	r.mu.Lock()
	stopped := r.stopped
	r.mu.Unlock()
	if stopped {
		return email.ErrStopped
	}
	return r.journal.mark(fateBegun, t.CustomerID)
}

// done takes the outcome of a touch and tells whether to go on.
func (r *run) done(t *touch, o outcome) bool {
	o.CustomerID, o.to = t.CustomerID, t.Destination
	mark := fateFailed
	switch o.State {
	case "sent":
		mark = fateSent
	case "planned":
		mark = fateBack
	case "unconfirmed":
		mark = fateBegun
	case "failed":
		if o.hard {
			mark = fateHard
		}
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
		if r.giveUp && reason != "" && !o.away {
			o.State, o.result.Reason = "failed", "given up: "+reason
		}
	}
	if o.stop || o.State == "unconfirmed" {
		r.troubles++
	} else {
		r.troubles = 0
	}
	r.stopped = r.stopped || r.troubles >= maxTroubles
	if r.note != nil && r.pause == "" {
		if r.pause = r.note(&o); r.pause != "" {
			r.stopped = true
		}
	}
	if o.State == "planned" {
		r.back = true
		r.returned++
	}
	r.answered = append(r.answered, o)
	return !r.stopped
}

// collect gives what was answered since it was last asked; once nothing more will be handed over, also those that nobody took.
func (r *run) collect(end bool) []outcome {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := slices.Clone(r.answered)
	r.answered = r.answered[:0]
	if end || r.stopped {
		for ; r.next < len(r.touches); r.next++ {
			r.back = true
			r.returned++
			out = append(out, outcome{result: result{CustomerID: r.touches[r.next].CustomerID, State: "planned"}})
		}
	}
	return out
}

// carry hands the run over with as many hands at once as help: one more starts whenever touches wait and more says that there is
// room. Meanwhile it writes down what is answered, and stops when the campaign does.
func (s *Service) carry(ctx context.Context, r *run, claim string, hand func(), more func() bool) error {
	defer context.AfterFunc(ctx, r.stop)() // also while the database does not answer
	over := make(chan struct{}, len(r.touches))
	hands := 0
	start := func() {
		hands++
		go func() {
			defer func() { over <- struct{}{} }()
			hand()
		}()
	}
	start()
	tick := time.NewTicker(growEvery)
	defer tick.Stop()
	began := time.Now()
	settled, looked := began, began
	var failed error // once results are not written down, the journal is what the next attempt goes by
	for hands > 0 || r.waiting() > 0 {
		select {
		case <-over:
			hands--
			continue
		case <-tick.C:
		}
		if n := r.waiting(); n > 0 && hands == 0 || n > 2 && hands < len(r.touches) && more() {
			start()
		}
		r.journal.flush()
		r.makeRoom()
		now := time.Now()
		if now.Sub(looked) >= lookEvery {
			looked = now
			s.pauseOnce(ctx, r)
			if !r.till.IsZero() && !s.now().Before(r.till) {
				r.stop()
			}
			if on, err := s.running(ctx, r.batch.CampaignID); err != nil || !on {
				r.stop()
			}
			if r.waiting() > 0 && s.crowded(ctx, r, now.Sub(began)) {
				r.stop()
			}
		}
		if now.Sub(settled) >= settleEvery && failed == nil {
			settled = now
			if failed = s.writeDown(ctx, r, claim, false); failed != nil {
				r.stop()
			}
		}
	}
	s.pauseOnce(ctx, r)
	if failed != nil {
		return failed
	}
	return s.writeDown(ctx, r, claim, true)
}

// makeRoom ends a run whose messages wait for a rate.
func (r *run) makeRoom() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.limited.IsZero() && !r.stopped && time.Since(r.limited) > limitedFor {
		r.stopped = true
		for _, t := range r.touches[r.next:] {
			r.late = append(r.late, t.Destination)
		}
	}
}

// pauseTimeout bounds the wait for a database that does not answer; what is sent meanwhile has to be written down too.
const pauseTimeout = 10 * time.Second

// pauseOnce pauses the campaign where the run has found a reason to; it is asked again until that is written down.
func (s *Service) pauseOnce(ctx context.Context, r *run) {
	r.mu.Lock()
	why, told := r.pause, r.paused
	r.paused = r.paused || why != ""
	r.mu.Unlock()
	if why == "" || told {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pauseTimeout)
	defer cancel()
	if err := s.pause(ctx, r.batch, why); err != nil {
		r.mu.Lock()
		r.paused = false
		r.mu.Unlock()
		s.log.Error("a campaign could not be paused", "campaign", r.batch.Code, "reason", why, "error", err)
	}
}

// writeDown settles what was answered and does what follows from it.
func (s *Service) writeDown(ctx context.Context, r *run, claim string, end bool) error {
	outcomes := r.collect(end)
	results := make([]result, len(outcomes))
	for i, o := range outcomes {
		results[i] = o.result
	}
	if err := s.settleSurely(ctx, r.batch, claim, results, r.stop); err != nil {
		return err
	}
	s.hardBounces(context.WithoutCancel(ctx), r.batch, outcomes)
	return nil
}

// running tells whether the campaign may send.
func (s *Service) running(ctx context.Context, campaignID int64) (on bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	err = s.pool.QueryRow(ctx, `SELECT state IN ('running', 'finished') FROM campaigns WHERE campaign_id = $1`, campaignID).Scan(&on)
	return on, err
}

// crowded tells whether others wait for the place that a run has held for some time: jobs of a better priority at any time, and those of
// its own once it has had its turn. Where the relay is slow, a job's mails take minutes.
func (s *Service) crowded(ctx context.Context, r *run, held time.Duration) (yes bool) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	priority := r.priority
	if held < turn {
		priority--
	}
	err := s.pool.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM river_job
		WHERE state = 'available' AND queue = $1 AND priority <= $2 AND scheduled_at <= clock_timestamp())`, r.batch.Channel, priority).Scan(&yes)
	return err == nil && yes
}

// settleSurely writes results down, and tries for some minutes where the database is away: what was sent is known only
// here and in the journal. Meanwhile nothing more is handed over, for nobody could tell whether the campaign still runs.
func (s *Service) settleSurely(ctx context.Context, b batch, claim string, results []result, stop func()) error {
	for try := 0; ; try++ {
		write, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		err := s.settle(write, b, claim, results)
		cancel()
		if err == nil || try == 60 || !away(err) {
			return err
		}
		stop()
		s.log.Warn("what was sent cannot be written down yet", "campaign", b.Code, "step", b.StepKey, "error", err)
		time.Sleep(min(2*time.Second, 100*time.Millisecond<<min(try, 5)))
	}
}
