package tracking

import (
	"context"
	"sync"

	"aldine/internal/fault"
)

const (
	queueSize  = 4096 // hits that may wait; more are turned away
	batchSize  = 500  // hits of one commit
	collectors = 2    // commits at a time: while one waits for the disk, the next gathers
)

// collector gathers hits that arrive at the same time into one commit. While one commit is on its way to the disk
// the next hits wait in the queue and make up the next one, so that its cost is shared by more the busier it gets.
type collector struct {
	store func([]*hit) error

	mu     sync.RWMutex // guards closed against the closing of queue
	closed bool
	queue  chan *hit
	done   sync.WaitGroup
}

func newCollector(store func([]*hit) error) *collector {
	c := &collector{store: store, queue: make(chan *hit, queueSize)}
	for range collectors {
		c.done.Go(c.run)
	}
	return c
}

func (c *collector) run() {
	batch := make([]*hit, 0, batchSize)
	for first := range c.queue {
		batch = append(batch[:0], first)
	gather:
		for len(batch) < batchSize {
			select {
			case h, ok := <-c.queue:
				if !ok {
					break gather
				}
				batch = append(batch, h)
			default:
				break gather
			}
		}
		err := c.store(batch)
		for _, h := range batch {
			h.stored <- err
		}
		clear(batch)
	}
}

// idle tells whether no hit waits.
func (c *collector) idle() bool { return len(c.queue) == 0 }

var errBusy = fault.New(fault.Unavailable, "Too many requests are waiting. Please try again in a moment.")

// submit puts a hit in the queue and waits until it is stored. It fails at once with errBusy where the queue is full
// or closed. When ctx ends first, the hit is stored all the same.
func (c *collector) submit(ctx context.Context, h *hit) error {
	h.stored = make(chan error, 1)
	c.mu.RLock()
	if c.closed {
		c.mu.RUnlock()
		return errBusy
	}
	select {
	case c.queue <- h:
		c.mu.RUnlock()
	default:
		c.mu.RUnlock()
		return errBusy
	}
	select {
	case err := <-h.stored:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// close takes no more hits and waits until those in the queue are stored.
func (c *collector) close(ctx context.Context) error {
	c.mu.Lock()
	if !c.closed {
		c.closed = true
		close(c.queue)
	}
	c.mu.Unlock()
	done := make(chan struct{})
	go func() { c.done.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
