package email

import (
	"context"
	"sync"
	"time"
)

// gate says how many connections may be open. It begins with a few, lets one more in for each row of mails that were taken,
// and halves what it lets in when the relay turns connections away or cuts them, at most once a second: what was open then says
// the same thing many times over.
//
// Where the relay cannot be reached at all the gate tells how long to leave it alone.
type gate struct {
	most int

	mu      sync.Mutex
	limit   int
	used    int
	waiting int // who wait for room
	well    int // mails taken since the limit was changed
	cut     time.Time
	failed  int // connections in a row that were not made
	until   time.Time
	changed chan struct{} // closed when there may be room
}

const (
	firstLimit = 4
	growAfter  = 25 // mails taken per connection let in
	cutEvery   = time.Second
	restFirst  = time.Second
	restMost   = time.Minute
)

func newGate(most int) *gate {
	most = max(1, most)
	return &gate{most: most, limit: min(firstLimit, most), changed: make(chan struct{})}
}

// open is how many connections there may be; the last one is kept for who is in a hurry.
func (g *gate) open(hurry bool) int {
	if hurry {
		return min(g.most, g.limit+1)
	}
	return min(g.limit, max(1, g.most-1))
}

// enter waits for room. The error is ctx's.
func (g *gate) enter(ctx context.Context, hurry bool) error {
	for {
		g.mu.Lock()
		if g.used < g.open(hurry) {
			g.used++
			g.mu.Unlock()
			return nil
		}
		changed := g.changed
		g.waiting++
		g.mu.Unlock()
		var err error
		select {
		case <-changed:
		case <-ctx.Done():
			err = ctx.Err()
		}
		g.mu.Lock()
		g.waiting--
		g.mu.Unlock()
		if err != nil {
			return err
		}
	}
}

// wanted tells whether somebody waits for room.
func (g *gate) wanted() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.waiting > 0
}

func (g *gate) leave() {
	g.mu.Lock()
	g.used--
	g.tell()
	g.mu.Unlock()
}

// tell wakes who waits; the lock is held.
func (g *gate) tell() {
	close(g.changed)
	g.changed = make(chan struct{})
}

func (g *gate) room() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.used < g.open(false)
}

// taken counts a mail that the relay took.
func (g *gate) taken() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.limit == g.most {
		return
	}
	if g.well++; g.well >= growAfter {
		g.well = 0
		g.limit++
		g.tell()
	}
}

// trouble halves the limit.
func (g *gate) trouble() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.well = 0
	if now := time.Now(); now.Sub(g.cut) >= cutEvery {
		g.cut = now
		g.limit = max(1, g.limit/2)
	}
}

// dialed counts a try to connect.
func (g *gate) dialed(made bool) {
	if !made {
		g.trouble()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if made {
		g.failed, g.until = 0, time.Time{}
		return
	}
	if now := time.Now(); now.After(g.until) {
		rest := restFirst << min(g.failed, 10)
		g.failed++
		g.until = now.Add(min(rest, restMost))
	}
}

func (g *gate) rest() time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return max(0, time.Until(g.until))
}

// Limit tells how many connections may be open at present.
func (p *Pool) Limit() int {
	p.gate.mu.Lock()
	defer p.gate.mu.Unlock()
	return p.gate.limit
}

// Room tells whether one more connection may be opened.
func (p *Pool) Room() bool { return p.gate.room() }

// Rest tells how long the relay, which could not be reached, had better be left alone; 0 where it may be tried.
func (p *Pool) Rest() time.Duration { return p.gate.rest() }
