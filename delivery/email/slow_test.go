package email

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A relay that takes 20 ms for each mail is given all the connections there may be; once it turns some away there are few.
func TestSlowRelay(t *testing.T) {
	t.Parallel()
	const most = 20
	var trouble atomic.Bool
	var working, together atomic.Int64 // mails being taken, and how many were at once
	k := &sink{pipe: true, say: func(c string, _ int) string {
		switch {
		case c == "." && trouble.Load():
			return "421 too much"
		case c == ".":
			n := working.Add(1)
			for seen := together.Load(); n > seen && !together.CompareAndSwap(seen, n); seen = together.Load() {
			}
			time.Sleep(20 * time.Millisecond)
			working.Add(-1)
		}
		return ""
	}}
	p, err := Open(k.start(t), most)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var stop atomic.Bool
	var number atomic.Int64
	var all sync.WaitGroup
	for range most {
		all.Go(func() {
			for !stop.Load() {
				p.Stream(t.Context(), Stream{
					Next: func() *Mail {
						if stop.Load() {
							return nil
						}
						return &Mail{From: "s@x.example", To: fmt.Sprintf("p%d@x.example", number.Add(1)), Body: []byte("Subject: x\r\n\r\ny")}
					},
					Done: func(_ *Mail, err error) bool { return err == nil },
				})
			}
		})
	}
	defer all.Wait()
	defer stop.Store(true)
	eventually := func(what string, ok func() bool) {
		for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: limit %d, %d mails at once", what, p.Limit(), together.Load())
			}
		}
	}
	// One connection is kept for whoever is in a hurry.
	eventually("the slow relay is not given all connections", func() bool { return p.Limit() == most && together.Load() == most-1 })
	trouble.Store(true)
	eventually("the relay that turns connections away still gets many", func() bool { return p.Limit() <= 2 })
}
