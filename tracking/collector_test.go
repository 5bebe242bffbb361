package tracking

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"aldine/internal/fault"
)

func TestFullQueueTurnsHitsAway(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	var stored atomic.Int64
	c := newCollector(func(hits []*hit) error {
		<-gate
		stored.Add(int64(len(hits)))
		return nil
	})
	ctx, cancel := context.WithCancel(t.Context())
	accepted, answers := int64(0), make(chan error, queueSize+batchSize)
	deadline := time.Now().Add(30 * time.Second)
	for len(c.queue) < queueSize {
		if time.Now().After(deadline) {
			t.Fatal("the queue does not fill")
		}
		// One by one, so that none is turned away before the queue is full.
		before := len(c.queue)
		go func() { answers <- c.submit(ctx, &hit{}) }()
		for len(c.queue) == before && accepted >= collectors && time.Now().Before(deadline) {
			time.Sleep(time.Microsecond)
		}
		if accepted++; accepted <= collectors {
			time.Sleep(20 * time.Millisecond) // each collector takes one and stands at the gate
		}
	}
	if err := c.submit(t.Context(), &hit{}); !fault.Is(err, fault.Unavailable) {
		t.Fatalf("the hit after a full queue: %v", err)
	}
	cancel() // clients that gave up change nothing: what was accepted is stored
	for range accepted {
		if err := <-answers; !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	close(gate)
	if err := c.close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if stored.Load() != accepted {
		t.Errorf("%d of %d accepted hits were stored", stored.Load(), accepted)
	}
	if err := c.submit(t.Context(), &hit{}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("after close: %v", err)
	}
}
